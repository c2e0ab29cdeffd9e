//! Real shells and TCP ports behind an agent in front of a scripted relay.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[allow(dead_code, unreachable_pub, reason = "shared by test programs")]
#[path = "support/relay.rs"]
mod relay;

use axt_control::luban::{SessionObject, StatusCode, session::Granted};
use axt_proto::{Extensions, Message, Size};
use bytes::Bytes;
use relay::{NotifyChannel, Relay, session, soon};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const SIZE: Size = Size {
    rows: 43,
    cols: 132,
};

fn with(ext: Extensions, object: SessionObject) -> SessionObject {
    SessionObject {
        axt: Some(Granted {
            ext,
            rows: Some(SIZE.rows),
            cols: Some(SIZE.cols),
            idle_s: None,
        }),
        ..object
    }
}

fn command(line: &str) -> SessionObject {
    SessionObject {
        cmd_content: line.to_owned(),
        ..session("ch-1")
    }
}

fn port(number: u16) -> SessionObject {
    SessionObject {
        port_number: number.to_string(),
        ..session("ch-1")
    }
}

const TERMINAL: Extensions = Extensions {
    pipe: false,
    ..Extensions::ALL
};

struct Forward {
    relay: Relay,
    notify: NotifyChannel,
    data: relay::DataChannel,
    target: TcpStream,
}

/// A forward to a listener of the test's own, and the connection that came in there.
async fn forward(ext: Option<Extensions>) -> Forward {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let number = listener.local_addr().expect("bound").port();
    let mut relay = Relay::with_real_targets().await;
    let mut notify = relay.notified().await;
    let object = match ext {
        Some(ext) => with(ext, port(number)),
        None => port(number),
    };
    let data = relay.open(&mut notify, object).await;
    let (target, _) = soon("a connection", listener.accept())
        .await
        .expect("accepts");
    Forward {
        relay,
        notify,
        data,
        target,
    }
}

fn input(bytes: &[u8]) -> Message {
    Message::Input(Bytes::copy_from_slice(bytes))
}

#[tokio::test]
async fn a_command_on_a_terminal_has_its_size_and_tells_its_status() {
    let mut relay = Relay::with_real_targets().await;
    let mut notify = relay.notified().await;

    let object = with(TERMINAL, command("stty size; exit 7"));
    let mut data = relay.open(&mut notify, object).await;

    let (output, others) = data.rest().await;
    assert_eq!(output, b"43 132\r\n");
    assert_eq!(others, [Message::Exit(7)]);
    assert_eq!(relay.status().await.code, StatusCode::Ok);
}

#[tokio::test]
async fn a_first_size_that_comes_with_the_first_frames_is_in_time() {
    let mut relay = Relay::with_real_targets().await;
    let mut notify = relay.notified().await;

    let mut data = relay.open(&mut notify, command("stty size")).await;
    data.send(Message::Resize(SIZE)).await;

    assert_eq!(data.rest().await.0, b"43 132\r\n");
}

#[tokio::test]
async fn an_unknown_user_is_a_failed_pty_with_its_name() {
    let mut relay = Relay::with_real_targets().await;
    let mut notify = relay.notified().await;
    let object = SessionObject {
        username: "no-such-user".to_owned(),
        ..with(TERMINAL, session("ch-1"))
    };

    relay.open(&mut notify, object).await;

    let post = relay.status().await;
    assert_eq!(post.code, StatusCode::OpenPtyFailed);
    assert_eq!(
        post.detail.expect("in words"),
        "no user named `no-such-user` on this machine"
    );
}

#[tokio::test]
async fn pipes_carry_exact_bytes_and_the_end_of_input() {
    let mut relay = Relay::with_real_targets().await;
    let mut notify = relay.notified().await;
    let all: Vec<u8> = (0..=255).collect();

    let object = with(Extensions::ALL, command("cat; exit 5"));
    let mut data = relay.open(&mut notify, object).await;
    data.send(input(&all)).await;
    data.send(Message::Eof).await;

    let (output, others) = data.rest().await;
    assert_eq!(output, all);
    assert_eq!(others, [Message::Exit(5)]);
}

#[tokio::test]
async fn a_megabyte_comes_out_before_the_exit_status() {
    let mut relay = Relay::with_real_targets().await;
    let mut notify = relay.notified().await;

    let object = with(TERMINAL, command("head -c 1000000 /dev/zero; exit 9"));
    let mut data = relay.open(&mut notify, object).await;

    let (output, others) = data.rest().await;
    assert_eq!(output.len(), 1_000_000);
    assert_eq!(others, [Message::Exit(9)]);
}

