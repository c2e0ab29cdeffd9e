//! What axt was designed for, beside what was measured. Nothing fails by it: a bench tells.

use super::{Report, short};
use crate::ways::AXT;

/// One goal.
pub(super) struct Goal {
    what: &'static str,
    goal: &'static str,
    /// The heading and the row, and how much of the unit is to be met, at most or at least.
    figure: (&'static str, &'static str),
    bound: Bound,
}

enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

use Bound::{AtLeast, AtMost};

const RATIO: &str = "axt ÷ two TLS segments";

#[rustfmt::skip] // a table
const GOALS: &[Goal] = &[
    Goal { what: "bulk up, beside two TLS segments", goal: "at least 1 ×, aiming at 1.3 ×", figure: ("bulk up, 1 connection", RATIO), bound: AtLeast(1.0) },
    Goal { what: "bulk down, beside two TLS segments", goal: "at least 1 ×, aiming at 1.3 ×", figure: ("bulk down, 1 connection", RATIO), bound: AtLeast(1.0) },
    Goal { what: "bulk up, eight connections", goal: "at least 1 ×", figure: ("bulk up, 8 connections", RATIO), bound: AtLeast(1.0) },
    Goal { what: "bulk down, eight connections", goal: "at least 1 ×", figure: ("bulk down, 8 connections", RATIO), bound: AtLeast(1.0) },
    Goal { what: "echo p50, beyond one TLS segment", goal: "at most 150 µs", figure: ("echo of 64 bytes, p50", "axt − one TLS segment"), bound: AtMost(150.0) },
    Goal { what: "set-up p50", goal: "under 5 ms", figure: ("set-up to the first echoed byte, p50", AXT), bound: AtMost(5.0) },
    Goal { what: "set-up p99", goal: "under 15 ms", figure: ("set-up to the first echoed byte, p99", AXT), bound: AtMost(15.0) },
    Goal { what: "session start, beyond the shell's own", goal: "under 20 ms", figure: ("session to its first byte, p50", "axt − the shell alone"), bound: AtMost(20.0) },
    Goal { what: "relay memory of an idle pair with TLS", goal: "32 KiB", figure: ("memory of an idle connection, of 1000", "axt: relay"), bound: AtMost(32.0) },
    Goal { what: "the same at 4,500", goal: "32 KiB", figure: ("memory of an idle connection, of 4500", "axt: relay"), bound: AtMost(32.0) },
    Goal { what: "growth of the relay's peak, second time", goal: "within 5 %", figure: ("growth of the peak, 1000 connections a second time", "axt: relay"), bound: AtMost(5.0) },
    Goal { what: "processor time of a GB up, all processes", goal: "under 4 s", figure: ("processor time of bulk up, 1 connection", AXT), bound: AtMost(4.0) },
    Goal { what: "processor time of a GB down, all processes", goal: "under 4 s", figure: ("processor time of bulk down, 1 connection", AXT), bound: AtMost(4.0) },
    Goal { what: "StartTerminalSession/EndTerminalSession pairs", goal: "3,000 a second", figure: ("API", "pairs"), bound: AtLeast(3_000.0) },
    Goal { what: "a call's p99", goal: "under 20 ms", figure: ("API", "a call, p99"), bound: AtMost(20.0) },
    Goal { what: "`axt up` ready", goal: "in 100 ms", figure: ("axt up, to ready", "later"), bound: AtMost(100.0) },
    Goal { what: "`axt up` idle", goal: "15 MiB", figure: ("axt up, idle", "memory"), bound: AtMost(15.0) },
    Goal { what: "the agents of 1,000 idle instances", goal: "under 60 MiB", figure: ("the agents of 1000 instances, in one process", "memory, idle"), bound: AtMost(60.0) },
    Goal { what: "the stripped program", goal: "under 20 MB", figure: ("the program", "size"), bound: AtMost(20.0) },
];

impl Goal {
    pub(super) const fn all() -> &'static [Self] {
        GOALS
    }

    /// The row of the table, where it was measured.
    pub(super) fn row(&self, report: &Report) -> Option<String> {
        let (measure, what) = self.figure;
        let figure = report.figure(measure, what)?;
        let median = figure.median();
        let is_met = match self.bound {
            AtMost(bound) => median <= bound,
            AtLeast(bound) => median >= bound,
        };
        Some(format!(
            "| {} | {} | {} {} | {} |",
            self.what,
            self.goal,
            short(median),
            figure.unit,
            if is_met { "yes" } else { "no" }
        ))
    }
}
