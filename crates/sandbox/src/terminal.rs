//! A terminal that a program drives: type a line, expect a text, learn how it ended.
//!
//! It is the client's own session over a pair of pipes, so what holds here holds for a person's
//! terminal. Waiting is bounded by [`GUARD`], so that a test fails instead of hanging.

use std::{fmt, time::Duration};

use axt_client::{
    session::{self, EndOfInput, Ended, Ends, Link},
    terminal::signals::Sizes,
};
use axt_net::{link, tasks::Tasks};
use axt_proto::frame::Size;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    sync::{oneshot, watch},
};

/// The longest that anything here is waited for, in link time.
pub const GUARD: Duration = Duration::from_secs(20);

/// The window that a terminal starts with.
pub const WINDOW: Size = Size { rows: 24, cols: 80 };

const PIPE: usize = 64 * 1024;

/// A session in progress, seen from the keyboard and the screen.
#[derive(Debug)]
pub struct Terminal {
    keyboard: Option<DuplexStream>,
    screen: DuplexStream,
    /// What came and has not been expected yet.
    unread: Vec<u8>,
    window: watch::Sender<Size>,
    ended: oneshot::Receiver<Ended>,
    /// Ends the session's task with the terminal.
    _tasks: Tasks,
}

/// What was expected and did not come.
#[derive(Debug, thiserror::Error)]
pub struct Unmet {
    expected: String,
    seen: String,
    why: &'static str,
}

impl fmt::Display for Unmet {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            expected,
            seen,
            why,
        } = self;
        write!(out, "expected {expected}, but {why}; seen since: {seen:?}")
    }
}

impl Terminal {
    /// Runs `link` until it ends or the terminal is dropped.
    #[must_use]
    pub fn start(link: Link, at_end_of_input: EndOfInput) -> Self {
        let tasks = Tasks::new();
        let (keyboard, input) = tokio::io::duplex(PIPE);
        let (output, screen) = tokio::io::duplex(PIPE);
        let (window, sizes) = watch::channel(WINDOW);
        let (told, ended) = oneshot::channel();
        let ends = Ends {
            input,
            at_end_of_input,
            output,
            sizes: Sizes::Given(sizes),
            tape: None,
        };
        tasks.spawn("terminal", async move {
            let never = std::future::pending();
            let _ = told.send(session::run(link, ends, never).await);
        });
        Self {
            keyboard: Some(keyboard),
            screen,
            unread: Vec::new(),
            window,
            ended,
            _tasks: tasks,
        }
    }

    /// Types bytes as they are.
    ///
    /// # Errors
    /// The session has ended, or takes no input for [`GUARD`].
    pub async fn type_bytes(&mut self, bytes: &[u8]) -> Result<(), Unmet> {
        let Some(keyboard) = &mut self.keyboard else {
            return Err(self.unmet("a session that takes input", "its input was closed"));
        };
        match link::timeout(GUARD, keyboard.write_all(bytes)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(self.unmet("a session that takes input", "it has ended")),
            Err(_) => Err(self.unmet("a session that takes input", "it takes none")),
        }
    }

    /// Types a line and Enter.
    ///
    /// # Errors
    /// As [`Terminal::type_bytes`].
    pub async fn type_line(&mut self, line: &str) -> Result<(), Unmet> {
        self.type_bytes(format!("{line}\r").as_bytes()).await
    }

    /// Closes the keyboard: the end of input.
    pub fn close_input(&mut self) {
        self.keyboard = None;
    }

    /// Changes the window's size.
    pub fn resize(&self, rows: u16, cols: u16) {
        self.window.send_replace(Size { rows, cols });
    }

    /// Waits for `text` and forgets everything up to its end. Answers what came before it.
    ///
    /// # Errors
    /// The session has ended without it, or it did not come for [`GUARD`].
    pub async fn expect(&mut self, text: &str) -> Result<Vec<u8>, Unmet> {
        let waiting = async {
            loop {
                if let Some(at) = find(&self.unread, text.as_bytes()) {
                    let before = self.unread.get(..at).unwrap_or_default().to_vec();
                    self.unread.drain(..at.saturating_add(text.len()));
                    return Ok(before);
                }
                match self.screen.read_buf(&mut self.unread).await {
                    Ok(length) if length > 0 => {}
                    _ => return Err("the session has ended"),
                }
            }
        };
        match link::timeout(GUARD, waiting).await {
            Ok(Ok(before)) => Ok(before),
            Ok(Err(why)) => Err(self.unmet(text, why)),
            Err(_) => Err(self.unmet(text, "it did not come")),
        }
    }

    /// Waits for the session's end. Answers how it ended and what came on the screen until then.
    ///
    /// # Errors
    /// It did not end for [`GUARD`].
    pub async fn end(mut self) -> Result<(Ended, Vec<u8>), Unmet> {
        let waiting = async {
            let screen = self.screen.read_to_end(&mut self.unread);
            let (_, ended) = tokio::join!(screen, &mut self.ended);
            ended
        };
        match link::timeout(GUARD, waiting).await {
            Ok(Ok(ended)) => Ok((ended, self.unread)),
            Ok(Err(_)) => Err(self.unmet("the session's end", "its task is gone")),
            Err(_) => Err(self.unmet("the session's end", "it goes on")),
        }
    }

    fn unmet(&self, expected: &str, why: &'static str) -> Unmet {
        Unmet {
            expected: expected.to_owned(),
            seen: String::from_utf8_lossy(&self.unread).into_owned(),
            why,
        }
    }
}

fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len().max(1))
        .position(|window| window == needle)
}
