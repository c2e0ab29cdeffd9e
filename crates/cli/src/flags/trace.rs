//! `axt trace`, and the flags by which relay and agent write traces.

use std::path::PathBuf;

use axt_proto::{InstanceId, SessionId};
use clap::{Args, Subcommand, ValueEnum};

use super::{
    agent::{WhichAgent, WhichRelay},
    protocol::BaseProtocol,
    target::{AdminTarget, ApiTarget},
    usage::UsageError,
};

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
`axt up --trace DIR` writes a trace of everything, `axt trace start SESSION` one of a session
that is under way. There is one file for each connection, and one for the control plane.
docs/traces.md describes the format.

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
    Export(ExportFlags),
    Diff(DiffFlags),
    Replay(ReplayCommand),
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

/// Write traces in a form that other programs read
#[derive(Clone, Debug, Args)]
#[command(
    group = clap::ArgGroup::new("form").required(true),
    after_help = "\
--asciicast is a recording of one connection, for `asciinema play`; it wants payload. --pcapng is a
capture for Wireshark and tshark: frames in websockets in TCP connections that are made up, without
TLS. A hop that relay and agent have both seen is in it twice: name the file of one of them.

Examples:
  axt trace export traces/ --pcapng -o run.pcapng && tshark -r run.pcapng -Y websocket
  axt trace export traces/ --asciicast --connection 1 -o run.cast && asciinema play run.cast
  axt trace export traces/ --json --hop agent | jq '.[].type'"
)]
pub(crate) struct ExportFlags {
    /// A trace, or a folder of traces
    #[arg(value_name = "FILE|DIR")]
    pub(crate) path: PathBuf,

    /// As a recording of a terminal
    #[arg(long, group = "form")]
    pub(crate) asciicast: bool,

    /// As one JSON array, each record whole
    #[arg(long, group = "form")]
    pub(crate) json: bool,

    /// As a capture of packets
    #[arg(long, group = "form")]
    pub(crate) pcapng: bool,

    /// Into this file [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// What was typed too, in a recording
    #[arg(long, requires = "asciicast")]
    pub(crate) input: bool,

    #[command(flatten)]
    pub(crate) filter: FilterFlags,
}

/// A form to export to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Asciicast,
    Json,
    Pcapng,
}

impl ExportFlags {
    /// The form that was chosen.
    ///
    /// # Errors
    /// None was.
    pub(crate) fn form(&self) -> Result<Form, UsageError> {
        match (self.asciicast, self.json, self.pcapng) {
            (true, ..) => Ok(Form::Asciicast),
            (_, true, _) => Ok(Form::Json),
            (_, _, true) => Ok(Form::Pcapng),
            _ => Err(UsageError::new("no form: --asciicast, --json or --pcapng")),
        }
    }
}

/// Compare two runs of one scenario, with two agents for instance
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Connections are matched in the order in which they began, and each hop and direction is compared
alone. Ids, times, sequences that count by one, and how data is cut into frames do not matter; the
kinds of frames, their order, window sizes, statuses, ends, and which calls were answered how do.

Exit code: 0 when they are the same, 1 when they differ.

Examples:
  axt trace diff with-ours/ with-official/
  axt trace diff monday/ tuesday/ --sizes --all")]
pub(crate) struct DiffFlags {
    /// The traces of one run
    #[arg(value_name = "A")]
    pub(crate) first: PathBuf,

    /// The traces of the other
    #[arg(value_name = "B")]
    pub(crate) second: PathBuf,

    /// How many bytes of data come together matters too
    #[arg(long)]
    pub(crate) sizes: bool,

    /// What the data is matters too, where both have payload
    #[arg(long)]
    pub(crate) data: bool,

    /// What comes by the clock matters too: heart-beats, keep-alives
    #[arg(long)]
    pub(crate) all: bool,
}

/// Play one side of a traced connection against a live relay, and say where the other side differs
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Each frame is sent as it was, with a date of now, once the other side has said as much as it had
said by then in the trace, or has been silent for 2 s. Then what the other side did is compared
with the trace, as `axt trace diff` does. The trace has to have payload.

Exit code: 0 when the other side did the same, 1 when it did not.

Examples:
  axt trace replay client traces/ --connection 1
  axt trace replay agent traces/ -i i-… --key agent.pem")]
pub(crate) struct ReplayCommand {
    #[command(subcommand)]
    pub(crate) side: ReplaySide,
}

/// Which side is played.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum ReplaySide {
    Client(Box<ReplayClientFlags>),
    Agent(Box<ReplayAgentFlags>),
}

/// What is played, and how closely it is compared.
#[derive(Clone, Debug, Args)]
pub(crate) struct ReplayFlags {
    /// A trace, or a folder of traces
    #[arg(value_name = "FILE|DIR")]
    pub(crate) path: PathBuf,

    /// The connection of this session
    #[arg(long, value_name = "SESSION")]
    pub(crate) session: Option<String>,

    /// This connection: its number
    #[arg(long, value_name = "CONNECTION")]
    pub(crate) connection: Option<String>,

    /// The connection of this channel
    #[arg(long, value_name = "CHANNEL")]
    pub(crate) channel: Option<String>,

    /// How many bytes of data come together matters too
    #[arg(long)]
    pub(crate) sizes: bool,

    /// What the data is matters too
    #[arg(long)]
    pub(crate) data: bool,
}

/// Play the client: start a session, and send what the client sent
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  axt trace replay client traces/
  axt trace replay client traces/ --connection 3 --command 'PS1=\"$ \" exec sh' --data")]
pub(crate) struct ReplayClientFlags {
    #[command(flatten)]
    pub(crate) replay: ReplayFlags,

    /// The instance [default: the only one that there is]
    #[arg(
        short,
        long,
        env = "AXT_INSTANCE",
        hide_env = true,
        value_name = "INSTANCE"
    )]
    pub(crate) instance: Option<InstanceId>,

    /// The session's command line, which no trace has
    #[arg(short, long, value_name = "LINE")]
    pub(crate) command: Option<String>,

    /// The session's port, for one that forwards
    #[arg(short, long)]
    pub(crate) port: Option<u16>,

    #[command(flatten)]
    pub(crate) target: ApiTarget,
}

/// Play the agent of an instance: wait for a session, and send what the agent sent
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Who the agent is has to be declared to the relay, as for `axt agent`; a machine that has registered
needs no flag.

Examples:
  axt trace replay agent traces/ -i i-… --key agent.pem
  axt trace replay agent traces/ -i i-… --key agent.pem --server https://relay:7443 --ca ca.pem")]
pub(crate) struct ReplayAgentFlags {
    #[command(flatten)]
    pub(crate) replay: ReplayFlags,

    #[command(flatten)]
    pub(crate) who: WhichAgent,

    #[command(flatten)]
    pub(crate) base: BaseProtocol,

    #[command(flatten)]
    pub(crate) relay: WhichRelay,
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
