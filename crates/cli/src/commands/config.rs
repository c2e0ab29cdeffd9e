//! `axt config`.

use std::{path::PathBuf, process::ExitCode};

use axt_client::discover::{self, process_environment};
use clap::Parser;

use super::print;
use crate::{
    failure::{Failure, say},
    flags::{Cli, Command, config::ConfigFlags, usage},
    settings::{Settings, client, example::example, file, in_force, relay},
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
    let mut shown = in_force::show(&settings, &process_environment);
    shown.push_str(&clients_go_to(&settings)?);
    settle(settings)?;
    print(shown.trim_end())?;
    Ok(ExitCode::SUCCESS)
}

/// Goes on to where values meet each other, as the commands would.
fn settle(settings: Settings) -> Result<(), Failure> {
    relay::resolve(Default::default(), None, settings).map(drop)
}

/// Where client commands go with these settings, with whose key, and where that was found.
fn clients_go_to(settings: &Settings) -> Result<String, Failure> {
    let flags = Cli::try_parse_from(["axt", "env"])
        .map_err(|error| usage::from_clap(&error, Some("env")))?;
    let Command::Env(flags) = flags.command else {
        return Ok(String::new());
    };
    let wanted = client::wanted(flags, settings);
    let lines = match discover::find(wanted, &process_environment) {
        Ok(target) => {
            let (origins, key) = (&target.origins, &target.credentials);
            let kind = match key.security_token {
                Some(_) => "temporary access key",
                None => "access key",
            };
            format!(
                "# Client commands talk to {} [{}],\n\
                 # region {} [{}],\n\
                 # {kind} {} [{}].\n",
                target.endpoint,
                origins.endpoint,
                target.region,
                origins.region,
                key.access_key_id,
                origins.key
            )
        }
        Err(error) => format!("# Client commands would end here: {error}.\n"),
    };
    Ok(format!("\n{lines}"))
}

/// A variable that no command would take is not in force.
fn check_environment() -> Result<(), Failure> {
    for command in ["up", "agent", "session", "health"] {
        Cli::try_parse_from(["axt", command])
            .map_err(|error| usage::from_clap(&error, Some(command)))?;
    }
    Ok(())
}
