//! Why an agent could not reach a target, in words that read back: the agent posts them, the relay
//! hands them on, and the client tells what to do by them.

use std::{fmt, str::FromStr};

/// A target that could not be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreached {
    /// Why.
    pub cause: Cause,
    /// `host:port` as it was asked for; cut off where there was no room for all of it.
    pub address: String,
}

/// Why it could not be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The host is there, and nothing listens on the port.
    Refused,
    /// The name has no address.
    Unresolved,
    /// The network, or somebody in it, says that there is no way.
    NoRoute,
    /// Nobody says anything.
    NoAnswer,
}

impl Cause {
    const ALL: [Self; 4] = [
        Self::Refused,
        Self::Unresolved,
        Self::NoRoute,
        Self::NoAnswer,
    ];

    /// First, so that an address that is cut off takes none of it along.
    const fn words(self) -> &'static str {
        match self {
            Self::Refused => "connection refused by ",
            Self::Unresolved => "cannot resolve ",
            Self::NoRoute => "no route to ",
            Self::NoAnswer => "no answer from ",
        }
    }
}

impl fmt::Display for Unreached {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}{}", self.cause.words(), self.address)
    }
}

/// A text that says something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it does not say why a target was not reached")]
pub struct SaysSomethingElse;

impl FromStr for Unreached {
    type Err = SaysSomethingElse;

    fn from_str(text: &str) -> Result<Self, SaysSomethingElse> {
        Cause::ALL
            .into_iter()
            .find_map(|cause| {
                let address = text.strip_prefix(cause.words())?.to_owned();
                Some(Self { cause, address })
            })
            .ok_or(SaysSomethingElse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_reads_back_with_its_address() {
        for cause in Cause::ALL {
            let told = Unreached {
                cause,
                address: "[fd00::7]:80".into(),
            };

            assert_eq!(told.to_string().parse(), Ok(told));
        }
    }

    #[test]
    fn other_words_are_no_cause() {
        assert_eq!(
            "the agent fell over".parse::<Unreached>(),
            Err(SaysSomethingElse)
        );
    }
}
