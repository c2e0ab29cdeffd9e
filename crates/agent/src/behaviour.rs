//! How a simulated agent misbehaves: habits with known words, several at once (docs/faults.md).
//!
//! What lives here: the table of words, what they add up to for one agent, and the two states that an
//! agent never comes back from, death and silence. The code of the agent asks where it would do the
//! right thing. An agent without habits is like any other.

mod fate;
mod words;

#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub(crate) use self::fate::Fate;
pub use self::words::{BadBehaviour, HABITS, HabitWords};

/// What is wrong with an agent. Spans are rule time, so that a frozen clock freezes them. As JSON or
/// TOML it is a list of words, such as `["never_dials", "posts_late=5s"]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Behaviour {
    /// The version that it says it has.
    pub version: Option<String>,
    /// The system that it says it is on: `linux`, `windows` or `freebsd`.
    pub os: Option<String>,
    /// For how long it does nothing at all at first.
    pub slow_start: Option<Duration>,
    /// It answers a kick, and never dials the data channel.
    pub never_dials: bool,
    /// When it dies, as in a crash: nobody is told.
    pub dies_after: Option<Duration>,
    /// After how many bytes of payload, both ways together, it dies.
    pub dies_after_bytes: Option<u64>,
    /// It goes on when a session is stopped.
    pub ignores_stop: bool,
    /// It sends as fast as it can, whatever speed it is told.
    pub ignores_speed: bool,
    /// How many bytes it prints on every channel before anything else.
    pub floods: Option<u64>,
    /// When it falls silent: it reads and says nothing any more, and keeps its sockets open.
    pub goes_silent: Option<Duration>,
    /// How it tells how a session ended.
    pub posts: Posts,
    /// Its signatures are wrong.
    pub wrong_signature: bool,
    /// By how many milliseconds its clock is ahead; negative when it is behind.
    pub wrong_clock_ms: i64,
    /// It sends no heart-beats.
    pub loses_heart_beats: bool,
}

/// How an agent tells how a session ended (wire-protocol 10.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Posts {
    /// Once, as every agent does.
    #[default]
    Once,
    /// Twice.
    Twice,
    /// So much later; its data channel is closed only then.
    Late(Duration),
    /// Not at all.
    Never,
}

impl Behaviour {
    /// Whether the agent comes online soon after it was started, if there is a relay.
    #[must_use]
    pub fn comes_online(&self) -> bool {
        let skew = axt_control::luban::identity::CLOCK_SKEW.as_millis();
        let is_timely = u128::from(self.wrong_clock_ms.unsigned_abs()) <= skew;
        let lasts = |span: Option<Duration>| span.is_none_or(|span| !span.is_zero());
        let is_there =
            self.slow_start.is_none() && lasts(self.dies_after) && lasts(self.goes_silent);
        is_there && !self.wrong_signature && is_timely
    }

    /// Both at once; where they say two things of one, `other` counts.
    #[must_use]
    pub fn and(self, other: &Self) -> Self {
        let other = other.clone();
        Self {
            version: other.version.or(self.version),
            os: other.os.or(self.os),
            slow_start: other.slow_start.or(self.slow_start),
            never_dials: other.never_dials || self.never_dials,
            dies_after: other.dies_after.or(self.dies_after),
            dies_after_bytes: other.dies_after_bytes.or(self.dies_after_bytes),
            ignores_stop: other.ignores_stop || self.ignores_stop,
            ignores_speed: other.ignores_speed || self.ignores_speed,
            floods: other.floods.or(self.floods),
            goes_silent: other.goes_silent.or(self.goes_silent),
            posts: match other.posts {
                Posts::Once => self.posts,
                posts => posts,
            },
            wrong_signature: other.wrong_signature || self.wrong_signature,
            wrong_clock_ms: match other.wrong_clock_ms {
                0 => self.wrong_clock_ms,
                other => other,
            },
            loses_heart_beats: other.loses_heart_beats || self.loses_heart_beats,
        }
    }
}
