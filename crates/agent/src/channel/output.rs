//! A target's output on its way to the relay: read, metered, sent, and not read further meanwhile.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use axt_net::{clock::Clock, link};
use axt_proto::{Message, Verdict, channel::Channel};
use tokio_util::sync::CancellationToken;

use crate::{datalink::LinkWriter, target::Output};

/// The most payload of one frame, in bytes (design, "Sizes").
const FRAME_MAX: usize = 8_192;

/// How a target's output ended.
#[derive(Debug)]
pub(super) enum OutputEnd {
    Orderly,
    Broken(String),
}

pub(super) struct OutputPump {
    pub(super) machine: Arc<Mutex<Channel>>,
    pub(super) clock: Clock,
    pub(super) writer: LinkWriter,
    pub(super) shell_ended: CancellationToken,
    /// Counts the frames that the link has taken.
    pub(super) sent: Arc<AtomicU64>,
}

impl OutputPump {
    pub(super) async fn run(mut self, mut output: Output) -> OutputEnd {
        let mut bandwidth = self.clock.timer("agent bandwidth");
        loop {
            let most = self.machine().largest_output().min(FRAME_MAX);
            let read = tokio::select! {
                biased;
                read = output.read(most) => read,
                () = silence_after(&self.shell_ended) => return OutputEnd::Orderly,
            };
            let data = match read {
                Ok(data) if data.is_empty() => return OutputEnd::Orderly,
                Ok(data) => data,
                Err(error) => return OutputEnd::Broken(error.to_string()),
            };
            let mut fired = None;
            while let Verdict::WaitUntil(at) = self.ask(data.len()) {
                bandwidth.set(Some(at));
                drop(fired.take());
                fired = Some(bandwidth.fired().await);
            }
            drop(fired);
            self.writer.send(&Message::Output(data)).await;
            self.sent.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn ask(&self, len: usize) -> Verdict {
        let now = self.clock.now();
        self.machine().output(now, len)
    }

    fn machine(&self) -> MutexGuard<'_, Channel> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A background job that was let live may hold the terminal open for ever. Once the shell has
/// ended, a moment without output is the end of it.
async fn silence_after(shell_ended: &CancellationToken) {
    shell_ended.cancelled().await;
    link::sleep(link::DRAIN).await;
}
