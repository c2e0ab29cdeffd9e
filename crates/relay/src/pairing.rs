//! Pairing clients with agents' channels: who waits for which channel, and who may dial it.
//!
//! ```text
//!          kick           list          dial, 101           websocket         over
//! Waiting ──────▶ Waiting ─────▶ Listed ─────────▶ Dialled ─────────▶ Open ──────▶ (forgotten: 403)
//! ```
//!
//! A dial is answered a moment before its websocket is there. What the agent says of the session by
//! HTTP can come within that moment, so the orders tell how many websockets are on their way.
//!
//! A plain table without I/O: the desk asks it, connections wait on the lines that it hands out.

use std::collections::HashMap;

use axt_control::luban::{SessionObject, StatusCode};
use axt_net::{link, ws::WebSocket};
use axt_proto::{ChannelId, ConnectionId, InstanceId, Reason};
use tokio::sync::{mpsc, watch};

/// What a connection has been told from outside of it. A state rather than a queue: nothing can
/// overflow, and what is true stays true.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Orders {
    /// It is to end, for that reason.
    pub(crate) end: Option<(Reason, String)>,
    /// Its agent has posted how the session ended.
    pub(crate) posted: Option<Posted>,
    /// Its agent's notify channel is down.
    pub(crate) is_agent_gone: bool,
    /// How many dials have been let in whose websockets are not in [`Line::sockets`] yet.
    pub(crate) dials: usize,
    /// How often faults have had something for it to send.
    pub(crate) wakes: u64,
}

/// What an agent posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Posted {
    pub(crate) code: StatusCode,
    pub(crate) detail: Option<String>,
}

/// A connection's ends of what the table holds for it.
#[derive(Debug)]
pub(crate) struct Line<S = Box<WebSocket>> {
    /// Data channels that the agent has dialled, one after another.
    pub(crate) sockets: mpsc::Receiver<S>,
    pub(crate) orders: watch::Receiver<Orders>,
}

impl<S> Line<S> {
    /// Whether a channel has come, or is on its way. It may hold the last words of an agent that has
    /// ended the session since, or that has gone away.
    pub(crate) fn is_dialled(&self) -> bool {
        // In this order: a channel is there before it is no longer on its way.
        self.orders.borrow().dials > 0 || !self.sockets.is_empty()
    }
}

/// The way to a connection, for a data channel that was let in: while it exists, the channel is on its way.
#[derive(Debug)]
pub(crate) struct Door<S = Box<WebSocket>> {
    sockets: mpsc::Sender<S>,
    orders: watch::Sender<Orders>,
}

impl<S> Door<S> {
    fn new(sockets: mpsc::Sender<S>, orders: watch::Sender<Orders>) -> Self {
        orders.send_modify(|orders| orders.dials += 1);
        Self { sockets, orders }
    }

    /// The channel is there. A connection that has ended meanwhile lets it fall, and so does one that
    /// has more of them than it can look at.
    pub(crate) async fn enter(self, socket: S) {
        let _ = link::timeout(link::HANDSHAKE, self.sockets.send(socket)).await;
    }
}

impl<S> Drop for Door<S> {
    fn drop(&mut self) {
        self.orders.send_modify(|orders| orders.dials -= 1);
    }
}

/// Why an agent's dial is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DialRefusal {
    /// Never heard of, over, or another instance's: told alike.
    #[error("no connection of this instance waits for that channel")]
    Unknown,
}

#[derive(Debug)]
struct Entry<S> {
    instance: InstanceId,
    object: SessionObject,
    stage: Stage,
    sockets: mpsc::Sender<S>,
    orders: watch::Sender<Orders>,
    /// Whose channel id it has too, where a fault has given it to both.
    former: Option<ConnectionId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Waiting,
    Listed,
    Dialled,
    Open,
}

/// The table.
#[derive(Debug)]
pub(crate) struct Pairing<S = Box<WebSocket>> {
    connections: HashMap<ConnectionId, Entry<S>>,
    channels: HashMap<ChannelId, ConnectionId>,
}

