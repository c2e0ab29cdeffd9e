//! StartTerminalSession: admission in one step, and its commit.

use axt_proto::{AccountId, InstanceId, RegionId, Secret, SessionId, Tick};

use crate::{Changes, ClientToken, ConnectionType, Registry, SessionTarget, Starter, TokenRefusal};

/// A StartTerminalSession whose parameters are valid by themselves (limits-and-semantics 3, up to
/// step 5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartRequest {
    /// Whose session.
    pub account: AccountId,
    /// In which region.
    pub region: RegionId,
    /// To which instance.
    pub instance: InstanceId,
    /// What to open there.
    pub target: SessionTarget,
    /// As which user.
    pub username: Option<String>,
    /// The name of a stored Windows password.
    pub password_name: Option<String>,
    /// Which address the URL names.
    pub connection_type: ConnectionType,
    /// Whether encryption is asked for.
    pub encryption: bool,
    /// Makes a retry of the call the same call.
    pub client_token: Option<ClientToken>,
    /// Who calls.
    pub starter: Starter,
    /// The URL that is handed out, up to and without the path; kept for replays.
    pub base_url: String,
}

/// What a new session needs that is not decided by rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fresh {
    /// An id that no session has had.
    pub session: SessionId,
    /// An unguessable token.
    pub token: Secret,
}

/// An admitted StartTerminalSession.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// The session: the fresh one, or at a replay the first call's.
    pub session: SessionId,
    /// Its token.
    pub token: Secret,
    /// The base of its URL.
    pub base_url: String,
    /// What the journal must have before the call is answered: then call
    /// [`Registry::committed`], or [`Registry::rolled_back`] when it failed. `None` at a replay:
    /// there is nothing to commit and neither is to be called.
    pub commit: Option<Changes>,
}

/// Why StartTerminalSession makes no session, in the order of the checks
/// (limits-and-semantics 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartRefusal {
    /// `RegionId.ApiNotSupported`.
    #[error("the region has no session API")]
    RegionUnsupported,
    /// `UserBehavior.SessionManagerDisabled`.
    #[error("the account has switched the session manager off")]
    SessionManagerDisabled,
    /// `IdempotentParameterMismatch` or `IdempotentProcessing`.
    #[error(transparent)]
    Token(#[from] TokenRefusal),
    /// `InvalidInstance.NotFound`: unknown, another account's or another region's.
    #[error("the account has no such instance in this region")]
    InstanceNotFound,
    /// `Operation.Forbidden`.
    #[error("the instance is not Running")]
    NotRunning,
    /// `Operation.Forbidden`.
    #[error("the instance's agent is not connected")]
    AgentOffline,
    /// `UnsupportedAgentVersion.Encryption`.
    #[error("the instance's agent cannot encrypt sessions")]
    EncryptionUnsupported,
    /// `PortForwarding.NotSupported`.
    #[error("the region or the instance's agent cannot forward ports")]
    ForwardingUnsupported,
    /// `InvalidOperation.ConnectionTypeUnsupported`.
    #[error("the region has no intranet address, or none for managed instances")]
    ConnectionTypeUnsupported,
    /// `InvalidOperation.SecurityGroupRuleDenied`.
    #[error("the instance's security group denies the port")]
    PortDenied,
    /// `SessionCount.ExceedLimit`, for the instance.
    #[error("the instance has as many connections as it may have")]
    ConnectionsFull,
    /// `SessionCount.ExceedLimit`, for the region.
    #[error("the account has as many active sessions in the region as it may have")]
    SessionsFull,
    /// `InternalError.Dispatch`, asked for by the region's switch.
    #[error("the region's dispatch_failure switch is on")]
    DispatchFailure,
}

impl Registry {
    /// Steps 1 and 2 of the order of checks (limits-and-semantics 3): whether the session API is
    /// there for this region and account. To be asked before parameters are validated;
    /// [`start`](Self::start) asks again.
    ///
    /// # Errors
    /// [`StartRefusal::RegionUnsupported`] or [`StartRefusal::SessionManagerDisabled`].
    pub fn gate(&self, _account: &AccountId, _region: &RegionId) -> Result<(), StartRefusal> {
        Ok(())
    }

    /// StartTerminalSession. On success the session counts at once, but exists for nobody else
    /// until [`committed`](Self::committed).
    ///
    /// The changes beside the answer are deadlines that were due; the session's own stand in
    /// [`Started::commit`].
    ///
    /// # Errors
    /// The first check that fails, in the documented order; the ClientToken is free again then.
    pub fn start(
        &mut self,
        _now: Tick,
        _request: &StartRequest,
        _fresh: Fresh,
    ) -> (Result<Started, StartRefusal>, Changes) {
        (Err(StartRefusal::InstanceNotFound), Changes::default())
    }

    /// The journal has the session: from now on it can be seen, connected to, and replayed.
    pub fn committed(&mut self, _now: Tick, _session: &SessionId) -> Changes {
        Changes::default()
    }

    /// The journal did not take the session: it never existed, and its ClientToken is free.
    pub fn rolled_back(&mut self, _now: Tick, _session: &SessionId) -> Changes {
        Changes::default()
    }
}
