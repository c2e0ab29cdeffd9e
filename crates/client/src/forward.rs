//! Local TCP ports that lead to a port of an instance, or of a host that it can reach.
//!
//! ```text
//!  bind ─▶ StartTerminalSession ─▶ accept ─┬─▶ websocket ⇄ bytes     one for each TCP connection,
//!                                          ├─▶ websocket ⇄ bytes     all on the session's one URL
//!                                          └─▶ …
//!  stop ─▶ no more are accepted, all are reset, EndTerminalSession
//! ```
//!
//! What lives here: the specification of a forward ([`ForwardSpec`]), its listeners ([`Bound`]), the
//! session behind it, and what happens to it as [`ForwardEvent`]s.
//!
//! What never does: printing, signals, and shells.

mod bound;
mod connection;
mod event;
mod parting;
mod session;
mod spec;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axt_net::{link, tasks::Tasks, transport::Listener};
use axt_proto::InstanceId;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use self::{connection::Connection, event::Events, session::Session};
use crate::session::OpenError;

pub use bound::Bound;
pub use event::ForwardEvent;
pub use session::{EXTENSIONS, Route};
pub use spec::{BindTo, ForwardSpec, MalformedSpec, Remote, TargetHost};

/// How long a listener rests after it could not accept, most likely for want of descriptors.
const REST: Duration = Duration::from_millis(100);

/// A forward whose session has been started. [`Forward::run`] and [`Forward::end`] end that session;
/// dropped without either, the forward leaves it to expire.
#[derive(Debug)]
pub struct Forward {
    bound: Bound,
    shared: Arc<Shared>,
}

/// What the connections of a forward have in common.
#[derive(Debug)]
struct Shared {
    session: Session,
    events: Events,
    /// How many connections were accepted.
    accepted: AtomicU64,
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
        events: mpsc::Sender<ForwardEvent>,
    ) -> Result<Self, OpenError> {
        let session = Session::start(route, instance, &bound.remote).await?;
        let shared = Shared {
            session,
            events: Events(events),
            accepted: AtomicU64::new(0),
        };
        Ok(Self {
            bound,
            shared: Arc::new(shared),
        })
    }

    /// Ends the session of a forward that is not to run after all.
    pub async fn end(self) {
        self.shared.session.end().await;
    }

    /// Forwards connections until `stop` is cancelled, and nothing else ends it. Then the listeners
    /// are closed, the connections reset, and the session ended, within 2 s ([`link::SHUTDOWN`]).
    pub async fn run(self, stop: CancellationToken) {
        let Self { bound, shared } = self;
        let tasks = Tasks::new();
        for listener in bound.listeners {
            if let Ok(local) = listener.local_addr() {
                let remote = bound.remote.clone();
                let listening = ForwardEvent::Listening { local, remote };
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
        let number = shared.accepted.fetch_add(1, Ordering::Relaxed) + 1;
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
