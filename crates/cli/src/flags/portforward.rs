//! `axt portforward`.

use axt_client::forward::{ForwardSpec, LocalSpec};
use axt_proto::InstanceId;
use clap::Args;

use super::{
    given::GivenSession,
    protocol::{BaseProtocol, KeepAlive},
    target::ApiTarget,
};

/// Forward local TCP ports to an instance, or through it to a host that it can reach
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
A forward is [ADDR:]LOCAL:[TARGET:]REMOTE:
  LOCAL    the port on this machine; 0 or nothing picks a free one and prints it
  REMOTE   the port on the instance, or on TARGET
  TARGET   a host as the instance sees it [default: the instance itself]
  ADDR     where to listen [default: localhost, which is 127.0.0.1 and ::1]
Of three parts, a number in the first place is LOCAL. An IPv6 address stands in brackets.

Connections go through side by side, 20 at a time on an instance. A session whose URL has expired
(after 10 minutes), was ended, or has lost its relay is renewed for the next connection. What goes
wrong with a connection is told in one line and ends that connection alone. Ctrl-C ends the
forwards and their sessions.

A connection without a byte for 3 minutes is closed, as the service does it: that is a rule of the
system. Keep a quiet protocol alive by its own means (ssh: ServerAliveInterval; a database: a query
now and then; TCP's own keep-alives are no bytes), or by --keepalive.

With --json there is an event a line on stdout, with these members:
  listening  address, remote (null for --wss-url), session
  opened     connection, address, peer
  closed     connection, sent, received (bytes), reason: done, local_reset, remote_reset or stopped
  failed     connection, sent, received, code, message, hint
  renewed    session, because
  limited    bytes_per_s: from now on the session's limit is what holds up its connections

Exit code: 130 after Ctrl-C, 1 after a failed connection with --exit-on-failure.

Examples:
  axt portforward 8080:80
  axt portforward -i i-… :22                    any free port, for `ssh -p PORT localhost`
  axt portforward 8080:80 5432:db.internal:5432
  axt portforward 0.0.0.0:8080:80               for other machines too
  axt portforward '[::1]:8080:[fd00::7]:80'
  axt portforward --stdio :22                   one connection on stdin and stdout
  axt portforward -l 8080 -r 80                 as ali-instance-cli has it
  AXT_SESSION_TOKEN=… axt portforward --wss-url 'wss://…?sessionId=s-…' -l 8080")]
pub(crate) struct PortforwardFlags {
    /// What to forward where; a session is started for each
    #[arg(value_name = "FORWARD", conflicts_with = "wss_url")]
    pub(crate) forwards: Vec<ForwardSpec>,

    /// The instance [default: the only one that there is]
    #[arg(
        short,
        long,
        env = "AXT_INSTANCE",
        hide_env = true,
        value_name = "INSTANCE"
    )]
    pub(crate) instance: Option<InstanceId>,

    // No doc comment: its brackets would be links.
    #[arg(
        short,
        long,
        value_name = "PORT",
        help = "Listen here, [ADDR:]PORT [default: 80 with --remote-port, any free port with --wss-url]"
    )]
    pub(crate) local_port: Option<LocalSpec>,

    /// Forward to this port of the instance [default with --local-port: 80]
    #[arg(
        short,
        long,
        value_name = "PORT",
        value_parser = clap::value_parser!(u16).range(1..),
        conflicts_with = "wss_url"
    )]
    pub(crate) remote_port: Option<u16>,

    /// Carry one connection on stdin and stdout instead of listening
    #[arg(long, conflicts_with_all = ["local_port", "json", "exit_on_failure"])]
    pub(crate) stdio: bool,

    /// End at the first connection that fails, with exit code 1
    #[arg(long)]
    pub(crate) exit_on_failure: bool,

    /// Print events as JSON, one a line, instead of lines for people
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) given: GivenSession,

    #[command(flatten)]
    pub(crate) quiet: KeepAlive,

    #[command(flatten)]
    pub(crate) base: BaseProtocol,

    #[command(flatten)]
    pub(crate) target: ApiTarget,
}
