//! What is left of a shell whose helper was killed.
//!
//! A helper ends all that its shell started, for it is a subreaper. If somebody kills the helper
//! itself, its children would go on to the first process of the machine, where nobody knows them;
//! so the agent is a subreaper too, and ends what comes to it in this way. It is none where background
//! jobs are to outlive their shells: those are everybody's guess, and nobody's to reap.
//!
//! Who has come so is told from this process's own children by their session (setsid): a helper
//! begins one before anything else, and no process can go back to another's. Helpers themselves are
//! known.

use std::{
    collections::BTreeSet,
    io,
    sync::{Mutex, MutexGuard, Once, PoisonError},
};

use axt_net::link;
use nix::{
    sys::{
        prctl,
        signal::{self, Signal},
        wait::{self, WaitPidFlag},
    },
    unistd::{Pid, getsid},
};

use crate::helper::family::{LIMIT, ROUND, children};

/// The helpers that live.
static HELPERS: Mutex<BTreeSet<Pid>> = Mutex::new(BTreeSet::new());

/// A helper that lives, or has not been waited for. Dropped, it is known no more.
#[derive(Debug)]
pub(super) struct Known(Option<Pid>);

impl Drop for Known {
    fn drop(&mut self) {
        if let Some(pid) = self.0 {
            helpers().remove(&pid);
        }
    }
}

/// Makes orphans of helpers come to this process.
pub(super) fn adopt() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if let Err(error) = prctl::set_child_subreaper(true) {
            tracing::warn!(%error, "what a shell started would outlive a helper that is killed");
        }
    });
}

/// Starts a helper, by `start`, which tells its process. Nobody looks for orphans meanwhile.
pub(super) fn known<T>(
    start: impl FnOnce() -> io::Result<(T, Option<u32>)>,
) -> io::Result<(T, Known)> {
    let mut helpers = helpers();
    let (started, id) = start()?;
    let pid = id.and_then(|id| id.try_into().ok()).map(Pid::from_raw);
    helpers.extend(pid);
    Ok((started, Known(pid)))
}

/// Ends what has come from a helper that was lost, and all that it started.
pub(super) async fn end() {
    let ending = async {
        while kill_and_reap() {
            link::sleep(ROUND).await;
        }
    };
    // Only a process that the kernel will not let go is left after it.
    if link::timeout(LIMIT, ending).await.is_err() {
        tracing::warn!("something that a shell started cannot be ended");
    }
}

/// Whether there was anybody.
fn kill_and_reap() -> bool {
    let helpers = helpers();
    let own = getsid(None).ok();
    let orphans = children()
        .into_iter()
        .filter(|child| !helpers.contains(child))
        .filter(|child| getsid(Some(*child)).ok() != own);
    let mut any = false;
    for orphan in orphans {
        any = true;
        let _ = signal::kill(orphan, Signal::SIGKILL);
        let _ = wait::waitpid(orphan, Some(WaitPidFlag::WNOHANG));
    }
    any
}

fn helpers() -> MutexGuard<'static, BTreeSet<Pid>> {
    HELPERS.lock().unwrap_or_else(PoisonError::into_inner)
}
