//! A picture of a run, as SVG: bytes a second each way with the limit as a line, what the bandwidth
//! held back, faults, connections with their reasons, events and steps, along rule time.

mod axis;
mod canvas;
mod lanes;

use self::{
    axis::Axis,
    canvas::{Canvas, Colour},
};
use crate::{report::Report, stage::samples::SAMPLE_MS};

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
    if !report.samples.is_empty() {
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

/// Bytes to the clients above the line, bytes from them below it.
fn rates(canvas: &mut Canvas, axis: &Axis, report: &Report, top: f64) -> f64 {
    let zero = top + HEIGHT;
    let a_second = |bytes: u64| number(bytes) * 1_000.0 / number(SAMPLE_MS);
    let limit = f64::from(report.bandwidth_bytes_per_s);
    let most = report
        .samples
        .iter()
        .map(|sample| a_second(sample.up.max(sample.down)));
    let most = most.fold(limit, f64::max).max(1.0) * 1.1;
    let scale = |rate: f64| rate / most * HEIGHT;
    for sample in &report.samples {
        let (from, to) = (axis.x(sample.at_ms), axis.x(sample.at_ms + SAMPLE_MS));
        let width = (to - from).max(1.0);
        let (down, up) = (scale(a_second(sample.down)), scale(a_second(sample.up)));
        canvas.bar((from, zero - down), (width, down), Colour::Down);
        canvas.bar((from, zero), (width, up), Colour::Up);
    }
    canvas.line((LEFT, zero), (LEFT + LENGTH, zero), Colour::Axis);
    if report.bandwidth_bytes_per_s > 0 {
        for y in [zero - scale(limit), zero + scale(limit)] {
            canvas.dashed((LEFT, y), (LEFT + LENGTH, y), Colour::Limit);
        }
        let label = format!("limit {} B/s", report.bandwidth_bytes_per_s);
        canvas.text(
            (LEFT + 4.0, zero - scale(limit) - 3.0),
            &label,
            Colour::Limit,
        );
    }
    canvas.label(zero - HEIGHT / 2.0, "to clients");
    canvas.label(zero + HEIGHT / 2.0, "from clients");
    let most = format!("{:.0} B/s", most / 1.1);
    canvas.label(zero - HEIGHT / 2.0 + 14.0, &format!("most {most}"));
    zero + HEIGHT + 20.0
}

/// For drawing alone: a pixel is far from what a double cannot hold.
#[allow(clippy::cast_precision_loss, clippy::as_conversions)]
fn number(count: u64) -> f64 {
    count as f64
}
