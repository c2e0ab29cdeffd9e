//! A terminal that steps drive: what came, what was typed, and how it ended.
//!
//! It is read all the time, as a person's is, unless its client is paused: so output that nobody
//! expects holds nothing up.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axt_client::{
    session::{self, EndOfInput, Ended, Ends, Link, Why},
    terminal::signals::Sizes,
};
use axt_net::tasks::Tasks;
use axt_proto::frame::Size;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::watch,
};

use crate::{format::LOST, run::Trouble};

/// The window that a terminal starts with.
pub(crate) const WINDOW: Size = Size { rows: 24, cols: 80 };

/// What is kept of what came and was not expected: the latest.
const KEPT: usize = 256 * 1024;
const PIPE: usize = 64 * 1024;

/// How a terminal ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct End {
    /// The word that its client was told.
    pub(crate) word: String,
    pub(crate) detail: Option<String>,
    pub(crate) exit_code: Option<i32>,
}

#[derive(Debug, Default)]
struct Screen {
    unread: VecDeque<u8>,
    /// Of all bytes that came, those that no expectation has taken.
    uncounted: u64,
    end: Option<End>,
}

/// See the module.
pub(crate) struct Terminal {
    keyboard: Option<Pin<Box<dyn AsyncWrite + Send>>>,
    shared: Arc<Shared>,
    window: watch::Sender<Size>,
    is_paused: watch::Sender<bool>,
    /// Ends its tasks with it.
    tasks: Option<Tasks>,
}

#[derive(Debug)]
struct Shared {
    screen: Mutex<Screen>,
    changed: watch::Sender<u64>,
}

impl Shared {
    fn screen(&self) -> MutexGuard<'_, Screen> {
        self.screen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self) {
        self.changed
            .send_modify(|version| *version = version.wrapping_add(1));
    }

    fn came(&self, bytes: &[u8]) {
        let mut screen = self.screen();
        screen.unread.extend(bytes);
        let over = screen.unread.len().saturating_sub(KEPT);
        screen.unread.drain(..over);
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        screen.uncounted = screen.uncounted.saturating_add(length);
        drop(screen);
        self.tell();
    }

    fn ended(&self, end: End) {
        self.screen().end = Some(end);
        self.tell();
    }
}

impl Terminal {
    /// A session's terminal.
    pub(crate) fn session(link: Link) -> Self {
        let (keyboard, input) = tokio::io::duplex(PIPE);
        let (output, screen) = tokio::io::duplex(PIPE);
        let (window, sizes) = watch::channel(WINDOW);
        let ends = Ends {
            input,
            at_end_of_input: EndOfInput::Closes,
            output,
            sizes: Sizes::Given(sizes),
            tape: None,
        };
        let terminal = Self::of(Box::pin(keyboard), screen, window);
        let shared = Arc::clone(&terminal.shared);
        if let Some(tasks) = &terminal.tasks {
            tasks.spawn("terminal", async move {
                let ended = session::run(link, ends, std::future::pending()).await;
                shared.ended(End::of(&ended));
            });
        }
        terminal
    }

    /// A program's terminal. `end` waits for its end.
    pub(crate) fn program(
        keyboard: impl AsyncWrite + Send + 'static,
        screen: impl AsyncRead + Send + Unpin + 'static,
        end: impl Future<Output = End> + Send + 'static,
        window: watch::Sender<Size>,
    ) -> Self {
        let terminal = Self::of(Box::pin(keyboard), screen, window);
        let shared = Arc::clone(&terminal.shared);
        if let Some(tasks) = &terminal.tasks {
            tasks.spawn("program's end", async move {
                let end = end.await;
                shared.ended(end);
            });
        }
        terminal
    }

    fn of(
        keyboard: Pin<Box<dyn AsyncWrite + Send>>,
        mut screen: impl AsyncRead + Send + Unpin + 'static,
        window: watch::Sender<Size>,
    ) -> Self {
        let tasks = Tasks::new();
        let shared = Arc::new(Shared {
            screen: Mutex::default(),
            changed: watch::Sender::new(0),
        });
        let (is_paused, mut paused) = watch::channel(false);
        let taker = Arc::clone(&shared);
        tasks.spawn("screen", async move {
            let mut buffer = vec![0; 16 * 1024];
            loop {
                if paused.wait_for(|is_paused| !*is_paused).await.is_err() {
                    return;
                }
                match screen.read(&mut buffer).await {
                    Ok(length) if length > 0 => {
                        taker.came(buffer.get(..length).unwrap_or_default());
                    }
                    _ => return,
                }
            }
        });
        Self {
            keyboard: Some(keyboard),
            shared,
            window,
            is_paused,
            tasks: Some(tasks),
        }
    }

