//! `axt clock`.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::target::AdminTarget;

/// Show, freeze and move the clock that the documented limits are judged by
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  axt clock                           show it
  axt clock freeze
  axt clock advance 9m59.999s         everything due on the way happens, in order
  axt clock release")]
pub(crate) struct ClockFlags {
    #[command(subcommand)]
    pub(crate) action: Option<ClockAction>,

    #[command(flatten)]
    pub(crate) target: AdminTarget,
}

/// What to do with the clock.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub(crate) enum ClockAction {
    /// Show the time and whether it stands (this is the default)
    Show,
    /// Let it stand
    Freeze,
    /// Move it forward
    Advance {
        /// How far: `10m`, `3min 1s`, `2h`, `30d`, `250ms`
        #[arg(value_name = "SPAN", value_parser = parse_span)]
        by: Duration,
    },
    /// Let it run again
    Release,
}

/// Reads a span of time; a day has 24 hours.
pub(crate) fn parse_span(text: &str) -> Result<Duration, String> {
    let expected = || "expected a span of time such as `10m`, `1h 30m` or `30d`".to_owned();
    let span: jiff::Span = text.parse().map_err(|_| expected())?;
    let span = span
        .to_duration(jiff::SpanRelativeTo::days_are_24_hours())
        .map_err(|_| expected())?;
    Duration::try_from(span).map_err(|_| "the clock only moves forward".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_people_write_them() {
        assert_eq!(parse_span("10m"), Ok(Duration::from_secs(600)));
        assert_eq!(parse_span("9m59.999s"), Ok(Duration::from_millis(599_999)));
        assert_eq!(parse_span("30d"), Ok(Duration::from_secs(30 * 86_400)));
    }

    #[test]
    fn a_span_that_is_none_says_what_was_expected() {
        assert!(parse_span("600").is_err());
        assert!(parse_span("-5s").is_err());
        assert!(parse_span("1mo").is_err());
    }
}
