//! `axt doctor`.

use axt_proto::InstanceId;
use clap::Args;

use super::target::ApiTarget;

/// Check the way from this machine to a shell, step by step
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
The steps: settings, endpoint, tls, signature (and both clocks), session-manager, instance, agent,
quotas (a session is started), websocket, shell (a command's output comes back). The first that fails
says what to do, and those behind it are skipped. The session is ended again.

Exit code: 0 when all is well, 1 when a step fails, 130 for Ctrl-C.

Examples:
  axt doctor
  axt doctor -i i-… --endpoint https://relay.example:7080 --ca ca.pem
  axt doctor --json | jq -r '.steps[] | select(.status == \"failed\") | .problem'")]
pub(crate) struct DoctorFlags {
    /// The instance [default: the only one that there is]
    #[arg(
        short,
        long,
        env = "AXT_INSTANCE",
        hide_env = true,
        value_name = "INSTANCE"
    )]
    pub(crate) instance: Option<InstanceId>,

    /// Print one JSON document at the end, instead of a line a step
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) target: ApiTarget,
}
