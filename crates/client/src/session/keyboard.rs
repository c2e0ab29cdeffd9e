//! The keyboard before the session: what is typed goes on to it, and escapes are heard at once, also
//! while the session takes nothing because its relay hangs.

use std::collections::VecDeque;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::escape::{Command, Escapes, Typed};

/// How much may be typed ahead of a session that takes nothing, in bytes; an escape behind more than
/// that is not heard. It is less than a hop may hold (1 MiB).
const AHEAD: usize = 256 * 1024;
/// The most that is read at once.
const CHUNK: usize = 8 * 1024;

/// A keyboard that is listened to.
#[derive(Debug)]
pub struct Keyboard<R> {
    input: R,
    escapes: Option<Escapes>,
    session: DuplexStream,
    read: VecDeque<Typed>,
    buffer: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Keyboard<R> {
    /// Listens to `input`. The other half is the session's input.
    #[must_use]
    pub fn listen(input: R, escapes: Escapes) -> (Self, DuplexStream) {
        let (session, typed) = duplex(AHEAD);
        let keyboard = Self {
            input,
            escapes: Some(escapes),
            session,
            read: VecDeque::new(),
            buffer: vec![0; CHUNK],
        };
        (keyboard, typed)
    }

    /// Hands on what is typed until an escape comes. Dropped before that, it may lose what was typed
    /// last: only an end does that.
    pub async fn next(&mut self) -> Command {
        loop {
            while let Some(typed) = self.read.pop_front() {
                match typed {
                    Typed::Command(command) => return command,
                    // The session is over when it takes no more.
                    Typed::Text(text) => {
                        let _ = self.session.write_all(&text).await;
                    }
                }
            }
            let Some(escapes) = &mut self.escapes else {
                return std::future::pending().await;
            };
            match self.input.read(&mut self.buffer).await {
                Ok(length) if length > 0 => {
                    let typed = self.buffer.get(..length).unwrap_or_default();
                    self.read.extend(escapes.read(typed));
                }
                Ok(_) | Err(_) => {
                    if let Some(key) = self.escapes.take().and_then(Escapes::finish) {
                        let _ = self.session.write_all(&[key]).await;
                    }
                    let _ = self.session.shutdown().await;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_escape_is_heard_though_the_session_takes_nothing() {
        let (mut keys, input) = duplex(CHUNK);
        let (mut keyboard, _session) = Keyboard::listen(input, Escapes::new(b'~'));

        let typing = async {
            keys.write_all(&vec![b'x'; AHEAD - 1]).await.expect("typed");
            keys.write_all(b"\r~.").await.expect("typed");
        };
        let ((), command) = tokio::join!(typing, keyboard.next());

        assert_eq!(command, Command::End);
    }

    #[tokio::test]
    async fn the_end_of_the_input_is_the_sessions_and_a_held_key_goes_before_it() {
        let (mut keys, input) = duplex(CHUNK);
        let (mut keyboard, mut session) = Keyboard::listen(input, Escapes::new(b'~'));

        keys.write_all(b"a\r~").await.expect("typed");
        drop(keys);
        let mut typed = String::new();
        tokio::select! {
            command = keyboard.next() => panic!("{command:?}"),
            read = session.read_to_string(&mut typed) => { read.expect("read"); }
        }

        assert_eq!(typed, "a\r~");
    }
}
