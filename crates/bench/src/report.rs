//! Figures, and how they are told: a table for people, JSON for programs.

use std::io::{self, Write};

use serde::{Serialize, Serializer, ser::SerializeStruct};

/// Everything that a run has found.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// What was measured, in a line.
    pub(crate) title: String,
    /// Which processors there were to do it.
    pub(crate) cores: usize,
    pub(crate) figures: Vec<Figure>,
}

/// One figure over all rounds.
#[derive(Debug)]
pub(crate) struct Figure {
    pub(crate) measure: &'static str,
    pub(crate) what: &'static str,
    pub(crate) unit: &'static str,
    /// In order, once [`Figure::settle`] was called.
    pub(crate) values: Vec<f64>,
}

impl Figure {
    pub(crate) fn settle(&mut self) {
        self.values.sort_by(f64::total_cmp);
    }

    /// The middle one; of an even number the lower of the two.
    fn median(&self) -> f64 {
        let middle = self.values.len().saturating_sub(1) / 2;
        self.values.get(middle).copied().unwrap_or(f64::NAN)
    }

    fn least(&self) -> f64 {
        self.values.first().copied().unwrap_or(f64::NAN)
    }

    fn most(&self) -> f64 {
        self.values.last().copied().unwrap_or(f64::NAN)
    }
}

impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut figure = serializer.serialize_struct("Figure", 7)?;
        figure.serialize_field("measure", self.measure)?;
        figure.serialize_field("what", self.what)?;
        figure.serialize_field("unit", self.unit)?;
        figure.serialize_field("median", &self.median())?;
        figure.serialize_field("min", &self.least())?;
        figure.serialize_field("max", &self.most())?;
        figure.serialize_field("values", &self.values)?;
        figure.end()
    }
}

impl Report {
    pub(crate) fn new(title: String, figures: Vec<Figure>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            title,
            cores,
            figures,
        }
    }

    /// Writes the table: medians, with the least and the most of all rounds.
    pub(crate) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{} ({} cores)\n", self.title, self.cores)?;
        writeln!(out, "{:<34}{:>12}{:>12}{:>12}", "", "median", "min", "max")?;
        let mut measure = "";
        for figure in &self.figures {
            if figure.measure != measure {
                measure = figure.measure;
                writeln!(out, "{measure}")?;
            }
            let what = format!("  {} [{}]", figure.what, figure.unit);
            let [median, least, most] = [figure.median(), figure.least(), figure.most()].map(short);
            writeln!(out, "{what:<34}{median:>12}{least:>12}{most:>12}")?;
        }
        Ok(())
    }
}

/// A number as people read it: as many decimals as matter.
fn short(value: f64) -> String {
    match value {
        _ if value >= 100.0 => format!("{value:.0}"),
        _ if value >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(values: &[f64]) -> Figure {
        let values = values.to_vec();
        let mut figure = Figure {
            measure: "API",
            what: "pairs",
            unit: "1/s",
            values,
        };
        figure.settle();
        figure
    }

    #[test]
    fn a_figure_is_its_median_with_the_least_and_the_most() {
        let figure = figure(&[3.0, 1.0, 2.0, 10.0, 4.0]);

        assert_eq!(
            (figure.median(), figure.least(), figure.most()),
            (3.0, 1.0, 10.0)
        );
    }

    #[test]
    fn the_table_and_the_json_tell_the_same() {
        let report = Report {
            title: "t".to_owned(),
            cores: 2,
            figures: vec![figure(&[3_000.4, 2_500.0, 12.34])],
        };
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
}
