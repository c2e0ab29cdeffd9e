//! Owned tasks: whoever starts one holds the [`Tasks`] that ends it and tells how it ended.

use std::{
    any::Any,
    collections::BTreeMap,
    future::Future,
    io,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::FutureExt;
use tokio::task::AbortHandle;
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};

use crate::link;

/// A group of tasks and threads with one end.
///
/// Dropping it cancels its token and aborts its tasks at once; [`Tasks::shutdown`] is the orderly
/// way. A task that panics is reported through `tracing` with its name, and nothing else ends.
#[derive(Debug)]
pub struct Tasks {
    group: Arc<Group>,
}

#[derive(Debug)]
struct Group {
    parent: Option<Arc<Group>>,
    token: CancellationToken,
    tracker: TaskTracker,
    running: Mutex<Running>,
}

#[derive(Debug, Default)]
struct Running {
    next: u64,
    tasks: BTreeMap<u64, (&'static str, Option<AbortHandle>)>,
}

/// A job of [`Tasks::blocking`] that panicked; the panic itself is in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` panicked")]
pub struct Panicked(pub &'static str);

impl Tasks {
    /// A group of its own.
    #[must_use]
    pub fn new() -> Self {
        Self::under(None, CancellationToken::new())
    }

    /// A group that can be ended alone, and ends with this one: this one's shutdown waits for the
    /// child's tasks too.
    #[must_use]
    pub fn child(&self) -> Self {
        Self::under(
            Some(Arc::clone(&self.group)),
            self.group.token.child_token(),
        )
    }

    fn under(parent: Option<Arc<Group>>, token: CancellationToken) -> Self {
        Self {
            group: Arc::new(Group {
                parent,
                token,
                tracker: TaskTracker::new(),
                running: Mutex::default(),
            }),
        }
    }

    /// Cancelled when the group is to end. Tasks that have something to finish wait for it.
    #[must_use]
    pub fn token(&self) -> &CancellationToken {
        &self.group.token
    }

    /// Starts a task. The handle may abort it; dropping the handle does nothing.
    pub fn spawn<F>(&self, name: &'static str, task: F) -> AbortHandle
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let entry = Entry::enter(&self.group, name);
        let ids = entry.ids();
        let handle = tokio::spawn(async move {
            let _entry = entry;
            if let Err(panic) = AssertUnwindSafe(task).catch_unwind().await {
                report(name, panic.as_ref());
            }
        })
        .abort_handle();
        for (group, id) in ids {
            // A task that has ended in the meantime has left the table, and stays out of it.
            if let Some((_, abort)) = group.running().tasks.get_mut(&id) {
                *abort = Some(handle.clone());
            }
        }
        handle
    }

    /// Starts a thread. It is given the token, since a thread cannot be aborted: it has to look.
    ///
    /// # Errors
    ///
    /// When the system has no thread to give.
    pub fn thread<F>(&self, name: &'static str, body: F) -> io::Result<()>
    where
        F: FnOnce(CancellationToken) + Send + 'static,
    {
        let entry = Entry::enter(&self.group, name);
        let token = self.group.token.clone();
        std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                let _entry = entry;
                if let Err(panic) = std::panic::catch_unwind(AssertUnwindSafe(|| body(token))) {
                    report(name, panic.as_ref());
                }
            })
            .map(drop)
    }

    /// Runs `job`, which may block, on tokio's threads for that, and waits for it. The group's
    /// shutdown waits for it too, even when the caller no longer does.
    ///
    /// # Errors
    ///
    /// [`Panicked`] when the job did.
    pub async fn blocking<T, F>(&self, name: &'static str, job: F) -> Result<T, Panicked>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let entry = Entry::enter(&self.group, name);
        let job = tokio::task::spawn_blocking(move || {
            let _entry = entry;
            std::panic::catch_unwind(AssertUnwindSafe(job))
                .inspect_err(|panic| report(name, panic.as_ref()))
        });
        match job.await {
            Ok(Ok(answer)) => Ok(answer),
            _ => Err(Panicked(name)),
        }
    }

    /// Cancels the token, waits up to `grace` (link time) for everything to end, and aborts the
    /// rest, whose names are the answer. The group must not be used for new tasks after it.
    pub async fn shutdown(&self, grace: Duration) -> Vec<&'static str> {
        self.group.token.cancel();
        self.group.tracker.close();
        if link::timeout(grace, self.group.tracker.wait())
            .await
            .is_ok()
        {
            return Vec::new();
        }
        self.group.abort()
    }
}

impl Default for Tasks {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        self.group.token.cancel();
        self.group.abort();
    }
}

