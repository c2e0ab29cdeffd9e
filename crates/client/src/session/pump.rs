//! Moving bytes between the local ends and the session's websocket, one loop each way.
//!
//! Nothing is read from the input before the last of it was sent, and nothing from the websocket
//! before the output took the last of it: a slow side slows the other and nobody else.

use std::{future::Future, io, time::Duration};

use axt_net::{
    frames::{FrameReader, FrameWriter, Next, ReadError},
    link,
};
use axt_proto::{
    Extensions, Status,
    frame::{Message, Size, client::ClientFraming},
};
use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::oneshot,
};

use super::{EndOfInput, Ended, Ends, Link, Progress, Why, end};
use crate::{
    recording::Tape,
    terminal::signals::{Sizes, Stop},
};

/// The most payload in a message of ours, in bytes: a turn on the session's bandwidth, and a page
/// of the pipe that stdin comes from.
const MESSAGE: usize = 4 * 1024;

/// What a terminal types at the end of input.
const EOT: Bytes = Bytes::from_static(&[4]);

/// How long the relay has to say why, after a status that ends the session.
const LAST_WORD: Duration = link::DRAIN;

/// How long a goodbye may take to be sent that is said because the other side may be hanging.
pub(super) const AT_ONCE: Duration = Duration::from_millis(20);

/// Moves bytes until one side ends it.
pub(super) async fn run<R, W>(
    link: Link,
    ends: Ends<R, W>,
    stop: impl Future<Output = Stop>,
) -> Ended
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let Link {
        reader,
        writer,
        granted,
        progress,
        ending,
        ..
    } = link;
    // A terminal is always read.
    drop(ending);
    let (spoke, first_output) = oneshot::channel();
    let up = Up {
        writer,
        granted,
        progress: progress.clone(),
        tape: ends.tape.clone(),
    };
    let mut down = Down {
        reader,
        progress,
        tape: ends.tape,
        output: ends.output,
        exit_code: None,
        detail: None,
        spoke: (!up.progress.is_relay_ours()).then_some(spoke),
    };
    let why = tokio::select! {
        biased;
        stop = stop => Why::Stopped(stop),
        why = down.pump() => why,
        why = up.pump(ends.input, ends.at_end_of_input, ends.sizes, first_output) => why,
    };
    let (exit_code, detail) = (down.exit_code, down.detail);
    up.leave(&why, down.reader).await;
    Ended {
        why,
        exit_code,
        detail,
    }
}

/// Towards the relay.
struct Up {
    writer: FrameWriter<ClientFraming>,
    granted: Extensions,
    progress: Progress,
    tape: Option<Tape>,
}

impl Up {
    async fn pump(
        &self,
        mut input: impl AsyncRead + Unpin,
        at_end: EndOfInput,
        mut sizes: Sizes,
        mut first_output: oneshot::Receiver<()>,
    ) -> Why {
        // The size first: an agent that has not started the shell yet starts it with this size.
        if let Some(size) = sizes.current() {
            self.resize(size).await;
        }
        let mut buffer = BytesMut::with_capacity(MESSAGE);
        let mut is_open = true;
        let mut last = b'\n';
        let mut has_heard = false;
        loop {
            buffer.reserve(MESSAGE);
            let message = tokio::select! {
                biased;
                size = sizes.changed() => {
                    self.resize(size).await;
                    continue;
                }
                heard = &mut first_output, if !has_heard => {
                    has_heard = true;
                    // Before its first output an official agent may have had no terminal yet, and a
                    // relay that is not ours holds nothing back for it (wire-protocol 6, 14).
                    if let (Ok(()), Some(size)) = (heard, sizes.current()) {
                        self.send(&Message::Resize(size)).await;
                    }
                    continue;
                }
                read = input.read_buf(&mut buffer), if is_open => match read {
                    Ok(length) if length > 0 => {
                        let data = buffer.split().freeze();
                        last = data.last().copied().unwrap_or(last);
                        Message::Input(data)
                    }
                    Ok(_) | Err(_) => match at_end {
                        EndOfInput::Closes => return Why::InputClosed,
                        EndOfInput::IsTyped => {
                            is_open = false;
                            if self.granted.eof {
                                Message::Eof
                            } else {
                                // After half a line the first EOT only hands that half over.
                                let is_half = last != b'\n';
                                Message::Input(if is_half { Bytes::from_static(&[4, 4]) } else { EOT })
                            }
                        }
                    },
                },
            };
            if let (Message::Input(data), Some(tape)) = (&message, &self.tape) {
                tape.input(data);
            }
            self.send(&message).await;
            if let Message::Input(data) = &message {
                self.progress.sent(data.len());
            }
        }
    }

