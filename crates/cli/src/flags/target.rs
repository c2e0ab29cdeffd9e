//! Which sandbox a client command talks to. Without any of these flags it is the one that `axt up`
//! started on this machine.

use std::path::PathBuf;

use axt_proto::RegionId;
use clap::Args;

/// Where the API is, and with whose key to call it.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Which sandbox")]
pub(crate) struct ApiTarget {
    /// Find the sandbox by ready.json in this folder [default: ~/.local/state/axt]
    #[arg(long, env = "AXT_STATE_DIR", hide_env = true, value_name = "DIR")]
    pub(crate) state_dir: Option<PathBuf>,

    /// Talk to the API at this URL instead
    #[arg(long, env = "AXT_ENDPOINT", hide_env = true, value_name = "URL")]
    pub(crate) endpoint: Option<String>,

    /// The region [default: the one in ready.json, or $ALIBABA_CLOUD_REGION_ID]
    #[arg(long, env = "AXT_REGION", hide_env = true)]
    pub(crate) region: Option<RegionId>,

    /// Trust the certificates in this PEM file, beside the system's
    #[arg(long, env = "AXT_CA", hide_env = true, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,

    /// The access key [default: the one in ready.json, or $ALIBABA_CLOUD_ACCESS_KEY_ID]
    #[arg(long, env = "AXT_ACCESS_KEY_ID", hide_env = true, value_name = "ID")]
    pub(crate) access_key_id: Option<String>,

    /// Its secret (better: in $ALIBABA_CLOUD_ACCESS_KEY_SECRET)
    #[arg(
        long,
        env = "AXT_ACCESS_KEY_SECRET",
        hide_env = true,
        value_name = "SECRET"
    )]
    pub(crate) access_key_secret: Option<String>,

    /// The STS token of a temporary key (better: in $ALIBABA_CLOUD_SECURITY_TOKEN)
    #[arg(
        long,
        env = "AXT_SECURITY_TOKEN",
        hide_env = true,
        value_name = "TOKEN"
    )]
    pub(crate) security_token: Option<String>,

    /// Take the key from this profile of ~/.aliyun/config.json
    #[arg(long, env = "AXT_PROFILE", hide_env = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
}

/// Where the admin listener is.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Which sandbox")]
pub(crate) struct AdminTarget {
    /// Find the sandbox by ready.json in this folder [default: ~/.local/state/axt]
    #[arg(
        long,
        global = true,
        env = "AXT_STATE_DIR",
        hide_env = true,
        value_name = "DIR"
    )]
    pub(crate) state_dir: Option<PathBuf>,

    /// Talk to the admin listener at this URL instead
    #[arg(
        long,
        global = true,
        env = "AXT_ADMIN",
        hide_env = true,
        value_name = "URL"
    )]
    pub(crate) admin: Option<String>,

    /// The admin listener's token, where it wants one (better: in $AXT_ADMIN_TOKEN)
    #[arg(
        long,
        global = true,
        env = "AXT_ADMIN_TOKEN",
        hide_env = true,
        value_name = "TOKEN"
    )]
    pub(crate) admin_token: Option<String>,
}
