//! The session protocol as pure data and pure machines.
//!
//! What lives here: identifiers, secrets, instants, the documented limits, both framings and the
//! translation between them, statuses and the table of reasons, the meter, the idle timer, the
//! agent's channel machine, and the events that everything else is a view of.
//!
//! JSON text is written and read in one place only: the agent framing's resize payload is a JSON
//! object on the wire (wire-protocol 6), so [`frame::agent`] uses `serde_json` for it rather than
//! half a parser of its own. Everywhere else serde derives are all that JSON gets.
//!
//! What never does: sockets, tasks, clocks, files, HTTP, and the knowledge of who exists. Time and
//! bytes are arguments; what to do is the answer.

pub mod channel;
pub mod event;
pub mod extension;
pub mod frame;
pub mod id;
pub mod idle;
pub mod limits;
pub mod meter;
pub mod network;
pub mod reason;
pub mod secret;
pub mod status;
pub mod tick;
pub mod translate;
pub mod unreached;
pub mod withstand;

pub use event::{Carried, Event, EventKind};
pub use extension::Extensions;
pub use frame::{FrameError, Framing, Message, Size};
pub use id::{
    AccountId, ChannelId, CommandId, ConnectionId, InstanceId, InvocationId, RegionId, SessionId,
};
pub use idle::IdleTimer;
pub use limits::Limits;
pub use meter::{Direction, Load, Meter, Verdict};
pub use network::Network;
pub use reason::{CloseCode, Reason};
pub use secret::Secret;
pub use status::Status;
pub use tick::Tick;
pub use unreached::Unreached;