    async fn resize(&self, size: Size) {
        if let Some(tape) = &self.tape {
            tape.resized(size);
        }
        self.send(&Message::Resize(size)).await;
    }

    async fn send(&self, message: &Message) {
        if self.writer.send(message).await.is_err() {
            // The other half of the websocket knows why, and it reads on: leave the word to it.
            std::future::pending().await
        }
    }

    /// Says goodbye when it was this side that left: type 3, then a close frame.
    async fn leave(self, why: &Why, reader: FrameReader<ClientFraming>) {
        let is_ours = matches!(
            why,
            Why::Stopped(_) | Why::InputClosed | Why::OutputClosed | Why::Malformed(_)
        );
        let goodbye = async {
            if is_ours {
                self.send(&Message::Close).await;
            }
            self.writer.close(1000, "").await.ok();
            // Who has typed the escape may have done so because nothing is answered.
            if *why != Why::Stopped(Stop::Escape) {
                reader.drain().await;
            }
        };
        // A relay that hangs must not keep anyone from leaving.
        let patience = match why {
            Why::Stopped(Stop::Escape) => AT_ONCE,
            _ => link::DRAIN,
        };
        let _ = link::timeout(patience, goodbye).await;
    }
}

/// From the relay.
struct Down<W> {
    reader: FrameReader<ClientFraming>,
    progress: Progress,
    tape: Option<Tape>,
    output: W,
    exit_code: Option<i32>,
    detail: Option<String>,
    /// Told of the first output, where somebody waits for it.
    spoke: Option<oneshot::Sender<()>>,
}

impl<W: AsyncWrite + Unpin> Down<W> {
    async fn pump(&mut self) -> Why {
        loop {
            let message = match self.reader.next().await {
                Ok(Next::Message(message)) => message,
                Ok(Next::Closed { code, reason }) => return self.closed(code, &reason),
                Err(ReadError::Ws(error)) => return Why::Lost(error.to_string()),
                Err(ReadError::Frame(error)) => return Why::Malformed(error.to_string()),
            };
            match message {
                Message::Output(data) => {
                    if let Some(spoke) = self.spoke.take() {
                        // Nobody listens when the other half is done.
                        let _ = spoke.send(());
                    }
                    self.progress.received(data.len());
                    if let Some(tape) = &self.tape {
                        tape.output(&data);
                    }
                    if let Err(error) = self.write(&data).await {
                        tracing::debug!(%error, "the output takes no more");
                        return Why::OutputClosed;
                    }
                }
                Message::Exit(code) => self.exit_code = Some(code),
                Message::Status(Status::Ended(word)) => return self.last_word(&word).await,
                Message::Status(Status::ConnectFailed(text)) => {
                    return self.last_word(&String::from_utf8_lossy(&text)).await;
                }
                // Official clients pace themselves by it; here the relay's back-pressure is enough.
                Message::Status(Status::Speed(speed)) => self.progress.told_speed(speed),
                // Everything else is ignored as they do (wire-protocol 4).
                _ => {}
            }
        }
    }

    fn closed(&mut self, code: u16, text: &str) -> Why {
        self.detail = end::detail_of(text);
        Why::closed(code, text)
    }

    async fn write(&mut self, data: &[u8]) -> io::Result<()> {
        self.output.write_all(data).await?;
        self.output.flush().await
    }

    /// After a status that ends the session: the close frame that follows has the exact word.
    async fn last_word(&mut self, word: &str) -> Why {
        let close = async {
            loop {
                match self.reader.next().await {
                    Ok(Next::Closed { code, reason }) => return Some(self.closed(code, &reason)),
                    Ok(Next::Message(_)) | Err(ReadError::Frame(_)) => {}
                    Err(_) => return None,
                }
            }
        };
        match link::timeout(LAST_WORD, close).await {
            Ok(Some(why @ Why::Told(_))) => why,
            _ => Why::told(word),
        }
    }
}
