//! Flags that say how much of the protocol is spoken, in the one place from which each command has them.

use clap::Args;

// No doc comments on these two: a flattened one's would stand over the command's own.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct BaseProtocol {
    /// Speak the base protocol only, as the official program does: no exit codes, no half-close, no
    /// reset
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
}

#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct KeepAlive {
    /// Keep quiet connections from the idle timeout: each says every SECONDS that it is in use, to a
    /// relay and an agent that know it (axt's do) [default without SECONDS: 60]
    #[arg(
        long,
        env = "AXT_KEEPALIVE",
        hide_env = true,
        value_name = "SECONDS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "60",
        value_parser = clap::value_parser!(u32).range(1..=3600)
    )]
    pub(crate) keepalive: Option<u32>,
}
