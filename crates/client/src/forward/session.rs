//! The session that a forward's connections go through, renewed where that is needed.
//!
//! ```text
//!  connect ─▶ upgrade ──101──▶ link
//!                │ expired, ended, forgotten, or nobody there
//!                ▼
//!             StartTerminalSession ─▶ upgrade ──▶ link       the old session's connections go on
//! ```

use std::{fmt, io, sync::Arc, time::Duration};

use axt_net::{clock::Clock, link, ws::ConnectError};
use axt_proto::{Extensions, InstanceId};
use tokio::sync::Mutex;

use super::{
    event::{Events, ForwardEvent},
    flow::{Flow, Passing},
    spec::Remote,
};
use crate::{
    api::{Api, CallError},
    session::{self, Announce, Link, Network, OpenError, Started},
};

/// How long a connection waits for a relay that is being restarted, before it is refused.
const PATIENCE: Duration = link::HANDSHAKE;
/// How long it waits at first, and at most, before it tries again.
const WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));

/// How a session is started and reached.
#[derive(Clone, Debug)]
pub struct Route {
    /// The API that starts and ends it.
    pub api: Api,
    /// How the relay is reached.
    pub network: Network,
    /// What to announce; [`EXTENSIONS`], or none to speak the base protocol only.
    pub extensions: Extensions,
}

/// The extensions that a forward can make use of: half-close and reset.
pub const EXTENSIONS: Extensions = Extensions {
    eof: true,
    reset: true,
    ..Extensions::NONE
};

/// Finds the API and the relay again, for they may have been started anew elsewhere; `None` when
/// there is nothing to be found.
pub type Finder = Arc<dyn Fn() -> Option<(Api, Network)> + Send + Sync>;

/// The sessions of one forward: one at a time for new connections.
#[derive(Debug)]
pub(super) struct Session {
    extensions: Extensions,
    network: Mutex<Network>,
    /// How often a connection says that it is in use.
    alive_every: Option<Duration>,
    origin: Origin,
    current: Mutex<Arc<Live>>,
    /// Sessions before the current one that may have connections still.
    former: std::sync::Mutex<Vec<Arc<Live>>>,
}

/// Where sessions come from.
enum Origin {
    /// This end starts them, and ends them.
    Own {
        instance: InstanceId,
        remote: Remote,
        finder: Option<Finder>,
    },
    /// Somebody else has started the one that there is.
    Given,
}

/// A session, held by each of its connections.
#[derive(Debug)]
pub(super) struct Live {
    /// What started it, and is to end it.
    api: Option<Api>,
    started: Started,
    pub(super) flow: Flow,
}

/// A websocket, and the session that it is of.
pub(super) struct Connected {
    pub(super) link: Link,
    pub(super) live: Arc<Live>,
    pub(super) beat: Option<Beat>,
}

/// How often a connection says that it is in use, by whose time.
#[derive(Clone, Debug)]
pub(super) struct Beat {
    pub(super) clock: Clock,
    pub(super) every: Duration,
}

impl Session {
    /// StartTerminalSession with PortNumber, and TargetServer where there is one.
    pub(super) async fn start(
        route: Route,
        instance: &InstanceId,
        remote: &Remote,
    ) -> Result<Self, OpenError> {
        let live = start(route.api, instance, remote).await?;
        let origin = Origin::Own {
            instance: instance.clone(),
            remote: remote.clone(),
            finder: None,
        };
        Ok(Self::new(route.network, route.extensions, origin, live))
    }

    /// A session that somebody else has started, and will end.
    pub(super) fn given(network: Network, extensions: Extensions, started: Started) -> Self {
        let live = Live {
            api: None,
            started,
            flow: Flow::default(),
        };
        Self::new(network, extensions, Origin::Given, live)
    }

    fn new(network: Network, extensions: Extensions, origin: Origin, live: Live) -> Self {
        Self {
            extensions,
            network: Mutex::new(network),
            alive_every: None,
            origin,
            current: Mutex::new(Arc::new(live)),
            former: std::sync::Mutex::default(),
        }
    }

    /// Has the API and the relay looked for anew before each session that is started.
    pub(super) fn find_by(&mut self, by: Finder) {
        if let Origin::Own { finder, .. } = &mut self.origin {
            *finder = Some(by);
        }
    }

    /// Has each connection say so often (rule time) that it is in use, where that is granted.
    pub(super) const fn keep_alive(&mut self, every: Duration) {
        self.alive_every = Some(every);
    }

    /// The current session's id.
    pub(super) async fn id(&self) -> String {
        self.current.lock().await.started.id.clone()
    }

    /// A websocket of its own for the next connection. This is the one place that asks, once for
    /// each TCP connection: a session that lets none in any more is replaced here.
    pub(super) async fn connect(&self, events: &Events) -> Result<Connected, OpenError> {
        let give_up = link::now() + PATIENCE;
        let (mut wait, most) = WAITS;
        loop {
            match self.for_next_connection(events).await {
                Err(error) if is_being_restarted(&error) && link::now() + wait < give_up => {
                    link::sleep(wait).await;
                    wait = (wait * 2).min(most);
                }
                done => return done,
            }
        }
    }

    async fn for_next_connection(&self, events: &Events) -> Result<Connected, OpenError> {
        let live = Arc::clone(&*self.current.lock().await);
        let refusal = match self.open(&live).await {
            Ok(link) => return Ok(self.connected(link, live).await),
            Err(error) => error,
        };
        let live = self.renewed(live, refusal, events).await?;
        let link = self.open(&live).await?;
        Ok(self.connected(link, live).await)
    }

