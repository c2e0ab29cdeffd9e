//! Calls over a rate: on the clock that is moved, with the wait that SDKs go by (ecs-api 1.6).

use std::time::Duration;

use axt_proto::Limits;
use bytes::Bytes;
use http::Response;

use crate::{
    calls::{at_start, limited},
    harness::start,
    raw::{EVERY_WAY, Raw, code},
};

fn wait(answer: &Response<Bytes>) -> Option<&str> {
    answer.headers().get("x-acs-retry-after")?.to_str().ok()
}

#[tokio::test(start_paused = true)]
async fn an_account_that_calls_too_often_is_told_when_to_come_back() {
    let sandbox = start(limited(Limits {
        user_calls_per_minute: 3,
        ..Limits::default()
    }))
    .await;
    let raw = Raw::of(&sandbox);
    let mut calls = 0;
    let mut ask = async |action| {
        calls += 1;
        let by = EVERY_WAY[calls % EVERY_WAY.len()];
        let signed = raw.sign(by, action, &[], &format!("n-{calls}"), at_start());
        raw.send(signed).await
    };

    for _ in 0..3 {
        assert_eq!(code(&ask("DescribeRegions").await), None);
    }
    let refused = ask("DescribeRegions").await;
    let other = ask("DescribeUserBusinessBehavior").await;
    let wait_ms: u64 = wait(&refused).expect("a wait").parse().expect("a number");
    let waited = Duration::from_millis(wait_ms - 1);
    sandbox.clock().advance(waited).await.expect("moved");
    let early = ask("DescribeRegions").await;
    let rest = Duration::from_millis(1);
    sandbox.clock().advance(rest).await.expect("moved");
    let late = ask("DescribeRegions").await;

    assert_eq!(refused.status(), 400);
    assert_eq!(code(&refused).as_deref(), Some("Throttling.User"));
    assert_eq!(wait_ms, 20_000);
    assert_eq!(
        code(&other).as_deref(),
        Some("MissingParameter.statusKey"),
        "another action has a rate of its own"
    );
    assert_eq!(wait(&early), Some("1"));
    assert_eq!((code(&late), wait(&late)), (None, None));
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn the_action_and_the_service_have_codes_of_their_own() {
    for (limits, expected) in [
        (
            Limits {
                api_calls_per_minute: 1,
                ..Limits::default()
            },
            "Throttling.Api",
        ),
        (
            Limits {
                all_calls_per_minute: 1,
                ..Limits::default()
            },
            "Throttling",
        ),
    ] {
        let sandbox = start(limited(limits)).await;
        let raw = Raw::of(&sandbox);
        let ask = async |nonce| {
            let signed = raw.sign(EVERY_WAY[0], "DescribeRegions", &[], nonce, at_start());
            raw.send(signed).await
        };

        let first = ask("n-1").await;
        let second = ask("n-2").await;

        assert_eq!(code(&first), None);
        assert_eq!(
            (second.status().as_u16(), code(&second).as_deref()),
            (400, Some(expected))
        );
        assert_eq!(wait(&second), Some("60000"));
        sandbox.shutdown().await;
    }
}
