//! Stdin and stdout as async streams, whatever they are: a terminal, a pipe, a file.
//!
//! Each is served by a thread of its own that waits in `poll`, with a pipe to the async side. That
//! way the descriptors' flags are left alone: they belong to the open file, which other programs
//! (the shell that we return to) share, and a stdin left in O_NONBLOCK breaks those. It works the
//! other way round too: when somebody else has set O_NONBLOCK, EAGAIN is waited out here. And a
//! stdout that blocks holds up this thread, never the session's task.

use std::{
    fs::File,
    io::{self, PipeReader, PipeWriter, Read, Write},
    os::fd::AsFd,
};

use axt_net::tasks::Tasks;
use rustix::{
    event::{PollFd, PollFlags, poll},
    io::Errno,
};
use tokio::{
    net::unix::pipe::{Receiver, Sender},
    sync::oneshot,
};

/// The most that is read at once, in bytes: a message's worth (design, "Sizes").
const CHUNK: usize = 8 * 1024;

/// Stdin. The thread ends when the stream is dropped, without taking another byte.
///
/// # Errors
/// No pipe or no thread to be had.
pub fn input(tasks: &Tasks) -> io::Result<Receiver> {
    let (reader, writer) = io::pipe()?;
    tasks.thread("stdin", move |_| {
        read_all(rustix::stdio::stdin(), writer);
    })?;
    Receiver::from_owned_fd(reader.into())
}

/// Stdout, and the end of it: dropping (or shutting down) the stream and then waiting for
/// [`Flushed::wait`] makes sure that everything has been written.
///
/// # Errors
/// No pipe or no thread to be had.
pub fn output(tasks: &Tasks) -> io::Result<(Sender, Flushed)> {
    let (reader, writer) = io::pipe()?;
    let (done, flushed) = oneshot::channel();
    tasks.thread("stdout", move |_| {
        let _ = done.send(write_stdout(reader));
    })?;
    Ok((Sender::from_owned_fd(writer.into())?, Flushed(flushed)))
}

/// The same for the last that this process writes to stdout, which is closed after it: whoever reads
/// there learns of the end although the process lives on.
///
/// # Errors
/// As [`output`].
pub fn last_output(tasks: &Tasks) -> io::Result<(Sender, Flushed)> {
    let (reader, writer) = io::pipe()?;
    let (done, flushed) = oneshot::channel();
    tasks.thread("stdout", move |_| {
        let written = write_stdout(reader);
        // Not left closed: the next file that is opened would become stdout.
        if let Ok(nowhere) = File::options().write(true).open("/dev/null") {
            let _ = rustix::stdio::dup2_stdout(nowhere);
        }
        let _ = done.send(written);
    })?;
    Ok((Sender::from_owned_fd(writer.into())?, Flushed(flushed)))
}

/// Resolves when stdout has taken everything, or cannot take more.
#[derive(Debug)]
pub struct Flushed(oneshot::Receiver<io::Result<()>>);

impl Flushed {
    /// Waits for it.
    ///
    /// # Errors
    /// What stdout says: broken pipe, disk full.
    pub async fn wait(self) -> io::Result<()> {
        self.0.await.unwrap_or(Ok(()))
    }
}

/// Reads to the end of the input, or until the session reads no more.
fn read_all(input: impl AsFd, mut session: PipeWriter) {
    let mut buffer = [0; CHUNK];
    loop {
        // The pipe is watched for its end only: a byte typed later is the next program's.
        let mut ready = [
            PollFd::new(&input, PollFlags::IN),
            PollFd::new(&session, PollFlags::empty()),
        ];
        match poll(&mut ready, None) {
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(_) => return,
        }
        let [_, end] = &ready;
        if end.revents().intersects(PollFlags::ERR | PollFlags::HUP) {
            return;
        }
        match rustix::io::read(&input, &mut buffer) {
            Ok(0) => return,
            Ok(length) => {
                let chunk = buffer.get(..length).unwrap_or_default();
                if session.write_all(chunk).is_err() {
                    return;
                }
            }
            Err(Errno::INTR | Errno::AGAIN) => {}
            // EIO: the terminal is gone, which is the end of the input.
            Err(_) => return,
        }
    }
}

fn write_stdout(mut session: PipeReader) -> io::Result<()> {
    let mut buffer = [0; CHUNK];
    loop {
        let length = match session.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let output = buffer.get(..length).unwrap_or_default();
        if super::may_show(output) {
            write_all(rustix::stdio::stdout(), output)?;
        }
    }
}

/// Writes everything, waiting when the descriptor is in O_NONBLOCK and full.
pub(super) fn write_all(output: impl AsFd, mut rest: &[u8]) -> io::Result<()> {
    while !rest.is_empty() {
        match rustix::io::write(&output, rest) {
            Ok(length) => rest = rest.get(length..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                let _ = poll(&mut [PollFd::new(&output, PollFlags::OUT)], None);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;

    use super::*;

    fn nonblocking_pipe() -> (OwnedFd, OwnedFd) {
        let (reader, writer) = io::pipe().expect("pipe");
        let (reader, writer) = (OwnedFd::from(reader), OwnedFd::from(writer));
        rustix::io::ioctl_fionbio(&reader, true).expect("set");
        rustix::io::ioctl_fionbio(&writer, true).expect("set");
        (reader, writer)
    }

    #[test]
    fn an_empty_input_in_nonblocking_mode_is_waited_for() {
        let (input, keyboard) = nonblocking_pipe();
        let (mut session, writer) = io::pipe().expect("pipe");

        let typed = std::thread::scope(|scope| {
            scope.spawn(move || read_all(input, writer));
            rustix::io::write(&keyboard, b"late").expect("typed");
            drop(keyboard);
            let mut typed = String::new();
            session.read_to_string(&mut typed).expect("read");
            typed
        });

        assert_eq!(typed, "late");
    }

    #[test]
    fn what_is_typed_after_the_session_is_left_for_the_next_program() {
        let (input, keyboard) = nonblocking_pipe();
        let (session, writer) = io::pipe().expect("pipe");

        drop(session);
        rustix::io::write(&keyboard, b"x").expect("typed");
        read_all(&input, writer);

        let mut left = [0; 8];
        assert_eq!(rustix::io::read(&input, &mut left), Ok(1));
    }

    #[test]
    fn a_full_descriptor_in_nonblocking_mode_loses_nothing() {
        let (mut reader, writer) = io::pipe().expect("pipe");
        let writer = OwnedFd::from(writer);
        rustix::io::ioctl_fionbio(&writer, true).expect("set");
        let sent: Vec<u8> = (0..1_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();

        let received = std::thread::scope(|scope| {
            let reading = scope.spawn(move || {
                let mut all = Vec::new();
                reader.read_to_end(&mut all).expect("read");
                all
            });
            write_all(&writer, &sent).expect("written");
            drop(writer);
            reading.join().expect("joined")
        });

        assert_eq!(received, sent);
    }
}
