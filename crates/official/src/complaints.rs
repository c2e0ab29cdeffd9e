//! What a peer was sent that the official program would have choked on.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread,
};

/// The complaints of one peer. Cloning shares them.
#[derive(Clone, Debug, Default)]
pub struct Complaints(Arc<Mutex<Vec<String>>>);

impl Complaints {
    /// Files one more.
    pub(crate) fn file(&self, complaint: impl Into<String>) {
        self.lock().push(complaint.into());
    }

    /// Takes all that there are: for a test that means to provoke them.
    #[must_use]
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.lock())
    }

    /// Fails the test when there is any, unless it has failed already.
    pub(crate) fn settle(&self, whose: &str) {
        let all = self.take();
        if !all.is_empty() && !thread::panicking() {
            panic!(
                "the official {whose} would have choked on:\n  {}",
                all.join("\n  ")
            );
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
