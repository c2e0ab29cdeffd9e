//! How far a run is: a bar on stderr, where that is a terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// How finely a part is divided.
const PART: u64 = 1_000;

/// The bar.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Of so many parts, each of which says its steps.
    pub(crate) fn of(parts: usize) -> Self {
        let length = u64::try_from(parts).unwrap_or(1).saturating_mul(PART);
        let bar = ProgressBar::new(length);
        let style = ProgressStyle::with_template("{bar:30} {percent:>3} %  {elapsed}  {msg}");
        // A template that is malformed leaves the plain bar.
        Self(match style {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        })
    }

    /// What is under way.
    pub(crate) fn says(&self, what: &str) {
        self.0.set_message(what.to_owned());
    }

    /// One of the steps of a part is done.
    pub(crate) fn step(&self, of: usize) {
        let of = u64::try_from(of).unwrap_or(PART).max(1);
        self.0.inc(PART / of);
    }

    /// A part is done.
    pub(crate) fn part(&self, number: usize) {
        let done = u64::try_from(number + 1).unwrap_or(0);
        self.0.set_position(done.saturating_mul(PART));
    }

    /// A line above the bar.
    pub(crate) fn line(&self, line: &str) {
        if self.0.is_hidden() {
            anstream::eprintln!("{line}");
        } else {
            self.0.println(line);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
