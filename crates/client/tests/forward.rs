//! A forward against a relay that does exactly what each test says.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // helpers of tests
#![allow(clippy::result_large_err)] // tungstenite's own type

#[path = "forward/application.rs"]
mod application;
#[path = "forward/far_end.rs"]
mod far_end;
#[path = "forward/place.rs"]
mod place;

use std::{future::Future, time::Duration};

use axt_client::forward::{Carried, EXTENSIONS, ForwardEvent, Parting};
use axt_net::{link, transport::Stream};
use axt_proto::{Extensions, frame::Message};
use tokio::io::AsyncWriteExt;

use self::{
    application::{bytes, is_reset, reads, reads_to_the_end, resets},
    place::Place,
};

/// Against hanging; no test needs more than a moment.
const GUARD: Duration = Duration::from_secs(20);

async fn in_time<T>(work: impl Future<Output = T>) -> T {
    link::timeout(GUARD, work).await.expect("in time")
}

fn assert_failed(event: &ForwardEvent, number: u64, part: &str) {
    match event {
        ForwardEvent::Failed {
            connection,
            trouble,
            ..
        } => {
            assert_eq!(*connection, number);
            assert!(trouble.problem.contains(part), "{trouble:?}");
        }
        other => panic!("{other:?} instead of a failure"),
    }
}

#[tokio::test]
async fn bytes_go_both_ways_and_are_counted() {
    let mut place = Place::in_memory(EXTENSIONS).await;
    let (up, down) = (bytes(100_000), bytes(300_000));

    in_time(async {
        let mut application = place.application().await;
        let mut far = place.far_end("eof, reset").await;
        let (sends, takes) = (application.write_all(&up), far.takes(&up));
        let (sent, ()) = tokio::join!(sends, takes);
        sent.expect("sent");
        let (read, ()) = tokio::join!(reads_to_the_end(&mut application), async {
            far.output(&down).await;
            far.close(1000, "Exit").await;
        });
        assert_eq!(read, down);
        assert!(far.gone().await.is_empty());
    })
    .await;

    assert!(matches!(
        place.next_event().await,
        ForwardEvent::Accepted { connection: 1, .. }
    ));
    assert_eq!(
        place.next_event().await,
        ForwardEvent::Closed {
            connection: 1,
            carried: Carried {
                sent: 100_000,
                received: 300_000,
            },
            how: Parting::Done,
        }
    );
}

#[tokio::test]
async fn the_session_is_for_the_remote_end_and_is_ended_with_the_forward() {
    let place = Place::towards("db:5432", EXTENSIONS).await;

    place.stop.cancel();
    place.ended(GUARD).await;

    let calls = place.calls();
    let [(start, started), (end, ended)] = calls.as_slice() else {
        panic!("{calls:?}");
    };
    assert_eq!(
        (start.as_str(), end.as_str()),
        ("StartTerminalSession", "EndTerminalSession")
    );
    for parameter in ["InstanceId.1=i-1", "PortNumber=5432", "TargetServer=db"] {
        assert!(started.contains(parameter), "{started}");
    }
    assert!(ended.contains("SessionId=s-1"), "{ended}");
}

