//! The rules once more, as naively as they can be written: lists, and counts by filtering. Nothing
//! is derived ahead of time, nothing is indexed, nothing is fast.

use std::time::Duration;

use axt_proto::{AccountId, InstanceId, Limits, Reason, SessionId, Tick};
use axt_registry::{
    ConnectRefusal, ConnectionStatus, EndRefusal, Phase, StartRefusal, TokenRefusal,
};

#[derive(Clone, Debug)]
pub(crate) struct NaiveInstance {
    pub(crate) id: InstanceId,
    pub(crate) account: AccountId,
    pub(crate) is_running: bool,
    pub(crate) is_online: bool,
    /// Whether its agent is new enough; `None` when it never had one.
    pub(crate) is_new: Option<bool>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NaiveSession {
    pub(crate) id: SessionId,
    pub(crate) account: AccountId,
    pub(crate) instance: InstanceId,
    pub(crate) created: Tick,
    pub(crate) phase: Phase,
    pub(crate) is_committed: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NaiveConnection {
    pub(crate) id: u64,
    pub(crate) session: SessionId,
    pub(crate) instance: InstanceId,
    pub(crate) status: ConnectionStatus,
    pub(crate) closing: Option<Reason>,
    pub(crate) reason: Option<Reason>,
}

#[derive(Clone, Debug)]
pub(crate) struct NaiveToken {
    pub(crate) account: AccountId,
    pub(crate) token: String,
    pub(crate) fingerprint: u8,
    pub(crate) session: SessionId,
    pub(crate) at: Tick,
    pub(crate) is_done: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Naive {
    pub(crate) limits: Limits,
    pub(crate) now: Tick,
    pub(crate) instances: Vec<NaiveInstance>,
    pub(crate) sessions: Vec<NaiveSession>,
    pub(crate) connections: Vec<NaiveConnection>,
    pub(crate) tokens: Vec<NaiveToken>,
    pub(crate) switched_off: Vec<AccountId>,
    pub(crate) connections_ever: u64,
}

/// A call of the model's StartTerminalSession.
pub(crate) struct NaiveStart {
    pub(crate) account: AccountId,
    pub(crate) instance: InstanceId,
    pub(crate) token: Option<(String, u8)>,
    pub(crate) fresh: SessionId,
}

impl Naive {
    fn live(&self) -> impl Iterator<Item = &NaiveConnection> {
        self.connections.iter().filter(|one| one.status.is_live())
    }

    fn is_in_use(&self, session: &NaiveSession) -> bool {
        self.live().any(|one| one.session == session.id)
    }

    fn is_active(&self, session: &NaiveSession) -> bool {
        match session.phase {
            Phase::Open => true,
            Phase::Expired => self.is_in_use(session),
            Phase::Ended => false,
        }
    }

    fn is_settled(&self, session: &NaiveSession) -> bool {
        session.is_committed && !self.is_active(session) && !self.is_in_use(session)
    }

    fn all_failed(&self, session: &NaiveSession) -> bool {
        let of_it = || {
            self.connections
                .iter()
                .filter(|one| one.session == session.id)
        };
        of_it().count() > 0 && of_it().all(|one| one.status == ConnectionStatus::Failed)
    }

    pub(crate) fn active(&self, account: &AccountId) -> usize {
        let of_account = self.sessions.iter().filter(|one| one.account == *account);
        of_account.filter(|one| self.is_active(one)).count()
    }

    pub(crate) fn connected(&self, instance: &InstanceId) -> usize {
        self.live().filter(|one| one.instance == *instance).count()
    }

    /// Every deadline with its order among those of one instant.
    fn deadlines(&self) -> Vec<(Tick, u8, String)> {
        let day = Duration::from_secs(86_400);
        let mut deadlines = Vec::new();
        for one in &self.sessions {
            if self.is_settled(one) {
                let at = one.created + day * self.limits.history_days;
                deadlines.push((at, 1, one.id.to_string()));
            } else if one.phase == Phase::Open && one.is_committed {
                let at = one.created + self.limits.url_validity();
                deadlines.push((at, 0, one.id.to_string()));
            }
        }
        for one in self.tokens.iter().filter(|one| one.is_done) {
            let kept = Duration::from_secs(3_600) * self.limits.client_token_hours;
            deadlines.push((one.at + kept, 2, format!("{} {}", one.account, one.token)));
        }
        deadlines.sort();
        deadlines
    }

    pub(crate) fn next_deadline(&self) -> Option<Tick> {
        self.deadlines().first().map(|(at, ..)| *at)
    }

    pub(crate) fn tick(&mut self) {
        while let Some((at, kind, name)) = self.deadlines().first().cloned()
            && at <= self.now
        {
            match kind {
                0 => {
                    for one in self
                        .sessions
                        .iter_mut()
                        .filter(|one| one.id.as_str() == name)
                    {
                        one.phase = Phase::Expired;
                    }
                }
                1 => self.forget(&name.parse().expect("an id")),
                _ => self
                    .tokens
                    .retain(|one| !one.is_done || format!("{} {}", one.account, one.token) != name),
            }
            self.trim();
        }
    }

    fn forget(&mut self, session: &SessionId) {
        self.sessions.retain(|one| one.id != *session);
        self.connections.retain(|one| one.session != *session);
    }

    fn trim(&mut self) {
        let limit = self.limits.history_records as usize;
        for account in self
            .sessions
            .iter()
            .map(|one| one.account.clone())
            .collect::<Vec<_>>()
        {
            for failed in [false, true] {
                loop {
                    let committed = self.sessions.iter().filter(|one| one.is_committed);
                    let records = committed.filter(|one| one.account == account);
                    let (mut settled, unsettled): (Vec<_>, Vec<_>) =
                        records.partition(|one| self.is_settled(one));
                    settled.retain(|one| self.all_failed(one) == failed);
                    settled.sort_by_key(|one| (one.created, one.id.clone()));
                    let others = if failed { 0 } else { unsettled.len() };
                    match settled.first().map(|one| one.id.clone()) {
                        Some(oldest) if settled.len() + others > limit => self.forget(&oldest),
                        _ => break,
                    }
                }
            }
        }
    }

    pub(crate) fn start(&mut self, call: &NaiveStart) -> Result<SessionId, StartRefusal> {
        self.tick();
        if self.switched_off.contains(&call.account) {
            return Err(StartRefusal::SessionManagerDisabled);
        }
        if let Some((token, fingerprint)) = &call.token {
            let mut of_account = self.tokens.iter().filter(|one| one.account == call.account);
            if let Some(first) = of_account.find(|one| one.token == *token) {
                if first.fingerprint != *fingerprint {
                    return Err(TokenRefusal::Mismatch.into());
                }
                if !first.is_done {
                    return Err(TokenRefusal::Processing.into());
                }
                return Ok(first.session.clone());
            }
        }
        let mut of_account = self
            .instances
            .iter()
            .filter(|one| one.account == call.account);
        let Some(instance) = of_account.find(|one| one.id == call.instance) else {
            return Err(StartRefusal::InstanceNotFound);
        };
        if !instance.is_running {
            return Err(StartRefusal::NotRunning);
        }
        if !instance.is_online {
            return Err(StartRefusal::AgentOffline);
        }
        if self.connected(&call.instance) >= self.limits.connections_per_instance as usize {
            return Err(StartRefusal::ConnectionsFull);
        }
        if self.active(&call.account) >= self.limits.sessions_per_region as usize {
            return Err(StartRefusal::SessionsFull);
        }
        if let Some((token, fingerprint)) = &call.token {
            self.tokens.push(NaiveToken {
                account: call.account.clone(),
                token: token.clone(),
                fingerprint: *fingerprint,
                session: call.fresh.clone(),
                at: self.now,
                is_done: false,
            });
        }
        self.sessions.push(NaiveSession {
            id: call.fresh.clone(),
            account: call.account.clone(),
            instance: call.instance.clone(),
            created: self.now,
            phase: Phase::Open,
            is_committed: false,
        });
        Ok(call.fresh.clone())
    }

    pub(crate) fn committed(&mut self, session: &SessionId) {
        self.tick();
        for one in self.sessions.iter_mut().filter(|one| one.id == *session) {
            one.is_committed = true;
        }
        let mut accounts = Vec::new();
        for one in self.tokens.iter_mut().filter(|one| one.session == *session) {
            one.is_done = true;
            accounts.push(one.account.clone());
        }
        for account in accounts {
            let of_account = |one: &NaiveToken| one.is_done && one.account == account;
            while self.tokens.iter().filter(|one| of_account(one)).count()
                > self.limits.client_tokens as usize
            {
                let done = self.tokens.iter().filter(|one| of_account(one));
                let oldest = done.min_by_key(|one| (one.at, one.token.clone()));
                let oldest = oldest.expect("more than the limit").token.clone();
                self.tokens
                    .retain(|one| !of_account(one) || one.token != oldest);
            }
        }
        self.trim();
        self.tick();
    }

    pub(crate) fn rolled_back(&mut self, session: &SessionId) {
        self.tick();
        self.sessions
            .retain(|one| one.id != *session || one.is_committed);
        self.tokens
            .retain(|one| one.session != *session || one.is_done);
    }

    pub(crate) fn connect(
        &mut self,
        session: &SessionId,
        has_token: bool,
    ) -> Result<u64, ConnectRefusal> {
        self.tick();
        let mut committed = self
            .sessions
            .iter()
            .filter(|one| one.is_committed && has_token);
        let Some(found) = committed.find(|one| one.id == *session) else {
            return Err(ConnectRefusal::UnknownOrWrongToken);
        };
        match found.phase {
            Phase::Open => {}
            Phase::Expired => return Err(ConnectRefusal::Expired),
            Phase::Ended => return Err(ConnectRefusal::Ended),
        }
        let limit = self.limits.connections_per_instance as usize;
        let is_full = self.connected(&found.instance) >= limit;
        let instance = self.instances.iter().find(|one| one.id == found.instance);
        let instance = instance.expect("an open session's instance exists");
        let failure = match instance {
            _ if is_full => Some(None),
            NaiveInstance {
                is_running: false, ..
            } => Some(Some(Reason::InstanceUnavailable)),
            NaiveInstance { is_new: None, .. } => Some(Some(Reason::InstanceUnavailable)),
            NaiveInstance {
                is_new: Some(false),
                ..
            } => Some(Some(Reason::AgentNeedUpgrade)),
            _ => None,
        };
        self.connections_ever += 1;
        let id = self.connections_ever;
        self.connections.push(NaiveConnection {
            id,
            session: found.id.clone(),
            instance: found.instance.clone(),
            status: ConnectionStatus::Connecting,
            closing: None,
            reason: None,
        });
        if let Some(reason) = failure {
            self.finish(id, ConnectionStatus::Failed, reason);
        }
        if is_full {
            return Err(ConnectRefusal::Full);
        }
        Ok(id)
    }

    pub(crate) fn live_report(&mut self, id: u64) {
        self.tick();
        for one in self.connections.iter_mut().filter(|one| one.id == id) {
            if one.status == ConnectionStatus::Connecting {
                one.status = ConnectionStatus::Connected;
            }
        }
    }

    /// A report of an end, as a failure or not.
    pub(crate) fn end_report(&mut self, id: u64, status: ConnectionStatus, reason: Reason) {
        self.tick();
        let asked = self.connections.iter().find(|one| one.id == id);
        match asked.and_then(|one| one.closing) {
            Some(reason) => self.finish(id, ConnectionStatus::Terminated, Some(reason)),
            None => self.finish(id, status, Some(reason)),
        }
        self.tick();
    }

    fn finish(&mut self, id: u64, status: ConnectionStatus, reason: Option<Reason>) {
        let live = self
            .connections
            .iter_mut()
            .find(|one| one.id == id && one.status.is_live());
        let Some(one) = live else {
            return;
        };
        one.status = status;
        one.reason = reason;
        one.closing = None;
        let session = one.session.clone();
        let of_it = |one: &&NaiveConnection| one.session == session;
        let kept = self.limits.history_connections as usize;
        if self.connections.iter().filter(of_it).count() > kept
            && let Some(oldest) = self
                .connections
                .iter()
                .filter(of_it)
                .find(|one| !one.status.is_live())
        {
            let oldest = oldest.id;
            self.connections.retain(|one| one.id != oldest);
        }
        self.trim();
    }

    pub(crate) fn end(&mut self, account: &AccountId, id: &SessionId) -> Result<(), EndRefusal> {
        self.tick();
        let mut committed = self.sessions.iter().filter(|one| one.is_committed);
        if !committed.any(|one| one.id == *id && one.account == *account) {
            return Err(EndRefusal::NotFound);
        }
        self.end_session(id, Reason::EndTerminalSession);
        self.tick();
        Ok(())
    }

    fn end_session(&mut self, id: &SessionId, reason: Reason) {
        let mut open = self
            .sessions
            .iter_mut()
            .filter(|one| one.phase != Phase::Ended);
        let Some(session) = open.find(|one| one.id == *id) else {
            return;
        };
        session.phase = Phase::Ended;
        for one in self.connections.iter_mut().filter(|one| one.session == *id) {
            if one.status.is_live() {
                one.closing.get_or_insert(reason);
            }
        }
        self.trim();
    }

    pub(crate) fn set_running(&mut self, id: &InstanceId, is_running: bool) {
        self.tick();
        for one in self.instances.iter_mut().filter(|one| one.id == *id) {
            if one.is_running && !is_running {
                for connection in self
                    .connections
                    .iter_mut()
                    .filter(|one| one.instance == *id)
                {
                    if connection.status.is_live() {
                        connection
                            .closing
                            .get_or_insert(Reason::InstanceUnavailable);
                    }
                }
            }
            one.is_running = is_running;
        }
    }

    pub(crate) fn remove(&mut self, id: &InstanceId) {
        self.tick();
        // What is over stays as it was.
        let going_on = self.sessions.iter().filter(|one| !self.is_settled(one));
        let on_it = going_on.filter(|one| one.instance == *id);
        let mut sessions: Vec<_> = on_it.map(|one| one.id.clone()).collect();
        sessions.sort();
        for session in sessions {
            self.end_session(&session, Reason::InstanceUnavailable);
        }
        self.instances.retain(|one| one.id != *id);
        self.tick();
    }

    pub(crate) fn reset(&mut self) {
        self.tick();
        self.sessions.retain(|one| !one.is_committed);
        self.connections.clear();
        self.tokens.retain(|one| !one.is_done);
    }

    pub(crate) fn restart(&mut self) {
        self.sessions.retain(|one| one.is_committed);
        self.tokens.retain(|one| one.is_done);
        for one in &mut self.instances {
            one.is_online = false;
        }
        for one in &mut self.connections {
            one.closing = None;
        }
        self.tick();
        let mut live: Vec<_> = self
            .live()
            .map(|one| (one.instance.clone(), one.id))
            .collect();
        live.sort();
        for (_, id) in live {
            self.finish(
                id,
                ConnectionStatus::Terminated,
                Some(Reason::RelayRestarted),
            );
        }
        self.tick();
    }
}
