//! A span of time, as people write it.

use std::{borrow::Cow, fmt, str::FromStr, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// A span of time: `10m`, `9m 59.999s`, `31d`, `250ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Span(pub Duration);

impl Span {
    /// Of that many seconds.
    #[must_use]
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
}

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || {
            format!(
                "`{text}` is no span of time: expected one such as `10m`, `9m 59.999s` or `31d`"
            )
        };
        let span: jiff::Span = text.parse().map_err(|_| expected())?;
        let span = span
            .to_duration(jiff::SpanRelativeTo::days_are_24_hours())
            .map_err(|_| expected())?;
        Duration::try_from(span).map(Self).map_err(|_| expected())
    }
}

impl fmt::Display for Span {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.as_millis();
        let (seconds, rest) = (ms / 1_000, ms % 1_000);
        let (minutes, seconds) = (seconds / 60, seconds % 60);
        let (hours, minutes) = (minutes / 60, minutes % 60);
        let (days, hours) = (hours / 24, hours % 24);
        let mut parts = Vec::new();
        for (number, unit) in [(days, "d"), (hours, "h"), (minutes, "m")] {
            if number > 0 {
                parts.push(format!("{number}{unit}"));
            }
        }
        match (seconds, rest) {
            (0, 0) if !parts.is_empty() => {}
            (_, 0) => parts.push(format!("{seconds}s")),
            _ => parts.push(format!("{seconds}.{rest:03}s")),
        }
        out.write_str(&parts.join(" "))
    }
}

impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A span of time: `10m`, `9m 59.999s`, `31d`, `250ms`.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_reads_back_as_it_is_shown() {
        for text in ["10m", "9m 59.999s", "31d", "0.250s", "0s", "1h 30m 1s"] {
            let span: Span = text.parse().expect("a span");

            assert_eq!(span.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_span_says_what_one_looks_like() {
        for text in ["600", "-5s", "1mo", "soon"] {
            let refusal = text.parse::<Span>().expect_err("no span");

            assert!(refusal.contains("expected one such as `10m`"), "{refusal}");
        }
    }
}
