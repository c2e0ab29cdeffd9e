use std::sync::Mutex;

use axt_proto::{Direction, Limits, Size, Tick};
use bytes::Bytes;

use super::*;
use crate::clock::Clock;

const START: Tick = Tick::from_millis(1_795_587_061_027);

/// A source that says what it was given, then its end.
struct Script(VecDeque<Message>);

impl Source for Script {
    type End = &'static str;

    async fn next(&mut self) -> Result<Message, &'static str> {
        self.0.pop_front().ok_or("the script's end")
    }
}

/// A sink that remembers, and breaks after so many messages.
struct Kept {
    messages: Mutex<Vec<Message>>,
    breaks_after: usize,
}

impl Kept {
    fn new(breaks_after: usize) -> Self {
        Self {
            messages: Mutex::default(),
            breaks_after,
        }
    }

    fn messages(&self) -> Vec<Message> {
        self.messages.lock().expect("not poisoned").clone()
    }
}

impl Sink for Kept {
    type Broken = &'static str;

    async fn send(&self, message: &Message) -> Result<(), &'static str> {
        let mut messages = self.messages.lock().expect("not poisoned");
        if messages.len() >= self.breaks_after {
            return Err("broken");
        }
        messages.push(message.clone());
        Ok(())
    }
}

fn input(length: usize) -> Message {
    Message::Input(Bytes::from(vec![b'x'; length]))
}

fn pass(message: Message) -> Judged {
    match message {
        Message::Close => Judged::Done,
        Message::Eof => Judged::Ignore,
        message => Judged::Pass(message),
    }
}

fn script(messages: impl IntoIterator<Item = Message>) -> Script {
    Script(messages.into_iter().collect())
}

#[tokio::test]
async fn messages_pass_in_order_up_to_the_one_that_ends_it() {
    let clock = Clock::frozen(START);
    let traffic = Traffic::new(&clock);
    let mut source = script([input(1), Message::Eof, input(2), Message::Close, input(3)]);
    let sink = Kept::new(usize::MAX);
    let mut pump = Pump::new(pass, Pace::unlimited());

    let end = pump
        .run(&mut source, &sink, &traffic.passed(Direction::Up))
        .await;

    assert_eq!(end, PumpEnd::Done);
    assert_eq!(sink.messages(), [input(1), input(2)]);
    assert_eq!(traffic.bytes(Direction::Up), 3);
    assert_eq!(traffic.last(), START);
}

#[tokio::test]
async fn a_broken_sink_loses_nothing_that_another_one_can_take() {
    let clock = Clock::frozen(START);
    let traffic = Traffic::new(&clock);
    let passed = traffic.passed(Direction::Up);
    let mut source = script([input(1), input(2), input(3)]);
    let (first, second) = (Kept::new(1), Kept::new(usize::MAX));
    let mut pump = Pump::new(pass, Pace::unlimited());

    assert_eq!(
        pump.run(&mut source, &first, &passed).await,
        PumpEnd::Sink("broken")
    );
    assert_eq!(
        pump.run(&mut source, &second, &passed).await,
        PumpEnd::Source("the script's end")
    );

    assert_eq!(first.messages(), [input(1)]);
    assert_eq!(second.messages(), [input(2), input(3)]);
}

/// A sink that takes messages together, and remembers how many at a time; it breaks after so many times.
struct Batches {
    batches: Mutex<Vec<Vec<Message>>>,
    breaks_after: usize,
}

impl Sink for Batches {
    type Broken = &'static str;

    async fn send(&self, message: &Message) -> Result<(), &'static str> {
        self.send_all(std::slice::from_ref(message)).await
    }

    fn gathers(&self) -> bool {
        true
    }

    async fn send_all(&self, messages: &[Message]) -> Result<(), &'static str> {
        let mut batches = self.batches.lock().expect("not poisoned");
        if batches.len() >= self.breaks_after {
            return Err("broken");
        }
        batches.push(messages.to_vec());
        Ok(())
    }
}

#[tokio::test]
async fn what_is_there_together_is_sent_together_and_kept_together_when_that_fails() {
    let clock = Clock::frozen(START);
    let traffic = Traffic::new(&clock);
    let passed = traffic.passed(Direction::Up);
    let sink = |breaks_after| Batches {
        batches: Mutex::default(),
        breaks_after,
    };
    let (first, second) = (sink(1), sink(usize::MAX));
    let mut source = script((1..=6).map(|extra| input(MESSAGE_MAX - 10 + extra)));
    let mut pump = Pump::new(pass, Pace::unlimited());

    let broken = pump.run(&mut source, &first, &passed).await;
    let end = pump.run(&mut source, &second, &passed).await;

    assert_eq!(
        (broken, end),
        (PumpEnd::Sink("broken"), PumpEnd::Source("the script's end"))
    );
    let sent: Vec<_> = [first, second]
        .into_iter()
        .flat_map(|sink| sink.batches.into_inner().expect("not poisoned"))
        .map(|batch| batch.iter().map(Message::data_len).collect::<Vec<_>>())
        .collect();
    assert_eq!(sent, [vec![8_183, 8_184, 8_185, 8_186, 8_187], vec![8_188]]);
    assert_eq!(traffic.bytes(Direction::Up), 49_113);
}

