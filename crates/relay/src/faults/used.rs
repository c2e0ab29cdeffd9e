//! How often a fault has struck, and still may.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// What stands for "always".
const ALWAYS: u32 = u32::MAX;

/// Shared by all who can strike: see the module.
#[derive(Debug)]
pub(crate) struct Used {
    acted: AtomicU64,
    left: AtomicU32,
}

impl Used {
    pub(super) fn new(times: Option<u32>) -> Self {
        Self {
            acted: AtomicU64::new(0),
            left: AtomicU32::new(times.unwrap_or(ALWAYS)),
        }
    }

    /// Counts one more, unless it is spent.
    pub(super) fn take(&self) -> bool {
        let less = |left| match left {
            ALWAYS => Some(ALWAYS),
            left => left.checked_sub(1),
        };
        let taken = self
            .left
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
        if taken.is_ok() {
            self.acted.fetch_add(1, Ordering::Relaxed);
        }
        taken.is_ok()
    }

    pub(super) fn acted(&self) -> u64 {
        self.acted.load(Ordering::Relaxed)
    }

    pub(super) fn left(&self) -> Option<u32> {
        let left = self.left.load(Ordering::Acquire);
        (left != ALWAYS).then_some(left)
    }
}
