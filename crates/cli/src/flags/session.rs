//! `axt session`.

use axt_proto::InstanceId;
use clap::Args;

use super::target::ApiTarget;

/// Open a shell, or run a command, on an instance
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  axt session
  axt session -i i-… --username ecs-user
  axt session --command 'uname -a'

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
    #[arg(short, long, value_name = "LINE")]
    pub(crate) command: Option<String>,

    /// Open it as this user [default: the user that the agent runs as]
    #[arg(short, long, value_name = "USER")]
    pub(crate) username: Option<String>,

    /// Speak the base protocol only, as the official client does
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
