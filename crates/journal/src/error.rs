//! What can go wrong, in words that say what to do.

use std::path::PathBuf;

/// The journal cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has the file open.
    #[error("{path} is in use by another process: stop it, or give this one another state folder")]
    Locked {
        /// The journal's file.
        path: PathBuf,
    },
    /// The file is of a later version of this program.
    #[error(
        "{path} was written by a later version (schema {found}, this program knows {known}): \
         update the program, or move the file away to start empty"
    )]
    TooNew {
        /// The journal's file.
        path: PathBuf,
        /// The schema that the file says.
        found: u32,
        /// The newest schema that is known here.
        known: u32,
    },
    /// The file is not a journal, or was damaged.
    #[error("{path} cannot be read as a journal ({cause}): move it away to start empty")]
    Damaged {
        /// The journal's file.
        path: PathBuf,
        /// What was found.
        cause: String,
    },
    /// The file cannot be created or opened.
    #[error("{path} cannot be opened ({cause}): check the folder and its permissions")]
    Unusable {
        /// The journal's file.
        path: PathBuf,
        /// What the system says.
        cause: String,
    },
}

/// A write or read that did not happen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// The storage refused.
    #[error("the journal failed: {0}")]
    Storage(String),
    /// The writer has ended.
    #[error("the journal is closed")]
    Closed,
}
