//! What the escapes of a session say, on a terminal that is raw.

use std::time::Duration;

use axt_client::session::{Moved, escape::EscapeKey};

use crate::failure::say;

/// Writes lines where the person sees them, beside the session's output.
pub(super) fn show(text: &str) {
    // A raw terminal goes to the next line and no further.
    let lines = text.replace('\n', "\r\n");
    say(&format!("\r\n{lines}\r"));
}

/// The escapes that there are.
pub(super) fn help(key: EscapeKey) -> String {
    format!(
        "\
Escapes, at the beginning of a line:
  {key}.   end the session, also when the relay hangs
  {key}s   say how it does
  {key}^Z  suspend axt; a relay gives it up after 30 s
  {key}?   say this
  {key}{key}   type {key}"
    )
}

/// How the session does.
pub(super) fn status(instance: &str, session: &str, moved: &Moved) -> String {
    let Moved {
        open_for,
        sent,
        received,
        bytes_per_s,
        idle_left,
    } = moved;
    let limit = bytes_per_s.map_or_else(
        || "none".to_owned(),
        |limit| format!("{limit} bytes/s each way"),
    );
    let idle = idle_left.map_or_else(
        || "not told by the relay".to_owned(),
        |left| format!("ends in {} without a byte", span(left)),
    );
    format!(
        "\
Instance  {instance}
Session   {session}, for {}
Bytes     {sent} sent, {received} received
Limit     {limit}
Idle      {idle}",
        span(*open_for)
    )
}

/// Whole seconds, in hours, minutes and seconds.
fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_says_where_how_much_and_how_long_yet() {
        let moved = Moved {
            open_for: Duration::from_secs(3_725),
            sent: 120,
            received: 45_678,
            bytes_per_s: Some(204_800),
            idle_left: Some(Duration::from_millis(165_900)),
        };

        insta::assert_snapshot!(status("i-1", "s-1", &moved));
    }

    #[test]
    fn what_is_not_known_is_not_made_up() {
        let moved = Moved {
            open_for: Duration::from_secs(61),
            sent: 0,
            received: 0,
            bytes_per_s: None,
            idle_left: None,
        };

        insta::assert_snapshot!(status("?", "s-1", &moved));
    }

    #[test]
    fn the_help_has_the_key_that_was_chosen() {
        insta::assert_snapshot!(help("^]".parse().expect("a key")));
    }
}
