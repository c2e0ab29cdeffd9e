//! A session that somebody else has started.

use clap::Args;

/// Where its URL is.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct GivenSession {
    /// Use a session that somebody else has started: its URL without the token, which is then in
    /// $AXT_SESSION_TOKEN; `-` reads the whole URL from stdin, `env` takes it from $AXT_WSS_URL. It is
    /// neither renewed nor ended
    #[arg(long, value_name = "URL", conflicts_with = "instance")]
    pub(crate) wss_url: Option<String>,
}