#[tokio::test]
async fn a_stop_ends_all_that_the_shell_started_before_the_channel_is_over() {
    let mut relay = Relay::with_real_targets().await;
    let mut notify = relay.notified().await;
    let line = "setsid sleep 9999 & echo pid:$!:; sleep 9999";
    let mut data = relay.open(&mut notify, with(TERMINAL, command(line))).await;
    data.expect("pid:").await;
    while !data.seen.contains(&b':') {
        if let Some(Message::Output(more)) = data.next().await {
            data.seen.extend_from_slice(&more);
        }
    }
    let seen = String::from_utf8_lossy(&data.seen).into_owned();
    let pid = seen.split(':').next().expect("a pid").to_owned();

    notify.say("kick_vm session stop ch-1").await;

    assert_eq!(relay.status().await.code, StatusCode::Notified);
    data.rest().await;
    soon("the end of the job", async {
        while std::path::Path::new(&format!("/proc/{pid}")).exists() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn bytes_go_both_ways_and_input_from_before_the_dial_is_kept() {
    let mut forward = forward(None).await;

    forward.data.send(input(b"ping")).await;
    let mut read = [0; 4];
    forward.target.read_exact(&mut read).await.expect("reads");
    forward.target.write_all(b"pong").await.expect("writes");

    assert_eq!(&read, b"ping");
    forward.data.expect("pong").await;
}

#[tokio::test]
async fn a_target_that_writes_and_closes_loses_nothing_of_it() {
    let mut forward = forward(None).await;

    forward
        .target
        .write_all(&[7; 100_000])
        .await
        .expect("writes");
    drop(forward.target);

    let (output, others) = forward.data.rest().await;
    assert_eq!(output.len(), 100_000);
    assert_eq!(others, []);
    assert_eq!(forward.relay.status().await.code, StatusCode::Ok);
}

#[tokio::test]
async fn a_half_close_goes_through_where_granted_and_the_other_half_goes_on() {
    let mut forward = forward(Some(Extensions::ALL)).await;

    forward.data.send(input(b"request")).await;
    forward.data.send(Message::Eof).await;
    let mut request = Vec::new();
    forward
        .target
        .read_to_end(&mut request)
        .await
        .expect("reads");
    forward.target.write_all(b"answer").await.expect("writes");
    drop(forward.target);

    assert_eq!(request, b"request");
    assert_eq!(forward.data.rest().await, (b"answer".to_vec(), Vec::new()));
    assert_eq!(forward.relay.status().await.code, StatusCode::Ok);
}

#[tokio::test]
async fn a_target_that_half_closes_can_still_be_written_to() {
    let mut forward = forward(Some(Extensions::ALL)).await;

    forward.target.shutdown().await.expect("half-closes");
    assert_eq!(forward.data.next().await, Some(Message::Eof));
    forward.data.send(input(b"late")).await;
    forward.data.send(Message::Eof).await;

    let mut late = Vec::new();
    forward.target.read_to_end(&mut late).await.expect("reads");
    assert_eq!(late, b"late");
    assert_eq!(forward.data.rest().await, (Vec::new(), Vec::new()));
}

#[tokio::test]
async fn a_targets_reset_arrives_as_one() {
    let mut forward = forward(Some(Extensions::ALL)).await;

    // Before this, the agent may still be dialling, and a reset would be a refusal.
    forward.data.send(input(b"x")).await;
    forward.target.read_u8().await.expect("reads");
    rustix::net::sockopt::set_socket_linger(&forward.target, Some(std::time::Duration::ZERO))
        .expect("sets");
    drop(forward.target);

    assert_eq!(forward.data.rest().await.1, [Message::Reset]);
    assert_eq!(forward.relay.status().await.code, StatusCode::IoPortFailed);
}

#[tokio::test]
async fn input_that_was_lost_with_a_data_channel_is_a_reset_and_what_was_not_goes_on() {
    for lost in [0, 1] {
        let mut forward = forward(Some(Extensions::ALL)).await;
        forward.data.send(input(b"first")).await;
        let mut read = [0; 5];
        forward.target.read_exact(&mut read).await.expect("reads");

        drop(forward.data);
        let mut again = forward.relay.dialled().await;
        again.count_on_from(1 + lost);
        again.send(input(b"next")).await;

        let next = soon("the next", forward.target.read(&mut read)).await;
        if lost == 0 {
            assert_eq!(next.expect("reads"), 4);
            continue;
        }
        let error = next.expect_err("nobody may take a part for the whole");
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
        let code = forward.relay.status().await.code;
        assert_eq!(code, StatusCode::ProcessDataError);
    }
}

#[tokio::test]
async fn a_clients_reset_arrives_as_one() {
    let mut forward = forward(Some(Extensions::ALL)).await;

    forward.data.send(Message::Reset).await;

    let error = soon("a reset", forward.target.read_u8())
        .await
        .expect_err("reset");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_stop_closes_the_target() {
    let mut forward = forward(None).await;

    forward.notify.say("kick_vm session stop ch-1").await;

    assert_eq!(forward.relay.status().await.code, StatusCode::Notified);
    let mut rest = Vec::new();
    soon("the end", forward.target.read_to_end(&mut rest))
        .await
        .expect("an orderly end");
}

#[tokio::test]
async fn a_port_that_nobody_listens_on_is_told_with_its_address() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let number = listener.local_addr().expect("bound").port();
    drop(listener);
    let mut relay = Relay::with_real_targets().await;
    let mut notify = relay.notified().await;

    let object = with(Extensions::ALL, port(number));
    relay.open(&mut notify, object).await;

    let post = relay.status().await;
    assert_eq!(post.code, StatusCode::OpenPortFailed);
    let detail = post.detail.expect("in words");
    assert!(detail.contains(&format!("localhost:{number}")), "{detail}");
}

#[tokio::test]
async fn a_target_that_never_reads_holds_up_its_own_input_alone() {
    let mut forward = forward(None).await;
    for _ in 0..200 {
        // More than every buffer on the way holds would stop here, so this stays below it.
        forward.data.send(input(&[1; 1_000])).await;
    }

    forward
        .target
        .write_all(b"still talking")
        .await
        .expect("writes");

    forward.data.expect("still talking").await;
}
