//! Rounds: measures take turns, so that what the machine does beside them falls on all alike.

use std::{fmt, future::Future, pin::Pin, time::Duration};

use crate::report::Figure;

/// How often and how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    pub(crate) span: Duration,
}

/// What a round has found: the value of each figure, always the same ones in the same order.
pub(crate) type Values = Vec<(&'static str, &'static str, f64)>;

/// A round that is on its way.
pub(crate) type Round<'a> = Pin<Box<dyn Future<Output = anyhow::Result<Values>> + Send + 'a>>;

/// Something that can be measured again and again.
pub(crate) trait Measure: fmt::Debug {
    /// What it is called in the table.
    fn name(&self) -> &'static str;

    /// Measures for that long.
    fn round(&mut self, span: Duration) -> Round<'_>;
}

/// Has the measures take turns, and puts together what each has found.
///
/// # Errors
/// The first round that fails, by its measure's name.
pub(crate) async fn take_turns(
    plan: Plan,
    measures: &mut [Box<dyn Measure>],
) -> anyhow::Result<Vec<Figure>> {
    let mut figures: Vec<Figure> = Vec::new();
    for _ in 0..plan.rounds {
        for measure in measures.iter_mut() {
            let name = measure.name();
            let values = measure.round(plan.span).await;
            for (what, unit, value) in values.map_err(|error| error.context(name))? {
                let known = figures
                    .iter_mut()
                    .find(|figure| figure.measure == name && figure.what == what);
                match known {
                    Some(figure) => figure.values.push(value),
                    None => figures.push(Figure {
                        measure: name,
                        what,
                        unit,
                        values: vec![value],
                    }),
                }
            }
        }
    }
    figures.iter_mut().for_each(Figure::settle);
    Ok(figures)
}
