//! How far the runs are, on stderr, when it is a terminal.

use axt_experiment::run::Progress;
use indicatif::{ProgressBar, ProgressStyle};

/// A bar over all scenarios, with the step that is under way.
#[derive(Clone)]
pub(super) struct Shown(ProgressBar);

impl Shown {
    pub(super) fn new(scenarios: usize) -> Self {
        let bar = ProgressBar::new(u64::try_from(scenarios).unwrap_or(u64::MAX));
        if let Ok(style) = ProgressStyle::with_template("{bar:20} {pos}/{len} {wide_msg}") {
            bar.set_style(style);
        }
        Self(bar)
    }

    pub(super) fn step(&self, scenario: &str, progress: Progress<'_>) {
        let message = match progress {
            Progress::Starting => format!("{scenario}: starting"),
            Progress::Step { number, of, name } => format!("{scenario}: {number}/{of} {name}"),
        };
        self.0.set_message(message);
    }

    /// One more is over.
    pub(super) fn over(&self) {
        self.0.inc(1);
        self.0.set_message("");
    }

    /// Prints something while the bar is out of the way.
    pub(super) fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        self.0.suspend(print)
    }

    pub(super) fn clear(&self) {
        self.0.finish_and_clear();
    }
}
