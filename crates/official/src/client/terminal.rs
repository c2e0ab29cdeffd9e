//! `session`: an interactive terminal (wire-protocol 6, 9.1).

use std::time::Duration;

use axt_net::{link, tasks::Tasks};
use bytes::Bytes;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf},
    sync::{oneshot, watch},
    task::AbortHandle,
};

use super::{GUARD, PACKET, PIPE, Receipt, Wss};
use crate::wire::kind;

/// How often it looks at its terminal's size.
const LOOK: Duration = Duration::from_millis(500);

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The exit status: 1 after every session, 2 after a crash.
    pub status: i32,
    /// The last line on stdout, behind the output; empty where there is none.
    pub line: String,
}

/// A terminal that runs. Its drop is a signal: no close frame, and no type 3.
#[derive(Debug)]
pub struct Terminal {
    keys: WriteHalf<DuplexStream>,
    screen: ReadHalf<DuplexStream>,
    seen: Vec<u8>,
    size: watch::Sender<(i16, i16)>,
    ended: oneshot::Receiver<Ended>,
    task: AbortHandle,
}

impl Terminal {
    pub(super) fn start(wss: Wss, size: (i16, i16), tasks: &Tasks) -> Self {
        let (test, terminal) = tokio::io::duplex(PIPE);
        let (screen, keys) = tokio::io::split(test);
        let (size, sizes) = watch::channel(size);
        let (end, ended) = oneshot::channel();
        let task = tasks.spawn("official terminal", async move {
            let end_of_it = run(wss, terminal, sizes).await;
            // A test may not care how it ends.
            let _ = end.send(end_of_it);
        });
        Self {
            keys,
            screen,
            seen: Vec::new(),
            size,
            ended,
            task,
        }
    }

    /// Types.
    pub async fn type_text(&mut self, text: &str) {
        self.keys
            .write_all(text.as_bytes())
            .await
            .expect("it reads");
    }

    /// Types a line.
    pub async fn type_line(&mut self, line: &str) {
        self.type_text(&format!("{line}\r")).await;
    }

    /// Makes the terminal another size, in rows and columns.
    pub fn resize(&self, rows: i16, cols: i16) {
        self.size.send_replace((rows, cols));
    }

    /// Waits until `text` has been printed, and forgets everything up to its end.
    pub async fn expect(&mut self, text: &str) {
        expect(&mut self.screen, &mut self.seen, text.as_bytes()).await;
    }

    /// Waits for its end; what else it had printed is in the answer's second half.
    pub async fn ended(mut self) -> (Ended, Vec<u8>) {
        let mut rest = std::mem::take(&mut self.seen);
        let reading = self.screen.read_to_end(&mut rest);
        let read = link::timeout(GUARD, reading).await;
        read.expect("it ends in time").expect("a pipe");
        let ended = (&mut self.ended).await.expect("its task ends");
        (ended, rest)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(super) async fn expect(screen: &mut (impl AsyncRead + Unpin), seen: &mut Vec<u8>, text: &[u8]) {
    let reading = async {
        loop {
            let found = seen.windows(text.len()).position(|part| part == text);
            if let Some(at) = found {
                seen.drain(..at + text.len());
                return true;
            }
            if screen.read_buf(seen).await.unwrap_or_default() == 0 {
                return false;
            }
        }
    };
    let is_found = link::timeout(GUARD, reading).await;
    assert!(
        is_found == Ok(true),
        "`{}` was not printed, but `{}`",
        String::from_utf8_lossy(text),
        String::from_utf8_lossy(seen)
    );
}

async fn run(mut wss: Wss, terminal: DuplexStream, sizes: watch::Receiver<(i16, i16)>) -> Ended {
    let (mut keys, mut screen) = tokio::io::split(terminal);
    let sender = wss.sender.clone();
    let mut typed = vec![0; PACKET];
    let mut looks: Option<link::Interval> = None;
    let mut told = None;
    let mut is_deaf = false;
    loop {
        tokio::select! {
            biased;
            receipt = wss.receive(), if !is_deaf => match receipt {
                Receipt::Output(data) => {
                    print(&mut screen, &data).await;
                    // Only now, and within half a second, it tells its size.
                    looks.get_or_insert_with(|| link::interval(LOOK));
                }
                Receipt::Ended(line) => return Ended { status: 1, line },
                Receipt::Lost => return Ended { status: 1, line: String::new() },
                Receipt::Crashed(status) => return Ended { status, line: String::new() },
                Receipt::Deaf => is_deaf = true,
                Receipt::Pace(_) | Receipt::Nothing => {}
            },
            read = keys.read(&mut typed) => {
                let length = read.unwrap_or_default();
                if length == 0 {
                    // End of input is a key, and the end.
                    sender.send(kind::INPUT, &[4]).await;
                    return Ended { status: 1, line: String::new() };
                }
                let typed = typed.get(..length).unwrap_or_default();
                sender.send(kind::INPUT, typed).await;
            }
            () = tick(&mut looks) => {
                let (rows, cols) = *sizes.borrow();
                if told.replace((rows, cols)) != Some((rows, cols)) {
                    let size = [rows.to_le_bytes(), cols.to_le_bytes()].concat();
                    sender.send(kind::SIZE, &size).await;
                }
            }
        }
    }
}

async fn print(screen: &mut WriteHalf<DuplexStream>, data: &Bytes) {
    // A test that is gone reads nothing.
    let _ = screen.write_all(data).await;
}

async fn tick(looks: &mut Option<link::Interval>) {
    match looks {
        Some(interval) => {
            interval.tick().await;
        }
        None => std::future::pending().await,
    }
}
