//! Logs, on stderr.

use std::io;

use tracing_subscriber::EnvFilter;

use crate::{
    failure::Failure,
    flags::global::{GlobalFlags, LogFormat},
};

/// Starts to log as the flags say.
///
/// # Errors
/// The filter does not parse.
pub(crate) fn start(flags: &GlobalFlags) -> Result<(), Failure> {
    let filter = flags.log.as_deref().unwrap_or("warn");
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        Failure::usage(format!("`{filter}` is no log filter: {error}"))
            .hint("write a level such as `info`, or `TARGET=LEVEL` such as `axt_relay=debug`")
    })?;
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    match flags.log_format.unwrap_or_default() {
        LogFormat::Text => logs.with_ansi(false).init(),
        LogFormat::Json => logs.json().flatten_event(true).init(),
    }
    Ok(())
}
