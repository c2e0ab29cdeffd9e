//! Every number that the documentation or the design fixes, in one place.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The limits of a region, with the documented defaults.
///
/// Rule-time limits are judged on the clock that a tester can move; none of these numbers stands
/// anywhere else. Sources: the StartTerminalSession page, read as limits-and-semantics 1 says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// How long a session's URL opens new connections, in seconds from StartTerminalSession (R4).
    pub url_validity_s: u64,
    /// How long a connection may be without payload in either direction, in seconds (R5).
    pub idle_timeout_s: u64,
    /// Payload bytes a second, each way, shared by a session's connections (R8). 0 switches the
    /// limit off; any other value is at least [`Limits::MIN_BANDWIDTH`].
    pub bandwidth_bytes_per_s: u32,
    /// How many payload bytes may go through at once beyond the rate.
    pub burst_bytes: u32,
    /// What becomes of a connection that goes beyond both: 0, its bytes wait; 1, it is closed with
    /// `FlowExceedLimit` (limits-and-semantics R8), once it is beyond twice the burst.
    pub close_above_bandwidth: u32,
    /// Sessions created and active in a region, for each account (R6).
    pub sessions_per_region: u32,
    /// Connections connected to an instance, counted from the websocket upgrade on (R7).
    pub connections_per_instance: u32,
    /// How long a session's record is kept, in days (limits-and-semantics 5).
    pub history_days: u32,
    /// How many session records a region keeps (limits-and-semantics 5).
    pub history_records: u32,
    /// How many connections a session's record keeps, live ones apart, oldest out first.
    pub history_connections: u32,
    /// How long a ClientToken is remembered after its success, in hours (limits-and-semantics 4).
    pub client_token_hours: u32,
    /// How many ClientTokens an account may have remembered, oldest out first.
    pub client_tokens: u32,
    /// How many activations a region may have, for each account, that are neither expired nor
    /// disabled (limits-and-semantics 5).
    pub activations_per_region: u32,
    /// How many calls of one action an account may make in a minute (limits-and-semantics 6). An API
    /// page gives 1,000 for StartTerminalSession; 0 is no limit.
    pub user_calls_per_minute: u32,
    /// How many calls of one action all accounts may make in a minute; 0 is no limit.
    pub api_calls_per_minute: u32,
    /// How many calls may be made in a minute, of whatever action; 0 is no limit.
    pub all_calls_per_minute: u32,
    /// How long the results of a command are kept, in days (limits-and-semantics 5).
    pub command_days: u32,
    /// How many results of commands a region keeps for each account, oldest out first; those of
    /// commands that are not over stay (limits-and-semantics 5).
    pub command_results: u32,
    /// How many commands a region keeps for each account for InvokeCommand (`KeepCommand`).
    pub kept_commands: u32,
    /// How many commands may wait or run on an instance.
    pub tasks_per_instance: u32,
}

impl Limits {
    /// The longest content of a command, in bytes of Base64 (ecs-api 3.16).
    pub const COMMAND_BYTES: usize = 16 * 1_024;

    /// The last bytes of a command's output that are kept (ecs-api 3.16).
    pub const OUTPUT_BYTES: usize = 24 * 1_024;

    /// How long a command may run, in seconds, when the caller does not say (ecs-api 3.16).
    pub const COMMAND_TIMEOUT_S: u32 = 60;

    /// The longest that a command may be allowed to run, in seconds.
    pub const COMMAND_TIMEOUT_MAX_S: u32 = 86_400;

    /// The lowest bandwidth in bytes a second: below it the official programs divide by zero
    /// (wire-protocol 7).
    pub const MIN_BANDWIDTH: u32 = 2_048;

    /// Connections of a session take turns of at most this many bytes on the shared bandwidth.
    pub const TURN_BYTES: usize = 4_096;

    /// The greatest speed that is ever told to a peer, in bits a second: it means "no limit".
    pub const MAX_SPEED_BITS: u32 = 1_000_000_000;

