//! `axt-bench`: what axt costs, beside what it stands on and what people would use instead.
//!
//! What lives here: the measures of each part, the rounds in which they, their baselines and other
//! people's programs take turns ([`rounds`]), and how the figures are told ([`report`]). What never does:
//! thresholds. A bench tells; what has to hold is a test.

mod api;
mod callers;
mod journal;
mod parts;
mod progress;
mod report;
mod rounds;
mod run;
mod spread;
mod target;
mod ways;

use std::{path::PathBuf, time::Duration};

use anyhow::Context;
use clap::{Args, Parser, Subcommand};

use self::{progress::Progress, report::Report, rounds::Plan, ways::segments};

/// Measures axt, in rounds that alternate with baselines, and tells medians with their spread.
#[derive(Debug, Parser)]
#[command(name = "axt-bench", version)]
struct Flags {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    rounds: Rounds,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Everything, in about three minutes (six beside five programs of other people), or the parts that
    /// are named.
    ///
    /// It starts the `axt` beside it, or the one that AXT names, each part of it a process of its own,
    /// and the baselines; other people's programs where they are on the PATH.
    Run(run::Flags),
    /// StartTerminalSession/EndTerminalSession pairs a second with the journal durable, beside the
    /// journal's bare commits.
    Api(api::Flags),
    /// A hop of a baseline; the others start it.
    #[command(hide = true)]
    Hop(segments::Flags),
}

#[derive(Args, Debug)]
struct Rounds {
    /// How many rounds there are of each measure [default: 5].
    #[arg(long, value_name = "N", global = true)]
    rounds: Option<usize>,
    /// How long a round takes, in seconds [default: 0.45, of `api` 5].
    #[arg(long, value_name = "SECONDS", global = true)]
    seconds: Option<f64>,
    /// One round of a tenth of a second, with few connections: whether it works, not how fast.
    #[arg(long, alias = "smoke", global = true)]
    quick: bool,
    /// Where the figures go as JSON, beside the table on stdout.
    #[arg(long, value_name = "FILE", global = true)]
    json: Option<PathBuf>,
}

impl Rounds {
    fn plan(&self, seconds: f64) -> anyhow::Result<Plan> {
        if self.quick {
            let span = Duration::from_millis(100);
            return Ok(Plan { rounds: 1, span });
        }
        let span = Duration::try_from_secs_f64(self.seconds.unwrap_or(seconds));
        let span = span.context("--seconds is a positive number")?;
        let rounds = self.rounds.unwrap_or(5);
        anyhow::ensure!(
            rounds > 0 && !span.is_zero(),
            "--rounds and --seconds are more than 0"
        );
        Ok(Plan { rounds, span })
    }
}

fn main() -> anyhow::Result<()> {
    let Flags { command, rounds } = Flags::parse();
    let runtime = tokio::runtime::Runtime::new()?;
    let report = match command {
        Command::Run(flags) => {
            let plan = rounds.plan(run::SPAN_S)?;
            let report = runtime.block_on(run::measure(&flags, plan, rounds.quick))?;
            if let Some(folder) = &flags.plot {
                report::write_plots(&report, folder)
                    .with_context(|| format!("cannot write into {}", folder.display()))?;
            }
            if let Some(page) = &flags.markdown {
                report::write_page(&report, page)
                    .with_context(|| format!("cannot write {}", page.display()))?;
            }
            report
        }
        Command::Api(flags) => {
            let plan = rounds.plan(5.0)?;
            let progress = Progress::of(1);
            let figures = runtime.block_on(api::figures(&flags, plan, &progress))?;
            Report::new(flags.title(), figures)
        }
        Command::Hop(flags) => return runtime.block_on(segments::hop(flags)),
    };
    report.print(&mut std::io::stdout().lock())?;
    if let Some(path) = &rounds.json {
        let file = std::fs::File::create(path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        serde_json::to_writer_pretty(file, &report)?;
    }
    Ok(())
}
