//! Where something stands in a settings file, and what is wrong there.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A line of a settings file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: Arc<Path>,
    /// Counted from 1.
    pub(crate) line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.file.display(), self.line)
    }
}

/// A value, and where it was set.
#[derive(Clone, Debug)]
pub(crate) struct Set<T> {
    pub(crate) value: T,
    pub(crate) at: Place,
}

impl Set<PathBuf> {
    /// The path; one that is relative starts at the file's folder.
    pub(crate) fn path(self) -> PathBuf {
        match self.at.file.parent() {
            Some(folder) => folder.join(self.value),
            None => self.value,
        }
    }
}

/// What is wrong with a settings file, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {problem}")]
pub(crate) struct FileError {
    at: Place,
    problem: String,
}

impl FileError {
    pub(crate) fn new(at: &Place, problem: impl fmt::Display) -> Self {
        Self {
            at: at.clone(),
            problem: problem.to_string(),
        }
    }
}
