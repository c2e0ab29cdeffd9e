//! What happens by time alone: URLs expire, ClientTokens and history are forgotten.

use axt_proto::Tick;

use crate::{Changes, Registry};

impl Registry {
    /// When [`tick`](Self::tick) has something to do next. Every command looks at the deadlines
    /// too, so a late tick delays events but no rule.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Tick> {
        None
    }

    /// Runs every deadline up to and including `now`, in order.
    pub fn tick(&mut self, _now: Tick) -> Changes {
        Changes::default()
    }
}
