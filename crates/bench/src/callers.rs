//! Callers that do the same thing at the same time until a round is over.

use std::{future::Future, time::Duration};

use anyhow::Context;
use axt_net::{
    link::{self, Instant},
    tasks::Tasks,
};
use tokio::sync::mpsc;

use crate::spread::Spread;

/// What callers have done in a round.
#[derive(Debug)]
pub(crate) struct Done {
    /// How often each of them went once around.
    pub(crate) times: usize,
    /// How long each step of it took.
    pub(crate) steps: Spread,
    /// How long the round really was.
    pub(crate) took: Duration,
}

impl Done {
    /// How often a second.
    pub(crate) fn rate(&self) -> f64 {
        let times = u32::try_from(self.times).unwrap_or(u32::MAX);
        f64::from(times) / self.took.as_secs_f64()
    }
}

/// Has each caller go around and around until `span` is over, each on a task of its own. Once around is a
/// number of steps, whose times it gives.
///
/// # Errors
/// The first that a caller meets.
pub(crate) async fn go_around<C, F, W>(
    callers: Vec<C>,
    span: Duration,
    around: W,
) -> anyhow::Result<Done>
where
    C: Send + 'static,
    W: Fn(C) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = anyhow::Result<(C, Vec<Duration>)>> + Send,
{
    let tasks = Tasks::new();
    let (report, mut reports) = mpsc::channel(callers.len().max(1));
    let start = link::now();
    for caller in callers {
        let (report, around) = (report.clone(), around.clone());
        tasks.spawn("caller", async move {
            let outcome = until(start + span, caller, around).await;
            let _ = report.send(outcome).await;
        });
    }
    drop(report);
    let (mut times, mut steps) = (0, Vec::new());
    while let Some(outcome) = reports.recv().await {
        let (often, took) = outcome?;
        times += often;
        steps.extend(took);
    }
    let took = link::now() - start;
    anyhow::ensure!(times > 0, "no caller got once around");
    let steps = Spread::of(steps);
    Ok(Done { times, steps, took })
}

async fn until<C, F>(
    end: Instant,
    mut caller: C,
    around: impl Fn(C) -> F,
) -> anyhow::Result<(usize, Vec<Duration>)>
where
    F: Future<Output = anyhow::Result<(C, Vec<Duration>)>>,
{
    let (mut times, mut steps) = (0, Vec::new());
    while link::now() < end {
        let (back, took) = around(caller).await.context("a caller")?;
        caller = back;
        times += 1;
        steps.extend(took);
    }
    Ok((times, steps))
}
