//! The `axt` command.
//!
//! What lives here: flags ([`flags`]), the settings that they and their like come to ([`settings`]),
//! and what is written for people and scripts ([`commands`], [`failure`]).
//!
//! What never does: rules, protocols, and anything that a test could not reach without a process.

mod commands;
mod complete;
mod failure;
mod flags;
mod grid;
mod logs;
mod settings;
mod target;

use std::{env, ffi::OsString, io::Write, process::ExitCode};

use clap::{CommandFactory, Parser, error::ErrorKind};

use self::{
    failure::{Code, Failure},
    flags::{Cli, Command, api, usage},
};

fn main() -> ExitCode {
    if axt_agent::init::is_wanted() {
        return axt_agent::init::main();
    }
    axt_agent::init::settle();
    let arguments: Vec<OsString> = env::args_os().collect();
    // A shell's helper is this program too, and it knows neither flags nor a runtime.
    if arguments.get(1).is_some_and(|first| first == "__shell") {
        return axt_agent::helper::main();
    }

    match complete::answer(&arguments) {
        Ok(false) => {}
        Ok(true) => return ExitCode::SUCCESS,
        Err(error) => return Failure::failed(error).report(),
    }

    let names: Vec<String> = Cli::command()
        .get_subcommands()
        .map(|command| command.get_name().to_owned())
        .collect();
    let command = usage::command_of(&arguments, &names).map(str::to_owned);
    let is_session = matches!(command.as_deref(), Some("session" | "ssh"));

    match parse(arguments, command.as_deref()).and_then(run) {
        Ok(code) => code,
        Err(failure) if is_session => failure.in_session().report(),
        Err(failure) => failure.report(),
    }
}

/// What a command line asks for: a command, or no more than the help that has been shown.
enum Asked {
    Command(Box<Cli>),
    Exit(ExitCode),
}

fn parse(mut arguments: Vec<OsString>, command: Option<&str>) -> Result<Asked, Failure> {
    let mut parameters = Vec::new();
    if command == Some("api") {
        let split = api::split_parameters(arguments)?;
        (arguments, parameters) = (split.rest, split.parameters);
    }
    match Cli::try_parse_from(arguments) {
        Ok(mut cli) => {
            if let Command::Api(flags) = &mut cli.command {
                flags.parameters = parameters;
            }
            Ok(Asked::Command(Box::new(cli)))
        }
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                let _ = write!(anstream::stdout(), "{}", error.render().ansi());
                Ok(Asked::Exit(ExitCode::SUCCESS))
            }
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                let _ = write!(anstream::stderr(), "{}", error.render().ansi());
                Ok(Asked::Exit(ExitCode::from(Code::Usage as u8)))
            }
            _ => Err(usage::from_clap(&error, command).into()),
        },
    }
}

fn run(asked: Asked) -> Result<ExitCode, Failure> {
    let cli = match asked {
        Asked::Command(cli) => cli,
        Asked::Exit(code) => return Ok(code),
    };
    logs::start(&cli.global)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::failed)?;
    let outcome = runtime.block_on(commands::run(*cli));
    // Whatever still blocks (a stdin that nobody types on) ends with the process.
    runtime.shutdown_background();
    outcome
}
