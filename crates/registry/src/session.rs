//! Sessions and their connections.
//!
//! ```text
//! session     Committing ──committed──▶ Issued ──connect──▶ In use ──last one closes──▶ Issued
//!                 └── rolled back ──▶ (gone)  ├── 600 s ──▶ Expired (no new ones; live ones go on)
//!                                             └── EndTerminalSession, instance removed
//!                                                               ──▶ Ended (live ones are closed)
//!
//! active      Committing, Issued, In use, and Expired while a connection is live
//! released    Ended, or Expired with nothing live: happens once, for good
//! settled     released, and every connection torn down: only then can retention drop it
//!
//! connection  Connecting ──agent dials──▶ Connected ──▶ Terminated(Reason)
//!                 │                           └──▶ Failed(OpenPtyFailed, Open_port_failed, …)
//!                 ├── 20 s of link time ──▶ Failed(AgentTimeout)
//!                 └── at once, never kicked ──▶ Failed(AgentNeedUpgrade | InstanceUnavailable | …)
//! ```
//!
//! "Issued" and "In use" are one [`Phase`], `Open`: the difference is whether a connection is live,
//! and that is derived.

use axt_proto::{
    AccountId, Carried, ChannelId, ConnectionId, InstanceId, Reason, RegionId, Secret, SessionId,
    Tick,
};
use serde::{Deserialize, Serialize};

use crate::{Answer, index::Scope};

/// What a session opens (wire-protocol 10.4 tells it to the agent).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SessionTarget {
    /// A shell, or the command line instead of one.
    Shell {
        /// At most 512 characters.
        command_line: Option<String>,
    },
    /// A TCP port.
    Port {
        /// 1 to 65535.
        port: u16,
        /// The host that has the port; `None` is the instance itself.
        target_server: Option<String>,
    },
}

impl SessionTarget {
    /// The forwarded port; `None` for a shell.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        match self {
            Self::Shell { .. } => None,
            Self::Port { port, .. } => Some(*port),
        }
    }
}

/// Which of a region's addresses the session's URL names (limits-and-semantics R16).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConnectionType {
    /// The public one.
    #[default]
    Internet,
    /// The private one.
    Intranet,
}

/// Who started a session, for DescribeTerminalSessions (ecs-api 3.3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Starter {
    /// `Account`, `RAMUser` or `AssumedRoleUser`.
    pub identity_type: String,
    /// The id behind it.
    pub principal_id: String,
    /// The caller's address, without port.
    pub client_ip: String,
}

/// How far a session's life has come. See the picture at the top of this module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Its URL opens connections.
    Open,
    /// Its URL is too old; live connections go on.
    Expired,
    /// Ended for good.
    Ended,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// `s-…`.
    pub id: SessionId,
    /// What opens connections beside the id.
    pub token: Secret,
    /// For whom it counts.
    pub account: AccountId,
    /// Where it counts.
    pub region: RegionId,
    /// Where it leads.
    pub instance: InstanceId,
    /// What it opens there.
    pub target: SessionTarget,
    /// As which user; `None` is the agent's own.
    pub username: Option<String>,
    /// The name of a stored Windows password, handed on.
    pub password_name: Option<String>,
    /// Which address its URL names.
    pub connection_type: ConnectionType,
    /// The URL that was handed out, up to and without the path.
    pub base_url: String,
    /// Who started it.
    pub starter: Starter,
    /// When it was admitted.
    pub created: Tick,
    /// The first instant at which its URL opens nothing any more.
    pub expires: Tick,
    /// How far its life has come.
    pub phase: Phase,
    /// When it left [`Phase::Open`].
    pub closed_at: Option<Tick>,
    /// Whether the journal has it; until then nobody but its quota sees it. A row that was
    /// written is committed by being there.
    #[serde(skip, default = "committed")]
    pub is_committed: bool,
}

const fn committed() -> bool {
    true
}

impl Session {
    pub(crate) fn scope(&self) -> Scope {
        (self.account.clone(), self.region.clone())
    }

    /// What its StartTerminalSession is answered, the first time and every time.
    pub(crate) fn answer(&self) -> Answer {
        Answer::Session {
            session: self.id.clone(),
            token: self.token.clone(),
            base_url: self.base_url.clone(),
        }
    }
}

/// A connection's status, in the API's words (limits-and-semantics 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ConnectionStatus {
    /// The upgrade is accepted and the agent told, or about to be.
    Connecting,
    /// The agent has dialled its data channel.
    Connected,
    /// An orderly end, with a reason.
    Terminated,
    /// Never any use to its client; a detail says why.
    Failed,
}

impl ConnectionStatus {
    /// Whether the connection holds one of its instance's slots.
    #[must_use]
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Connecting | Self::Connected)
    }
}

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// When its teardown was done.
    pub at: Tick,
    /// Why; `None` for an upgrade that was refused because the instance was full.
    pub reason: Option<Reason>,
    /// In words, when it failed.
    pub detail: Option<String>,
    /// What went through it.
    #[serde(flatten)]
    pub carried: Carried,
}

/// One client websocket on a session's URL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Its number.
    pub id: ConnectionId,
    /// On whose URL.
    pub session: SessionId,
    /// To which instance.
    pub instance: InstanceId,
    /// The agent's channel that it is paired with.
    pub channel: ChannelId,
    /// The client's address, without port.
    pub client_ip: String,
    /// Where it stands.
    pub status: ConnectionStatus,
    /// When the upgrade was accepted.
    pub opened: Tick,
    /// When the agent was told.
    pub kicked: Option<Tick>,
    /// When the agent's channel was paired with it.
    pub connected: Option<Tick>,
    /// How it ended, once it has.
    pub end: Option<End>,
    /// Why the registry asked for its end, while the relay is still tearing it down. It outweighs
    /// what the relay then sees of that end.
    #[serde(skip)]
    pub closing: Option<Reason>,
}
