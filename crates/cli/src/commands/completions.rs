//! `axt completions`.

use std::process::ExitCode;

use clap_complete::env::Shells;

use super::print;
use crate::{complete, failure::Failure, flags::completions::CompletionsFlags};

pub(super) fn run(flags: CompletionsFlags) -> Result<ExitCode, Failure> {
    let shell = flags.shell.to_string();
    let mut script = Vec::new();
    Shells::builtins()
        .completer(&shell)
        .ok_or_else(|| Failure::usage(format!("there is no completion for {shell}")))?
        .write_registration(complete::VARIABLE, "axt", "axt", "axt", &mut script)
        .map_err(Failure::failed)?;
    print(String::from_utf8_lossy(&script).trim())?;
    Ok(ExitCode::SUCCESS)
}