#[tokio::test]
async fn a_half_close_is_passed_on_where_that_is_granted() {
    let place = Place::in_memory(EXTENSIONS).await;

    in_time(async {
        let mut application = place.application().await;
        let mut far = place.far_end("eof").await;
        application.write_all(b"question").await.expect("sent");
        application.shutdown().await.expect("half-closed");

        far.takes(b"question").await;
        assert_eq!(far.next().await, Message::Eof);
        far.output(b"answer").await;
        far.send(Message::Eof).await;
        assert_eq!(reads_to_the_end(&mut application).await, b"answer");
        far.close(1000, "Exit").await;
        assert!(far.gone().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_half_close_of_the_remote_side_leaves_the_other_direction_open() {
    let place = Place::in_memory(EXTENSIONS).await;

    in_time(async {
        let mut application = place.application().await;
        let mut far = place.far_end("eof").await;
        far.output(b"all that there is").await;
        far.send(Message::Eof).await;

        assert_eq!(
            reads_to_the_end(&mut application).await,
            b"all that there is"
        );
        application.write_all(b"thanks").await.expect("sent");
        application.shutdown().await.expect("half-closed");
        far.takes(b"thanks").await;
        assert_eq!(far.next().await, Message::Eof);
    })
    .await;
}

#[tokio::test]
async fn a_half_close_that_is_not_granted_is_kept_to_oneself_and_the_answer_still_comes() {
    for (announced, granted) in [
        (EXTENSIONS, ""),
        (EXTENSIONS, "reset"),
        (Extensions::NONE, "eof"),
    ] {
        let place = Place::in_memory(announced).await;

        in_time(async {
            let mut application = place.application().await;
            let mut far = place.far_end(granted).await;
            application.write_all(b"question").await.expect("sent");
            application.shutdown().await.expect("half-closed");

            far.takes(b"question").await;
            far.output(b"answer").await;
            reads(&mut application, b"answer").await;
            far.close(1000, "Exit").await;
            assert_eq!(reads_to_the_end(&mut application).await, b"");
            assert!(far.gone().await.is_empty(), "neither eof nor type 3");
        })
        .await;
    }
}

#[tokio::test]
async fn a_remote_side_that_closes_right_after_writing_loses_nothing() {
    let place = Place::on_loopback(EXTENSIONS).await;
    let written = bytes(2_000_000);

    in_time(async {
        let mut application = place.tcp_application().await;
        let mut far = place.far_end("").await;
        // Never read by anyone: what is unread when a socket closes must not cost the answer.
        application.write_all(b"more").await.expect("sent");
        let writes = async {
            far.output(&written).await;
            far.close(1000, "Exit").await;
            far.gone().await;
        };
        let (read, ()) = tokio::join!(reads_to_the_end(&mut application), writes);
        assert_eq!(read.len(), written.len());
        assert!(read == written);
    })
    .await;
}

#[tokio::test]
async fn whoever_goes_on_sending_to_a_remote_side_that_has_closed_is_told() {
    let place = Place::on_loopback(EXTENSIONS).await;

    in_time(async {
        let mut application = place.tcp_application().await;
        let mut far = place.far_end("").await;
        far.output(b"bye").await;
        far.close(1000, "Exit").await;
        reads(&mut application, b"bye").await;
        far.gone().await;
        // It ends because the write fails.
        while application.write_all(&[0; 1024]).await.is_ok() {}
    })
    .await;
}

#[tokio::test]
async fn a_local_reset_is_passed_on_as_one_where_that_is_granted() {
    let place = Place::on_loopback(EXTENSIONS).await;

    in_time(async {
        let mut application = place.tcp_application().await;
        let mut far = place.far_end("eof, reset").await;
        application.write_all(b"half a li").await.expect("sent");
        far.takes(b"half a li").await;
        resets(application);

        assert_eq!(far.next().await, Message::Reset);
        far.close(1011, "IO_port_failed").await;
        assert!(
            far.gone().await.is_empty(),
            "no type 3 that could overtake it"
        );
    })
    .await;
}

#[tokio::test]
async fn a_local_reset_that_cannot_be_passed_on_closes_the_channel() {
    let mut place = Place::on_loopback(EXTENSIONS).await;

    in_time(async {
        let application = place.tcp_application().await;
        let mut far = place.far_end("eof").await;
        resets(application);

        assert_eq!(far.next().await, Message::Close);
        assert!(far.gone().await.is_empty());
        assert!(matches!(
            place.next_end().await,
            ForwardEvent::Closed { .. }
        ));
    })
    .await;
}

#[tokio::test]
async fn a_remote_reset_resets_the_local_socket() {
    let place = Place::on_loopback(EXTENSIONS).await;

    in_time(async {
        let mut application = place.tcp_application().await;
        let mut far = place.far_end("reset").await;
        far.output(b"half a li").await;
        reads(&mut application, b"half a li").await;
        far.send(Message::Reset).await;

        is_reset(&mut application).await;
    })
    .await;
}

#[tokio::test]
async fn what_breaks_on_the_way_is_a_reset_and_is_told() {
    let mut place = Place::on_loopback(EXTENSIONS).await;

    in_time(async {
        for (number, word) in [
            (1, "IdleTimeout"),
            (2, "Open_port_failed"),
            (3, "RelayStopping"),
        ] {
            let mut application = place.tcp_application().await;
            let mut far = place.far_end("").await;
            far.close(1000, word).await;

            is_reset(&mut application).await;
            assert_failed(&place.next_end().await, number, word);
        }
        let mut application = place.tcp_application().await;
        drop(place.far_end("").await);

        is_reset(&mut application).await;
        assert_failed(&place.next_end().await, 4, "lost");
    })
    .await;
}

#[tokio::test]
async fn a_refused_connection_is_told_and_the_next_one_works() {
    let mut place = Place::on_loopback(EXTENSIONS).await;
    let body = r#"{"Code":"SessionCount.ExceedLimit","Message":"20 connections are open."}"#;

    in_time(async {
        let mut refused = place.tcp_application().await;
        place.refuse(403, body).await;
        is_reset(&mut refused).await;
        let told = place.next_end().await;
        assert_failed(
            &told,
            1,
            "SessionCount.ExceedLimit: 20 connections are open.",
        );

        let mut application = place.tcp_application().await;
        let mut far = place.far_end("").await;
        far.output(b"welcome").await;
        reads(&mut application, b"welcome").await;
    })
    .await;
}

#[tokio::test]
async fn one_that_does_not_read_holds_up_nobody_else() {
    let place = Place::in_memory(EXTENSIONS).await;

    in_time(async {
        let _deaf = place.application().await;
        let mut flooded = place.far_end("eof").await;
        let flood = async {
            loop {
                flooded.output(&[0; 64 * 1024]).await;
            }
        };
        let others = async {
            let mut pairs = Vec::new();
            for _ in 0..50 {
                pairs.push((place.application().await, place.far_end("eof").await));
            }
            for (application, far) in &mut pairs {
                echoes(application, far).await;
            }
        };
        tokio::select! {
            () = flood => {}
            () = others => {}
        }
    })
    .await;
}

async fn echoes(application: &mut Stream, far: &mut far_end::FarEnd) {
    application.write_all(b"ping").await.expect("sent");
    far.takes(b"ping").await;
    far.output(b"pong").await;
    reads(application, b"pong").await;
}

#[tokio::test]
async fn the_end_of_the_forward_is_the_end_of_its_listener_connections_and_session() {
    let place = Place::in_memory(EXTENSIONS).await;

    in_time(async {
        let mut connections = Vec::new();
        for _ in 0..10 {
            connections.push((place.application().await, place.far_end("eof").await));
        }
        // One is on its way, and its websocket is never answered.
        let mut waiting = place.application().await;

        place.stop.cancel();

        for (mut application, far) in connections {
            assert_eq!(far.gone().await, [Message::Close]);
            assert_eq!(reads_to_the_end(&mut application).await, b"");
        }
        assert_eq!(reads_to_the_end(&mut waiting).await, b"");
        place.ended(GUARD).await;
        assert!(!place.is_listening().await);
        let last = place.calls().pop().expect("calls");
        assert_eq!(last.0, "EndTerminalSession");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_hangs_holds_up_nobody_who_wants_to_leave() {
    let place = Place::in_memory(EXTENSIONS).await;
    let _application = place.application().await;
    let _never_reads = place.far_end("eof").await;
    let begun = link::now();

    place.stop.cancel();
    place.ended(GUARD).await;

    assert!(link::now() - begun <= link::SHUTDOWN);
}
