//! `ssh`: standard input and output as a pipe, with its peculiarities (wire-protocol 9.3).

use std::time::Duration;

use axt_net::{link, tasks::Tasks};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf},
    task::AbortHandle,
};

use super::{PACKET, PIPE, Receipt, Wss, pace, terminal::expect};
use crate::wire::kind;

/// How long before the chunk behind it the one that was kept is sent.
const KEPT_BEFORE: Duration = Duration::from_millis(100);

/// The pace of a client that was told none.
const OWN_PACE_MS: u64 = 83;

/// A raw pipe that runs.
#[derive(Debug)]
pub struct RawPipe {
    stdin: Option<WriteHalf<DuplexStream>>,
    stdout: ReadHalf<DuplexStream>,
    seen: Vec<u8>,
    task: AbortHandle,
}

impl RawPipe {
    pub(super) fn start(wss: Wss, tasks: &Tasks) -> Self {
        let (test, pipe) = tokio::io::duplex(PIPE);
        let (stdout, stdin) = tokio::io::split(test);
        let task = tasks.spawn("official raw pipe", run(wss, pipe));
        Self {
            stdin: Some(stdin),
            stdout,
            seen: Vec::new(),
            task,
        }
    }

    /// Writes to its standard input.
    pub async fn write(&mut self, data: &[u8]) {
        let stdin = self.stdin.as_mut().expect("open");
        stdin.write_all(data).await.expect("it reads");
    }

    /// Waits until `data` has come from its standard output, and forgets everything up to its end.
    pub async fn expect(&mut self, data: &[u8]) {
        expect(&mut self.stdout, &mut self.seen, data).await;
    }

    /// Ends its standard input: it says type 3 and exits at once.
    pub async fn close(&mut self) {
        if let Some(mut stdin) = self.stdin.take() {
            stdin.shutdown().await.expect("it reads");
        }
    }
}

impl Drop for RawPipe {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(mut wss: Wss, pipe: DuplexStream) {
    let (mut stdin, mut stdout) = tokio::io::split(pipe);
    let sender = wss.sender.clone();
    let mut chunk = vec![0; PACKET];
    let mut kept: Option<Vec<u8>> = None;
    let mut has_heard = false;
    let mut interval_ms = OWN_PACE_MS;
    loop {
        tokio::select! {
            biased;
            receipt = wss.receive() => match receipt {
                Receipt::Output(data) => {
                    has_heard = true;
                    let _ = stdout.write_all(&data).await;
                }
                Receipt::Ended(line) => {
                    wss.complain(format!("`{line}` went into the byte stream"));
                    return;
                }
                Receipt::Pace(told) => interval_ms = told,
                Receipt::Lost | Receipt::Deaf | Receipt::Crashed(_) => return,
                Receipt::Nothing => {}
            },
            read = stdin.read(&mut chunk) => {
                let length = read.unwrap_or_default();
                let data = chunk.get(..length).unwrap_or_default();
                if data.is_empty() {
                    sender.send(kind::CLOSE, b"1").await;
                    return;
                }
                if !has_heard {
                    // Later ones than the first are lost without a word.
                    kept.get_or_insert_with(|| data.to_vec());
                    continue;
                }
                if let Some(first) = kept.take() {
                    sender.send(kind::INPUT, &first).await;
                    link::sleep(KEPT_BEFORE).await;
                }
                sender.send(kind::INPUT, data).await;
                pace(interval_ms).await;
            }
        }
    }
}
