//! Flags that every command takes.

use clap::{Args, ValueEnum};

/// Logs, which go to stderr.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct GlobalFlags {
    /// Which logs to write, such as `info` or `axt_relay=debug` [default: warn]
    #[arg(
        long,
        global = true,
        env = "AXT_LOG",
        hide_env = true,
        value_name = "FILTER",
        help_heading = "Logs"
    )]
    pub(crate) log: Option<String>,

    /// How logs look [default: text]
    #[arg(
        long,
        global = true,
        env = "AXT_LOG_FORMAT",
        hide_env = true,
        value_name = "FORMAT",
        help_heading = "Logs"
    )]
    pub(crate) log_format: Option<LogFormat>,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    // No doc comments: with them clap takes a page for each help.
    #[default]
    Text,
    Json,
}
