//! StartTerminalSession: all its checks in one step.

use axt_proto::{AccountId, InstanceId, RegionId, Secret, SessionId, Tick};

use crate::{
    Answer, Changes, ClientToken, ConnectionType, Fingerprint, Registry, SessionTarget, Starter,
    TokenAction, TokenKey, TokenRefusal,
};

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
    /// `InternalError.Dispatch`: asked for by the region's switch, or the fresh id was none.
    #[error("the dispatch failed: the region's dispatch_failure switch is on, or an id came twice")]
    DispatchFailure,
}

impl Registry {
    /// Steps 1 and 2 of the order of checks (limits-and-semantics 3): whether the session API is
    /// there for this region and account. To be asked before parameters are validated;
    /// [`start`](Self::start) asks again.
    ///
    /// # Errors
    /// [`StartRefusal::RegionUnsupported`] or [`StartRefusal::SessionManagerDisabled`].
    pub fn gate(&self, account: &AccountId, region: &RegionId) -> Result<(), StartRefusal> {
        if !self.switches(region).api_supported {
            return Err(StartRefusal::RegionUnsupported);
        }
        if !self.has_session_manager(account) {
            return Err(StartRefusal::SessionManagerDisabled);
        }
        Ok(())
    }

    /// StartTerminalSession. On success the session counts at once, but exists for nobody else
    /// until [`committed`](Self::committed).
    ///
    /// The changes beside the answer go to the journal at once, like any other's. The session's
    /// own stand in [`Started::commit`]; that batch may wait for as long as it likes, since
    /// nothing else that is written touches its rows.
    ///
    /// # Errors
    /// The first check that fails, in the documented order; the ClientToken is free again then.
    pub fn start(
        &mut self,
        now: Tick,
        request: &StartRequest,
        fresh: Fresh,
    ) -> (Result<Started, StartRefusal>, Changes) {
        self.step(now, |registry, step| {
            registry.gate(&request.account, &request.region)?;
            let token = request
                .client_token
                .as_ref()
                .map(|token| token.keyed(request));
            if let Some((key, fingerprint)) = &token
                && let Some(answer) = registry.ledger.look_up(key, fingerprint)?
            {
                return Started::again(answer);
            }
            registry.check_instance(request)?;
            registry.check_quotas(request)?;
            if registry.switches(&request.region).dispatch_failure
                || registry.sessions.contains_key(&fresh.session)
            {
                return Err(StartRefusal::DispatchFailure);
            }
            Ok(registry.admit(step.now, request, fresh, token))
        })
    }

    /// Steps 7 and 8: the instance, its state, and what it supports.
    fn check_instance(&self, request: &StartRequest) -> Result<(), StartRefusal> {
        let instance = self
            .instances
            .get(&request.instance)
            .filter(|one| one.spec.account == request.account && one.spec.region == request.region)
            .ok_or(StartRefusal::InstanceNotFound)?;
        let switches = self.switches(&request.region);
        if !instance.is_running() {
            return Err(StartRefusal::NotRunning);
        }
        if !instance.presence.is_online && !switches.start_without_agent {
            return Err(StartRefusal::AgentOffline);
        }
        let agent = instance.agent.as_ref();
        if request.encryption && !agent.is_some_and(|agent| agent.encryption) {
            return Err(StartRefusal::EncryptionUnsupported);
        }
        let forwards = switches.port_forwarding && agent.is_none_or(|agent| agent.port_forwarding);
        if request.target.port().is_some() && !forwards {
            return Err(StartRefusal::ForwardingUnsupported);
        }
        if request.connection_type == ConnectionType::Intranet
            && (!switches.intranet || instance.spec.id.is_managed())
        {
            return Err(StartRefusal::ConnectionTypeUnsupported);
        }
        // Inbound rules guard the instance's own ports, not those of a host behind it.
        if let SessionTarget::Port {
            port,
            target_server: None,
        } = &request.target
            && instance.spec.denied_ports.contains(port)
        {
            return Err(StartRefusal::PortDenied);
        }
        Ok(())
    }

    /// Step 9: per instance, then per region.
    fn check_quotas(&self, request: &StartRequest) -> Result<(), StartRefusal> {
        if self.connections_usage(&request.instance).is_full() {
            return Err(StartRefusal::ConnectionsFull);
        }
        if self
            .sessions_usage(&request.account, &request.region)
            .is_full()
        {
            return Err(StartRefusal::SessionsFull);
        }
        Ok(())
    }
}

impl Started {
    fn again(answer: Answer) -> Result<Self, StartRefusal> {
        match answer {
            Answer::Session {
                session,
                token,
                base_url,
            } => Ok(Self {
                session,
                token,
                base_url,
                commit: None,
            }),
            // Unreachable while the action is a part of the key.
            Answer::Text(_) => Err(StartRefusal::Token(TokenRefusal::Mismatch)),
        }
    }
}

impl ClientToken {
    fn keyed(&self, request: &StartRequest) -> (TokenKey, Fingerprint) {
        let key = TokenKey {
            account: request.account.clone(),
            region: request.region.clone(),
            action: TokenAction::StartTerminalSession,
            token: self.token.clone(),
        };
        (key, self.fingerprint.clone())
    }
}
