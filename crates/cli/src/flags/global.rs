//! Flags that every command takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Settings, and logs, which go to stderr.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct GlobalFlags {
    /// Read the settings from this file [default: ./axt.toml, ~/.config/axt/axt.toml]
    #[arg(
        long,
        global = true,
        env = "AXT_CONFIG",
        hide_env = true,
        value_name = "FILE",
        help_heading = "Settings and logs"
    )]
    pub(crate) config: Option<PathBuf>,

    /// Which logs to write, such as `info` or `axt_relay=debug` [default: warn]
    #[arg(
        long,
        global = true,
        env = "AXT_LOG",
        hide_env = true,
        value_name = "FILTER",
        help_heading = "Settings and logs"
    )]
    pub(crate) log: Option<String>,

    /// How logs look [default: text]
    #[arg(
        long,
        global = true,
        env = "AXT_LOG_FORMAT",
        hide_env = true,
        value_name = "FORMAT",
        help_heading = "Settings and logs"
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
