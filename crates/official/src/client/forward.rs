//! `portforward`: one accepted connection (wire-protocol 9.2).

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axt_net::{link, tasks::Tasks};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::{GUARD, PACKET, PIPE, Receipt, Wss, pace, terminal::expect};
use crate::wire::kind;

/// How long it is silent after it has connected.
const SILENCE: Duration = Duration::from_secs(3);

/// The pace of a client that was told none.
const OWN_PACE_MS: u64 = 83;

/// What an application sees of a forwarded connection.
#[derive(Debug)]
pub struct Forwarded {
    application: DuplexStream,
    seen: Vec<u8>,
}

impl Forwarded {
    pub(super) fn start(wss: Wss, left_open: Arc<Mutex<Vec<Wss>>>, tasks: &Tasks) -> Self {
        let (application, local) = tokio::io::duplex(PIPE);
        tasks.spawn("official forward", async move {
            if let Some(wss) = run(wss, local).await {
                // For the rest of the process's life.
                left_open
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(wss);
            }
        });
        Self {
            application,
            seen: Vec::new(),
        }
    }

    /// The application sends.
    pub async fn write(&mut self, data: &[u8]) {
        self.application.write_all(data).await.expect("it reads");
    }

    /// Waits until the application has got `data`, and forgets everything up to its end.
    pub async fn expect(&mut self, data: &[u8]) {
        expect(&mut self.application, &mut self.seen, data).await;
    }

    /// What the application gets until its connection ends.
    pub async fn rest(mut self) -> Vec<u8> {
        let mut rest = std::mem::take(&mut self.seen);
        let reading = self.application.read_to_end(&mut rest);
        let read = link::timeout(GUARD, reading).await;
        read.expect("it ends in time").expect("a pipe");
        rest
    }
}

/// Runs until one end is over; a websocket that it leaves open is given back.
async fn run(mut wss: Wss, local: DuplexStream) -> Option<Wss> {
    let (mut from_application, mut to_application) = tokio::io::split(local);
    let sender = wss.sender.clone();
    let speaks_from = link::now() + SILENCE;
    let mut has_sized = false;
    let mut chunk = vec![0; PACKET];
    let mut interval_ms = OWN_PACE_MS;
    loop {
        let local_data = async {
            link::sleep_until(speaks_from).await;
            from_application.read(&mut chunk).await.unwrap_or_default()
        };
        tokio::select! {
            biased;
            receipt = wss.receive() => match receipt {
                Receipt::Output(data) => {
                    let _ = to_application.write_all(&data).await;
                }
                Receipt::Pace(told) => interval_ms = told,
                Receipt::Ended(line) => {
                    wss.complain(format!("`{line}`: the local connection is left open"));
                    std::future::pending::<()>().await;
                }
                Receipt::Lost | Receipt::Crashed(_) => return None,
                Receipt::Deaf => std::future::pending().await,
                Receipt::Nothing => {}
            },
            // It runs on a terminal, whose size no port cares for.
            () = link::sleep_until(speaks_from), if !has_sized => {
                has_sized = true;
                sender.send(kind::SIZE, &[0x18, 0, 0x50, 0]).await;
            }
            length = local_data => {
                let data = chunk.get(..length).unwrap_or_default();
                if data.is_empty() {
                    sender.send(kind::CLOSE, b"1").await;
                    return Some(wss);
                }
                sender.send(kind::INPUT, data).await;
                pace(interval_ms).await;
            }
        }
    }
}
