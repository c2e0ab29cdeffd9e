//! One line on a terminal that says what passes just now, and what it is held up by.

use std::{
    io::{IsTerminal, Write},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axt_client::forward::{Gauge, Passing, rate_in_words, size_in_words};
use axt_net::link;
use tokio_util::sync::CancellationToken;

/// How often it is looked at.
const EVERY: Duration = Duration::from_secs(1);
/// Back to the line's start, and what stood there away.
const ERASE: &str = "\r\x1b[K";

/// The line. Clones are the same one.
#[derive(Clone, Debug)]
pub(super) struct StatusLine {
    gauges: Arc<Vec<Gauge>>,
    shown: Arc<Mutex<String>>,
}

impl StatusLine {
    /// One on stderr, when that is a terminal.
    pub(super) fn for_stderr(gauges: Vec<Gauge>) -> Option<Self> {
        std::io::stderr().is_terminal().then(|| Self {
            gauges: Arc::new(gauges),
            shown: Arc::default(),
        })
    }

    /// Shows what passes, until `stop` is cancelled.
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut before = Passing::default();
        while stop.run_until_cancelled(link::sleep(EVERY)).await.is_some() {
            let all = self.gauges.iter().map(Gauge::read);
            let now = all.fold(Passing::default(), Passing::and);
            self.replace(&line(before, now));
            before = now;
        }
        self.replace("");
    }

    /// Takes the line away, does something that prints, and puts it back.
    pub(super) fn around<T>(&self, print: impl FnOnce() -> T) -> T {
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.is_empty() {
            return print();
        }
        draw("");
        let printed = print();
        draw(&shown);
        printed
    }

    fn replace(&self, line: &str) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if *shown != line {
            draw(line);
            line.clone_into(&mut shown);
        }
    }
}

fn draw(line: &str) {
    let mut stderr = anstream::stderr().lock();
    let _ = write!(stderr, "{ERASE}{line}");
    let _ = stderr.flush();
}

/// What passed between two looks, a second apart; nothing while no connection is open.
fn line(before: Passing, now: Passing) -> String {
    if now.open == 0 {
        return String::new();
    }
    let rate = |now: u64, before: u64| rate_in_words(now.saturating_sub(before));
    let connections = match now.open {
        1 => "1 connection".to_owned(),
        open => format!("{open} connections"),
    };
    let mut line = format!(
        "{connections}, {} up ({}), {} down ({})",
        size_in_words(now.sent),
        rate(now.sent, before.sent),
        size_in_words(now.received),
        rate(now.received, before.received),
    );
    if let Some(limit) = now.limited_to {
        line.push_str(&format!(", limited to {} by session", rate_in_words(limit)));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_what_passes_and_what_it_is_held_up_by() {
        let before = Passing {
            open: 1,
            sent: 1_000,
            received: 1_048_576,
            limited_to: None,
        };
        let quick = Passing {
            received: 3_145_728,
            ..before
        };
        let limited = Passing {
            open: 2,
            received: before.received + 204_800,
            limited_to: Some(204_800),
            ..before
        };

        assert_eq!(
            line(before, quick),
            "1 connection, 1000 B up (0 B/s), 3 MB down (2 MB/s)"
        );
        assert_eq!(
            line(before, limited),
            "2 connections, 1000 B up (0 B/s), 1.1 MB down (200 KB/s), \
             limited to 200 KB/s by session"
        );
        assert_eq!(line(limited, Passing::default()), "");
    }
}