    /// How long a URL opens connections.
    #[must_use]
    pub const fn url_validity(&self) -> Duration {
        Duration::from_secs(self.url_validity_s)
    }

    /// How long a connection may be without payload.
    #[must_use]
    pub const fn idle_timeout(&self) -> Duration {
        Duration::from_secs(self.idle_timeout_s)
    }

    /// How many bytes may go at once beyond the rate before a connection is closed for it, where
    /// [`close_above_bandwidth`](Self::close_above_bandwidth) says so. A peer that keeps the limit
    /// by itself spends one burst; the other is for what bunches up on the way.
    #[must_use]
    pub const fn closing_burst(&self) -> u32 {
        self.burst_bytes.saturating_mul(2)
    }

    /// What a peer is told as its speed (status 7 and `flowLimit`), in bits a second.
    #[must_use]
    pub fn speed_bits(&self) -> u32 {
        if self.bandwidth_bytes_per_s == 0 {
            return Self::MAX_SPEED_BITS;
        }
        self.bandwidth_bytes_per_s
            .saturating_mul(8)
            .min(Self::MAX_SPEED_BITS)
    }

    /// Checks the ranges that a type cannot express.
    ///
    /// # Errors
    /// Names the limit, its value and the range.
    pub fn check(&self) -> Result<(), LimitOutOfRange> {
        let bandwidth = self.bandwidth_bytes_per_s;
        if bandwidth != 0 && bandwidth < Self::MIN_BANDWIDTH {
            return Err(LimitOutOfRange {
                name: "bandwidth_bytes_per_s",
                value: u64::from(bandwidth),
                expected: "0 (off) or at least 2048: below that the official programs divide by zero",
            });
        }
        if self.close_above_bandwidth > 1 {
            return Err(LimitOutOfRange {
                name: "close_above_bandwidth",
                value: u64::from(self.close_above_bandwidth),
                expected: "0 (wait) or 1 (close)",
            });
        }
        let positive = [
            ("url_validity_s", self.url_validity_s),
            ("idle_timeout_s", self.idle_timeout_s),
            ("burst_bytes", u64::from(self.burst_bytes)),
            ("sessions_per_region", u64::from(self.sessions_per_region)),
            (
                "connections_per_instance",
                u64::from(self.connections_per_instance),
            ),
        ];
        match positive.into_iter().find(|(_, value)| *value == 0) {
            Some((name, value)) => Err(LimitOutOfRange {
                name,
                value,
                expected: "at least 1",
            }),
            None => Ok(()),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            url_validity_s: 600,
            idle_timeout_s: 180,
            bandwidth_bytes_per_s: 204_800,
            burst_bytes: 20_480,
            close_above_bandwidth: 0,
            sessions_per_region: 100,
            connections_per_instance: 20,
            history_days: 30,
            history_records: 1_000,
            history_connections: 1_000,
            client_token_hours: 24,
            client_tokens: 10_000,
            activations_per_region: 10,
            user_calls_per_minute: 0,
            api_calls_per_minute: 0,
            all_calls_per_minute: 0,
            command_days: 30,
            command_results: 1_000,
            kept_commands: 500,
            tasks_per_instance: 100,
        }
    }
}

/// A limit whose value cannot work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the limit {name} cannot be {value}: expected {expected}")]
pub struct LimitOutOfRange {
    name: &'static str,
    value: u64,
    expected: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_the_documented_ones_and_in_range() {
        let limits = Limits::default();

        assert_eq!(limits.check(), Ok(()));
        assert_eq!(limits.speed_bits(), 1_638_400);
    }

    #[test]
    fn a_speed_that_official_programs_cannot_divide_by_is_refused() {
        let slow = Limits {
            bandwidth_bytes_per_s: 2_047,
            ..Limits::default()
        };
        let off = Limits {
            bandwidth_bytes_per_s: 0,
            ..Limits::default()
        };

        assert!(slow.check().is_err());
        assert_eq!(off.check(), Ok(()));
        assert_eq!(off.speed_bits(), 1_000_000_000);
    }
}
