//! Extensions of the base protocol, which official peers never notice.
//!
//! Each end announces what it knows by the header `x-axt-ext`; the relay grants the intersection,
//! and nothing is sent that was not granted (design, "Extensions that official peers never
//! notice").

use std::{convert::Infallible, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A set of extensions: announced by one end, or granted to both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Extensions {
    /// The agent tells the remote exit status (frame type 0x41580001).
    pub exit: bool,
    /// Either end tells that it will send no more (frame type 0x41580002).
    pub eof: bool,
    /// Either end tells that its side was reset (frame type 0x41580003).
    pub reset: bool,
    /// The client has no terminal: the agent uses pipes instead of a PTY.
    pub pipe: bool,
    /// The client keeps a quiet connection from the idle timeout (frame type 0x41580004).
    pub alive: bool,
}

impl Extensions {
    /// Nothing, as an official peer announces.
    pub const NONE: Self = Self {
        exit: false,
        eof: false,
        reset: false,
        pipe: false,
        alive: false,
    };

    /// Everything that this version knows.
    pub const ALL: Self = Self {
        exit: true,
        eof: true,
        reset: true,
        pipe: true,
        alive: true,
    };

    /// What both ends announced: what the relay grants.
    #[must_use]
    pub const fn both(self, other: Self) -> Self {
        Self {
            exit: self.exit && other.exit,
            eof: self.eof && other.eof,
            reset: self.reset && other.reset,
            pipe: self.pipe && other.pipe,
            alive: self.alive && other.alive,
        }
    }

    /// Whether nothing was announced or granted.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self == Self::NONE
    }

    fn words(self) -> impl Iterator<Item = &'static str> {
        [
            (self.exit, "exit"),
            (self.eof, "eof"),
            (self.reset, "reset"),
            (self.pipe, "pipe"),
            (self.alive, "alive"),
        ]
        .into_iter()
        .filter_map(|(has, word)| has.then_some(word))
    }
}

impl fmt::Display for Extensions {
    /// The header's value, such as `exit, eof`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, word) in self.words().enumerate() {
            if place > 0 {
                out.write_str(", ")?;
            }
            out.write_str(word)?;
        }
        Ok(())
    }
}

impl FromStr for Extensions {
    type Err = Infallible;

    /// Reads the header's value. Words that this version does not know are left out: they may be a
    /// later version's.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        let mut known = Self::NONE;
        for word in text.split(',').map(str::trim) {
            match word {
                "exit" => known.exit = true,
                "eof" => known.eof = true,
                "reset" => known.reset = true,
                "pipe" => known.pipe = true,
                "alive" => known.alive = true,
                _ => {}
            }
        }
        Ok(known)
    }
}

impl From<String> for Extensions {
    fn from(text: String) -> Self {
        let Ok(known) = text.parse();
        known
    }
}

impl From<Extensions> for String {
    fn from(set: Extensions) -> Self {
        set.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_reads_back_and_words_of_later_versions_are_left_out() {
        let Ok(read) = "exit, telepathy,eof".parse::<Extensions>();

        assert_eq!(read.to_string(), "exit, eof");
        assert_eq!(
            Extensions::from(Extensions::ALL.to_string()),
            Extensions::ALL
        );
    }

    #[test]
    fn only_what_both_announced_is_granted() {
        let Ok(client) = "exit, pipe".parse::<Extensions>();
        let Ok(agent) = "exit, eof".parse::<Extensions>();

        assert_eq!(client.both(agent).to_string(), "exit");
        assert!(client.both(Extensions::NONE).is_empty());
    }
}
