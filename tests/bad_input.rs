//! What a peer gets that sends nonsense: its own connection ends with a reason, and nobody else
//! notices.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests

mod harness;

use axt_client::session::Started;
use axt_net::{
    link,
    ws::{self, Incoming, WsReader, WsWriter},
};
use axt_sandbox::Sandbox;
use bytes::Bytes;
use http::HeaderMap;

use harness::{GUARD, command, sandbox, shell};

/// A client that sends what it likes.
async fn raw_client(sandbox: &Sandbox, session: &Started) -> (WsReader, WsWriter) {
    let network = sandbox.network();
    let url = session.url.expose();
    let (socket, _) = ws::connect(&network.dialer, &network.tls, url, HeaderMap::new())
        .await
        .expect("let in");
    socket.split()
}

/// Reads to the end; the close frame's code and text, and the words of statuses on the way.
async fn end_of(mut reader: WsReader) -> (u16, String, Vec<String>) {
    let mut statuses = Vec::new();
    loop {
        let next = link::timeout(GUARD, reader.next()).await.expect("an end");
        match next.expect("a close frame, not a cut") {
            Incoming::Closed { code, reason } => return (code, reason, statuses),
            Incoming::Data(message) => {
                // Type 5, and the payload after a header of 30 bytes (wire-protocol 2, 5).
                if message.starts_with(&[5, 0, 0, 0]) && message.get(30) == Some(&5) {
                    let word = message.get(31..).unwrap_or_default();
                    statuses.push(String::from_utf8_lossy(word).into_owned());
                }
            }
        }
    }
}

/// A whole frame of the client framing, with this type and creation time.
fn frame(kind: u32, created: u64, payload: &[u8]) -> Bytes {
    let length = u32::try_from(payload.len()).expect("short");
    let mut frame = Vec::new();
    frame.extend(kind.to_le_bytes());
    frame.extend(b"1.01\0\0");
    frame.extend(created.to_le_bytes());
    frame.extend(0_i64.to_le_bytes());
    frame.extend(length.to_le_bytes());
    frame.extend(payload);
    frame.into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_message_ends_its_own_connection_with_a_reason() {
    let sandbox = sandbox().await;
    let mut bystander = shell(&sandbox).await;
    let session = command(&sandbox, "exec cat").await;
    let malformed = [
        ("nothing at all", Bytes::new()),
        ("a header cut short", frame(0, 1, b"").slice(..27)),
        ("createdDate 0", frame(0, 0, b"x")),
        ("a size of three bytes", frame(2, 1, &[1, 2, 3])),
    ];

    for (what, message) in malformed {
        let (reader, writer) = raw_client(&sandbox, &session).await;
        writer.send_binary(message).await.expect("sent");

        let (code, text, statuses) = end_of(reader).await;

        assert_eq!((code, text.as_str()), (1002, "ProtocolError"), "{what}");
        assert_eq!(statuses, ["ProcessDataError"], "{what}");
    }
    bystander.type_line("echo un''harmed").await.expect("typed");
    bystander.expect("unharmed").await.expect("an answer");
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_above_the_maximum_ends_its_connection_as_too_big() {
    let sandbox = sandbox().await;
    let session = command(&sandbox, "exec cat").await;
    let (reader, writer) = raw_client(&sandbox, &session).await;

    // The relay may close before it has read the whole of it.
    let _ = writer
        .send_binary(frame(0, 1, &vec![b'x'; 1024 * 1024]))
        .await;
    let (code, text, _) = end_of(reader).await;

    assert_eq!((code, text.as_str()), (1009, "ProtocolError"));
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_type_is_passed_over_as_the_official_programs_do() {
    let sandbox = sandbox().await;
    let session = command(&sandbox, "stty -echo; echo ready; read -r x; echo \"<$x>\"").await;
    let (mut reader, writer) = raw_client(&sandbox, &session).await;

    writer.send_binary(frame(77, 1, b"?")).await.expect("sent");
    writer
        .send_binary(frame(0, 1, b"input\r"))
        .await
        .expect("sent");

    let mut screen = Vec::new();
    while !String::from_utf8_lossy(&screen).contains("<input>") {
        let next = link::timeout(GUARD, reader.next()).await.expect("output");
        let Ok(Incoming::Data(message)) = next else {
            panic!("it ended: {next:?}");
        };
        if message.starts_with(&[1, 0, 0, 0]) {
            screen.extend_from_slice(message.get(30..).unwrap_or_default());
        }
    }
    sandbox.shutdown().await;
}
