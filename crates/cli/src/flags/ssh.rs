//! `axt ssh`.

use std::ffi::OsString;

use axt_proto::InstanceId;
use clap::Args;

use super::{
    given::GivenSession,
    protocol::{BaseProtocol, KeepAlive},
    target::ApiTarget,
};

/// Run ssh to an instance through a session, or be the ProxyCommand of one
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
The instance needs an ssh server, and you an account there: a session carries ssh's bytes and
changes nothing about who may log in. ssh's own options and the command stand after the instance;
all of them are ssh's, and so is the exit code (255 for failures of the session too). A session is
closed after 3 minutes without a byte, so ssh is told to ask the server every 60 s
(ServerAliveInterval).

`axt ssh --setup` prints lines for ~/.ssh/config, after which ssh, scp, sftp, rsync and git take an
instance's id as a host.

Examples:
  axt ssh i-… -l root
  axt ssh root@i-… -p 2222 uptime
  axt ssh --setup >> ~/.ssh/config
  scp file i-…:                                 after that
  ssh -o ProxyCommand='axt ssh --stdio -i %h --port %p' i-…")]
pub(crate) struct SshFlags {
    /// Be a ProxyCommand: one connection on stdin and stdout
    #[arg(long, conflicts_with = "setup")]
    pub(crate) stdio: bool,

    /// Print lines for ~/.ssh/config
    #[arg(long)]
    pub(crate) setup: bool,

    /// The instance, with --stdio [default: the only one that there is]
    #[arg(
        short,
        long,
        env = "AXT_INSTANCE",
        hide_env = true,
        value_name = "INSTANCE"
    )]
    pub(crate) instance: Option<InstanceId>,

    /// The ssh server's port, with --stdio [default: 22]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: Option<u16>,

    #[command(flatten)]
    pub(crate) given: GivenSession,

    #[command(flatten)]
    pub(crate) quiet: KeepAlive,

    #[command(flatten)]
    pub(crate) base: BaseProtocol,

    #[command(flatten)]
    pub(crate) target: ApiTarget,

    // No doc comment: its brackets would be links.
    #[arg(
        help = "[USER@]INSTANCE, and all that ssh is to have",
        value_name = "[USER@]INSTANCE [SSH ARGUMENTS]",
        trailing_var_arg = true,
        allow_hyphen_values = true,
        conflicts_with_all = ["stdio", "setup"]
    )]
    pub(crate) ssh: Vec<OsString>,
}
