//! Local TCP ports, or stdin and stdout, that lead to a port of an instance, or of a host that it can
//! reach.
//!
//! ```text
//!  bind ─▶ StartTerminalSession ─▶ accept ─┬─▶ websocket ⇄ bytes     one for each TCP connection,
//!                                          ├─▶ websocket ⇄ bytes     all on the session's one URL
//!                                          └─▶ …
//!  stop ─▶ no more are accepted, all are reset, EndTerminalSession
//! ```
//!
//! What lives here: the specification of a forward ([`ForwardSpec`]), its listeners ([`Bound`]), the
//! session behind it, which is renewed when it lets no more connections in, and what happens to it as
//! [`ForwardEvent`]s; and one connection on a pair of pipes ([`Piped`]).
//!
//! What never does: printing, signals, and shells.

mod bound;
mod carry;
mod connection;
mod event;
mod flow;
mod parting;
mod piped;
mod session;
mod spec;
mod trouble;

use std::{sync::Arc, time::Duration};

use axt_net::{link, tasks::Tasks, transport::Listener};
use axt_proto::{Extensions, InstanceId};
use tokio_util::sync::CancellationToken;

use self::{connection::Connection, session::Session};
use crate::session::{Network, OpenError, Started};

pub use bound::Bound;
pub use event::{Carried, Destination, Events, ForwardEvent, Parting};
pub use flow::Passing;
pub use piped::{Piped, PipedEnd};
pub use session::{EXTENSIONS, Finder, Route};
pub use spec::{BindTo, ForwardSpec, LocalSpec, MalformedSpec, Remote, TargetHost};
pub use trouble::{SESSION_MANAGER_OFF, Trouble};

/// How long a listener rests after it could not accept, most likely for want of descriptors.
const REST: Duration = Duration::from_millis(100);

/// A forward whose session has been started. [`Forward::run`] and [`Forward::end`] end that session;
/// dropped without either, the forward leaves it to expire.
#[derive(Debug)]
pub struct Forward {
    listeners: Vec<Listener>,
    destination: Destination,
    session: Session,
    events: Events,
}

/// What the connections of a forward have in common.
#[derive(Debug)]
struct Shared {
    session: Session,
    events: Events,
}

/// Tells what passes through a forward.
#[derive(Clone, Debug)]
pub struct Gauge(Arc<Shared>);

impl Gauge {
    /// What passes just now.
    #[must_use]
    pub fn read(&self) -> Passing {
        self.0.session.passing()
    }
}

impl Forward {
    /// Starts a session for what was bound. Events go to `events`, which holds up the accepting of
    /// connections while it is full, and never the bytes of one.
    ///
    /// # Errors
    /// [`OpenError::Call`] and [`OpenError::Answer`].
    pub async fn start(
        bound: Bound,
        route: Route,
        instance: &InstanceId,
        events: impl Into<Events>,
    ) -> Result<Self, OpenError> {
        let Bound { listeners, remote } = bound;
        let session = Session::start(route, instance, &remote).await?;
        Ok(Self {
            listeners,
            destination: Destination::Remote(remote),
            session,
            events: events.into(),
        })
    }

    /// Forwards to wherever a session leads that somebody else has started. It is neither renewed nor
    /// ended here.
    pub fn attach(
        listeners: Vec<Listener>,
        network: Network,
        extensions: Extensions,
        started: Started,
        events: impl Into<Events>,
    ) -> Self {
        Self {
            listeners,
            destination: Destination::Session(started.id.clone()),
            session: Session::given(network, extensions, started),
            events: events.into(),
        }
    }

    /// The same, looking for the API and the relay anew before each session that it starts.
    #[must_use]
    pub fn finding_by(mut self, finder: Finder) -> Self {
        self.session.find_by(finder);
        self
    }

    /// The same, with connections that say so often (rule time) that they are in use: quiet ones are
    /// then kept from the idle timeout. Only a relay and an agent of ours know it.
    #[must_use]
    pub const fn kept_alive(mut self, every: Duration) -> Self {
        self.session.keep_alive(every);
        self
    }

