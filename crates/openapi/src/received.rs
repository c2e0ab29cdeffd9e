//! A call as it came in, before anything is known about it, and its parameters.
//!
//! There is no HTTP type here: whoever listens lends what it has.

mod parameters;

use std::fmt;

pub use self::parameters::Parameters;
pub(crate) use self::parameters::comparable;
use crate::{ActionName, Format};

/// The most bytes that query and body may have together (ecs-api 2.5, row 2).
pub const MAX_BYTES: usize = 1024 * 1024;

/// A call as it came in. `Debug` tells neither parameters nor headers, which can be secret.
#[derive(Clone, Copy)]
pub struct Received<'a> {
    /// The HTTP method, as sent.
    pub method: &'a str,
    /// The path of the target, as sent, without the query.
    pub path: &'a str,
    /// The query of the target, as sent, without the question mark.
    pub query: &'a str,
    /// All headers in their order. Names may be in any case; values are what came, any bytes.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The body, whole.
    pub body: &'a [u8],
    /// Whether it came over TLS.
    pub is_tls: bool,
}

impl fmt::Debug for Received<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Received")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("is_tls", &self.is_tls)
            .finish_non_exhaustive()
    }
}

impl<'a> Received<'a> {
    /// The first header of that name, if it is UTF-8. An empty one is no header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let (_, value) = self
            .headers
            .iter()
            .find(|(this, _)| this.eq_ignore_ascii_case(name))?;
        let value = std::str::from_utf8(value).ok()?.trim();
        (!value.is_empty()).then_some(value)
    }

    /// Whether the body is a form, whose parameters count (ecs-api 1.1).
    #[must_use]
    pub fn has_form(&self) -> bool {
        self.header("content-type").is_some_and(|value| {
            let essence = value.split(';').next().unwrap_or(value);
            essence
                .trim()
                .eq_ignore_ascii_case("application/x-www-form-urlencoded")
        })
    }

    /// Whether it is over the size that a call may have.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        self.query.len().saturating_add(self.body.len()) > MAX_BYTES
    }
}

/// What an answer has to know about the call it answers, known as soon as the call can be refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyTo {
    /// How the answer is written.
    pub format: Format,
    /// The Host header, as sent: `HostId` of errors, and what the session URL is made from.
    pub host: String,
    /// The action, once it is known.
    pub action: Option<ActionName>,
}
