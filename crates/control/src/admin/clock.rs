//! Moving the rule clock.

use serde::{Deserialize, Serialize};

/// What to do with the clock: exactly one of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Raw", into = "Raw")]
pub enum ClockRequest {
    /// `{"freeze":true}`: stop it.
    Freeze,
    /// `{"advance_ms":N}`: move it on, deadline by deadline.
    Advance {
        /// By how much, in milliseconds.
        by_ms: u64,
    },
    /// `{"release":true}`: let it run again from where it stands.
    Release,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Raw {
    #[serde(skip_serializing_if = "Option::is_none")]
    freeze: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    advance_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    release: Option<bool>,
}

/// A clock request that is not exactly one of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(r#"expected one of {{"freeze":true}}, {{"advance_ms":N}}, {{"release":true}}"#)]
pub struct MalformedClockRequest;

impl TryFrom<Raw> for ClockRequest {
    type Error = MalformedClockRequest;

    fn try_from(raw: Raw) -> Result<Self, MalformedClockRequest> {
        match (raw.freeze, raw.advance_ms, raw.release) {
            (Some(true), None, None) => Ok(Self::Freeze),
            (None, Some(by_ms), None) => Ok(Self::Advance { by_ms }),
            (None, None, Some(true)) => Ok(Self::Release),
            _ => Err(MalformedClockRequest),
        }
    }
}

impl From<ClockRequest> for Raw {
    fn from(request: ClockRequest) -> Self {
        match request {
            ClockRequest::Freeze => Self {
                freeze: Some(true),
                ..Self::default()
            },
            ClockRequest::Advance { by_ms } => Self {
                advance_ms: Some(by_ms),
                ..Self::default()
            },
            ClockRequest::Release => Self {
                release: Some(true),
                ..Self::default()
            },
        }
    }
}

/// How the clock stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockAnswer {
    /// Rule time, Unix milliseconds.
    pub now_ms: u64,
    /// Whether it stands still.
    pub frozen: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_is_one_member_and_reads_back() {
        for (request, text) in [
            (ClockRequest::Freeze, r#"{"freeze":true}"#),
            (
                ClockRequest::Advance { by_ms: 600_000 },
                r#"{"advance_ms":600000}"#,
            ),
            (ClockRequest::Release, r#"{"release":true}"#),
        ] {
            assert_eq!(serde_json::to_string(&request).expect("serialises"), text);
            assert_eq!(
                serde_json::from_str::<ClockRequest>(text).expect("reads"),
                request
            );
        }
    }

    #[test]
    fn two_wishes_at_once_or_none_are_refused() {
        for text in [
            "{}",
            r#"{"freeze":false}"#,
            r#"{"freeze":true,"release":true}"#,
            r#"{"advance":1}"#,
            r#"{"advance_ms":-1}"#,
        ] {
            assert!(
                serde_json::from_str::<ClockRequest>(text).is_err(),
                "{text}"
            );
        }
    }
}
