//! Why a sandbox does not start.

use std::time::Duration;

use axt_net::{ca::CaError, tasks::Panicked, transport::BindError};
use axt_relay::JournalError;

use crate::{kept::KeptError, state::StateError};

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The state folder is held by another sandbox, or cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// An address cannot be had.
    #[error("{source}")]
    Bind {
        /// Which listener: `api`, `axt`, `admin` or `metadata`.
        listener: &'static str,
        /// Which address, and why not.
        source: BindError,
    },
    /// Keys cannot be read, made or kept.
    #[error(transparent)]
    Kept(#[from] KeptError),
    /// The dev CA cannot be read, made or used.
    #[error(transparent)]
    Ca(#[from] CaError),
    /// The journal cannot be opened.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The relay cannot serve.
    #[error(transparent)]
    Relay(#[from] axt_relay::StartError),
    /// A part of the start panicked; the log has it.
    #[error(transparent)]
    Panicked(#[from] Panicked),
    /// The agents did not come online.
    #[error("{missing} of {wanted} agents did not come online within {} s", within.as_secs())]
    AgentsOffline {
        /// How many did not.
        missing: usize,
        /// Of how many.
        wanted: usize,
        /// How long they had, in link time.
        within: Duration,
    },
    /// Something that cannot be with these settings.
    #[error("{0}")]
    Unusable(String),
}
