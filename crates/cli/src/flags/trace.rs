//! `axt trace`, and the flags by which relay and agent write traces.

use std::path::PathBuf;

use axt_proto::SessionId;
use clap::{Args, Subcommand, ValueEnum};

use super::target::AdminTarget;

/// What is written of what passes.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Traces")]
pub(crate) struct TraceFlags {
    /// Write every frame and every control-plane call into this folder, without payload and secrets;
    /// `axt trace show DIR` reads it
    #[arg(long, env = "AXT_TRACE", hide_env = true, value_name = "DIR")]
    pub(crate) trace: Option<PathBuf>,

    /// Write what people type and read too
    #[arg(
        long,
        env = "AXT_TRACE_PAYLOAD",
        hide_env = true,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        hide_possible_values = true
    )]
    pub(crate) trace_payload: Option<bool>,
}

/// Read, compare, convert and replay traces of the wire, and trace a session
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
`axt up --trace DIR` writes a trace of everything, `axt trace start SESSION` one of a session that is
under way. There is one file for each connection, and one for the control plane. docs/traces.md
describes the format.

Examples:
  axt trace show DIR --hop agent --type resize --type status
  axt trace start s-hz0123456789abcdef
  axt trace export DIR --pcapng -o run.pcapng
  axt trace diff DIR-A DIR-B")]
pub(crate) struct TraceCommand {
    #[command(subcommand)]
    pub(crate) action: TraceAction,
}

/// What to do with traces.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum TraceAction {
    Show(ShowFlags),
    /// Trace a session from now on, in a relay that runs
    Start {
        /// The session's id, as StartTerminalSession gave it
        session: SessionId,

        /// Write what is typed and printed too
        #[arg(long)]
        payload: bool,

        #[command(flatten)]
        target: AdminTarget,
    },
    /// Trace a session no longer
    Stop {
        /// The session's id
        session: SessionId,

        #[command(flatten)]
        target: AdminTarget,
    },
}

/// Print traces as a table
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
TIME is rule time, LINK the seconds since the file's first record, by a clock that is never frozen.

Examples:
  axt trace show traces/
  axt trace show traces/ --session s-hz0123456789abcdef --hop agent
  axt trace show traces/ --type call --type notify
  axt trace show traces/ --type status --since 2026-11-28T10:00:00Z")]
pub(crate) struct ShowFlags {
    /// A trace, or a folder of traces
    #[arg(value_name = "FILE|DIR")]
    pub(crate) path: PathBuf,

    #[command(flatten)]
    pub(crate) filter: FilterFlags,

    /// Print the records as JSON, one a line
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which records are wanted.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Which records")]
pub(crate) struct FilterFlags {
    /// Those of this session
    #[arg(long, value_name = "SESSION")]
    pub(crate) session: Option<String>,

    /// Those of this connection: its number
    #[arg(long, value_name = "CONNECTION")]
    pub(crate) connection: Option<String>,

    /// Those of this channel
    #[arg(long, value_name = "CHANNEL")]
    pub(crate) channel: Option<String>,

    /// Those of this instance
    #[arg(long, value_name = "INSTANCE")]
    pub(crate) instance: Option<String>,

    /// Those between client and relay, or between relay and agent
    #[arg(long, value_enum)]
    pub(crate) hop: Option<HopArg>,

    /// Those of this type: a frame's (input, output, resize, close, status, exit, eof, reset, alive,
    /// unknown, none), or frame, open, close, lost, notify, call; can be given again
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) types: Vec<String>,

    /// Those from this rule time on, such as 2026-11-28T10:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<jiff::Timestamp>,
}

/// Between whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum HopArg {
    /// Client and relay
    Client,
    /// Relay and agent
    Agent,
}
