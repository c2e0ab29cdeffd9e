//! Figures, and how they are told: a table for people, JSON for programs, a page and plots for the docs.

mod goals;
mod machine;
mod page;
mod plot;

use std::io::{self, Write};

use serde::{Serialize, Serializer, ser::SerializeStruct};

pub(crate) use self::{
    machine::Machine, page::write as write_page, plot::write_all as write_plots,
};
use crate::ways::{AXT, ONE, TWO};

/// Everything that a run has found.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// What was measured, in a line.
    pub(crate) title: String,
    /// What it was typed as.
    pub(crate) command: String,
    pub(crate) machine: Machine,
    pub(crate) figures: Vec<Figure>,
}

/// One figure over all rounds.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    /// The heading under which it is told.
    pub(crate) measure: String,
    /// Of whom or what.
    pub(crate) what: String,
    pub(crate) unit: &'static str,
    /// A value of each round, in the order of the rounds.
    pub(crate) values: Vec<f64>,
}

impl Figure {
    fn sorted(&self) -> Vec<f64> {
        let mut values = self.values.clone();
        values.sort_by(f64::total_cmp);
        values
    }

    /// The middle one; of an even number the lower of the two.
    pub(crate) fn median(&self) -> f64 {
        let values = self.sorted();
        let middle = values.len().saturating_sub(1) / 2;
        values.get(middle).copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn least(&self) -> f64 {
        self.sorted().first().copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn most(&self) -> f64 {
        self.sorted().last().copied().unwrap_or(f64::NAN)
    }
}

impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut figure = serializer.serialize_struct("Figure", 7)?;
        figure.serialize_field("measure", &self.measure)?;
        figure.serialize_field("what", &self.what)?;
        figure.serialize_field("unit", self.unit)?;
        figure.serialize_field("median", &self.median())?;
        figure.serialize_field("min", &self.least())?;
        figure.serialize_field("max", &self.most())?;
        figure.serialize_field("values", &self.values)?;
        figure.end()
    }
}

/// Sets axt against the baselines where they have figures of the same: each of their rounds against the
/// one of axt beside it. Rates and costs as a ratio to two segments, times as what axt takes longer than
/// one.
pub(crate) fn compare(figures: Vec<Figure>) -> Vec<Figure> {
    let of = |measure: &str, what: &str| {
        let found = figures
            .iter()
            .find(|figure| figure.measure == measure && figure.what == what);
        found.cloned()
    };
    let against = |mine: &Figure, what: &str, told: &str, unit, with: fn(f64, f64) -> f64| {
        let theirs = of(&mine.measure, what)?;
        let pairs = mine.values.iter().zip(&theirs.values);
        Some(Figure {
            measure: mine.measure.clone(),
            what: told.to_owned(),
            unit,
            values: pairs.map(|(mine, theirs)| with(*mine, *theirs)).collect(),
        })
    };
    let mut all = Vec::new();
    for (number, figure) in figures.iter().enumerate() {
        all.push(figure.clone());
        let is_last = figures
            .get(number + 1)
            .is_none_or(|next| next.measure != figure.measure);
        if !is_last {
            continue;
        }
        if let Some(axt) = of(&figure.measure, AXT) {
            let ratio = || against(&axt, TWO, "axt ÷ two TLS segments", "×", |a, b| a / b);
            let longer = || against(&axt, ONE, "axt − one TLS segment", axt.unit, |a, b| a - b);
            all.extend(match axt.unit {
                "µs" | "ms" => longer(),
                _ => ratio(),
            });
        }
        let session = figures
            .iter()
            .find(|other| other.measure == figure.measure && other.what.starts_with("axt: call"));
        if let Some(session) = session {
            let longer = "axt − the shell alone";
            all.extend(against(session, "the shell alone", longer, "ms", |a, b| {
                a - b
            }));
        }
    }
    all
}

impl Report {
    pub(crate) fn new(title: String, figures: Vec<Figure>) -> Self {
        let mut words = std::env::args();
        let program = words.next().unwrap_or_default();
        let program = program.rsplit('/').next().unwrap_or_default().to_owned();
        let command = words.fold(program, |line, word| line + " " + &word);
        Self {
            title,
            command,
            machine: Machine::here(),
            figures,
        }
    }

    /// The first figure under a heading that starts so, of such a row.
    fn figure(&self, measure: &str, what: &str) -> Option<&Figure> {
        let is_it = |figure: &&Figure| figure.measure == measure && figure.what == what;
        self.figures.iter().find(is_it)
    }

    /// Writes the table: medians, with the least and the most of all rounds.
    pub(crate) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{} ({})\n", self.title, self.machine)?;
        writeln!(out, "{:<46}{:>12}{:>12}{:>12}", "", "median", "min", "max")?;
        let mut measure = "";
        for figure in &self.figures {
            if figure.measure != measure {
                measure = &figure.measure;
                writeln!(out, "{measure}")?;
            }
            let what = format!("  {} [{}]", figure.what, figure.unit);
            let [median, least, most] = [figure.median(), figure.least(), figure.most()].map(short);
            writeln!(out, "{what:<46}{median:>12}{least:>12}{most:>12}")?;
        }
        Ok(())
    }
}

/// A number as people read it: as many decimals as matter.
fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(measure: &str, what: &str, unit: &'static str, values: &[f64]) -> Figure {
        Figure {
            measure: measure.to_owned(),
            what: what.to_owned(),
            unit,
            values: values.to_vec(),
        }
    }

    #[test]
    fn a_figure_is_its_median_with_the_least_and_the_most() {
        let figure = figure("API", "pairs", "1/s", &[3.0, 1.0, 2.0, 10.0, 4.0]);

        assert_eq!(
            (figure.median(), figure.least(), figure.most()),
            (3.0, 1.0, 10.0)
        );
    }

    #[test]
    fn the_table_and_the_json_tell_the_same() {
        let figures = vec![figure("API", "pairs", "1/s", &[3_000.4, 2_500.0, 12.34])];
        let report = Report::new("t".to_owned(), figures);
        let mut table = Vec::new();

        report.print(&mut table).expect("written");
        let json = serde_json::to_value(&report).expect("JSON");

        let table = String::from_utf8(table).expect("text");
        let row: Vec<&str> = table
            .lines()
            .last()
            .expect("a row")
            .split_whitespace()
            .collect();
        assert_eq!(row, ["pairs", "[1/s]", "2500", "12.3", "3000"]);
        assert_eq!(json["figures"][0]["median"], 2_500.0);
        assert_eq!(json["figures"][0]["max"], 3_000.4);
    }

    #[test]
    fn rates_are_set_against_two_segments_and_times_against_one_round_by_round() {
        let figures = vec![
            figure("bulk", AXT, "MB/s", &[130.0, 300.0]),
            figure("bulk", ONE, "MB/s", &[1.0, 1.0]),
            figure("bulk", TWO, "MB/s", &[100.0, 200.0]),
            figure("echo", AXT, "µs", &[250.0]),
            figure("echo", ONE, "µs", &[200.0]),
        ];

        let compared = compare(figures);

        let told: Vec<_> = compared
            .iter()
            .filter(|figure| figure.what.starts_with("axt "))
            .map(|figure| (figure.what.as_str(), figure.unit, figure.values.as_slice()))
            .collect();
        assert_eq!(
            told,
            [
                ("axt ÷ two TLS segments", "×", &[1.3, 1.5][..]),
                ("axt − one TLS segment", "µs", &[50.0][..]),
            ]
        );
    }
}
