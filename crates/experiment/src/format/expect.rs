//! What a step expects.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Span, brief::InBrief};

/// A text on a terminal.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectText {
    /// The text. What came up to its end is forgotten.
    pub text: String,
    /// On which terminal; absent: the latest.
    #[serde(default)]
    pub terminal: Option<String>,
}

/// Bytes on a terminal.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectBytes {
    /// At least so many, since the last that were expected; they are forgotten.
    pub bytes: u64,
    /// No more than so many are there when the step is over: what the bandwidth lets through, for
    /// instance.
    #[serde(default)]
    pub at_most: Option<u64>,
    /// On which terminal; absent: the latest.
    #[serde(default)]
    pub terminal: Option<String>,
}

/// The end of a terminal.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectReason {
    /// The word that the client is told (`IdleTimeout`, `Exit`, …); `Lost` when its link breaks
    /// without one.
    pub reason: String,
    /// A text that stands in what is said of it.
    #[serde(default)]
    pub detail: Option<String>,
    /// The exit code, where the other side can tell it (the extension `exit`, or a program of your own).
    #[serde(default)]
    pub exit_code: Option<i32>,
    /// Of which terminal; absent: the latest.
    #[serde(default)]
    pub terminal: Option<String>,
}

/// An event.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectEvent {
    /// Its name, such as `connection.closed`.
    pub event: String,
    /// How often; absent: once at least.
    #[serde(default)]
    pub times: Option<u32>,
    /// Of which session; absent: of any.
    #[serde(default)]
    pub session: Option<String>,
    /// Of which instance; absent: of any.
    #[serde(default)]
    pub instance: Option<String>,
    /// The reason that it tells.
    #[serde(default)]
    pub reason: Option<String>,
    /// The code that it tells.
    #[serde(default)]
    pub code: Option<String>,
    /// A text that stands in its detail.
    #[serde(default)]
    pub detail: Option<String>,
}

/// A number of something.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectCount {
    /// Of what: `sessions` (those that count against their region), `connections` (those that hold a
    /// slot of their instance), or an event's name (since the start).
    pub of: String,
    /// Just so many.
    #[serde(default)]
    pub is: Option<u64>,
    /// So many or more.
    #[serde(default)]
    pub at_least: Option<u64>,
    /// So many or fewer.
    #[serde(default)]
    pub at_most: Option<u64>,
}

/// A span of rule time between two things that happened.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectDuration {
    /// From when: the name of a step, whose end it is, or of an event, the latest of its name.
    pub from: String,
    /// Until when, in the same way; absent: until now.
    #[serde(default)]
    pub to: Option<String>,
    /// Just so long, to the millisecond.
    #[serde(default)]
    pub is: Option<Span>,
    /// So long or longer.
    #[serde(default)]
    pub at_least: Option<Span>,
    /// So long or shorter.
    #[serde(default)]
    pub at_most: Option<Span>,
}

impl InBrief for ExpectText {
    const TYPE: &'static str = "string";
    const KEY: &'static str = "text";

    fn from_text(text: &str) -> Result<Self, String> {
        Ok(Self {
            text: text.to_owned(),
            terminal: None,
        })
    }
}

impl InBrief for ExpectBytes {
    const TYPE: &'static str = "integer";
    const KEY: &'static str = "bytes";

    fn from_number(bytes: u64) -> Result<Self, String> {
        Ok(Self {
            bytes,
            ..Self::default()
        })
    }
}

impl InBrief for ExpectReason {
    const TYPE: &'static str = "string";
    const KEY: &'static str = "reason";

    fn from_text(text: &str) -> Result<Self, String> {
        Ok(Self {
            reason: text.to_owned(),
            ..Self::default()
        })
    }
}

impl InBrief for ExpectEvent {
    const TYPE: &'static str = "string";
    const KEY: &'static str = "event";

    fn from_text(text: &str) -> Result<Self, String> {
        Ok(Self {
            event: text.to_owned(),
            ..Self::default()
        })
    }
}
