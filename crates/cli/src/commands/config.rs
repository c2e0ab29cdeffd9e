//! `axt config`.

use std::{path::PathBuf, process::ExitCode};

use axt_client::discover::process_environment;
use clap::Parser;

use super::print;
use crate::{
    failure::{Failure, say},
    flags::{Cli, config::ConfigFlags, usage},
    settings::{Settings, example::example, file, in_force, relay},
};

pub(super) fn run(flags: ConfigFlags, named: Option<PathBuf>) -> Result<ExitCode, Failure> {
    if flags.example {
        print(example().trim_end())?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(checked) = flags.check {
        let settings = file::load(checked.or(named), &process_environment)?;
        let told = match &settings.file {
            Some(file) => format!(
                "{}: nothing wrong; keys set: {}",
                file.display(),
                settings.written.len()
            ),
            None => "there is no settings file".to_owned(),
        };
        settle(settings)?;
        say(&told);
        return Ok(ExitCode::SUCCESS);
    }
    let settings = file::load(named, &process_environment)?;
    check_environment()?;
    let shown = in_force::show(&settings, &process_environment);
    settle(settings)?;
    print(shown.trim_end())?;
    Ok(ExitCode::SUCCESS)
}

/// Goes on to where values meet each other, as the commands would.
fn settle(settings: Settings) -> Result<(), Failure> {
    relay::resolve(Default::default(), None, settings).map(drop)
}

/// A variable that no command would take is not in force.
fn check_environment() -> Result<(), Failure> {
    for command in ["up", "agent", "session", "health"] {
        Cli::try_parse_from(["axt", command])
            .map_err(|error| usage::from_clap(&error, Some(command)))?;
    }
    Ok(())
}
