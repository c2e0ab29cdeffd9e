//! Connections: their beginning and their end.

use std::sync::{Arc, Weak};

use axt_control::{
    admin::fault::FaultKind,
    luban::{SessionObject, session::Granted},
};
use axt_net::{
    fault::Hook,
    pump::{Pace, Traffic},
    tap::Tap,
};
use axt_proto::{
    Carried, ChannelId, ConnectionId, Extensions, InstanceId, Reason, SessionId, Size,
    id::MalformedId,
};
use axt_registry::{
    ConnectRefusal, ConnectRequest, Connecting, SessionTarget, Struck as Whom, Verdict,
};
use futures_util::FutureExt;
use tokio::sync::oneshot;

use super::{Desk, Paces};
use crate::{faults::mangling::Mangling, pairing::Line};

/// A client's wish to open a connection. Not to be shown: it holds a token.
pub(crate) struct Upgrade {
    pub(crate) session: SessionId,
    pub(crate) token: String,
    pub(crate) client_ip: String,
    /// What the client announced.
    pub(crate) extensions: Extensions,
    /// The client's terminal.
    pub(crate) size: Option<Size>,
}

/// A connection that was let in.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) who: Who,
    /// What both ends announced.
    pub(crate) granted: Extensions,
    pub(crate) fate: Fate,
    /// What is wrong with the frames that the client is sent.
    pub(crate) frames: Arc<Mangling>,
    /// By which faults are put on its websocket; absent: there is no life to put them on.
    pub(crate) hook: Option<Hook>,
    /// Sees what passes, when somebody traces it.
    pub(crate) tap: Tap,
}

/// Which connection it is.
#[derive(Debug)]
pub(crate) struct Who {
    pub(crate) connection: ConnectionId,
    pub(crate) session: SessionId,
    pub(crate) instance: InstanceId,
    /// Whether it leads to a port: then the client is told its end by the close alone.
    pub(crate) is_port: bool,
}

/// How it goes on.
#[derive(Debug)]
pub(crate) enum Fate {
    /// Its agent is told, and expected.
    Wait(Box<Waiting>),
    /// It is over already: the client is to be told why.
    Fail(Reason),
}

/// What a connection needs for its life.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) object: SessionObject,
    pub(crate) line: Line,
    pub(crate) paces: Arc<Paces>,
    /// What goes through it; the desk can look at it meanwhile.
    pub(crate) traffic: Arc<Traffic>,
    /// Whether the agent has never heard of extensions, so that its ways have to be catered for.
    pub(crate) is_official: bool,
    /// What is wrong with the frames that the agent is sent.
    pub(crate) frames: Arc<Mangling>,
    /// To report the end. Dropping it reports one too.
    pub(crate) report: oneshot::Sender<Ended>,
}

/// How a connection ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) reason: Reason,
    pub(crate) detail: String,
    /// Whether the agent's data channel was ever there.
    pub(crate) was_live: bool,
    pub(crate) carried: Carried,
    /// Told when the slot is free again.
    pub(crate) done: oneshot::Sender<()>,
}

impl Desk {
    /// Lets a client in, or does not.
    pub(crate) fn connect(&mut self, upgrade: &Upgrade) -> Result<Opened, ConnectRefusal> {
        let whom = self.whom(&upgrade.session);
        let refusal = |kind: &FaultKind| match kind {
            FaultKind::RefuseToken => Some(ConnectRefusal::UnknownOrWrongToken),
            FaultKind::ConnectionsFull => Some(ConnectRefusal::Full),
            _ => None,
        };
        if let Some(refusal) = self.struck(&whom, refusal) {
            return Err(refusal);
        }
        let fresh = self.ids.channel();
        let channel = match self.repeated_channel(&whom).map_or(fresh, Ok) {
            Ok(channel) => channel,
            Err(MalformedId { .. }) => return Err(ConnectRefusal::UnknownOrWrongToken),
        };
        let request = ConnectRequest {
            session: &upgrade.session,
            token: &upgrade.token,
            client_ip: &upgrade.client_ip,
            channel: &channel,
        };
        let (answer, changes) = self.registry.connect(self.now(), request);
        let connecting = match answer {
            Ok(connecting) => connecting,
            Err(refusal) => {
                self.apply(changes);
                return Err(refusal);
            }
        };
        let announced = self.announced(&connecting.instance);
        let granted = upgrade.extensions.both(announced);
        let connection = connecting.connection;
        let instance = connecting.instance.clone();
        let is_port = connecting.target.port().is_some();
        let whom = Whom {
            connection: Some(connection),
            ..whom
        };
        let (mut hook, mut frames) = (None, Mangling::none(self.own.clone()));
        let tap = self
            .traces
            .open(connection, &upgrade.session, &instance, &channel);
        let fate = match &connecting.verdict {
            Verdict::Fail { reason, .. } => Fate::Fail(*reason),
            Verdict::Kick => {
                let mut object = self.object(&connecting, channel);
                if !announced.is_empty() {
                    object.axt = Some(Granted {
                        ext: granted,
                        rows: upgrade.size.map(|size| size.rows),
                        cols: upgrade.size.map(|size| size.cols),
                        idle_s: Some(self.limits.idle_timeout_s),
                    });
                }
                let is_gone = !self.links.is_up(&instance);
                let line = self
                    .pairing
                    .open(connection, instance.clone(), object.clone(), is_gone);
                let (report, ended) = oneshot::channel();
                self.reports
                    .push(async move { (connection, ended.await.ok()) }.boxed());
                let traffic = Arc::new(Traffic::among(&self.clock, Arc::clone(&self.totals)));
                self.traffic.insert(connection, Arc::clone(&traffic));
                let (of_client, [to_client, to_agent]) = self.open_sites(connection, &whom);
                (hook, frames) = (Some(of_client), to_client);
                Fate::Wait(Box::new(Waiting {
                    object,
                    line,
                    paces: self.paces(&upgrade.session),
                    traffic,
                    is_official: announced.is_empty(),
                    frames: to_agent,
                    report,
                }))
            }
        };
        // Only now: the kick among the effects finds the connection in its place.
        self.apply(changes);
        self.put_on_client(connection);
        let who = Who {
            connection,
            session: upgrade.session.clone(),
            instance,
            is_port,
        };
        if matches!(fate, Fate::Fail(_)) {
            // Nothing will report its end.
            self.traces.close(connection);
        }
        Ok(Opened {
            who,
            granted,
            fate,
            frames,
            hook,
            tap,
        })
    }

