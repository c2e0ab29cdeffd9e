//! What happens to forwards, for people and for scripts.

use axt_client::forward::ForwardEvent;
use tokio::sync::{mpsc, oneshot};

use super::{json, status::StatusLine};
use crate::{
    commands::print,
    failure::{Failure, say},
};

/// How events are shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Show {
    is_json: bool,
    ends_at_failure: bool,
}

impl Show {
    pub(super) const fn new(is_json: bool, ends_at_failure: bool) -> Self {
        Self {
            is_json,
            ends_at_failure,
        }
    }

    /// Shows all events until the last of the forwards is over. `failed` is told of the first
    /// connection that failed, where that is to end the command.
    pub(super) async fn all(
        self,
        mut events: mpsc::Receiver<ForwardEvent>,
        status: Option<StatusLine>,
        failed: oneshot::Sender<()>,
    ) {
        let mut failed = Some(failed).filter(|_| self.ends_at_failure);
        while let Some(event) = events.recv().await {
            let shown = || {
                if self.is_json {
                    print(&json::of(&event).to_string())
                } else {
                    tell(&event)
                }
            };
            let shown = match &status {
                Some(status) => status.around(shown),
                None => shown(),
            };
            if let Err(failure) = shown {
                // A forward does its work unseen as well.
                failure.report();
            }
            if matches!(event, ForwardEvent::Failed { .. })
                && let Some(failed) = failed.take()
            {
                let _ = failed.send(());
            }
        }
    }
}

/// kubectl's lines on stdout, where kubectl has them, failures on stderr.
fn tell(event: &ForwardEvent) -> Result<(), Failure> {
    match event {
        ForwardEvent::Listening { .. } | ForwardEvent::Accepted { .. } => {
            return print(&event.to_string());
        }
        ForwardEvent::Failed { .. } => say(&event.to_string()),
        ForwardEvent::Closed { .. }
        | ForwardEvent::Renewed { .. }
        | ForwardEvent::Limited { .. } => tracing::debug!("{event}"),
    }
    Ok(())
}
