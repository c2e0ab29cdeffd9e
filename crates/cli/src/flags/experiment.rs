//! `axt experiment`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Run scenarios: what a client or an agent does when something goes wrong, and what the rules say
#[derive(Clone, Debug, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Examples:
  axt experiment list                            those that ship
  axt experiment run idle-timeout
  axt experiment run --plot run.svg bandwidth
  axt experiment new my.toml                     one to start from, with comments
  axt experiment run --junit results.xml my.toml folder/

docs/experiments.md has the format."
)]
pub(crate) struct ExperimentFlags {
    #[command(subcommand)]
    pub(crate) action: ExperimentAction,
}

/// What to do with scenarios.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum ExperimentAction {
    /// Run scenarios one after another, and print what happened along rule time
    #[command(after_help = "\
Exit code: 0 when all of them went as they say, 1 when one did not, 2 when one cannot be read.")]
    Run(RunFlags),
    /// List the scenarios that ship
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Write a scenario to start from, with comments
    New {
        /// Where to; stdout without it
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,

        /// Write the one of that name that ships, instead of the one with comments
        #[arg(long, value_name = "NAME")]
        from: Option<String>,
    },
    /// Print the JSON schema of scenarios, for editors
    Schema,
}

/// What is run, and what is told of it.
#[derive(Clone, Debug, Args)]
pub(crate) struct RunFlags {
    /// Files, folders of files, or names of scenarios that ship; `all` is all of those
    #[arg(value_name = "SCENARIO", required = true)]
    pub(crate) scenarios: Vec<String>,

    /// Make ids, tokens and faults of chance from this number, instead of the scenario's
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,

    /// Write everything that is known of the runs: a JSON array
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    /// Write JUnit XML: a suite for each scenario, a case for each step
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,

    /// Draw the run, as SVG: bytes, waits, faults, events and reasons along rule time. Of several
    /// scenarios each gets a file of its own, NAME.svg in the folder FILE
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,

    /// Write a trace of the run into this folder, for `axt trace`: what passed between clients, relay and
    /// agents of axt's own. Of several scenarios each gets a folder of its own in it, by its name
    #[arg(long, value_name = "DIR")]
    pub(crate) trace: Option<PathBuf>,

    /// Write what is typed and printed into the trace, too
    #[arg(long, requires = "trace")]
    pub(crate) trace_payload: bool,

    /// Print no timelines, but one line for each scenario
    #[arg(long)]
    pub(crate) brief: bool,
}