    /// Ends the session of a forward that is not to run after all.
    pub async fn end(self) {
        self.session.end().await;
    }

    /// Forwards connections until `stop` is cancelled, and nothing else ends it. Then the listeners
    /// are closed, the connections reset, and the session ended, within 2 s ([`link::SHUTDOWN`]).
    pub async fn run(self, stop: CancellationToken) {
        let (_, running) = self.ready();
        running.run(stop).await;
    }

    /// A forward that is about to run, and what tells what passes through it.
    #[must_use]
    pub fn ready(self) -> (Gauge, Running) {
        let Self {
            listeners,
            destination,
            session,
            events,
        } = self;
        let shared = Arc::new(Shared { session, events });
        let running = Running {
            listeners,
            destination,
            shared: Arc::clone(&shared),
        };
        (Gauge(shared), running)
    }
}

/// A forward that is about to run.
#[derive(Debug)]
pub struct Running {
    listeners: Vec<Listener>,
    destination: Destination,
    shared: Arc<Shared>,
}

impl Running {
    /// As [`Forward::run`].
    pub async fn run(self, stop: CancellationToken) {
        let Self {
            listeners,
            destination,
            shared,
        } = self;
        let tasks = Tasks::new();
        for listener in listeners {
            if let Ok(local) = listener.local_addr() {
                let listening = ForwardEvent::Listening {
                    local,
                    remote: destination.clone(),
                    session: shared.session.id().await,
                };
                shared.events.tell(listening).await;
            }
            let accepting = accept(listener, Arc::clone(&shared), tasks.child());
            tasks.spawn("forward", accepting);
        }
        stop.cancelled().await;
        tokio::join!(tasks.shutdown(link::SHUTDOWN), shared.session.end());
    }
}

/// Accepts connections until the group is to end, each served by a task of its own.
async fn accept(listener: Listener, shared: Arc<Shared>, connections: Tasks) {
    let token = connections.token().clone();
    while let Some(accepted) = token.run_until_cancelled(listener.accept()).await {
        let local = match accepted {
            Ok(local) => local,
            Err(error) => {
                // One that was gone before it was taken, or no descriptor to be had for the moment.
                tracing::debug!(%error, "cannot accept a connection");
                token.run_until_cancelled(link::sleep(REST)).await;
                continue;
            }
        };
        let number = shared.events.next_number();
        let (shared, stop) = (Arc::clone(&shared), token.clone());
        connections.spawn("forwarded connection", async move {
            let connection = Connection {
                number,
                session: &shared.session,
                events: &shared.events,
                stop: &stop,
            };
            connection.serve(local).await;
        });
    }
    drop(listener);
    connections.shutdown(link::DRAIN).await;
}

/// Bytes a second as people say them: `200 KB/s` are 204,800.
#[must_use]
pub fn rate_in_words(bytes_per_s: u64) -> String {
    format!("{}/s", size_in_words(bytes_per_s))
}

/// Bytes as people say them, in units of 1,024.
#[must_use]
pub fn size_in_words(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "KB")];
    let Some((unit, name)) = UNITS.into_iter().find(|(unit, _)| bytes >= *unit) else {
        return format!("{bytes} B");
    };
    let tenths = bytes.saturating_mul(10) / unit;
    match (tenths / 10, tenths % 10) {
        (whole, 0) => format!("{whole} {name}"),
        (whole, _) if whole >= 100 => format!("{whole} {name}"),
        (whole, tenth) => format!("{whole}.{tenth} {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_rates_are_short() {
        let words = [0, 1_023, 1_024, 204_800, 1_500_000, 3_000_000_000].map(size_in_words);

        assert_eq!(
            words,
            ["0 B", "1023 B", "1 KB", "200 KB", "1.4 MB", "2.7 GB"]
        );
        assert_eq!(rate_in_words(204_800), "200 KB/s");
    }
}
