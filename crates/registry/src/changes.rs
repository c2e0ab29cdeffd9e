//! What a command changed, for those who must act on it.

use std::time::Duration;

use axt_proto::{ChannelId, ConnectionId, Event, InstanceId, InvocationId, Reason};

use crate::RowChange;

/// What a command changed: handed back beside its answer by every method that changes anything.
///
/// The three lists are for three readers. They are in the order in which things happened, and the
/// rows of successive `Changes` must reach the journal in that order too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "events must be published, effects carried out and rows journalled"]
pub struct Changes {
    /// For history, logs, metrics and the event stream.
    pub events: Vec<Event>,
    /// For the relay: what to tell agents and clients.
    pub effects: Vec<Effect>,
    /// For the journal: replaying these gives the state back.
    pub rows: Vec<RowChange>,
}

impl Changes {
    /// Whether nothing changed at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.effects.is_empty() && self.rows.is_empty()
    }

    /// Adds what happened after this.
    pub fn extend(&mut self, later: Self) {
        self.events.extend(later.events);
        self.effects.extend(later.effects);
        self.rows.extend(later.rows);
    }
}

/// Something that the relay has to do on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Tell the agent to open a channel (`kick_vm session start`, wire-protocol 10.3). A notify
    /// channel that is down leaves it pending; report with [`Registry::kicked`] once it is sent.
    ///
    /// [`Registry::kicked`]: crate::Registry::kicked
    Kick {
        /// Whose agent.
        instance: InstanceId,
        /// The connection that waits for the channel.
        connection: ConnectionId,
        /// The channel to open.
        channel: ChannelId,
    },
    /// Tell the agent that a channel is over (`kick_vm session stop`). One that the agent has
    /// forgotten does no harm.
    Stop {
        /// Whose agent.
        instance: InstanceId,
        /// The channel that is over.
        channel: ChannelId,
    },
    /// Close a live connection on both sides, then report with [`Registry::closed`]: its slot is
    /// given back only then.
    ///
    /// [`Registry::closed`]: crate::Registry::closed
    Close {
        /// Which connection.
        connection: ConnectionId,
        /// What both sides are told.
        reason: Reason,
    },
    /// Tell the agent that there is a command to run (`kick_vm task run`). One that is not there
    /// finds it in its task list when it comes.
    KickTask {
        /// Whose agent.
        instance: InstanceId,
        /// Which command, by the call that wants it run.
        invocation: InvocationId,
    },
    /// Tell the agent to stop a command (`kick_vm task stop`).
    StopTask {
        /// Whose agent.
        instance: InstanceId,
        /// Which command.
        invocation: InvocationId,
    },
    /// Call [`Registry::run_overdue`] after so much link time, unless another `Watch` on the same
    /// command comes before; `None`: nothing is waited for any more.
    ///
    /// [`Registry::run_overdue`]: crate::Registry::run_overdue
    Watch {
        /// On which instance.
        instance: InstanceId,
        /// Which command.
        invocation: InvocationId,
        /// How long.
        within: Option<Duration>,
    },
}