impl Group {
    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Aborts what can be, and names everything that was still there.
    fn abort(&self) -> Vec<&'static str> {
        let left: Vec<_> = self.running().tasks.values().cloned().collect();
        for (_, abort) in &left {
            if let Some(abort) = abort {
                abort.abort();
            }
        }
        left.into_iter().map(|(name, _)| name).collect()
    }
}

/// A task's place in its group and in all groups above; given back when the task is dropped.
struct Entry(Vec<(Arc<Group>, u64, TaskTrackerToken)>);

impl Entry {
    fn enter(group: &Arc<Group>, name: &'static str) -> Self {
        let groups = std::iter::successors(Some(group), |group| group.parent.as_ref());
        Self(
            groups
                .map(|group| {
                    let mut running = group.running();
                    let id = running.next;
                    running.next += 1;
                    running.tasks.insert(id, (name, None));
                    (Arc::clone(group), id, group.tracker.token())
                })
                .collect(),
        )
    }

    fn ids(&self) -> Vec<(Arc<Group>, u64)> {
        let ids = self.0.iter();
        ids.map(|(group, id, _)| (Arc::clone(group), *id)).collect()
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        for (group, id, _) in &self.0 {
            group.running().tasks.remove(id);
        }
    }
}

fn report(name: &'static str, panic: &(dyn Any + Send)) {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    tracing::error!(task = name, panic = text, "a task panicked");
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    const GRACE: Duration = Duration::from_secs(1);

    /// Its receiver ends when the task that owns it is dropped.
    fn held() -> (oneshot::Sender<()>, oneshot::Receiver<()>) {
        oneshot::channel()
    }

    #[tokio::test(start_paused = true)]
    async fn a_shutdown_waits_for_what_ends_and_names_what_does_not() {
        let tasks = Tasks::new();
        let token = tasks.token().clone();
        tasks.spawn("polite", async move { token.cancelled().await });
        let (sender, receiver) = held();
        tasks.spawn("deaf", async move {
            std::future::pending::<()>().await;
            drop(sender);
        });

        let left = tasks.shutdown(GRACE).await;

        assert_eq!(left, ["deaf"]);
        assert!(receiver.await.is_err(), "what was left is aborted");
    }

    #[tokio::test(start_paused = true)]
    async fn a_shutdown_waits_for_the_tasks_of_children() {
        let tasks = Tasks::new();
        let child = tasks.child();
        let token = child.token().clone();
        let (sender, receiver) = held();
        child.spawn("grandchild", async move {
            token.cancelled().await;
            link::sleep(GRACE / 2).await;
            sender.send(()).unwrap();
        });

        let left = tasks.shutdown(GRACE).await;

        assert!(left.is_empty());
        receiver.await.expect("it could finish");
    }

    #[tokio::test]
    async fn the_end_of_a_child_leaves_its_parent_alone() {
        let tasks = Tasks::new();

        drop(tasks.child());

        assert!(!tasks.token().is_cancelled());
    }

    #[tokio::test]
    async fn dropping_the_group_ends_its_tasks() {
        let tasks = Tasks::new();
        let (sender, receiver) = held();
        tasks.spawn("endless", async move {
            std::future::pending::<()>().await;
            drop(sender);
        });

        drop(tasks);

        assert!(receiver.await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_takes_nothing_with_it() {
        let tasks = Tasks::new();
        tasks.spawn("clumsy", async { panic!("dropped it") });
        let (sender, receiver) = held();
        tasks.spawn("other", async move { sender.send(()).unwrap() });

        let left = tasks.shutdown(GRACE).await;

        assert!(left.is_empty());
        receiver.await.expect("the other task ran");
    }

    #[tokio::test]
    async fn a_job_that_panics_is_an_error_for_who_waits() {
        let tasks = Tasks::new();

        let good = tasks.blocking("good", || 6 * 7).await;
        let bad: Result<(), _> = tasks.blocking("bad", || panic!("dropped it")).await;

        assert_eq!(good, Ok(42));
        assert_eq!(bad, Err(Panicked("bad")));
    }

    #[tokio::test]
    async fn a_shutdown_waits_for_threads() {
        let tasks = Tasks::new();
        let (sender, receiver) = held();
        tasks
            .thread("writer", move |token| {
                while !token.is_cancelled() {
                    std::thread::yield_now();
                }
                sender.send(()).unwrap();
            })
            .unwrap();

        let left = tasks.shutdown(Duration::from_secs(30)).await;

        assert!(left.is_empty());
        receiver.await.expect("it ended by itself");
    }
}
