//! Identifiers, one type for each.
//!
//! All of them but [`ConnectionId`] are short texts that come from outside somewhere, so each is
//! checked once, when it is parsed. Cloning one is a reference count.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

/// A text that is not a well-formed identifier of its kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{value}` is no {kind}: expected {expected}")]
pub struct MalformedId {
    kind: &'static str,
    expected: &'static str,
    value: String,
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $expected:literal, $is_valid:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = MalformedId;

            fn from_str(text: &str) -> Result<Self, MalformedId> {
                let is_valid: fn(&str) -> bool = $is_valid;
                if is_valid(text) {
                    return Ok(Self(Arc::from(text)));
                }
                Err(MalformedId {
                    kind: $kind,
                    expected: $expected,
                    value: text.chars().take(80).collect(),
                })
            }
        }

        impl TryFrom<String> for $name {
            type Error = MalformedId;

            fn try_from(text: String) -> Result<Self, MalformedId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }
    };
}

/// 1 to 64 characters of `[A-Za-z0-9-]`: what survives, unescaped, in every URL, header and notify
/// command that an identifier travels through (wire-protocol 12.15).
fn is_word(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

text_id! {
    /// An instance: `i-…`, or `mi-…` for a managed one.
    InstanceId, "instance id", "`i-` or `mi-` and letters or digits, 64 characters at most",
    |text| is_word(text) && (text.starts_with("i-") || text.starts_with("mi-"))
}

impl InstanceId {
    /// Whether this is a managed (`mi-…`) instance, one that has no power state.
    #[must_use]
    pub fn is_managed(&self) -> bool {
        self.0.starts_with("mi-")
    }
}

text_id! {
    /// A session, `s-…`.
    SessionId, "session id", "`s-` and letters or digits, 64 characters at most",
    |text| is_word(text) && text.starts_with("s-")
}

text_id! {
    /// An agent's channel. The agent framing has room for 32 bytes (wire-protocol 3).
    ChannelId, "channel id", "1 to 32 of `A-Z a-z 0-9 -`",
    |text| is_word(text) && text.len() <= 32
}

text_id! {
    /// One call of RunCommand or InvokeCommand, `t-…`: what an agent knows as a task (wire-protocol 10.7).
    InvocationId, "invocation id", "`t-` and letters or digits, 64 characters at most",
    |text| is_word(text) && text.starts_with("t-")
}

text_id! {
    /// A command: `c-…`, or one that is always there, such as `cmd-ACS-ECS-SendSshPublicKey-linux.sh`.
    CommandId, "command id", "`c-` or `cmd-`, then letters, digits, dots or dashes, 64 characters at most",
    |text| is_word(&text.replace('.', "-")) && (text.starts_with("c-") || text.starts_with("cmd-"))
}

text_id! {
    /// A region such as `cn-hangzhou`.
    RegionId, "region id", "letters, digits and dashes, 64 characters at most", is_word
}

text_id! {
    /// An account, a decimal number as text.
    AccountId, "account id", "1 to 20 digits",
    |text| (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// One connection of a session, counted up within a registry and never used again. Shown as
/// `conn-12`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConnectionId(pub u64);

impl fmt::Display for ConnectionId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "conn-{}", self.0)
    }
}

impl fmt::Debug for ConnectionId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn managed_instances_are_told_by_their_prefix() {
        let managed: InstanceId = "mi-hz01".parse().expect("valid");
        let plain: InstanceId = "i-bp1testinstance0001".parse().expect("valid");

        assert!(managed.is_managed());
        assert!(!plain.is_managed());
    }

    #[test]
    fn a_malformed_id_says_what_was_expected() {
        let refusal = "x 1".parse::<InstanceId>().expect_err("malformed");

        assert_eq!(
            refusal.to_string(),
            "`x 1` is no instance id: expected `i-` or `mi-` and letters or digits, 64 characters at most"
        );
    }

    #[test]
    fn a_channel_id_has_at_most_32_characters() {
        assert!("c".repeat(32).parse::<ChannelId>().is_ok());
        assert!("c".repeat(33).parse::<ChannelId>().is_err());
        assert!("".parse::<ChannelId>().is_err());
    }
}
