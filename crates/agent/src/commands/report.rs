//! Telling the relay how a command goes: four tries, two seconds apart (wire-protocol 10.7).

use std::{sync::Arc, time::Duration};

use super::unsent::Piece;
use crate::calls::Relay;
use axt_control::luban::{TaskNews, TaskReport, task::Task};
use axt_net::link;

/// How often a call is tried.
pub(super) const TRIES: u32 = 4;
/// How long to wait between two tries.
pub(super) const TRY_AGAIN: Duration = Duration::from_secs(2);

/// Reports on one task.
#[derive(Clone, Debug)]
pub(super) struct Reporter {
    relay: Arc<Relay>,
    task: String,
    invoke_version: u64,
    /// Whether the relay takes positions.
    tells_position: bool,
}

impl Reporter {
    pub(super) fn new(relay: &Arc<Relay>, task: &Task) -> Self {
        Self {
            relay: Arc::clone(relay),
            task: task.task.task_id.clone(),
            invoke_version: task.task.invoke_version,
            tells_position: task.axt.is_some_and(|granted| granted.position),
        }
    }

    pub(super) fn now_ms(&self) -> u64 {
        self.relay.now_ms()
    }

    /// Tells the relay, with the output that it has not been told; whether it has taken it.
    pub(super) async fn post(&self, news: TaskNews, output: Piece) -> bool {
        let report = TaskReport {
            task: self.task.clone(),
            invoke_version: self.invoke_version,
            position: Some(output.position).filter(|_| self.tells_position),
            news,
        };
        for number in 1..=TRIES {
            match self.relay.post_report(&report, output.bytes.clone()).await {
                Ok(()) => return true,
                Err(error) => tracing::debug!(task = self.task, %error, "no report was taken"),
            }
            if number < TRIES {
                link::sleep(TRY_AGAIN).await;
            }
        }
        tracing::warn!(
            task = self.task,
            "the relay was not told how a command goes"
        );
        false
    }
}