    /// Types bytes.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        let closed = Trouble::ended;
        let keyboard = self.keyboard.as_mut().ok_or_else(closed)?;
        keyboard.write_all(bytes).await.map_err(|_| closed())
    }

    pub(crate) fn resize(&self, size: Size) {
        self.window.send_replace(size);
    }

    /// Stops reading the screen, or goes on.
    pub(crate) fn pause(&self, is_paused: bool) {
        self.is_paused.send_replace(is_paused);
    }

    /// Closes the keyboard: an orderly end from this side.
    pub(crate) fn hang_up(&mut self) {
        self.keyboard = None;
    }

    /// Cuts the client off: its link breaks, and nobody says why.
    pub(crate) fn cut(&mut self) {
        self.keyboard = None;
        self.tasks = None;
    }

    /// Waits for a text, and forgets what came up to its end.
    pub(crate) async fn text(&self, text: &str) -> Result<(), Trouble> {
        let look = |screen: &mut Screen| {
            let bytes = screen.unread.make_contiguous();
            let Some(at) = find(bytes, text.as_bytes()) else {
                return screen
                    .end
                    .as_ref()
                    .map(|end| Err(Trouble::plain(format!("the terminal ended: {}", end.word))));
            };
            screen.unread.drain(..at.saturating_add(text.len()));
            Some(Ok(()))
        };
        self.until(look).await
    }

    /// Waits for so many bytes, and counts them no more; gives how many there are beyond.
    pub(crate) async fn bytes(&self, bytes: u64) -> Result<(), Trouble> {
        let look = |screen: &mut Screen| {
            if screen.uncounted >= bytes {
                return Some(Ok(()));
            }
            screen
                .end
                .as_ref()
                .map(|end| Err(Trouble::plain(format!("the terminal ended: {}", end.word))))
        };
        self.until(look).await
    }

    /// How many bytes have come that no expectation has taken.
    pub(crate) fn uncounted(&self) -> u64 {
        self.shared.screen().uncounted
    }

    /// Takes bytes off the count.
    pub(crate) fn count(&self, bytes: u64) {
        let mut screen = self.shared.screen();
        screen.uncounted = screen.uncounted.saturating_sub(bytes);
    }

    /// Waits for the end.
    pub(crate) async fn end(&self) -> End {
        self.until(|screen| screen.end.clone()).await
    }

    /// The end, if it has come.
    pub(crate) fn ended(&self) -> Option<End> {
        self.shared.screen().end.clone()
    }

    /// The latest of what came and was not expected, for people.
    pub(crate) fn seen(&self) -> String {
        let screen = self.shared.screen();
        let from = screen.unread.len().saturating_sub(200);
        let tail: Vec<u8> = screen.unread.iter().skip(from).copied().collect();
        let text = String::from_utf8_lossy(&tail).into_owned();
        match &screen.end {
            Some(end) => format!("{text:?}, then its end: {}", end.word),
            None => format!("{text:?}"),
        }
    }

    async fn until<T>(&self, mut look: impl FnMut(&mut Screen) -> Option<T>) -> T {
        let mut changed = self.shared.changed.subscribe();
        loop {
            changed.borrow_and_update();
            if let Some(found) = look(&mut self.shared.screen()) {
                return found;
            }
            if changed.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

impl End {
    fn of(ended: &Ended) -> Self {
        let (word, detail) = match &ended.why {
            Why::Told(reason) => (reason.word().to_owned(), ended.detail.clone()),
            Why::ToldOtherwise(text) => (text.clone(), None),
            Why::Closed { code } => (format!("Closed {code}"), None),
            Why::Lost(why) => (LOST.to_owned(), Some(why.clone())),
            Why::Malformed(why) => ("Malformed".to_owned(), Some(why.clone())),
            Why::Stopped(_) | Why::InputClosed | Why::OutputClosed => {
                ("ClientClosed".to_owned(), None)
            }
        };
        Self {
            word,
            detail,
            exit_code: ended.exit_code,
        }
    }
}

fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len().max(1))
        .position(|window| window == needle)
}
