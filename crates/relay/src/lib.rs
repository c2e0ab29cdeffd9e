//! The relay: the listeners, who is connected, and the API carried out on the registry.
//!
//! What lives here: the one task that owns the registry and its journal ([`desk`]); the API's verbs
//! ([`verbs`]); clients' websockets ([`session`]) and agents' ([`luban`]); pairing one with the
//! other ([`pairing`]) and the life of a pair ([`connection`]); the admin API ([`admin`]); the
//! metadata service ([`metadata`]); what is traced ([`traces`]).
//!
//! What never does: shells, PTYs, and rules. What may be is the registry's to say, what a message
//! means is `proto`'s, and the bytes stay in the pump of `net`.

mod admin;
mod api;
mod config;
mod connection;
mod content;
mod desk;
mod events;
mod faults;
mod ids;
mod luban;
mod metadata;
mod metrics;
mod nonces;
mod notify;
mod pairing;
mod rates;
mod relay;
mod respond;
mod session;
mod traces;
mod verbs;
mod world;

pub use config::{AccountSettings, Listeners, MetadataListener, RegionSettings, RelayConfig, Urls};
pub use events::{Followed, Follower};
pub use relay::{Addresses, Relay, RelayHandle, StartError};
pub use traces::{Detail, TraceConfig};
// What whoever starts a relay hands to it, so that nobody else needs to see the crates behind.
pub use axt_journal::{Journal, OpenError as JournalError};
pub use axt_registry::{InstanceSpec, InstanceStatus, OsType, RegionPatch};
