//! Extensions between our own ends, as a set of names.
//!
//! Each end announces what it knows in an `x-axt-ext` header; the relay grants the intersection,
//! and nothing is sent that was not granted, so official peers never notice (design, "Extensions
//! that official peers never notice").

use std::fmt;

use serde::{Deserialize, Serialize};

/// A set of extensions: what an end knows, or what a connection was granted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Extensions {
    /// The agent tells the exit status ([`Message::Exit`](crate::Message::Exit)).
    pub exit: bool,
    /// One direction can end alone ([`Message::Eof`](crate::Message::Eof)).
    pub eof: bool,
    /// A broken TCP connection is told apart from an orderly end
    /// ([`Message::Reset`](crate::Message::Reset)).
    pub reset: bool,
    /// The shell may run on pipes instead of a PTY, for exact bytes.
    pub pipe: bool,
}

impl Extensions {
    /// The base protocol alone.
    pub const NONE: Self = Self {
        exit: false,
        eof: false,
        reset: false,
        pipe: false,
    };

    /// All that this version knows.
    pub const ALL: Self = Self {
        exit: true,
        eof: true,
        reset: true,
        pipe: true,
    };

    /// Reads a header value: names with commas between them. Names that are not known are passed
    /// over, because a newer peer may announce them.
    #[must_use]
    pub fn from_header(value: &str) -> Self {
        let mut known = Self::NONE;
        for name in value.split(',') {
            match name.trim() {
                "exit" => known.exit = true,
                "eof" => known.eof = true,
                "reset" => known.reset = true,
                "pipe" => known.pipe = true,
                _ => {}
            }
        }
        known
    }

    /// What both ends know: the grant.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            exit: self.exit && other.exit,
            eof: self.eof && other.eof,
            reset: self.reset && other.reset,
            pipe: self.pipe && other.pipe,
        }
    }

    /// Whether there is nothing to announce, so that no header is sent.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self == Self::NONE
    }
}

impl fmt::Display for Extensions {
    /// The header value, such as `exit, eof`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (self.exit, "exit"),
            (self.eof, "eof"),
            (self.reset, "reset"),
            (self.pipe, "pipe"),
        ];
        let mut separator = "";
        for (_, name) in names.into_iter().filter(|(is_in, _)| *is_in) {
            write!(out, "{separator}{name}")?;
            separator = ", ";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_reads_back_and_unknown_names_are_passed_over() {
        let announced = Extensions::from_header("exit,  reset ,levitate");

        assert_eq!(announced.to_string(), "exit, reset");
        assert_eq!(
            Extensions::from_header(&Extensions::ALL.to_string()),
            Extensions::ALL
        );
        assert_eq!(Extensions::from_header(""), Extensions::NONE);
    }

    #[test]
    fn a_grant_is_what_both_ends_know() {
        let client = Extensions::from_header("exit, eof");
        let agent = Extensions::from_header("eof, reset");

        assert_eq!(client.and(agent).to_string(), "eof");
        assert!(client.and(Extensions::NONE).is_empty());
    }
}
