//! Why there is nothing to talk to, and what to do about it.

use std::{io, path::PathBuf};

use super::aliyun::ProfileError;

/// Why there is nothing to talk to.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// No ready file, and nothing else says where a sandbox is.
    #[error("no sandbox is running: there is no {}", .0.display())]
    NotRunning(PathBuf),
    /// The ready file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The ready file is not one.
    #[error("{} is no ready file: {problem}", path.display())]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// An endpoint is known, but not all that a call needs.
    #[error("no {what} for {endpoint}")]
    Missing {
        /// What is missing.
        what: &'static str,
        /// The flag and the variable that give it.
        how: &'static str,
        /// The endpoint.
        endpoint: String,
    },
    /// The key or the region should come from the aliyun CLI's file, and cannot.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// Neither a flag nor the environment says where state is kept.
    #[error("no state folder: neither AXT_STATE_DIR nor XDG_STATE_HOME nor HOME is set")]
    NoHome,
}

impl DiscoverError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::NotRunning(_) => {
                "`axt up` starts one; `--endpoint URL` names one that runs elsewhere".into()
            }
            Self::Unreadable { .. } => "was the sandbox started by another user?".into(),
            Self::Malformed { .. } => "remove the file and start the sandbox again".into(),
            Self::Missing { how, .. } => format!("give it by {how}"),
            Self::Profile(error) => error.hint(),
            Self::NoHome => "name a folder by `--state-dir`".into(),
        }
    }
}
