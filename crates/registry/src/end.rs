//! EndTerminalSession, and the reset of everything.

use axt_proto::{AccountId, RegionId, SessionId, Tick};

use crate::{Changes, Registry};

/// Why EndTerminalSession ends nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndRefusal {
    /// `RegionId.ApiNotSupported`.
    #[error("the region has no session API")]
    RegionUnsupported,
    /// `InvalidSessionId.NotFound`: unknown, another account's or another region's.
    #[error("the account has no such session in this region")]
    NotFound,
}

impl Registry {
    /// EndTerminalSession (limits-and-semantics R10): the URL is dead at once and the session no
    /// longer counts; its live connections are closed by effects. Answer when the changes are
    /// committed. Ending an ended session again succeeds, and commits again.
    ///
    /// # Errors
    /// See [`EndRefusal`].
    pub fn end(
        &mut self,
        _now: Tick,
        _account: &AccountId,
        _region: &RegionId,
        _session: &SessionId,
    ) -> (Result<(), EndRefusal>, Changes) {
        (Err(EndRefusal::NotFound), Changes::default())
    }

    /// Ends every live connection as EndTerminalSession does, then forgets sessions, history and
    /// ClientTokens. Instances, activations, switches and the counters stay.
    pub fn reset(&mut self, _now: Tick) -> Changes {
        Changes::default()
    }
}
