use std::{sync::Mutex, time::Duration};

use futures_util::FutureExt;

use super::*;
use crate::tasks::Tasks;

const START: Tick = Tick::from_millis(1_700_000_000_000);
const HOUR: Duration = Duration::from_secs(3_600);

fn after(secs: u64) -> Tick {
    START + Duration::from_secs(secs)
}

/// What timers did, in order.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<(&'static str, Tick)>>>);

impl Diary {
    fn note(&self, name: &'static str, at: Tick) {
        self.0.lock().unwrap().push((name, at));
    }

    fn read(&self) -> Vec<(&'static str, Tick)> {
        self.0.lock().unwrap().clone()
    }
}

/// A task that notes each firing of a timer, armed for each of `deadlines` in turn.
fn keep(tasks: &Tasks, clock: &Clock, diary: &Diary, name: &'static str, deadlines: Vec<Tick>) {
    let (clock, diary) = (clock.clone(), diary.clone());
    let mut timer = clock.timer(name);
    let mut deadlines = deadlines.into_iter();
    timer.set(deadlines.next());
    tasks.spawn(name, async move {
        loop {
            let _acting = timer.fired().await;
            diary.note(name, clock.now());
            timer.set(deadlines.next());
        }
    });
}

#[tokio::test(start_paused = true)]
async fn an_advance_runs_every_deadline_on_the_way_in_order() {
    let (tasks, clock, diary) = (Tasks::new(), Clock::frozen(START), Diary::default());
    keep(&tasks, &clock, &diary, "slow", vec![after(20), after(50)]);
    keep(&tasks, &clock, &diary, "quick", vec![after(10), after(30)]);

    let status = clock.advance(Duration::from_secs(40)).await.unwrap();

    let expected = [
        ("quick", after(10)),
        ("slow", after(20)),
        ("quick", after(30)),
    ];
    assert_eq!(diary.read(), expected);
    assert_eq!(
        status,
        ClockStatus {
            now: after(40),
            frozen: true
        }
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_advance_works_on_a_runtime_of_many_threads() {
    let (tasks, clock, diary) = (Tasks::new(), Clock::running(START), Diary::default());
    let deadlines: Vec<_> = (1..=100).map(|n| after(n * 3_600)).collect();
    keep(&tasks, &clock, &diary, "hourly", deadlines.clone());

    clock.advance(HOUR * 100).await.unwrap();

    let fired: Vec<_> = diary.read().into_iter().map(|(_, at)| at).collect();
    assert_eq!(fired.len(), 100);
    // The clock ran until the advance took it, and stood at each deadline from then on.
    assert_eq!(fired, deadlines);
}

#[tokio::test(start_paused = true)]
async fn an_advance_waits_until_the_owner_has_acted() {
    let clock = Clock::frozen(START);
    let mut timer = clock.timer("owner");
    timer.set(Some(after(1)));
    let mut advance = std::pin::pin!(clock.advance(Duration::from_secs(2)));
    assert!(advance.as_mut().now_or_never().is_none());

    let acting = timer.fired().await;
    let before = (advance.as_mut().now_or_never().is_some(), clock.now());
    drop(acting);
    let status = advance.await.unwrap();

    assert_eq!(before, (false, after(1)));
    assert_eq!(status.now, after(2));
}

#[tokio::test(start_paused = true)]
async fn an_owner_that_stays_away_is_named() {
    let clock = Clock::frozen(START);
    let mut timer = clock.timer("sleepy");
    timer.set(Some(after(1)));

    let refusal = clock.advance(HOUR).await.unwrap_err();

    assert_eq!(refusal, TimerNotBack { name: "sleepy" });
    assert_eq!(clock.now(), after(1));
    drop(timer);
    assert_eq!(clock.advance(HOUR).await.unwrap().now, after(3_601));
}

#[tokio::test(start_paused = true)]
async fn a_timer_armed_again_for_the_same_instant_fires_again() {
    let (tasks, clock, diary) = (Tasks::new(), Clock::frozen(START), Diary::default());
    keep(
        &tasks,
        &clock,
        &diary,
        "again",
        vec![after(5), after(5), after(6)],
    );

    clock.advance(Duration::from_secs(5)).await.unwrap();

    assert_eq!(diary.read(), [("again", after(5)), ("again", after(5))]);
}

#[tokio::test(start_paused = true)]
async fn a_timer_that_never_leaves_its_instant_is_named() {
    let (tasks, clock, diary) = (Tasks::new(), Clock::frozen(START), Diary::default());
    keep(&tasks, &clock, &diary, "stuck", vec![after(5); 5_000]);

    let refusal = clock.advance(HOUR).await.unwrap_err();

    assert_eq!(refusal, TimerNotBack { name: "stuck" });
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_dropped_loses_no_firing() {
    let clock = Clock::frozen(START);
    let mut timer = clock.timer("dropped");
    timer.set(Some(after(1)));
    assert!(timer.fired().now_or_never().is_none());
    let mut advance = std::pin::pin!(clock.advance(Duration::from_secs(3)));
    assert!(advance.as_mut().now_or_never().is_none());

    // Polled only now, after the clock has made it due.
    drop(timer.fired().now_or_never().expect("the firing was kept"));

    assert_eq!(advance.await.unwrap().now, after(3));
    assert!(timer.fired().now_or_never().is_none(), "it fires once");
}

#[tokio::test(start_paused = true)]
async fn an_owner_that_arms_anew_voids_the_firing_it_did_not_take() {
    let clock = Clock::frozen(START);
    let mut timer = clock.timer("busy");
    timer.set(Some(after(1)));
    let mut advance = std::pin::pin!(clock.advance(Duration::from_secs(3)));
    assert!(advance.as_mut().now_or_never().is_none());

    timer.set(Some(after(9)));

    assert_eq!(advance.await.unwrap().now, after(3));
    assert!(timer.fired().now_or_never().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_running_clock_fires_by_itself() {
    let clock = Clock::running(START);
    let mut timer = clock.timer("natural");
    timer.set(Some(after(180)));

    let _acting = timer.fired().await;

    assert_eq!(clock.now(), after(180));
    assert_eq!(timer.deadline(), None);
}

#[tokio::test(start_paused = true)]
async fn a_frozen_clock_fires_nothing() {
    let clock = Clock::running(START);
    let mut timer = clock.timer("frozen");
    timer.set(Some(after(10)));
    clock.freeze();

    let waited = link::timeout(HOUR, timer.fired()).await;

    assert!(waited.is_err());
    assert_eq!(clock.now(), START);
}

#[tokio::test(start_paused = true)]
async fn a_released_clock_goes_on_from_where_it_stood() {
    let clock = Clock::running(START);
    link::sleep(Duration::from_secs(5)).await;
    clock.freeze();
    link::sleep(HOUR).await;
    let mut timer = clock.timer("after");
    timer.set(Some(after(8)));
    let mut fired = std::pin::pin!(timer.fired());
    assert!(fired.as_mut().now_or_never().is_none());

    let released = clock.release();
    let _acting = fired.await;

    assert_eq!(
        released,
        ClockStatus {
            now: after(5),
            frozen: false
        }
    );
    assert_eq!(clock.now(), after(8));
}

#[tokio::test(start_paused = true)]
async fn a_running_clock_that_is_moved_jumps_and_runs_on() {
    let clock = Clock::running(START);
    let mut timer = clock.timer("jumped");
    timer.set(Some(after(3_610)));
    let mut fired = std::pin::pin!(timer.fired());
    assert!(fired.as_mut().now_or_never().is_none());
    let began = link::now();

    clock.advance(HOUR).await.unwrap();
    let _acting = fired.await;

    assert_eq!(clock.now(), after(3_610));
    assert_eq!(link::now() - began, Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn an_advance_that_is_dropped_lets_a_running_clock_run() {
    let clock = Clock::running(START);
    let mut timer = clock.timer("ignored");
    timer.set(Some(after(60)));
    assert!(clock.advance(HOUR).now_or_never().is_none());

    link::sleep(Duration::from_secs(1)).await;

    assert_eq!(clock.now(), after(61));
}

#[tokio::test(start_paused = true)]
async fn a_clock_frozen_in_the_middle_of_an_advance_stays_frozen() {
    let clock = Clock::running(START);
    let mut timer = clock.timer("freezer");
    timer.set(Some(after(60)));
    let mut advance = std::pin::pin!(clock.advance(HOUR));
    assert!(advance.as_mut().now_or_never().is_none());

    drop(timer.fired().await);
    clock.freeze();
    let status = advance.await.unwrap();

    assert_eq!(
        status,
        ClockStatus {
            now: after(3_600),
            frozen: true
        }
    );
}

#[tokio::test(start_paused = true)]
async fn a_month_with_thousands_of_timers_is_one_call() {
    let (tasks, clock, diary) = (Tasks::new(), Clock::frozen(START), Diary::default());
    for n in 0..3_000 {
        keep(
            &tasks,
            &clock,
            &diary,
            "one of many",
            vec![after(n * 800), after(n * 800 + 400)],
        );
    }

    clock.advance(HOUR * 24 * 30).await.unwrap();

    let fired = diary.read();
    assert_eq!(fired.len(), 6_000);
    assert!(fired.is_sorted_by_key(|(_, at)| *at));
}

#[tokio::test(start_paused = true)]
async fn the_offset_from_wall_time_survives_a_restart() {
    let wall = Wall::fixed(jiff::Timestamp::from_second(1_700_000_000).unwrap());
    let clock = Clock::from_wall(&wall, 0);
    clock.advance(HOUR).await.unwrap();

    let restarted = Clock::from_wall(&wall, clock.offset_from(&wall));

    assert_eq!(restarted.now(), clock.now());
    assert_eq!(restarted.now(), after(3_600));
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_follows_another_goes_through_every_deadline_and_never_back() {
    let (tasks, clock, diary) = (Tasks::new(), Clock::frozen(Tick::EPOCH), Diary::default());
    keep(&tasks, &clock, &diary, "idle", vec![after(10), after(20)]);

    let moved = clock.follow(after(15), true).await.expect("moved");
    let behind = clock.follow(after(5), true).await.expect("nothing to do");
    let running = clock.follow(after(20), false).await.expect("moved");

    assert_eq!((moved.now, moved.frozen), (after(15), true));
    assert_eq!(behind.now, after(15));
    assert_eq!((running.now, running.frozen), (after(20), false));
    assert_eq!(diary.read(), [("idle", after(10)), ("idle", after(20))]);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_clocks_versions_is_told_of_each_change() {
    let clock = Clock::running(START);
    let mut versions = clock.versions();

    clock.freeze();
    assert!(versions.changed().now_or_never().is_some());
    clock.advance(HOUR).await.expect("moved");
    assert!(versions.changed().now_or_never().is_some());
    clock.release();
    assert!(versions.changed().now_or_never().is_some());

    assert!(versions.changed().now_or_never().is_none(), "it only runs");
}
