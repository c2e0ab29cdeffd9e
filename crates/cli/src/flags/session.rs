//! `axt session`.

use std::path::PathBuf;

use axt_client::session::escape::EscapeKey;
use axt_proto::InstanceId;
use clap::Args;

use super::{given::GivenSession, protocol::BaseProtocol, target::ApiTarget};

/// Open a shell, or run a command, on an instance
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
On a terminal, at the beginning of a line:
  ~.   end the session, also when the relay hangs
  ~s   say how it does: instance, session, bytes, limit, idle time left
  ~^Z  suspend axt; a relay gives it up after 30 s
  ~?   say which escapes there are
  ~~   type the escape character
What is pasted in brackets holds no escapes.

The session ends with its terminal (SIGHUP), by SIGTERM, and by SIGINT where stdin is none; what
it had started ends with it. Whatever way it ends, the terminal is put back, with mouse, paste and
screen; after kill -9, `axt reset-terminal` does that.

Examples:
  axt session
  axt session -i i-… --username ecs-user
  axt session --command 'uname -a'
  axt session --record demo.cast                asciinema play demo.cast
  AXT_SESSION_TOKEN=… axt session --wss-url 'wss://…?sessionId=s-…'

Exit code: the remote's; 255 when the session could not be opened or was cut off.")]
pub(crate) struct SessionFlags {
    /// The instance [default: the only one that there is]
    #[arg(
        short,
        long,
        env = "AXT_INSTANCE",
        hide_env = true,
        value_name = "INSTANCE"
    )]
    pub(crate) instance: Option<InstanceId>,

    /// Run this line instead of a login shell, at most 512 characters
    #[arg(short, long, value_name = "LINE", conflicts_with = "wss_url")]
    pub(crate) command: Option<String>,

    /// Open it as this user [default: the user that the agent runs as]
    #[arg(short, long, value_name = "USER", conflicts_with = "wss_url")]
    pub(crate) username: Option<String>,

    #[command(flatten)]
    pub(crate) given: GivenSession,

    /// The key that begins an escape at the beginning of a line: a character, `^` and a letter, or
    /// `none` [default: ~]
    #[arg(
        short,
        long,
        env = "AXT_ESCAPE_CHAR",
        hide_env = true,
        value_name = "CHAR"
    )]
    pub(crate) escape_char: Option<EscapeKey>,

    /// Record the session in this file, as asciicast v2 with the window's changes
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,

    /// Record what is typed too, passwords included
    #[arg(long, requires = "record")]
    pub(crate) record_input: bool,

    /// Replace a recording that is there
    #[arg(long, requires = "record")]
    pub(crate) overwrite: bool,

    #[command(flatten)]
    pub(crate) base: BaseProtocol,

    #[command(flatten)]
    pub(crate) target: ApiTarget,
}
