//! What is traced: everything, or the sessions that somebody has asked for.
//!
//! Each connection has a tap from its beginning, so that it can be turned on in the middle; until
//! then it costs the look at a flag. Where copies go, and what of them is written, is the taker's
//! business (`axt_net::tap`).

mod calls;

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use axt_net::{
    clock::Clock,
    tap::{Label, Seen, Side, Tap, Taps, Way},
};
use axt_proto::{ChannelId, ConnectionId, InstanceId, SessionId};

pub(crate) use self::calls::{Said, see};

/// What a trace holds of what people type and read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Sizes alone.
    Fields,
    /// All of it.
    Payload,
}

/// What is traced from the start, and where copies go.
#[derive(Clone, Debug, Default)]
pub struct TraceConfig {
    /// The taker; without one nothing is ever traced.
    pub taps: Taps,
    /// What is traced of everything; absent: only the sessions that are asked for.
    pub everything: Option<Detail>,
    /// Where the taker writes, to be told to whoever asks for a session.
    pub folder: PathBuf,
}

/// See the module.
pub(crate) struct Traces {
    config: TraceConfig,
    clock: Clock,
    /// Whether a call or a command may have to be looked at.
    is_any: AtomicBool,
    /// The control plane's.
    control: Tap,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    sessions: HashMap<SessionId, Asked>,
    open: HashMap<ConnectionId, Open>,
    channels: HashMap<ChannelId, SessionId>,
}

struct Asked {
    detail: Option<Detail>,
    control: Tap,
}

struct Open {
    session: SessionId,
    channel: ChannelId,
    tap: Tap,
}

impl Traces {
    pub(crate) fn new(config: TraceConfig, clock: Clock) -> Self {
        let label = Label {
            name: "relay.control".to_owned(),
            is_shared: true,
            ..Label::default()
        };
        let control = match config.everything {
            Some(detail) => config.taps.tap(label, detail == Detail::Payload),
            None => Tap::none(),
        };
        Self {
            is_any: AtomicBool::new(control.is_on()),
            control,
            config,
            clock,
            state: Mutex::default(),
        }
    }

    /// Where traces are written; `None` when nothing can be traced.
    pub(crate) fn folder(&self) -> Option<&PathBuf> {
        (!self.config.taps.is_none()).then_some(&self.config.folder)
    }

    /// The tap of a connection that begins.
    pub(crate) fn open(
        &self,
        connection: ConnectionId,
        session: &SessionId,
        instance: &InstanceId,
        channel: &ChannelId,
    ) -> Tap {
        if self.config.taps.is_none() {
            return Tap::none();
        }
        let tap = Tap::off(Label {
            name: format!("relay.{session}.{connection}"),
            ids: vec![
                ("session", session.to_string()),
                ("connection", connection.to_string()),
                ("channel", channel.to_string()),
                ("instance", instance.to_string()),
            ],
            is_shared: false,
        });
        let mut state = self.state();
        let asked = state.sessions.get(session).map(|asked| asked.detail);
        self.turn(&tap, asked.unwrap_or(self.config.everything));
        state.channels.insert(channel.clone(), session.clone());
        state.open.insert(
            connection,
            Open {
                session: session.clone(),
                channel: channel.clone(),
                tap: tap.clone(),
            },
        );
        tap
    }

    /// The connection has ended.
    pub(crate) fn close(&self, connection: ConnectionId) {
        let mut state = self.state();
        if let Some(open) = state.open.remove(&connection) {
            state.channels.remove(&open.channel);
        }
    }

    /// Traces a session from now on, the connections that it has included; or no longer.
    pub(crate) fn set(&self, session: &SessionId, detail: Option<Detail>) {
        let mut state = self.state();
        for open in state.open.values().filter(|open| open.session == *session) {
            self.turn(&open.tap, detail);
        }
        let control = match detail {
            // The control plane's own trace has it already.
            Some(detail) if !self.control.is_on() => self.config.taps.tap(
                Label {
                    name: format!("relay.{session}.control"),
                    ids: vec![("session", session.to_string())],
                    is_shared: false,
                },
                detail == Detail::Payload,
            ),
            _ => Tap::none(),
        };
        if detail == self.config.everything {
            state.sessions.remove(session);
        } else {
            state
                .sessions
                .insert(session.clone(), Asked { detail, control });
        }
        let is_asked = state.sessions.values().any(|asked| asked.control.is_on());
        let is_any = is_asked || self.control.is_on();
        self.is_any.store(is_any, Ordering::Release);
    }

    /// What is traced of a session.
    pub(crate) fn detail(&self, session: &SessionId) -> Option<Detail> {
        let state = self.state();
        let asked = state.sessions.get(session).map(|asked| asked.detail);
        asked.unwrap_or(self.config.everything)
    }

    /// Sessions that are no more need not be remembered.
    pub(crate) fn keep(&self, is_known: impl Fn(&SessionId) -> bool) {
        self.state().sessions.retain(|session, _| is_known(session));
    }

    /// A command has gone to an agent, or its answer has come back.
    pub(crate) async fn notified(&self, instance: &InstanceId, way: Way, text: &str) {
        if !self.is_any() {
            return;
        }
        let channel = text.rsplit(' ').next();
        let Some(tap) = self.control(None, channel) else {
            return;
        };
        let tap = tap.labelled("instance", instance.as_str());
        let seen = Seen::Text(text.to_owned());
        tap.note(self.clock.now(), Side::Agent, way, seen).await;
    }

    fn is_any(&self) -> bool {
        self.is_any.load(Ordering::Acquire)
    }

    /// The control plane's tap for what is about that session, or that channel.
    fn control(&self, session: Option<&str>, channel: Option<&str>) -> Option<Tap> {
        if self.control.is_on() {
            return Some(self.control.clone());
        }
        let state = self.state();
        let by_channel = || state.channels.get(&channel?.parse::<ChannelId>().ok()?);
        let by_name = session.and_then(|session| session.parse::<SessionId>().ok());
        let session = by_name.as_ref().or_else(by_channel)?;
        let asked = state.sessions.get(session)?;
        asked.control.is_on().then(|| asked.control.clone())
    }

    fn turn(&self, tap: &Tap, detail: Option<Detail>) {
        match detail {
            Some(detail) => tap.turn_on(&self.config.taps, detail == Detail::Payload),
            None => tap.turn_off(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
