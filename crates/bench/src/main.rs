//! `axt-bench`: what axt costs, beside what it stands on.
//!
//! What lives here: the measures of each part, the rounds in which they and their baselines take turns
//! ([`rounds`]), and how the figures are told ([`report`]). What never does: thresholds. A bench tells;
//! what has to hold is a test.

mod api;
mod callers;
mod journal;
mod report;
mod rounds;

use std::{path::PathBuf, time::Duration};

use anyhow::Context;
use clap::{Args, Parser, Subcommand};

use self::{report::Report, rounds::Plan};

/// Measures axt, in rounds that alternate with baselines, and tells medians with their spread.
#[derive(Debug, Parser)]
#[command(name = "axt-bench", version)]
struct Flags {
    #[command(subcommand)]
    part: Part,
    #[command(flatten)]
    rounds: Rounds,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// StartTerminalSession/EndTerminalSession pairs a second with the journal durable, beside the
    /// journal's bare commits.
    Api(api::Flags),
}

#[derive(Args, Debug)]
struct Rounds {
    /// How many rounds there are of each measure.
    #[arg(long, value_name = "N", default_value_t = 5, global = true)]
    rounds: usize,
    /// How long a round takes, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0, global = true)]
    seconds: f64,
    /// One round of a fifth of a second: whether it works, not how fast.
    #[arg(long, global = true)]
    smoke: bool,
    /// Where the figures go as JSON, beside the table on stdout.
    #[arg(long, value_name = "FILE", global = true)]
    json: Option<PathBuf>,
}

impl Rounds {
    fn plan(&self) -> anyhow::Result<Plan> {
        if self.smoke {
            let span = Duration::from_millis(200);
            return Ok(Plan { rounds: 1, span });
        }
        let span =
            Duration::try_from_secs_f64(self.seconds).context("--seconds is a positive number")?;
        anyhow::ensure!(
            self.rounds > 0 && !span.is_zero(),
            "--rounds and --seconds are at least 1"
        );
        Ok(Plan {
            rounds: self.rounds,
            span,
        })
    }
}

fn main() -> anyhow::Result<()> {
    let Flags { part, rounds } = Flags::parse();
    let plan = rounds.plan()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let report: Report = match part {
        Part::Api(flags) => runtime.block_on(api::measure(&flags, plan))?,
    };
    report.print(&mut std::io::stdout().lock())?;
    if let Some(path) = &rounds.json {
        let file = std::fs::File::create(path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        serde_json::to_writer_pretty(file, &report)?;
    }
    Ok(())
}
