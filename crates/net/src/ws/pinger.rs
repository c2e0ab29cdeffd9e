//! Keeps a websocket alive.

use tokio_util::task::AbortOnDropHandle;

use super::WsWriter;
use crate::link;

/// Pings every 10 s until it is dropped or the websocket breaks: a task of its own, since neither
/// half can be relied on to be polled while the other is held back.
#[derive(Debug)]
pub(super) struct Pinger {
    _task: AbortOnDropHandle<()>,
}

impl Pinger {
    pub(super) fn start(writer: WsWriter) -> Self {
        let task = tokio::spawn(async move {
            loop {
                link::sleep(link::PING_EVERY).await;
                // Boxed: the task waits nearly all the time, and is as large as what it waits for.
                if Box::pin(writer.ping()).await.is_err() {
                    return;
                }
            }
        });
        Self {
            _task: AbortOnDropHandle::new(task),
        }
    }
}
