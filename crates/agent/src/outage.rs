//! What the agents of one process have said of a relay that is away: a thousand of them would say the
//! same thing a thousand times.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What was said. Cloning shares it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outage(Arc<Mutex<BTreeSet<String>>>);

impl Outage {
    /// Whether nobody has said that since one of them was online last.
    pub(crate) fn is_news(&self, why: &str) -> bool {
        let mut said = self.said();
        !said.contains(why) && said.insert(why.to_owned())
    }

    /// One of them is online again: what is wrong from now on is another outage.
    pub(crate) fn end(&self) {
        self.said().clear();
    }

    fn said(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_news_once_an_outage() {
        let (one, other) = (Outage::default(), Outage::default());
        let of_the_same_process = one.clone();

        assert!(one.is_news("lost"));
        assert!(!of_the_same_process.is_news("lost"));
        assert!(of_the_same_process.is_news("refused"));
        assert!(other.is_news("lost"));
        of_the_same_process.end();
        assert!(one.is_news("lost"));
    }
}
