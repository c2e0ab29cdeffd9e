//! The session protocol as pure data and pure machines.
//!
//! What lives here: identifiers, secrets, instants, the documented limits, both framings and the
//! translation between them, statuses and the table of reasons, the meter, the idle timer, the
//! agent's channel machine, and the events that everything else is a view of.
//!
//! What never does: sockets, tasks, clocks, files, HTTP, and the knowledge of who exists. Time and
//! bytes are arguments; what to do is the answer.

pub mod event;
pub mod id;
pub mod limits;
pub mod reason;
pub mod secret;
pub mod tick;

pub use event::{Event, EventKind};
pub use id::{AccountId, ChannelId, ConnectionId, InstanceId, RegionId, SessionId};
pub use limits::Limits;
pub use reason::{CloseCode, Reason};
pub use secret::Secret;
pub use tick::Tick;
