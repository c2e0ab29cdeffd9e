//! `axt reset-terminal`.

use std::process::ExitCode;

use axt_client::terminal;

use crate::failure::Failure;

pub(super) fn run() -> Result<ExitCode, Failure> {
    terminal::reset()
        .map(|()| ExitCode::SUCCESS)
        .map_err(|error| {
            Failure::failed(format!("there is no terminal to reset: {error}"))
                .hint("run it in the terminal itself")
        })
}