#[tokio::test]
async fn where_there_is_a_limit_each_message_waits_for_its_turn() {
    let clock = Clock::frozen(START);
    let traffic = Traffic::new(&clock);
    let sink = Batches {
        batches: Mutex::default(),
        breaks_after: usize::MAX,
    };
    let mut source = script([input(10), input(20), Message::Close]);
    let mut pump = Pump::new(pass, Pace::new(&clock, &Limits::default()));

    let end = pump
        .run(&mut source, &sink, &traffic.passed(Direction::Up))
        .await;

    assert_eq!(end, PumpEnd::Done);
    assert_eq!(
        sink.batches.into_inner().expect("not poisoned"),
        [[input(10)], [input(20)]]
    );
}

#[tokio::test]
async fn what_comes_too_early_is_held_and_of_sizes_only_the_last() {
    let clock = Clock::frozen(START);
    let traffic = Traffic::new(&clock);
    let size = |rows| Message::Resize(Size { rows, cols: 80 });
    let mut source = script([size(1), size(2), input(1), Message::Close]);
    let sink = Kept::new(usize::MAX);
    let mut pump: Pump<_, &str> = Pump::new(pass, Pace::unlimited());

    pump.hold(&mut source).await;
    let end = pump
        .run(&mut source, &sink, &traffic.passed(Direction::Up))
        .await;

    assert_eq!(end, PumpEnd::Done);
    assert_eq!(sink.messages(), [size(2), input(1)]);
}

#[tokio::test]
async fn long_messages_are_cut_to_what_may_be_sent_at_once() {
    let clock = Clock::frozen(START);
    let traffic = Traffic::new(&clock);
    let passed = traffic.passed(Direction::Down);
    let limits = Limits::default();

    for (pace, most) in [
        (Pace::unlimited(), MESSAGE_MAX),
        (Pace::new(&clock, &limits), Limits::TURN_BYTES),
    ] {
        let mut source = script([Message::Output(Bytes::from(vec![b'y'; 20_000]))]);
        let sink = Kept::new(usize::MAX);
        let mut pump = Pump::new(pass, pace);

        pump.run(&mut source, &sink, &passed).await;

        let lengths: Vec<usize> = sink.messages().iter().map(Message::data_len).collect();
        assert!(lengths.iter().all(|length| *length <= most), "{lengths:?}");
        assert_eq!(lengths.iter().sum::<usize>(), 20_000);
    }
}

#[tokio::test]
async fn beyond_the_burst_bytes_wait_for_rule_time() {
    let clock = Clock::frozen(START);
    let traffic = Traffic::new(&clock);
    let limits = Limits::default();
    let burst = usize::try_from(limits.burst_bytes).expect("fits");
    let pace = Pace::new(&clock, &limits);
    let mut source = script([input(burst), input(2_048)]);
    let sink = Kept::new(usize::MAX);
    let mut pump = Pump::new(pass, pace);
    let passed = traffic.passed(Direction::Up);
    let mut run = Box::pin(pump.run(&mut source, &sink, &passed));

    assert!(futures_util::poll!(&mut run).is_pending());
    assert_eq!(traffic.bytes(Direction::Up), u64::from(limits.burst_bytes));
    let advanced = clock.advance(std::time::Duration::from_millis(10));
    let (end, advanced) = tokio::join!(run, advanced);

    assert_eq!(end, PumpEnd::Source("the script's end"));
    assert!(advanced.is_ok());
    assert_eq!(
        traffic.last(),
        START + std::time::Duration::from_millis(10),
        "2,048 bytes at 204,800 a second"
    );
}

#[tokio::test]
async fn a_clock_that_is_moved_far_does_not_run_away_from_who_has_more_to_send() {
    let clock = Clock::frozen(START);
    let traffic = Traffic::new(&clock);
    let limits = Limits::default();
    let mut source = script([input(204_800), input(204_800)]);
    let sink = Kept::new(usize::MAX);
    let mut pump = Pump::new(pass, Pace::new(&clock, &limits));
    let passed = traffic.passed(Direction::Up);
    let mut run = Box::pin(pump.run(&mut source, &sink, &passed));
    let second = std::time::Duration::from_secs(1);
    assert!(futures_util::poll!(&mut run).is_pending());

    let advanced = {
        let advance = std::pin::pin!(clock.advance(second));
        let (advanced, _run) = match futures_util::future::select(advance, &mut run).await {
            futures_util::future::Either::Left(left) => left,
            futures_util::future::Either::Right(_) => panic!("the pump is over"),
        };
        advanced
    };

    assert!(advanced.is_ok());
    assert_eq!(
        traffic.bytes(Direction::Up),
        u64::from(limits.burst_bytes + limits.bandwidth_bytes_per_s)
    );
}

#[tokio::test]
async fn a_wait_that_is_given_up_leaves_no_deadline_behind() {
    let clock = Clock::frozen(START);
    let limits = Limits::default();
    let pace = Pace::new(&clock, &limits);
    pace.pass(usize::try_from(limits.burst_bytes).expect("fits"))
        .await
        .expect("nobody closes");
    let mut waiting = Box::pin(pace.pass(1));
    assert!(futures_util::poll!(&mut waiting).is_pending());

    drop(waiting);

    assert!(
        clock
            .advance(std::time::Duration::from_secs(1))
            .await
            .is_ok()
    );
}
