//! Turns in which signatures are checked: one at a time, in the order in which they came.
//!
//! Hundreds of agents that lost their relay are back in the same second, and checking one signature takes
//! a fraction of a millisecond of a core. So at most one core is taken up by it, whatever comes; sessions
//! go on on the others, and between two checks on this one.

use std::time::Duration;

use axt_net::link::{self, TimedOut};
use tokio::sync::Mutex;

/// How long a request waits for its turn: less than the 5 s after which an official agent gives up on
/// it (wire-protocol 10.1), so that it hears that it is to come back.
const PATIENCE: Duration = Duration::from_secs(4);

/// See the module. The mutex hands itself on in order.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<()>);

impl Turns {
    /// Does some work when it is its turn; late when that does not come in time.
    pub(super) async fn take<T>(&self, work: impl FnOnce() -> T) -> Result<T, TimedOut> {
        let turn = link::timeout(PATIENCE, self.0.lock()).await?;
        let done = work();
        drop(turn);
        // Whatever else waits for this thread has its turn as well.
        tokio::task::yield_now().await;
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc, Mutex as Plain,
        atomic::{AtomicUsize, Ordering},
    };

    use axt_net::tasks::Tasks;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn of_hundreds_that_come_at_once_one_is_at_work_at_a_time_and_each_has_its_turn() {
        let turns = Arc::new(Turns::default());
        let (busy, most, done) = (
            Arc::new(AtomicUsize::new(0)),
            Arc::new(AtomicUsize::new(0)),
            Arc::new(AtomicUsize::new(0)),
        );
        let tasks = Tasks::new();

        for _ in 0..500 {
            let turns = Arc::clone(&turns);
            let (busy, most, done) = (Arc::clone(&busy), Arc::clone(&most), Arc::clone(&done));
            tasks.spawn("a request", async move {
                let work = || {
                    most.fetch_max(busy.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::yield_now();
                    busy.fetch_sub(1, Ordering::SeqCst);
                };
                turns.take(work).await.expect("in time");
                done.fetch_add(1, Ordering::SeqCst);
            });
        }
        let all = async {
            while done.load(Ordering::SeqCst) < 500 {
                tokio::task::yield_now().await;
            }
        };
        link::timeout(Duration::from_secs(30), all)
            .await
            .expect("nobody is forgotten");

        assert_eq!(most.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn turns_are_taken_in_the_order_of_coming() {
        let turns = Arc::new(Turns::default());
        let order = Arc::new(Plain::new(Vec::new()));
        let tasks = Tasks::new();
        let first = turns.0.lock().await;

        for number in 0..100 {
            let (turns, order) = (Arc::clone(&turns), Arc::clone(&order));
            tasks.spawn("a request", async move {
                let work = || order.lock().expect("no panic").push(number);
                turns.take(work).await.expect("in time");
            });
        }
        link::sleep(Duration::from_millis(1)).await;
        drop(first);
        link::sleep(Duration::from_millis(1)).await;

        let order = order.lock().expect("no panic");
        assert!(order.iter().copied().eq(0..100), "{order:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_too_long_hears_of_it_before_it_gives_up_itself() {
        let turns = Turns::default();
        let _taken = turns.0.lock().await;
        let before = link::now();

        let late = turns.take(|| ()).await;

        assert!(late.is_err());
        assert!(link::now().duration_since(before) < Duration::from_secs(5));
    }
}