impl<S> Pairing<S> {
    pub(crate) fn new() -> Self {
        Self {
            connections: HashMap::new(),
            channels: HashMap::new(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }

    /// A connection waits for its agent to open `object`'s channel.
    pub(crate) fn open(
        &mut self,
        connection: ConnectionId,
        instance: InstanceId,
        object: SessionObject,
        is_agent_gone: bool,
    ) -> Line<S> {
        let (sockets, from_agent) = mpsc::channel(1);
        let (orders, to_connection) = watch::channel(Orders {
            is_agent_gone,
            ..Orders::default()
        });
        let former = self.channels.insert(object.channel_id.clone(), connection);
        let entry = Entry {
            instance,
            object,
            stage: Stage::Waiting,
            sockets,
            orders,
            former,
        };
        self.connections.insert(connection, entry);
        Line {
            sockets: from_agent,
            orders: to_connection,
        }
    }

    /// What the agent is to open: the same single object as often as it asks, until it has dialled its
    /// data channel (wire-protocol 13). Without a channel, any that waits.
    pub(crate) fn object(
        &mut self,
        instance: &InstanceId,
        channel: Option<&ChannelId>,
    ) -> Option<SessionObject> {
        let entry = match channel {
            Some(channel) => self
                .channels
                .get(channel)
                .and_then(|connection| self.connections.get_mut(connection))
                .filter(|entry| entry.instance == *instance && entry.stage < Stage::Dialled),
            None => self
                .connections
                .values_mut()
                .find(|entry| entry.instance == *instance && entry.stage == Stage::Waiting),
        }?;
        entry.stage = Stage::Listed;
        Some(entry.object.clone())
    }

    /// An agent dials a data channel, for the first time or again. Where the answer leads is the
    /// connection that waits, or that lives and has lost its channel without having noticed.
    pub(crate) fn dial(
        &mut self,
        instance: &InstanceId,
        channel: &ChannelId,
    ) -> Result<(ConnectionId, Door<S>), DialRefusal> {
        let connection = *self.channels.get(channel).ok_or(DialRefusal::Unknown)?;
        let entry = self.connections.get_mut(&connection);
        let entry = entry
            .filter(|entry| entry.instance == *instance)
            .ok_or(DialRefusal::Unknown)?;
        entry.stage = entry.stage.max(Stage::Dialled);
        let door = Door::new(entry.sockets.clone(), entry.orders.clone());
        Ok((connection, door))
    }

    /// The channel id of the instance's latest connection.
    pub(crate) fn latest(&self, instance: &InstanceId) -> Option<&ChannelId> {
        let of_instance = self.connections.iter();
        let of_instance = of_instance.filter(|(_, entry)| entry.instance == *instance);
        let (_, entry) = of_instance.max_by_key(|(connection, _)| **connection)?;
        Some(&entry.object.channel_id)
    }

    /// Has a connection look at what it has to send.
    pub(crate) fn wake(&mut self, connection: ConnectionId) {
        if let Some(entry) = self.connections.get(&connection) {
            entry.orders.send_modify(|orders| orders.wakes += 1);
        }
    }

    /// The data channel is open: there is nothing to list any more.
    pub(crate) fn opened(&mut self, connection: ConnectionId) {
        if let Some(entry) = self.connections.get_mut(&connection) {
            entry.stage = Stage::Open;
        }
    }

    /// The agent says how the session ended. The first word counts; a late one, for a channel that
    /// is forgotten, is an echo (wire-protocol 9.2).
    pub(crate) fn posted(&mut self, instance: &InstanceId, channel: &ChannelId, posted: Posted) {
        let Some(entry) = self
            .channels
            .get(channel)
            .and_then(|connection| self.connections.get(connection))
            .filter(|entry| entry.instance == *instance)
        else {
            return;
        };
        // A kick that arrived twice: the second attempt fails, the first one lives on
        // (wire-protocol 9.5). Only of two connections that share an id, the later one has no attempt
        // of its own.
        let has_attempt = entry.former.is_none() || entry.stage == Stage::Open;
        if posted.code == StatusCode::SessionIdDuplicate && has_attempt {
            return;
        }
        entry.orders.send_if_modified(|orders| {
            let is_first = orders.posted.is_none();
            orders.posted.get_or_insert(posted);
            is_first
        });
    }

    /// The connection is to end. The first reason counts.
    pub(crate) fn end(&mut self, connection: ConnectionId, reason: Reason, detail: &str) {
        if let Some(entry) = self.connections.get(&connection) {
            entry.order_end(reason, detail);
        }
    }

    /// All connections are to end.
    pub(crate) fn end_all(&mut self, reason: Reason, detail: &str) {
        for entry in self.connections.values() {
            entry.order_end(reason, detail);
        }
    }

    /// An agent without extensions has come: connections that were granted some by the one before, and that
    /// it has not opened, are to end. What a client was granted cannot be taken back.
    pub(crate) fn end_granted(&mut self, instance: &InstanceId) {
        for entry in self.connections.values() {
            let waits = entry.instance == *instance && entry.stage < Stage::Dialled;
            if waits && entry.object.axt.is_some() {
                let detail = "another agent took the place of the one that was to open it";
                entry.order_end(Reason::AgentTimeout, detail);
            }
        }
    }

    /// The instance's notify channel has come up or gone down.
    pub(crate) fn agent_gone(&mut self, instance: &InstanceId, is_gone: bool) {
        for entry in self.connections.values() {
            if entry.instance == *instance {
                entry.orders.send_if_modified(|orders| {
                    std::mem::replace(&mut orders.is_agent_gone, is_gone) != is_gone
                });
            }
        }
    }

    /// Channels that the agent has to be told of, now that its notify channel is up: those that it
    /// has not asked for yet. (To kick it twice would make an official agent deaf for the
    /// channel's stop, wire-protocol 9.5.)
    pub(crate) fn to_kick(&self, instance: &InstanceId) -> Vec<(ConnectionId, ChannelId)> {
        let waiting = |entry: &Entry<S>| {
            entry.instance == *instance
                && entry.stage == Stage::Waiting
                && entry.orders.borrow().end.is_none()
        };
        let mut kicks: Vec<_> = self
            .connections
            .iter()
            .filter(|(_, entry)| waiting(entry))
            .map(|(connection, entry)| (*connection, entry.object.channel_id.clone()))
            .collect();
        kicks.sort_by_key(|(connection, _)| *connection);
        kicks
    }

    /// The connection is over: its channel is forgotten.
    pub(crate) fn close(&mut self, connection: ConnectionId) -> Option<(InstanceId, ChannelId)> {
        let entry = self.connections.remove(&connection)?;
        let channel = &entry.object.channel_id;
        if self.channels.get(channel) == Some(&connection) {
            self.channels.remove(channel);
            if let Some(former) = entry.former.filter(|it| self.connections.contains_key(it)) {
                self.channels.insert(channel.clone(), former);
            }
        }
        Some((entry.instance, entry.object.channel_id))
    }
}

impl<S> Entry<S> {
    fn order_end(&self, reason: Reason, detail: &str) {
        self.orders.send_if_modified(|orders| {
            let is_first = orders.end.is_none();
            orders
                .end
                .get_or_insert_with(|| (reason, detail.to_owned()));
            is_first
        });
    }
}

#[cfg(test)]
mod tests;
