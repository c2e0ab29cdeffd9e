//! Our own control plane: the ready file, the admin API and the event line (design, "The ready
//! file and the admin API").
//!
//! All members are snake_case, all durations and instants integer milliseconds.

mod clock;
mod event;
pub mod fault;
mod instance;
mod ready;
mod session;
mod state;
mod trace;

pub use clock::{ClockAnswer, ClockRequest, MalformedClockRequest};
pub use event::{EventLine, Lagged, StreamLine};
pub use instance::{InstanceChange, InstanceDeclaration, InstanceStatus, OsType, RegionChange};
pub use ready::{ReadyFile, ReadyInstance};
pub use session::{ConnectionRecord, SessionAnswer, StarterState};
pub use state::{
    ConnectionState, InstanceState, LimitState, LimitsAnswer, SessionState, State, UsageState,
};
pub use trace::{TraceAnswer, TraceRequest};

use serde::{Deserialize, Serialize};

/// Paths on the admin listener.
pub mod path {
    /// 200 when everything works, 503 with the reason otherwise.
    pub const HEALTH: &str = "/healthz";
    /// Prometheus text.
    pub const METRICS: &str = "/metrics";
    /// [`State`](super::State).
    pub const STATE: &str = "/v1/state";
    /// A [`StreamLine`](super::StreamLine) a line; `?follow=1` goes on for ever.
    pub const EVENTS: &str = "/v1/events";
    /// GET and POST: [`ClockRequest`](super::ClockRequest), [`ClockAnswer`](super::ClockAnswer).
    pub const CLOCK: &str = "/v1/clock";
    /// POST: ends and forgets sessions.
    pub const RESET: &str = "/v1/reset";
    /// [`LimitsAnswer`](super::LimitsAnswer).
    pub const LIMITS: &str = "/v1/limits";
    /// Below it an id: [`SessionAnswer`](super::SessionAnswer); below that `/trace`, for POST with a
    /// [`TraceRequest`](super::TraceRequest).
    pub const SESSIONS: &str = "/v1/sessions";
    /// POST [`InstanceDeclaration`](super::InstanceDeclaration); below it an id, for PATCH with an
    /// [`InstanceChange`](super::InstanceChange) and for DELETE.
    pub const INSTANCES: &str = "/v1/instances";
    /// Below it an id and `/stop`, for POST: stops a command that was invoked.
    pub const INVOCATIONS: &str = "/v1/invocations";
    /// GET: [`FaultsAnswer`](super::fault::FaultsAnswer). POST a [`Fault`](super::fault::Fault):
    /// [`FaultAdded`](super::fault::FaultAdded). DELETE: all of them; below it a name, for one.
    pub const FAULTS: &str = "/v1/faults";
    /// Below it an id, for PATCH with a [`RegionChange`](super::RegionChange).
    pub const REGIONS: &str = "/v1/regions";
}

/// A refusal of the admin API: one line of what was wrong, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminError {
    /// What was wrong, with the value.
    pub error: String,
    /// What to do, when there is something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}
