//! Timers of a clock.

use std::{fmt, future::poll_fn, sync::Arc, task, time::Duration};

use axt_proto::Tick;
use tokio::task::coop::cooperative;

use super::{
    Shared,
    state::{Poll, TimerId},
};
use crate::link;

/// How long a sleep lasts that nobody means to see end.
const FAR: Duration = Duration::from_secs(86_400);

/// A deadline in rule time, and its owner's way to wait for it. A dropped timer has no deadline.
pub struct Timer {
    shared: Arc<Shared>,
    id: TimerId,
    name: &'static str,
}

impl Timer {
    pub(super) fn new(shared: Arc<Shared>, name: &'static str) -> Self {
        let id = shared.state().add(name);
        Self { shared, id, name }
    }

    /// Arms the timer, or unsets it. One that is set for an instant that has come fires at once.
    pub fn set(&mut self, at: Option<Tick>) {
        let was_last = self.shared.state().set(self.id, at);
        if was_last {
            self.shared.all_back.notify_waiters();
        }
    }

    /// When the timer is to fire. Unset after it has fired.
    #[must_use]
    pub fn deadline(&self) -> Option<Tick> {
        self.shared.state().deadline(self.id)
    }

    /// Waits for the deadline; for ever when there is none. Afterwards the timer is unset. The
    /// guard tells the clock when the owner has acted: keep it until the next deadline is armed.
    ///
    /// Cancel-safe: dropped before it is done, nothing has happened.
    pub async fn fired(&mut self) -> Fired {
        let mut sleep = std::pin::pin!(tokio::time::sleep(FAR));
        // Cooperative, so that an owner who arms for the past for ever starves nobody.
        cooperative(poll_fn(|context| {
            loop {
                let now = link::now();
                let wake_at = match self.shared.state().poll(self.id, now, context.waker()) {
                    Poll::Fired => return task::Poll::Ready(()),
                    Poll::Wait(None) => return task::Poll::Pending,
                    Poll::Wait(Some(at)) => at,
                };
                // The runtime's timers count milliseconds: never ask for one that is over.
                let wake_at = wake_at.max(now + Duration::from_millis(1)).min(now + FAR);
                sleep.as_mut().reset(wake_at);
                task::ready!(sleep.as_mut().poll(context));
            }
        }))
        .await;
        Fired {
            shared: Arc::clone(&self.shared),
            id: self.id,
            name: self.name,
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        let was_last = self.shared.state().remove(self.id);
        if was_last {
            self.shared.all_back.notify_waiters();
        }
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Timer").field(&self.name).finish()
    }
}

/// A timer has fired. Its drop tells the clock that the owner has acted and armed what it will.
#[must_use = "dropped at once, the clock moves on before its owner has acted"]
pub struct Fired {
    shared: Arc<Shared>,
    id: TimerId,
    name: &'static str,
}

impl Drop for Fired {
    fn drop(&mut self) {
        let was_last = self.shared.state().back(self.id);
        if was_last {
            self.shared.all_back.notify_waiters();
        }
    }
}

impl fmt::Debug for Fired {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Fired").field(&self.name).finish()
    }
}
