//! Rounds: measures take turns, so that what the machine does beside them falls on all alike.

use std::{fmt, future::Future, pin::Pin, time::Duration};

use crate::{progress::Progress, report::Figure};

/// How often and how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    pub(crate) span: Duration,
}

impl Plan {
    /// The same, with rounds so many times as long.
    pub(crate) fn times(self, factor: f64) -> Self {
        Self {
            span: self.span.mul_f64(factor),
            ..self
        }
    }

    /// The same, with so many rounds at most.
    pub(crate) fn at_most(self, rounds: usize) -> Self {
        Self {
            rounds: self.rounds.min(rounds),
            ..self
        }
    }
}

/// One thing that a round has found.
#[derive(Debug)]
pub(crate) struct Value {
    /// What was measured: the heading under which it is told.
    pub(crate) measure: String,
    /// Of whom or what: a row below the heading.
    pub(crate) what: String,
    pub(crate) unit: &'static str,
    pub(crate) value: f64,
}

impl Value {
    pub(crate) fn new(
        measure: impl Into<String>,
        what: impl Into<String>,
        unit: &'static str,
        value: f64,
    ) -> Self {
        Self {
            measure: measure.into(),
            what: what.into(),
            unit,
            value,
        }
    }
}

/// What a round has found, always the same things in the same order.
pub(crate) type Values = Vec<Value>;

/// A round that is on its way.
pub(crate) type Round<'a> = Pin<Box<dyn Future<Output = anyhow::Result<Values>> + Send + 'a>>;

/// Something that can be measured again and again.
pub(crate) trait Measure: fmt::Debug {
    /// What it is called where it fails.
    fn name(&self) -> String;

    /// Measures for that long.
    fn round(&mut self, span: Duration) -> Round<'_>;
}

/// Has the measures take turns, and puts together what each has found. Each round begins with another
/// of them, so that none is always the one that comes after the same one.
///
/// # Errors
/// The first round that fails, by its measure's name.
pub(crate) async fn take_turns(
    plan: Plan,
    measures: &mut [Box<dyn Measure>],
    progress: &Progress,
) -> anyhow::Result<Vec<Figure>> {
    let mut found: Vec<Vec<Values>> = measures.iter().map(|_| Vec::new()).collect();
    let steps = plan.rounds * measures.len();
    for round in 0..plan.rounds {
        let first = round % measures.len().max(1);
        let mut turns: Vec<_> = measures.iter_mut().zip(&mut found).collect();
        turns.rotate_left(first);
        for (measure, found) in turns {
            let name = measure.name();
            progress.says(&name);
            let values = measure.round(plan.span).await;
            found.push(values.map_err(|error| error.context(name))?);
            progress.step(steps);
        }
    }
    Ok(collect(found.into_iter().flatten().flatten()))
}

/// Puts values together that are of the same thing.
pub(crate) fn collect(values: impl IntoIterator<Item = Value>) -> Vec<Figure> {
    let mut figures: Vec<Figure> = Vec::new();
    for value in values {
        let known = figures
            .iter_mut()
            .find(|figure| figure.measure == value.measure && figure.what == value.what);
        match known {
            Some(figure) => figure.values.push(value.value),
            None => {
                // Below what has the same heading already.
                let heading = |figure: &Figure| figure.measure == value.measure;
                let place = figures.iter().rposition(heading);
                let place = place.map_or(figures.len(), |last| last + 1);
                let figure = Figure {
                    measure: value.measure,
                    what: value.what,
                    unit: value.unit,
                    values: vec![value.value],
                };
                figures.insert(place, figure);
            }
        }
    }
    figures
}
