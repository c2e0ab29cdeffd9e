//! Data channels of official agents that outlast their connection.
//!
//! An official agent obeys a stop of a port only once the target has said something or closed, and tells
//! nobody until then (wire-protocol 9.2). A channel that is closed meanwhile it dials eleven times more,
//! in vain, and when the target speaks after that its session never ends. So it keeps its channel until
//! it lets go of it by itself.

use std::{sync::Arc, time::Duration};

use axt_net::link;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::ends::AgentEnds;

/// How many there may be; the channel of one more is closed at once.
const ROOM: usize = 256;

/// How long a session of an official agent lasts at most (wire-protocol 8).
const LONGEST: Duration = Duration::from_secs(3 * 3_600);

/// Those of a relay. Cloning shares the room.
#[derive(Clone, Debug)]
pub(crate) struct Leftovers {
    room: Arc<Semaphore>,
    stopping: CancellationToken,
}

impl Leftovers {
    pub(crate) fn new(stopping: CancellationToken) -> Self {
        Self {
            room: Arc::new(Semaphore::new(ROOM)),
            stopping,
        }
    }

    /// Reads on, and throws away, until the agent lets go of the channel.
    pub(super) async fn keep(&self, mut agent: AgentEnds) {
        let Ok(_place) = self.room.try_acquire() else {
            return;
        };
        let gone = link::timeout(LONGEST, agent.gone());
        // However it ends, the channel is closed now.
        let _ = self.stopping.run_until_cancelled(gone).await;
    }
}
