//! A target's output on its way to the relay: read, metered, sent, and not read further meanwhile.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use axt_net::{
    clock::{Clock, Timer},
    link,
    ws::GATHERED,
};
use axt_proto::{Message, Verdict, channel::Channel, translate};
use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use crate::{calls::Relay, datalink::LinkWriter, target::Output};

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
    pub(super) relay: Arc<Relay>,
}

impl OutputPump {
    pub(super) async fn run(mut self, mut output: Output) -> OutputEnd {
        let mut bandwidth = self.clock.timer("agent bandwidth");
        self.flood(&mut bandwidth).await;
        loop {
            // Where it may have to wait, each frame is read when the one before it is gone.
            let most = match self.machine().largest_output() {
                usize::MAX => GATHERED,
                largest => largest.min(FRAME_MAX),
            };
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
            self.send(data, &mut bandwidth).await;
        }
    }

    /// Sends data at the speed that the machine allows.
    async fn send(&mut self, data: Bytes, bandwidth: &mut Timer) {
        let data = self.relay.fate().lives_for(data);
        let length = data.len();
        let mut together = Vec::new();
        for frame in translate::split(data, FRAME_MAX) {
            let mut fired = None;
            while let Verdict::WaitUntil(at) = self.ask(frame.len()) {
                bandwidth.set(Some(at));
                drop(fired.take());
                // What may go goes: it does not wait for what may not.
                self.send_all(&mut together).await;
                fired = Some(bandwidth.fired().await);
            }
            together.push(Message::Output(frame));
        }
        self.send_all(&mut together).await;
        self.relay.fate().has_carried(length);
    }

    async fn send_all(&mut self, frames: &mut Vec<Message>) {
        self.writer.send_all(frames).await;
        let sent = u64::try_from(frames.len()).unwrap_or(u64::MAX);
        self.sent.fetch_add(sent, Ordering::Relaxed);
        frames.clear();
    }

    fn ask(&self, len: usize) -> Verdict {
        if self.relay.config().behaviour.ignores_speed {
            return Verdict::Forward;
        }
        let now = self.clock.now();
        self.machine().output(now, len)
    }

    /// Prints what nobody asked for, where that is the agent's habit.
    async fn flood(&mut self, bandwidth: &mut Timer) {
        let mut left = self.relay.config().behaviour.floods.unwrap_or_default();
        while left > 0 {
            let most = self.machine().largest_output().min(FRAME_MAX);
            let length = usize::try_from(left).unwrap_or(usize::MAX).min(most);
            left = left.saturating_sub(u64::try_from(length).unwrap_or(u64::MAX));
            self.send(vec![b'~'; length].into(), bandwidth).await;
        }
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
