//! Plots: bars with their spread, as SVG.

use std::{fmt::Write, fs, io, path::Path};

use super::{Figure, Report, short};

/// A plot that was written.
pub(crate) struct Plot {
    pub(crate) title: &'static str,
    pub(crate) file: &'static str,
}

/// File, title, the heading that its figures begin with, and their unit.
#[rustfmt::skip] // a table
const PLOTS: &[(&str, &str, &str, &str)] = &[
    ("bulk.svg", "Bulk throughput, MB/s", "bulk ", "MB/s"),
    ("echo.svg", "Echo of 64 bytes, µs", "echo ", "µs"),
    ("setup.svg", "A new connection to its first echoed byte, ms", "set-up ", "ms"),
    ("cpu.svg", "Processor time of all processes, seconds a GB", "processor time ", "s/GB"),
    ("memory.svg", "Memory of an idle connection, KiB", "memory ", "KiB"),
];

const WIDTH: f64 = 760.0;
const LABELS: f64 = 270.0;
const NUMBERS: f64 = 70.0;
const ROW: f64 = 20.0;
const HEADING: f64 = 26.0;
const COLOURS: [&str; 3] = ["#1f6feb", "#8c959f", "#c9d1d9"];

/// Writes a plot of each kind that there are figures for into `folder`.
pub(crate) fn write_all(report: &Report, folder: &Path) -> io::Result<Vec<Plot>> {
    fs::create_dir_all(folder)?;
    let mut written = Vec::new();
    for &(file, title, heading, unit) in PLOTS {
        let is_of_it = |figure: &&Figure| {
            let is_compared = figure.what.contains('÷') || figure.what.contains('−');
            figure.measure.starts_with(heading) && figure.unit == unit && !is_compared
        };
        let figures: Vec<&Figure> = report.figures.iter().filter(is_of_it).collect();
        if figures.is_empty() {
            continue;
        }
        fs::write(folder.join(file), svg(title, &figures))?;
        written.push(Plot { title, file });
    }
    Ok(written)
}

// Writing to a string cannot fail.
fn svg(title: &str, figures: &[&Figure]) -> String {
    let most = figures
        .iter()
        .map(|figure| figure.most())
        .fold(0.0, f64::max);
    let scale = (WIDTH - LABELS - NUMBERS) / most.max(f64::MIN_POSITIVE);
    let mut rows = String::new();
    let (mut y, mut measure) = (36.0, "");
    for figure in figures {
        if figure.measure != measure {
            measure = &figure.measure;
            y += HEADING;
            let _ = writeln!(
                rows,
                r#"<text x="8" y="{:.0}" font-weight="bold">{}</text>"#,
                y - 8.0,
                escaped(measure)
            );
        }
        let (median, least, most) = (figure.median(), figure.least(), figure.most());
        let colour = match figure.what.as_str() {
            what if what.starts_with("axt") => COLOURS[0],
            what if what.contains("TLS segments") || what.contains("one TLS") => COLOURS[1],
            _ => COLOURS[2],
        };
        let middle = y + ROW / 2.0;
        let at = |value: f64| LABELS + value.max(0.0) * scale;
        let _ = writeln!(
            rows,
            r##"<text x="{label:.0}" y="{text:.0}" text-anchor="end">{what}</text>
<rect x="{LABELS}" y="{top:.0}" width="{width:.1}" height="{height:.0}" fill="{colour}"/>
<path d="M{least:.1} {middle:.0}H{most:.1}" stroke="#24292f"/>
<text x="{number:.1}" y="{text:.0}">{value}</text>"##,
            label = LABELS - 8.0,
            text = middle + 4.0,
            what = escaped(&figure.what),
            top = y + 3.0,
            width = at(median) - LABELS,
            height = ROW - 6.0,
            least = at(least),
            most = at(most),
            number = at(most) + 6.0,
            value = short(median),
        );
        y += ROW;
    }
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:.0}" font-family="sans-serif" font-size="12" fill="#24292f">
<rect width="100%" height="100%" fill="#ffffff"/>
<text x="8" y="24" font-size="16">{title}</text>
{rows}</svg>
"##,
        height = y + 12.0,
        title = escaped(title),
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
