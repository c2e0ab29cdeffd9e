//! The page of the docs: what was run, on what, when, and what it came to.

use std::{fmt::Write, fs, io, path::Path};

use super::{Report, goals::Goal, plot, short};

/// What people write stands below this line, and stays when the page is written again.
const BY_HAND: &str = "<!-- by hand: what stands below stays -->";

/// Writes the page to `path`, and its plots into the folder beside it that is named as it is.
pub(crate) fn write(report: &Report, path: &Path) -> io::Result<()> {
    let folder = path.with_extension("");
    let plots = plot::write_all(report, &folder)?;
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let old = fs::read_to_string(path).unwrap_or_default();
    let by_hand = old.split_once(BY_HAND).map_or("\n", |(_, kept)| kept);
    let mut page = text(report);
    for plot in plots {
        let _ = writeln!(page, "![{}]({name}/{})\n", plot.title, plot.file);
    }
    page.push_str(BY_HAND);
    page.push_str(by_hand);
    fs::write(path, page)
}

// Writing to a string cannot fail.
fn text(report: &Report) -> String {
    let machine = &report.machine;
    let mut page = format!(
        "# Benchmarks\n\n\
         This page is written by the program that measures; on a machine of yours, from a clone:\n\n\
         ```text\n\
         cargo build --release -p axt-cli -p axt-bench\n\
         target/release/{command}\n\
         ```\n\n\
         Run on {date} with axt {version}: {machine}, everything on loopback. The ways take turns in\n\
         rounds; a figure is the median of its rounds, with the least and the most. Each program is a\n\
         process of its own. The baselines have the TLS of axt and copy 8 KiB at a time: *one TLS segment*\n\
         is two processes, *two TLS segments* three, a relay between them that decrypts and encrypts, which\n\
         is the shape of axt. Other programs are those that were on the PATH (`scripts/bench-peers.sh`\n\
         installs some).\n",
        command = report.command,
        date = machine.date,
        version = machine.version,
    );
    let goals: Vec<_> = Goal::all()
        .iter()
        .filter_map(|goal| goal.row(report))
        .collect();
    if !goals.is_empty() {
        let _ = write!(
            page,
            "\n## What it was designed for\n\n\
             | | goal | measured | met |\n|---|---|---|---|\n{}\n",
            goals.join("\n")
        );
    }
    let _ = write!(page, "\n## Figures\n");
    let mut measure = "";
    for figure in &report.figures {
        if figure.measure != measure {
            measure = &figure.measure;
            let _ = write!(
                page,
                "\n| {measure} | median | min | max |\n|---|--:|--:|--:|\n"
            );
        }
        let [median, least, most] = [figure.median(), figure.least(), figure.most()].map(short);
        let (what, unit) = (&figure.what, figure.unit);
        let _ = writeln!(page, "| {what} [{unit}] | {median} | {least} | {most} |");
    }
    page.push_str("\n## Plots\n\n");
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Figure;

    #[test]
    fn a_page_that_is_written_again_keeps_what_people_wrote() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("benchmarks.md");
        let report = |values: &[f64]| {
            let figure = Figure {
                measure: "bulk up, 1 connection".to_owned(),
                what: "axt".to_owned(),
                unit: "MB/s",
                values: values.to_vec(),
            };
            Report::new("t".to_owned(), vec![figure])
        };

        write(&report(&[100.0]), &path).expect("written");
        let first = fs::read_to_string(&path).expect("there");
        fs::write(&path, first + "## Why\n").expect("written");
        write(&report(&[200.0, 300.0]), &path).expect("written");

        let page = fs::read_to_string(&path).expect("there");
        assert!(page.contains("| axt [MB/s] | 200 | 200 | 300 |"), "{page}");
        assert!(page.ends_with("## Why\n"), "{page}");
        assert!(!page.contains("| 100 |"), "{page}");
        let plot = fs::read_to_string(folder.path().join("benchmarks/bulk.svg"));
        assert!(plot.expect("there").contains(">axt<"));
    }
}
