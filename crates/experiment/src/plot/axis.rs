//! The time axis. Where nothing happens for long it is broken, so that a month and a millisecond fit
//! into one picture; elsewhere a second is as long as any other.

use std::time::Duration;

use super::{
    canvas::{Canvas, Colour},
    number,
};
use crate::{format::Span, report::Report, stage::samples::SAMPLE_MS};

/// A gap that is longer is shown broken, in milliseconds.
const BROKEN_MS: u64 = 5_000;
/// With fewer instants than this, those that differ are kept apart.
const FEW: usize = 60;
/// From so many samples on, something flows.
const FLOW: usize = 8;
/// Room for a label of the axis.
const LABEL: f64 = 95.0;

/// See the module.
#[derive(Debug)]
pub(super) struct Axis {
    /// Instants in milliseconds, and where they are.
    marks: Vec<(u64, f64)>,
    left: f64,
    length: f64,
}

impl Axis {
    pub(super) fn of(report: &Report, left: f64, length: f64) -> Self {
        let mut instants: Vec<u64> = report
            .timeline
            .entries()
            .iter()
            .map(|entry| entry.at_ms)
            .collect();
        // A prompt or two are no flow, and their samples' edges no instants.
        if report.drawn.len() >= FLOW {
            let samples = report.drawn.iter();
            instants.extend(samples.flat_map(|sample| [sample.at_ms, sample.at_ms + SAMPLE_MS]));
        }
        instants.extend([0, report.over_ms]);
        instants.sort_unstable();
        instants.dedup();
        let least = if instants.len() < FEW {
            number(BROKEN_MS) * 0.3
        } else {
            0.0
        };
        let gaps: Vec<f64> = instants
            .windows(2)
            .map(|pair| match pair {
                [from, to] => weight(to - from).max(least),
                _ => 0.0,
            })
            .collect();
        let all: f64 = gaps.iter().sum::<f64>().max(1.0);
        let mut marks = Vec::new();
        let mut so_far = 0.0;
        for (index, at) in instants.iter().enumerate() {
            marks.push((*at, left + so_far / all * length));
            so_far += gaps.get(index).copied().unwrap_or(0.0);
        }
        Self {
            marks,
            left,
            length,
        }
    }

    /// Where an instant is.
    pub(super) fn x(&self, at_ms: u64) -> f64 {
        let after = self.marks.partition_point(|(mark, _)| *mark < at_ms);
        let next = self.marks.get(after);
        let before = after.checked_sub(1).and_then(|index| self.marks.get(index));
        match (before, next) {
            (_, Some((mark, x))) if *mark == at_ms => *x,
            (Some((from, left)), Some((to, right))) => {
                let share = number(at_ms - from) / number((to - from).max(1));
                left + share * (right - left)
            }
            (Some((_, x)), None) | (None, Some((_, x))) => *x,
            (None, None) => self.left,
        }
    }

    /// The line, its breaks, and instants where there is room for them.
    pub(super) fn draw(&self, canvas: &mut Canvas, top: f64, y: f64) {
        canvas.line((self.left, y), (self.left + self.length, y), Colour::Axis);
        let mut free = f64::MIN;
        for (at, x) in &self.marks {
            if *x < free {
                continue;
            }
            canvas.line((*x, y), (*x, y + 5.0), Colour::Axis);
            let span = Span(Duration::from_millis(*at));
            canvas.middle((*x, y + 18.0), &format!("+{span}"), Colour::Text);
            free = x + LABEL;
        }
        for pair in self.marks.windows(2) {
            if let [(from, left), (to, right)] = pair
                && to - from > BROKEN_MS
            {
                let middle = (left + right) / 2.0;
                canvas.dashed((middle, top), (middle, y), Colour::Waiting);
                canvas.middle((middle, y - 2.0), "//", Colour::Axis);
            }
        }
    }
}

/// How long a gap is drawn: as it is, until it is broken; then a little longer each time it is ten
/// times as long.
fn weight(gap_ms: u64) -> f64 {
    let (gap, most) = (number(gap_ms), number(BROKEN_MS));
    if gap <= most {
        return gap;
    }
    most * (1.0 + 0.3 * (gap / most).log10())
}