    /// The agent's data channel is paired with its client.
    pub(crate) fn live(&mut self, connection: ConnectionId) {
        self.pairing.opened(connection);
        let now = self.now();
        let changes = self.registry.live(now, connection);
        let opened = self.registry.connection(connection);
        if let Some(opened) = opened.filter(|_| !changes.events.is_empty()) {
            self.metrics.opened(now.since(opened.opened));
        }
        self.apply(changes);
    }

    /// A connection's teardown is done. Without a word its task has crashed, or its client left
    /// between the upgrade's answer and the first byte.
    pub(super) fn ended(&mut self, connection: ConnectionId, ended: Option<Ended>) {
        self.pairing.close(connection);
        self.faults.sites.close(connection);
        self.traces.close(connection);
        let traffic = self.traffic.remove(&connection);
        let now = self.now();
        let Some(ended) = ended else {
            let carried = traffic.map(|traffic| traffic.carried()).unwrap_or_default();
            let changes = self
                .registry
                .closed(now, connection, Reason::ClientClosed, carried);
            self.apply(changes);
            return;
        };
        let has_failed = !ended.was_live && ended.reason == Reason::AgentTimeout
            || ended.reason.is_failure() && ended.carried.bytes_down == 0;
        let changes = if has_failed {
            self.registry
                .failed(now, connection, ended.reason, &ended.detail)
        } else {
            self.registry
                .closed(now, connection, ended.reason, ended.carried)
        };
        self.apply(changes);
        // The client may not have waited.
        let _ = ended.done.send(());
        self.paces.retain(|_, paces| paces.strong_count() > 0);
    }

    /// What the instance's agent announced when it last came online.
    pub(crate) fn announced(&self, instance: &InstanceId) -> Extensions {
        let agent = self
            .registry
            .instance(instance)
            .and_then(|instance| instance.agent.as_ref());
        let names = agent.map(|agent| {
            let names: Vec<&str> = agent.extensions.iter().map(String::as_str).collect();
            names.join(",")
        });
        names.map(Extensions::from).unwrap_or_default()
    }

    /// The session's bandwidth, which its connections share.
    fn paces(&mut self, session: &SessionId) -> Arc<Paces> {
        if let Some(paces) = self.paces.get(session).and_then(Weak::upgrade) {
            return paces;
        }
        let paces = Arc::new(Paces {
            up: Pace::new(&self.clock, &self.limits),
            down: Pace::new(&self.clock, &self.limits),
        });
        self.paces.insert(session.clone(), Arc::downgrade(&paces));
        paces
    }

    /// What the agent is told to open (wire-protocol 10.4).
    fn object(&self, connecting: &Connecting, channel: ChannelId) -> SessionObject {
        let (command, target, port) = match &connecting.target {
            SessionTarget::Shell { command_line } => (command_line.clone(), None, None),
            SessionTarget::Port {
                port,
                target_server,
            } => (None, target_server.clone(), Some(*port)),
        };
        SessionObject {
            cmd_content: command.unwrap_or_default(),
            username: connecting.username.clone().unwrap_or_default(),
            windows_password_name: connecting.password_name.clone().unwrap_or_default(),
            channel_id: channel,
            websocket_url: String::new(),
            target_host: target.unwrap_or_default(),
            port_number: port.map(|port| port.to_string()).unwrap_or_default(),
            flow_limit: self.limits.speed_bits(),
            axt: None,
        }
    }
}
