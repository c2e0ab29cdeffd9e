//! Rows: the registry's state as the journal stores it.
//!
//! Every command hands back the rows that it changed, whole. Putting and deleting them in order in
//! any map, and giving that map's values to [`Registry::restore`](crate::Registry::restore), gives
//! the state back.

use std::fmt;

use axt_proto::{
    AccountId, CommandId, ConnectionId, InstanceId, InvocationId, RegionId, SessionId,
};
use serde::{Deserialize, Serialize};

use crate::{
    Account, Activation, ActivationId, Command, Connection, Instance, Invocation, Region,
    RememberedToken, Run, Session, TokenKey,
};

/// The version of the rows' shape. The journal keeps it beside them and refuses newer ones.
pub const ROW_SCHEMA: u32 = 1;

/// One piece of state under its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Row {
    /// A region's switches.
    Region(Region),
    /// An account's switch and settings.
    Account(Account),
    /// An instance, without its agent's presence.
    Instance(Box<Instance>),
    /// An activation code.
    Activation(Box<Activation>),
    /// A session.
    Session(Box<Session>),
    /// A connection.
    Connection(Box<Connection>),
    /// A ClientToken whose action succeeded.
    Token(Box<RememberedToken>),
    /// A command that is kept.
    Command(Box<Command>),
    /// A call that had a command run.
    Invocation(Box<Invocation>),
    /// How such a command goes on an instance.
    Run(Box<Run>),
    /// Which numbers come next.
    Counters(Counters),
}

/// Numbers that are never given twice, also across restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// The next event's `seq`.
    pub next_seq: u64,
    /// The next connection's number.
    pub next_connection: u64,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            next_seq: 1,
            next_connection: 1,
        }
    }
}

/// What a row is found by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RowKey {
    /// See [`Row::Region`].
    Region(RegionId),
    /// See [`Row::Account`].
    Account(AccountId),
    /// See [`Row::Instance`].
    Instance(InstanceId),
    /// See [`Row::Activation`].
    Activation(ActivationId),
    /// See [`Row::Session`].
    Session(SessionId),
    /// See [`Row::Connection`].
    Connection(ConnectionId),
    /// See [`Row::Token`].
    Token(TokenKey),
    /// See [`Row::Command`].
    Command(CommandId),
    /// See [`Row::Invocation`].
    Invocation(InvocationId),
    /// See [`Row::Run`].
    Run(InvocationId, InstanceId),
    /// See [`Row::Counters`].
    Counters,
}

impl Row {
    /// What this row is found by.
    #[must_use]
    pub fn key(&self) -> RowKey {
        match self {
            Self::Region(region) => RowKey::Region(region.id.clone()),
            Self::Account(account) => RowKey::Account(account.id.clone()),
            Self::Instance(instance) => RowKey::Instance(instance.spec.id.clone()),
            Self::Activation(activation) => RowKey::Activation(activation.id.clone()),
            Self::Session(session) => RowKey::Session(session.id.clone()),
            Self::Connection(connection) => RowKey::Connection(connection.id),
            Self::Token(token) => RowKey::Token(token.key.clone()),
            Self::Command(command) => RowKey::Command(command.id.clone()),
            Self::Invocation(invocation) => RowKey::Invocation(invocation.id.clone()),
            Self::Run(run) => RowKey::Run(run.invocation.clone(), run.instance.clone()),
            Self::Counters(_) => RowKey::Counters,
        }
    }
}

impl RowKey {
    /// The kind of row as one word, for a table that holds several kinds.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Region(_) => "region",
            Self::Account(_) => "account",
            Self::Instance(_) => "instance",
            Self::Activation(_) => "activation",
            Self::Session(_) => "session",
            Self::Connection(_) => "connection",
            Self::Token(_) => "token",
            Self::Command(_) => "command",
            Self::Invocation(_) => "invocation",
            Self::Run(..) => "run",
            Self::Counters => "counters",
        }
    }
}

/// The key as text, unique among the rows of one [kind](RowKey::kind).
impl fmt::Display for RowKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Region(id) => id.fmt(out),
            Self::Account(id) => id.fmt(out),
            Self::Instance(id) => id.fmt(out),
            Self::Activation(id) => id.fmt(out),
            Self::Session(id) => id.fmt(out),
            Self::Connection(id) => write!(out, "{:020}", id.0),
            Self::Token(key) => key.fmt(out),
            Self::Command(id) => id.fmt(out),
            Self::Invocation(id) => id.fmt(out),
            Self::Run(invocation, instance) => write!(out, "{invocation} {instance}"),
            Self::Counters => Ok(()),
        }
    }
}

/// One write to the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowChange {
    /// Write the row over whatever its key held.
    Put(Row),
    /// Forget the row, and with a session the events that are kept for it.
    Delete(RowKey),
}
