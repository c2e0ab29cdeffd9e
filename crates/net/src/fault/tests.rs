use std::time::Duration;

use axt_proto::Tick;
use bytes::Bytes;
use proptest::prelude::*;
use rand::{SeedableRng, rngs::StdRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{
    line::{Due, Line},
    stage::{Cut, Piece},
    *,
};
use crate::{
    link,
    transport::{Dialer, MemoryNet},
};

const START: Tick = Tick::from_millis(1_000_000);

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn applied(number: u64, toxic: Toxic) -> Applied {
    Applied {
        number,
        way: Way::In,
        toxic,
    }
}

fn line(seed: u64, toxics: &[Toxic]) -> Line {
    let mut line = Line::new(StdRng::seed_from_u64(seed));
    let numbered = (0..)
        .zip(toxics)
        .map(|(number, toxic)| applied(number, *toxic));
    line.change(START, numbered);
    line
}

type Drained = (Vec<(Tick, Bytes)>, Option<(Tick, Due)>);

/// Everything that comes out of a line, with its instants, from deadline to deadline.
fn drained(line: &mut Line, mut now: Tick) -> Drained {
    let mut out = Vec::new();
    loop {
        while let Some(due) = line.due(now) {
            match due {
                Due::Piece(Piece::Data(data)) => out.push((now, data)),
                end => return (out, Some((now, end))),
            }
        }
        match line.deadline(now) {
            Some(next) if next > now => now = next,
            _ => return (out, None),
        }
    }
}

fn bytes(out: &[(Tick, Bytes)]) -> Vec<u8> {
    out.iter().flat_map(|(_, data)| data.to_vec()).collect()
}

fn harmless() -> impl Strategy<Value = Toxic> {
    prop_oneof![
        (0..2_000_u64, 0..2_000_u64).prop_map(|(latency, jitter)| Toxic::Latency {
            latency: ms(latency),
            jitter: ms(jitter)
        }),
        (1..100_000_u64).prop_map(|bytes_per_s| Toxic::Bandwidth { bytes_per_s }),
        (0..2_000_u64).prop_map(|delay| Toxic::SlowClose { delay: ms(delay) }),
        (1..100_usize, 0..100_u64).prop_map(|(average, delay)| Toxic::Slicer {
            average,
            variation: average - 1,
            delay: Duration::from_micros(delay)
        }),
    ]
}

/// How fast a sender gets through that sends as soon as there is room.
#[test]
fn a_bandwidth_behind_a_latency_is_as_wide_as_without() {
    let wide = Toxic::Bandwidth {
        bytes_per_s: 10_000,
    };
    let late = Toxic::Latency {
        latency: ms(900),
        jitter: ms(0),
    };
    let takes = |toxics: &[Toxic]| {
        let mut line = line(0, toxics);
        let (mut now, mut passed) = (START, 0);
        let mut left = 50;
        while passed < 50_000 {
            while left > 0 && line.has_room(now) {
                line.push(now, vec![7; 1_000].into());
                left -= 1;
            }
            while let Some(Due::Piece(Piece::Data(data))) = line.due(now) {
                passed += data.len();
            }
            now = line.deadline(now).filter(|next| *next > now).unwrap_or(now);
        }
        now.since(START)
    };

    assert_eq!(takes(&[wide]), ms(5_000));
    assert_eq!(takes(&[late, wide]), ms(5_900));
    assert_eq!(takes(&[wide, late]), ms(5_900));
}

proptest! {
    #[test]
    fn nothing_is_lost_or_reordered_where_the_toxic_does_not_say_so(
        toxics in proptest::collection::vec(harmless(), 0..4),
        sent in proptest::collection::vec((0..500_u64, proptest::collection::vec(any::<u8>(), 1..300)), 1..20),
        seed in any::<u64>(),
    ) {
        let mut line = line(seed, &toxics);
        let mut now = START;
        let mut all = Vec::new();
        for (after, data) in sent {
            now = now + ms(after);
            all.extend_from_slice(&data);
            line.push(now, data.into());
        }
        line.end(now);

        let (out, end) = drained(&mut line, START);

        prop_assert_eq!(bytes(&out), all);
        prop_assert!(out.is_sorted_by_key(|(at, _)| *at));
        let is_end = matches!(end, Some((_, Due::Piece(Piece::End))));
        prop_assert!(is_end, "{end:?}");
    }

    #[test]
    fn no_more_gets_through_than_the_bandwidth_and_all_of_it_when_there_is_enough(
        rate in 1..50_000_u64, length in 1..20_000_usize,
    ) {
        let mut line = line(0, &[Toxic::Bandwidth { bytes_per_s: rate }]);
        line.push(START, vec![7; length].into());

        let (out, _) = drained(&mut line, START);

        let mut passed = 0;
        for (at, data) in &out {
            passed += u128::try_from(data.len()).expect("fits");
            let allowed = at.since(START).as_nanos() * u128::from(rate) / 1_000_000_000;
            prop_assert!(passed <= allowed, "{passed} by {at:?}, not {allowed}");
            // No byte comes later than a nanosecond a piece after it could.
            prop_assert!(allowed - passed <= 1 + u128::from(rate) * 20_000 / 1_000_000_000);
        }
    }

    #[test]
    fn of_limited_data_the_first_bytes_come_and_then_the_close(
        limit in 0..1_000_u64, chunks in proptest::collection::vec(1..200_usize, 1..20),
    ) {
        let mut line = line(0, &[Toxic::LimitData { bytes: limit }]);
        let sent: usize = chunks.iter().sum();
        for chunk in chunks {
            line.push(START, vec![7; chunk].into());
        }

        let (out, end) = drained(&mut line, START);

        let limit = usize::try_from(limit).expect("fits");
        prop_assert_eq!(bytes(&out).len(), sent.min(limit));
        let is_closed = matches!(end, Some((_, Due::Piece(Piece::Close))));
        prop_assert_eq!(is_closed, sent >= limit);
    }

    #[test]
    fn the_same_seed_gives_the_same_instants(seed in any::<u64>()) {
        let toxics = [
            Toxic::Latency { latency: ms(50), jitter: ms(50) },
            Toxic::Slicer { average: 10, variation: 9, delay: ms(1) },
        ];
        let run = || {
            let mut line = line(seed, &toxics);
            line.push(START, vec![1; 300].into());
            drained(&mut line, START).0
        };

        prop_assert_eq!(run(), run());
    }
}

#[test]
fn a_latency_without_jitter_is_exact_and_an_end_waits_behind_it() {
    let latency = ms(500);
    let mut line = line(
        0,
        &[Toxic::Latency {
            latency,
            jitter: Duration::ZERO,
        }],
    );
    line.push(START, Bytes::from_static(b"a"));
    line.end(START + ms(1));

    let (out, end) = drained(&mut line, START);

    assert_eq!(out, [(START + latency, Bytes::from_static(b"a"))]);
    assert_eq!(end, Some((START + latency, Due::Piece(Piece::End))));
}

#[test]
fn a_close_is_slow_and_the_data_before_it_is_not() {
    let mut line = line(0, &[Toxic::SlowClose { delay: ms(700) }]);
    line.push(START, Bytes::from_static(b"a"));
    line.end(START);

    let (out, end) = drained(&mut line, START);

    assert_eq!(out.first().map(|(at, _)| *at), Some(START));
    assert_eq!(end, Some((START + ms(700), Due::Piece(Piece::End))));
}

#[test]
fn a_timeout_swallows_and_then_closes_and_a_reset_resets() {
    let after = ms(300);
    for (toxic, comes, cut) in [
        (Toxic::Timeout { after: Some(after) }, 0, Cut::Close),
        (Toxic::ResetPeer { after }, 1, Cut::Reset),
        (Toxic::Cut { after }, 1, Cut::Close),
    ] {
        let mut line = line(0, &[toxic]);
        line.push(START, Bytes::from_static(b"a"));

        let (out, end) = drained(&mut line, START);

        assert_eq!(out.len(), comes, "{toxic:?}");
        assert_eq!(end, Some((START + after, Due::Cut(cut))));
    }
}

#[test]
fn what_a_toxic_held_back_comes_when_it_is_taken_away_and_others_go_on_counting() {
    let limit = applied(1, Toxic::LimitData { bytes: 3 });
    let late = applied(
        2,
        Toxic::Latency {
            latency: ms(9_000),
            jitter: ms(0),
        },
    );
    let mut line = Line::new(StdRng::seed_from_u64(0));
    line.change(START, [limit, late].into_iter());
    line.push(START, Bytes::from_static(b"ab"));

    line.change(START + ms(5), [limit].into_iter());
    line.push(START + ms(5), Bytes::from_static(b"cd"));

    let (out, end) = drained(&mut line, START + ms(5));
    assert_eq!(bytes(&out), b"abc");
    assert_eq!(end, Some((START + ms(5), Due::Piece(Piece::Close))));
}

/// Both ends of a connection in memory, the accepted one with a hook, on a clock that stands.
async fn hooked() -> (Stream, Stream, Hook, Clock, Tasks) {
    let net = MemoryNet::new();
    let listener = net.bind("relay", 1).expect("free");
    let peer = Dialer::memory(&net).dial("relay", 1).await.expect("there");
    let mut stream = listener.accept().await.expect("dialled");
    let (clock, tasks) = (Clock::frozen(START), Tasks::new());
    let hook = Ground::new(clock.clone(), tasks.child()).hook(7);
    stream.put_hook(hook.clone());
    (stream, peer, hook, clock, tasks)
}

async fn reads(stream: &mut Stream, text: &str) {
    let mut read = vec![0; text.len()];
    let reading = stream.read_exact(&mut read);
    link::timeout(ms(20_000), reading)
        .await
        .expect("in time")
        .expect("read");
    assert_eq!(read, text.as_bytes());
}

async fn reads_nothing(stream: &mut Stream) {
    let read = link::timeout(ms(20_000), stream.read_u8()).await;
    assert!(read.is_err(), "{read:?}");
}

#[tokio::test(start_paused = true)]
async fn a_fault_comes_and_goes_while_the_stream_is_in_use_and_a_frozen_clock_freezes_it() {
    let (mut stream, mut peer, hook, clock, _tasks) = hooked().await;
    peer.write_all(b"before").await.expect("written");
    reads(&mut stream, "before").await;

    hook.set(vec![applied(
        1,
        Toxic::Latency {
            latency: ms(500),
            jitter: ms(0),
        },
    )]);
    peer.write_all(b"late").await.expect("written");
    reads_nothing(&mut stream).await;
    clock.advance(ms(499)).await.expect("moved");
    reads_nothing(&mut stream).await;
    clock.advance(ms(1)).await.expect("moved");
    reads(&mut stream, "late").await;
    stream.write_all(b"the other way").await.expect("written");
    reads(&mut peer, "the other way").await;

    peer.write_all(b"held").await.expect("written");
    reads_nothing(&mut stream).await;
    hook.set(Vec::new());
    reads(&mut stream, "held").await;
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_waits_already_meets_a_fault_that_comes_later() {
    let (mut stream, mut peer, hook, clock, _tasks) = hooked().await;
    let reading = async {
        let read = stream.read_u8().await;
        read.expect_err("cut").kind()
    };
    let cutting = async {
        tokio::task::yield_now().await;
        hook.set(vec![applied(
            1,
            Toxic::Timeout {
                after: Some(ms(50)),
            },
        )]);
        tokio::task::yield_now().await;
        peer.write_all(b"lost").await.expect("written");
        clock.advance(ms(50)).await.expect("moved");
    };

    let (ended, ()) = tokio::join!(reading, cutting);

    assert_eq!(ended, std::io::ErrorKind::UnexpectedEof);
    assert_eq!(peer.read(&mut [0; 8]).await.expect("an end"), 0);
}

#[tokio::test(start_paused = true)]
async fn an_end_passes_through_either_way_and_the_task_goes_with_it() {
    let (mut stream, mut peer, hook, _clock, tasks) = hooked().await;
    hook.set(vec![applied(
        1,
        Toxic::Slicer {
            average: 2,
            variation: 1,
            delay: ms(0),
        },
    )]);
    peer.write_all(b"in pieces").await.expect("written");
    reads(&mut stream, "in pieces").await;

    stream.write_all(b"last").await.expect("written");
    drop(stream);

    let mut last = String::new();
    peer.read_to_string(&mut last).await.expect("an end");
    assert_eq!(last, "last");
    assert!(tasks.shutdown(ms(1_000)).await.is_empty());
}
