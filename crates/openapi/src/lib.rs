//! The ECS OpenAPI, version 2014-05-26, as pure data and pure functions.
//!
//! What lives here: what came in and who signed it ([`read()`]), the actions and their parameters as
//! types with one machine-readable table of them ([`description`]), the order of every stateless
//! check, one table of errors ([`ErrorCode`]), both request signatures for either end
//! ([`signature`]), the answers and how they look as JSON and as XML ([`render`]).
//!
//! What never does: sockets, HTTP types, storage, clocks, randomness, and sessions that live. Time
//! is an argument, and what has to be known about the world is asked of a [`World`].
//!
//! A call goes one way through it: [`Received`] → [`read()`] → [`Call`] (an [`Action`] for a
//! [`Caller`]) → whoever carries it out → an [`Answer`] or an [`ApiError`] → [`render`].

pub mod action;
pub mod answer;
pub mod description;
pub mod error;
pub mod fingerprint;
pub mod mint;
pub mod paging;
pub mod policy;
pub mod read;
pub mod received;
pub mod region;
pub mod render;
pub mod signature;
pub mod withstand;
pub mod world;

#[cfg(test)]
mod tests;

pub use action::{Action, ActionName};
pub use answer::Answer;
pub use error::{ApiError, ErrorCode};
pub use fingerprint::{Fingerprint, Idempotency};
pub use policy::Policy;
pub use read::{Call, Failure, read};
pub use received::{Received, ReplyTo};
pub use render::{Format, Rendered};
pub use signature::Credentials;
pub use world::{AccessKey, Caller, Identity, NonceState, Now, RateState, RegionState, World};

/// The only version of the API (ecs-api 2.1).
pub const VERSION: &str = "2014-05-26";
