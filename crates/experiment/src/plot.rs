//! A picture of a run, as SVG: bytes a second each way with the limit as a line, what the bandwidth
//! held back, faults, connections with their reasons, events and steps, along rule time.

mod axis;
mod canvas;
mod lanes;

use self::{
    axis::Axis,
    canvas::{Canvas, Colour},
};
use crate::{
    report::Report,
    stage::samples::{SAMPLE_MS, Sample},
};

/// The left edge of the time axis, and its length.
const LEFT: f64 = 110.0;
const LENGTH: f64 = 940.0;
/// How high the bytes go, each way.
const HEIGHT: f64 = 70.0;

/// The picture.
#[must_use]
pub fn svg(report: &Report) -> String {
    let axis = Axis::of(report, LEFT, LENGTH);
    let mut canvas = Canvas::new(LEFT + LENGTH + 40.0);
    canvas.title(&format!("{}: {}", report.name, report.title));
    let mut y = 50.0;
    if !report.drawn.is_empty() {
        y = rates(&mut canvas, &axis, report, y);
    }
    y = lanes::held(&mut canvas, &axis, report, y);
    y = lanes::faults(&mut canvas, &axis, report, y);
    y = lanes::connections(&mut canvas, &axis, report, y);
    y = lanes::events(&mut canvas, &axis, report, y);
    y = lanes::steps(&mut canvas, &axis, report, y);
    axis.draw(&mut canvas, 40.0, y);
    let y = lanes::legend(&mut canvas, report, y + 40.0);
    canvas.done(y)
}

/// Bytes of the last second: to the clients above the line, from them below it.
fn rates(canvas: &mut Canvas, axis: &Axis, report: &Report, top: f64) -> f64 {
    let zero = top + HEIGHT;
    let limit = f64::from(report.bandwidth_bytes_per_s);
    let rates = a_second(&report.drawn);
    let most = rates.iter().map(|(_, up, down)| number(*up.max(down)));
    let most = most.fold(0.0, f64::max);
    let scale = |rate: f64| rate / (most.max(limit).max(1.0) * 1.15) * HEIGHT;
    // What is there at all can be seen.
    let height = |rate: u64| {
        if rate == 0 {
            0.0
        } else {
            scale(number(rate)).max(1.5)
        }
    };
    for (at_ms, up, down) in rates {
        let (from, to) = (axis.x(at_ms), axis.x(at_ms + SAMPLE_MS));
        let width = (to - from).max(2.0) + 0.2;
        canvas.bar(
            (from, zero - height(down)),
            (width, height(down)),
            Colour::Down,
        );
        canvas.bar((from, zero), (width, height(up)), Colour::Up);
    }
    canvas.line((LEFT, zero), (LEFT + LENGTH, zero), Colour::Axis);
    if report.bandwidth_bytes_per_s > 0 {
        for y in [zero - scale(limit), zero + scale(limit)] {
            canvas.dashed((LEFT, y), (LEFT + LENGTH, y), Colour::Limit);
        }
        let label = format!("limit {} B/s", report.bandwidth_bytes_per_s);
        canvas.text(
            (LEFT + 4.0, zero + scale(limit) + 12.0),
            &label,
            Colour::Limit,
        );
    }
    canvas.label(zero - HEIGHT / 2.0 - 7.0, "to clients");
    canvas.label(zero - HEIGHT / 2.0 + 7.0, &format!("most {most:.0} B/s"));
    canvas.label(zero + HEIGHT / 2.0, "from clients");
    zero + HEIGHT + 24.0
}

/// When, and the bytes each way of the second that ends then.
fn a_second(samples: &[Sample]) -> Vec<(u64, u64, u64)> {
    let within =
        |at_ms: u64, sample: &Sample| sample.at_ms <= at_ms && at_ms - sample.at_ms < 1_000;
    let rate = |at_ms: u64| {
        let near = || samples.iter().filter(|sample| within(at_ms, sample));
        let (up, down) = (
            near().map(|sample| sample.up),
            near().map(|sample| sample.down),
        );
        (at_ms, up.sum(), down.sum())
    };
    let mut instants: Vec<u64> = samples
        .iter()
        .flat_map(|sample| (0..1_000 / SAMPLE_MS).map(|later| sample.at_ms + later * SAMPLE_MS))
        .collect();
    instants.sort_unstable();
    instants.dedup();
    instants.into_iter().map(rate).collect()
}

/// For drawing alone: a pixel is far from what a double cannot hold.
#[allow(clippy::cast_precision_loss, clippy::as_conversions)]
fn number(count: u64) -> f64 {
    count as f64
}
