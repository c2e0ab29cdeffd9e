//! Where something was found, so that people can be told.

use std::{fmt, path::PathBuf};

/// Where a part of a target was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A flag, its variable, or the settings file.
    Named,
    /// The ready file of the sandbox that runs.
    Ready,
    /// This variable of the official SDKs.
    Environment(&'static str),
    /// A profile of the aliyun CLI.
    Profile {
        /// Its name.
        name: String,
        /// The file that it stands in.
        file: PathBuf,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named => out.write_str("flags or settings"),
            Self::Ready => out.write_str("ready.json"),
            Self::Environment(name) => write!(out, "${name}"),
            Self::Profile { name, file } => write!(out, "profile `{name}` of {}", file.display()),
        }
    }
}

/// Where the parts of a target were found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origins {
    /// The API's URL.
    pub endpoint: Origin,
    /// The region.
    pub region: Origin,
    /// The access key.
    pub key: Origin,
}
