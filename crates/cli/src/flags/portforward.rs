//! `axt portforward`.

use axt_client::forward::ForwardSpec;
use axt_proto::InstanceId;
use clap::Args;

use super::target::ApiTarget;

/// Forward local TCP ports to an instance, or through it to a host that it can reach
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
A forward is [ADDR:]LOCAL:[TARGET:]REMOTE:
  LOCAL    the port on this machine; 0 or nothing picks a free one and prints it
  REMOTE   the port on the instance, or on TARGET
  TARGET   a host as the instance sees it [default: the instance itself]
  ADDR     where to listen [default: localhost, which is 127.0.0.1 and ::1]
Of three parts, a number in the first place is LOCAL. An IPv6 address stands in brackets.

Connections go through side by side, 20 at a time on an instance. One without a byte for 3 minutes
is closed, as the service does it. Ctrl-C ends the forwards and their sessions.

Examples:
  axt portforward 8080:80
  axt portforward -i i-… :22                    any free port, for `ssh -p PORT localhost`
  axt portforward 8080:80 5432:db.internal:5432
  axt portforward 0.0.0.0:8080:80               for other machines too
  axt portforward '[::1]:8080:[fd00::7]:80'")]
pub(crate) struct PortforwardFlags {
    /// What to forward where; a session is started for each
    #[arg(required = true, value_name = "FORWARD")]
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

    /// Speak the base protocol only, as the official client does: no half-close, no reset
    #[arg(
        long,
        env = "AXT_NO_EXTENSIONS",
        hide_env = true,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        hide_possible_values = true
    )]
    pub(crate) no_extensions: Option<bool>,

    #[command(flatten)]
    pub(crate) target: ApiTarget,
}