    async fn connected(&self, link: Link, live: Arc<Live>) -> Connected {
        let beat = match self.alive_every {
            Some(every) if link.granted.alive => Some(Beat {
                clock: self.network.lock().await.clock.clone(),
                every,
            }),
            Some(_) => {
                tracing::warn!("keep-alive is not known to the relay or the agent");
                None
            }
            None => None,
        };
        Connected { link, live, beat }
    }

    async fn open(&self, live: &Live) -> Result<Link, OpenError> {
        let extensions = Extensions {
            alive: self.alive_every.is_some() && !self.extensions.is_empty(),
            ..self.extensions
        };
        let announce = Announce {
            extensions,
            size: None,
        };
        let network = self.network.lock().await.clone();
        session::connect(&network, &live.started, announce).await
    }

    /// The session after `stale`, started unless another connection has seen to it already.
    async fn renewed(
        &self,
        stale: Arc<Live>,
        refusal: OpenError,
        events: &Events,
    ) -> Result<Arc<Live>, OpenError> {
        let Origin::Own {
            instance,
            remote,
            finder,
        } = &self.origin
        else {
            return Err(refusal);
        };
        if !calls_for_another(&refusal) {
            return Err(refusal);
        }
        let mut current = self.current.lock().await;
        if !Arc::ptr_eq(&current, &stale) {
            return Ok(Arc::clone(&current));
        }
        let mut api = stale.api.clone();
        if let Some((found, network)) = finder.as_ref().and_then(|find| find()) {
            api = Some(found);
            *self.network.lock().await = network;
        }
        let Some(api) = api else {
            return Err(refusal);
        };
        let fresh = match start(api, instance, remote).await {
            // Both are away: of the two, the relay is what the connection was for.
            Err(OpenError::Call(CallError::Unreachable { .. }))
                if matches!(refusal, OpenError::Connect(_)) =>
            {
                return Err(refusal);
            }
            fresh => Arc::new(fresh?),
        };
        let replaced = std::mem::replace(&mut *current, Arc::clone(&fresh));
        drop((current, stale));
        self.retire(replaced, &refusal).await;
        let renewed = ForwardEvent::Renewed {
            session: fresh.started.id.clone(),
            because: refusal.to_string(),
        };
        events.tell(renewed).await;
        Ok(fresh)
    }

    /// Remembers a session for as long as it has connections.
    async fn retire(&self, replaced: Arc<Live>, refusal: &OpenError) {
        let is_unused = {
            let mut former = self.former();
            former.retain(|live| Arc::strong_count(live) > 1);
            let is_unused = Arc::strong_count(&replaced) == 1;
            if !is_unused {
                former.push(Arc::clone(&replaced));
            }
            is_unused
        };
        // One that was refused is over; one whose relay was not reached counts on.
        if is_unused && matches!(refusal, OpenError::Connect(_)) {
            replaced.end().await;
        }
    }

    fn former(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Live>>> {
        self.former
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// What passes just now, through all of its sessions that have connections.
    pub(super) fn passing(&self) -> Passing {
        // Held for a renewal at the most, when there is nothing to be told anyway.
        let current = self.current.try_lock().ok().map(|live| Arc::clone(&live));
        let former = self.former().clone();
        let all = current.into_iter().chain(former);
        all.map(|live| live.flow.passing())
            .fold(Passing::default(), Passing::and)
    }

    /// EndTerminalSession for all that have connections, which end with it, and for the current one.
    /// A session that somebody else has started is left to him.
    pub(super) async fn end(&self) {
        let former = std::mem::take(&mut *self.former());
        let current = Arc::clone(&*self.current.lock().await);
        let ending = async {
            current.end().await;
            for live in former {
                live.end().await;
            }
        };
        let _ = link::timeout(link::SHUTDOWN, ending).await;
    }
}

impl Live {
    async fn end(&self) {
        if let Some(api) = &self.api {
            session::end(api, &self.started.id).await;
        }
    }
}

async fn start(api: Api, instance: &InstanceId, remote: &Remote) -> Result<Live, OpenError> {
    let port = remote.port.to_string();
    let mut parameters = vec![
        ("InstanceId.1", instance.as_str()),
        ("PortNumber", port.as_str()),
    ];
    if let Some(host) = &remote.host {
        parameters.push(("TargetServer", host.as_str()));
    }
    let started = session::start_with(&api, &parameters).await?;
    Ok(Live {
        api: Some(api),
        started,
        flow: Flow::default(),
    })
}

/// Whether another session may do better: this one has expired, was ended, is not known any more, or
/// its relay is not to be found.
fn calls_for_another(refusal: &OpenError) -> bool {
    match refusal {
        OpenError::Refused { code, .. } => matches!(
            code.as_str(),
            "SessionUrl.Expired" | "SessionUrl.Ended" | "InvalidSessionToken"
        ),
        OpenError::Connect(_) => true,
        OpenError::Call(_) | OpenError::Answer(_) => false,
    }
}

/// Whether it may be there again in a moment: nobody listens just now, or it says so itself.
fn is_being_restarted(error: &OpenError) -> bool {
    match error {
        OpenError::Connect(ConnectError::Unreachable(error)) => {
            error.source.kind() == io::ErrorKind::ConnectionRefused
        }
        OpenError::Refused { code, .. } => code == "RelayStopping",
        _ => false,
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own {
                instance, remote, ..
            } => write!(out, "Own({instance}, {remote})"),
            Self::Given => out.write_str("Given"),
        }
    }
}
