//! Completion in the shell: the words that could stand next on a command line.
//!
//! The script of `axt completions` calls this program with [`VARIABLE`] set, so the words are those
//! of the program that is installed: actions and parameters come from the table that the API is
//! served from, instances from the ready file of the sandbox that runs.

mod parameters;

use std::ffi::OsString;

use axt_client::discover::{self, process_environment};
use axt_openapi::{ActionName, region::REGIONS};
use clap::{Arg, Command, CommandFactory, ValueHint};
use clap_complete::{
    CompleteEnv,
    engine::{ArgValueCandidates, CompletionCandidate},
};

use crate::{flags::Cli, settings::limits};

/// The variable by which a shell asks for words.
pub(crate) const VARIABLE: &str = "AXT_COMPLETE";

/// Answers a shell that asks for words; false when none does, so that a command is to be run.
///
/// # Errors
/// The shell is none that is known, or stdout cannot be written to.
pub(crate) fn answer(arguments: &[OsString]) -> clap::error::Result<bool> {
    let here = std::env::current_dir().ok();
    CompleteEnv::with_factory(|| command(arguments))
        .var(VARIABLE)
        .bin("axt")
        .try_complete(arguments.to_vec(), here.as_deref())
}

/// The command line of the program, with what else could stand on this one.
fn command(arguments: &[OsString]) -> Command {
    let typed: Vec<&str> = arguments.iter().filter_map(|it| it.to_str()).collect();
    let instances = instances(&typed);
    let mut command = Cli::command();
    let names: Vec<String> = command
        .get_subcommands()
        .map(|it| it.get_name().to_owned())
        .collect();
    for name in names {
        let instances = instances.clone();
        command = command.mut_subcommand(name, |it| {
            it.mut_args(|arg| valued(arg, &instances))
                .mut_subcommands(|it| it.mut_args(|arg| valued(arg, &instances)))
        });
    }
    command.mut_subcommand("api", |api| {
        let api = api.mut_arg("action", |arg| arg.add(candidates(actions())));
        api.args(parameters::of(&typed, &instances))
    })
}

/// A flag with the values that it could have.
fn valued(arg: Arg, instances: &[(String, String)]) -> Arg {
    let words = match arg.get_id().as_str() {
        "instance" | "which" => instances.to_vec(),
        "region" => regions(),
        "limit" => limits::KEYS
            .iter()
            .map(|key| (format!("{}=", key.name), key.meaning()))
            .collect(),
        "config" | "ca" | "key" | "new_key" | "ready_file" | "check" | "public_key" => {
            return arg.value_hint(ValueHint::FilePath);
        }
        "state_dir" | "trace" => return arg.value_hint(ValueHint::DirPath),
        _ => return arg,
    };
    arg.add(candidates(words))
}

/// Words with what they mean.
fn candidates(words: Vec<(String, String)>) -> ArgValueCandidates {
    ArgValueCandidates::new(move || {
        let words = words.iter();
        words
            .map(|(word, help)| {
                let help = Some(help).filter(|help| !help.is_empty());
                CompletionCandidate::new(word).help(help.map(Into::into))
            })
            .collect()
    })
}

fn actions() -> Vec<(String, String)> {
    ActionName::ALL
        .iter()
        .map(|name| (name.to_string(), name.description().about.to_owned()))
        .collect()
}

fn regions() -> Vec<(String, String)> {
    REGIONS
        .iter()
        .map(|region| (region.id.to_owned(), region.english.to_owned()))
        .collect()
}

/// The instances of the sandbox that is meant, as its ready file names them.
fn instances(typed: &[&str]) -> Vec<(String, String)> {
    let folder = after(typed, "--state-dir");
    let ready = discover::read_ready(folder, &process_environment);
    ready.map_or_else(
        |_| Vec::new(),
        |ready| {
            let instances = ready.instances.into_iter();
            instances.map(|it| (it.id.to_string(), it.name)).collect()
        },
    )
}

/// The word behind a flag.
fn after<'a>(typed: &[&'a str], flag: &str) -> Option<&'a std::path::Path> {
    let mut words = typed.iter();
    words.find(|word| **word == flag)?;
    words.next().map(|word| std::path::Path::new(*word))
}
