//! The official client: an interactive session, the raw pipe of `ssh`, and a forwarded port
//! (wire-protocol 2, 5 to 7 and 9).

mod forward;
mod raw;
mod receipt;
mod terminal;

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use axt_net::{link, tasks::Tasks, wall::Wall};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};

pub use self::{
    forward::Forwarded,
    raw::RawPipe,
    terminal::{Ended, Terminal},
};
use crate::{
    Complaints, Network,
    socket::{self, Reader, Writer},
    wire,
};

/// The most payload of a frame that it sends.
const PACKET: usize = 2_048;

/// The official client on one session's URL. Whatever it would have choked on fails the test when it
/// is dropped.
#[derive(Debug)]
pub struct OfficialClient {
    network: Network,
    url: String,
    complaints: Complaints,
    wall: Wall,
    tasks: Tasks,
    /// The websockets that `portforward` leaves open for the rest of its life.
    left_open: Arc<Mutex<Vec<Wss>>>,
}

impl OfficialClient {
    /// A client for the `WebSocketUrl` of a StartTerminalSession. Nothing is dialled yet.
    #[must_use]
    pub fn new(network: Network, url: &str) -> Self {
        Self {
            network,
            // It mends the spelling of old URLs.
            url: url.replacen("sessionid", "sessionId", 1),
            complaints: Complaints::default(),
            wall: Wall::system(),
            tasks: Tasks::new(),
            left_open: Arc::default(),
        }
    }

    /// `session`: a terminal of this size, in rows and columns.
    ///
    /// # Errors
    /// In words, when the websocket is refused.
    pub async fn session(&self, size: (i16, i16)) -> Result<Terminal, String> {
        let wss = self.dial().await?;
        Ok(Terminal::start(wss, size, &self.tasks))
    }

    /// `ssh`: standard input and output as a pipe.
    ///
    /// # Errors
    /// In words, when the websocket is refused.
    pub async fn ssh(&self) -> Result<RawPipe, String> {
        let wss = self.dial().await?;
        Ok(RawPipe::start(wss, &self.tasks))
    }

    /// One connection that `portforward`, run on a terminal, has accepted: a websocket of its own on
    /// the same URL.
    ///
    /// # Errors
    /// In words, when the websocket is refused.
    pub async fn forward(&self) -> Result<Forwarded, String> {
        let wss = self.dial().await?;
        Ok(Forwarded::start(
            wss,
            Arc::clone(&self.left_open),
            &self.tasks,
        ))
    }

    /// Waits until the relay has closed the websockets that `portforward` left open, all that there are by
    /// now.
    pub async fn left_alone(&self) {
        let left = std::mem::take(
            &mut *self
                .left_open
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
        for mut wss in left {
            let over = async { while wss.receive().await != Receipt::Lost {} };
            let over = link::timeout(GUARD, over).await;
            over.expect("the relay closes what is over");
        }
    }

    /// What it would have choked on so far.
    #[must_use]
    pub fn complaints(&self) -> &Complaints {
        &self.complaints
    }

    async fn dial(&self) -> Result<Wss, String> {
        let mut headers = HeaderMap::new();
        headers.insert("user-agent", HeaderValue::from_static("Go-http-client/1.1"));
        // Present, but always empty.
        headers.insert("x-acs-session-token", HeaderValue::from_static(""));
        let (reader, writer) = socket::open(&self.network, &self.url, headers).await?;
        Ok(Wss {
            reader,
            sender: Sender {
                writer,
                wall: self.wall.clone(),
                sequence: Arc::default(),
            },
            complaints: self.complaints.clone(),
            frames: 0,
        })
    }
}

impl Drop for OfficialClient {
    fn drop(&mut self) {
        self.complaints.settle("client");
    }
}

/// One websocket of a client.
#[derive(Debug)]
struct Wss {
    reader: Reader,
    sender: Sender,
    complaints: Complaints,
    frames: u64,
}

/// Its sending half. Cloning shares it.
#[derive(Clone, Debug)]
struct Sender {
    writer: Writer,
    wall: Wall,
    sequence: Arc<AtomicI64>,
}

impl Sender {
    async fn send(&self, kind: u32, payload: &[u8]) -> bool {
        let now_ms = u64::try_from(self.wall.now().as_millisecond()).unwrap_or_default();
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed);
        let frame = wire::write_at_client(kind, now_ms, sequence, payload);
        self.writer.send(frame).await
    }
}

/// What it tells nobody but itself about a websocket.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Receipt {
    Output(Bytes),
    /// Milliseconds between two frames from now on.
    Pace(u64),
    /// A line to be printed, and the end.
    Ended(String),
    /// The websocket is over, in whatever way.
    Lost,
    /// It goes on, but never reads again.
    Deaf,
    /// It crashes, or cannot read what it got.
    Crashed(i32),
    Nothing,
}

/// Against hanging. On a paused clock it jumps.
const GUARD: Duration = Duration::from_secs(600);

/// The bytes that a peer hands on between a test and its task.
const PIPE: usize = 256 * 1024;

async fn pace(interval_ms: u64) {
    if interval_ms > 0 {
        link::sleep(Duration::from_millis(interval_ms)).await;
    }
}

#[cfg(test)]
mod tests;
