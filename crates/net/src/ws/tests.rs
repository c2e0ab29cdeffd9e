use std::time::Duration;

use http::HeaderMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::{
    link,
    testing::{GUARD, Server},
    transport::Dialer,
};

async fn guarded<F: Future>(future: F) -> F::Output {
    link::timeout(GUARD, future)
        .await
        .expect("it does not hang")
}

fn data(text: &'static str) -> Incoming {
    Incoming::Data(Bytes::from_static(text.as_bytes()))
}

/// A websocket whose other end is driven by hand: it writes and reads raw bytes.
async fn raw_peer(server: &mut Server) -> (Stream, WebSocket) {
    let mut raw = server.dialer.dial("localhost", 7443).await.unwrap();
    raw.write_all(
        b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
          Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    )
    .await
    .unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(raw.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    // RFC 6455 1.3 has this pair of key and answer.
    assert!(head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
    (raw, server.accepted().await)
}

#[tokio::test]
async fn messages_pass_both_ways_over_tls() {
    let mut server = Server::on_loopback().await;
    let (client, accepted) = server.pair("wss").await;
    let (mut client_in, client_out) = client.split();
    let (mut server_in, server_out) = accepted.split();

    client_out
        .send_binary(Bytes::from_static(b"keys"))
        .await
        .unwrap();
    server_out.send_text("text".to_owned()).await.unwrap();

    assert_eq!(guarded(server_in.next()).await.unwrap(), data("keys"));
    assert_eq!(guarded(client_in.next()).await.unwrap(), data("text"));
}

#[tokio::test]
async fn a_message_of_a_mebibyte_passes_and_one_byte_more_does_not() {
    let mut server = Server::on_loopback().await;
    let (client, accepted) = server.pair("wss").await;
    let (mut client_in, client_out) = client.split();
    let (mut server_in, server_out) = accepted.split();
    let most = Bytes::from(vec![7; MAX_MESSAGE]);
    let more = Bytes::from(vec![7; MAX_MESSAGE + 1]);

    let sending = async {
        client_out.send_binary(most.clone()).await.unwrap();
        // The other end may give up before it has all of it.
        let _ = client_out.send_binary(more).await;
    };
    let receiving = async {
        let first = server_in.next().await.unwrap();
        let second = server_in.next().await;
        server_out.close(1009, "too big").await.unwrap();
        server_in.drain().await;
        drop(server_out);
        (first, second)
    };
    let all = async { tokio::join!(sending, receiving, client_in.next()) };
    let (_, (first, second), closed) = guarded(all).await;

    assert_eq!(first, Incoming::Data(most));
    let reason = "too big".to_owned();
    assert_eq!(closed.unwrap(), Incoming::Closed { code: 1009, reason });
    assert!(matches!(second, Err(WsError::TooBig)), "{second:?}");
}

#[tokio::test(start_paused = true)]
async fn the_upgrade_carries_headers_and_a_refusal_its_body() {
    let server = Server::in_memory();

    let (_, headers) = server.connect(&server.url("ws", "/ws")).await.unwrap();
    let refused = server
        .connect(&server.url("ws", "/refuse?token=secret"))
        .await;

    assert_eq!(headers.get("x-axt-ext").unwrap(), "exit");
    let Err(ConnectError::Refused { status, body, .. }) = &refused else {
        panic!("{refused:?}");
    };
    assert_eq!(
        (status.as_u16(), body.as_ref()),
        (403, br#"{"Code":"No"}"#.as_ref())
    );
    assert!(!refused.unwrap_err().to_string().contains("secret"));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_no_upgrade_says_what_is_missing() {
    let server = Server::in_memory();

    let request = http::Request::get(server.url("http", "/ws")).body(Bytes::new());
    let answer = server.client().send(request.unwrap()).await.unwrap();

    assert_eq!(answer.status(), 426);
    let text = String::from_utf8_lossy(answer.body());
    assert!(text.contains("no `Upgrade: websocket`"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn bad_urls_and_absent_servers_are_told_apart() {
    let server = Server::in_memory();
    let open = async |url: &str| server.connect(url).await.unwrap_err();

    assert!(matches!(
        open("https://localhost:7443/ws").await,
        ConnectError::Url(_)
    ));
    assert!(matches!(open("wss://").await, ConnectError::Url(_)));
    assert!(matches!(
        open("ws://localhost:1/").await,
        ConnectError::Unreachable(_)
    ));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_has_ten_seconds() {
    let server = Server::in_memory();
    let began = link::now();

    let error = server
        .connect(&server.url("ws", "/slow"))
        .await
        .unwrap_err();

    assert!(matches!(error, ConnectError::TimedOut { .. }), "{error}");
    assert_eq!(link::now() - began, link::HANDSHAKE);
}

#[tokio::test]
async fn a_close_arrives_with_code_and_reason() {
    let mut server = Server::on_loopback().await;
    let (client, accepted) = server.pair("wss").await;
    let (mut client_in, client_out) = client.split();
    let (server_in, server_out) = accepted.split();
    client_out.send_text("unread".to_owned()).await.unwrap();

    let closing = async {
        server_out.close(1011, &"ü".repeat(100)).await.unwrap();
        server_in.drain().await;
        server_out.send_text("late".to_owned()).await
    };
    let (late, closed) = guarded(async { tokio::join!(closing, client_in.next()) }).await;

    let Incoming::Closed { code, reason } = closed.unwrap() else {
        panic!("no close frame");
    };
    assert_eq!((code, reason), (1011, "ü".repeat(61)));
    assert!(matches!(late, Err(WsError::Closed)), "{late:?}");
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_a_close_frame_was_cut() {
    let mut server = Server::in_memory();
    let (raw, accepted) = raw_peer(&mut server).await;
    let (mut reader, _writer) = accepted.split();

    drop(raw);

    assert!(matches!(reader.next().await, Err(WsError::Cut)));
}

#[tokio::test(start_paused = true)]
async fn a_frame_against_the_protocol_is_told_from_a_cut() {
    let mut server = Server::in_memory();
    let (mut raw, accepted) = raw_peer(&mut server).await;
    let (mut reader, _writer) = accepted.split();

    // A binary frame that is not masked, as a client's have to be.
    raw.write_all(&[0x82, 1, b'x']).await.unwrap();

    let error = reader.next().await.unwrap_err();
    assert!(matches!(error, WsError::Protocol(_)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_ping_is_answered_and_its_silent_peer_is_dead_after_thirty_seconds() {
    let mut server = Server::in_memory();
    let (mut raw, accepted) = raw_peer(&mut server).await;
    let (mut reader, _writer) = accepted.split();
    raw.write_all(&[0x89, 0x82, 0, 0, 0, 0, b'h', b'i'])
        .await
        .unwrap();
    let began = link::now();

    let error = reader.next().await.unwrap_err();

    assert!(matches!(error, WsError::Dead(_)), "{error}");
    assert_eq!(link::now() - began, link::DEAD_AFTER);
    let mut answer = [0; 4];
    raw.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, &[0x8a, 2, b'h', b'i']);
}

#[tokio::test(start_paused = true)]
async fn pings_keep_an_idle_pair_alive_for_hours() {
    let mut server = Server::in_memory();
    let (client, accepted) = server.pair("ws").await;
    let (mut client_in, _client_out) = client.split();
    let (mut server_in, server_out) = accepted.split();

    let idle = async { tokio::join!(client_in.next(), server_in.next()) };
    let idle = link::timeout(Duration::from_secs(4 * 3_600), idle).await;
    server_out.send_text("awake".to_owned()).await.unwrap();

    assert!(idle.is_err(), "{idle:?}");
    assert_eq!(client_in.next().await.unwrap(), data("awake"));
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_is_held_back_finds_its_peer_alive() {
    let mut server = Server::in_memory();
    let (client, accepted) = server.pair("ws").await;
    let (mut client_in, _client_out) = client.split();
    let (mut server_in, server_out) = accepted.split();

    // The server does not read for five minutes; the client goes on reading.
    let held_back = link::timeout(Duration::from_secs(300), client_in.next()).await;
    let found = link::timeout(Duration::from_secs(20), server_in.next()).await;

    assert!(
        held_back.is_err(),
        "the client hears the server's pings: {held_back:?}"
    );
    assert!(found.is_err(), "the server has pings to read: {found:?}");
    drop(server_out);
}

#[tokio::test(start_paused = true)]
async fn silence_is_counted_across_reads_that_are_dropped() {
    let mut server = Server::in_memory();
    let (_raw, accepted) = raw_peer(&mut server).await;
    let (mut reader, _writer) = accepted.split();
    let began = link::now();

    let error = loop {
        match link::timeout(Duration::from_secs(4), reader.next()).await {
            Ok(answer) => break answer.unwrap_err(),
            Err(_) => continue,
        }
    };

    assert!(matches!(error, WsError::Dead(_)), "{error}");
    assert_eq!(link::now() - began, link::DEAD_AFTER);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_keeps_a_message_waiting_has_sixty_seconds() {
    let mut server = Server::in_memory();
    let (_raw, accepted) = raw_peer(&mut server).await;
    let (mut reader, writer) = accepted.split();
    let began = link::now();

    let flood = writer.send_binary(Bytes::from(vec![0; MAX_MESSAGE]));
    let error = tokio::select! {
        biased;
        _ = flood => panic!("nobody reads"),
        error = reader.next() => error.unwrap_err(),
    };

    assert!(matches!(error, WsError::Dead(_)), "{error}");
    assert_eq!(link::now() - began, link::STALLED_AFTER);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_is_given_more_time_has_it_until_it_is_taken_back() {
    for taken_back in [None, Some(Duration::from_secs(70))] {
        let mut server = Server::in_memory();
        let (_raw, accepted) = raw_peer(&mut server).await;
        let (mut reader, _writer) = accepted.split();
        let patience = reader.patience();
        let began = link::now();

        patience.set(Duration::from_secs(130));
        let taking_back = async {
            if let Some(at) = taken_back {
                link::sleep(at).await;
                patience.set(link::DEAD_AFTER);
            }
        };
        let (error, ()) = tokio::join!(reader.next(), taking_back);

        assert!(matches!(error, Err(WsError::Dead(_))), "{error:?}");
        let lived = (link::now() - began).as_secs();
        // It is looked at every half a minute.
        assert_eq!(lived, if taken_back.is_some() { 90 } else { 130 });
    }
}

#[tokio::test(start_paused = true)]
async fn an_urgent_message_overtakes_those_that_wait() {
    let mut server = Server::in_memory();
    let (client, accepted) = server.pair("ws").await;
    let (mut client_in, _client_out) = client.split();
    let (_server_in, writer) = accepted.split();
    let send = |text: &'static str| {
        let writer = writer.clone();
        async move {
            writer
                .send_binary(Bytes::from_static(text.as_bytes()))
                .await
                .unwrap()
        }
    };

    let under_way = writer.send_binary(Bytes::from(vec![0; MAX_MESSAGE]));
    let sending = async {
        tokio::join! {
            biased;
            async { under_way.await.unwrap() },
            send("first"),
            send("second"),
            async { writer.send_urgent(Bytes::from_static(b"urgent")).await.unwrap() },
        }
    };
    let receiving = async {
        let mut order = Vec::new();
        for _ in 0..4 {
            let Incoming::Data(message) = client_in.next().await.unwrap() else {
                panic!("closed");
            };
            order.push(message.slice(..message.len().min(8)));
        }
        order
    };
    let (_, order) = tokio::join!(sending, receiving);

    assert_eq!(order, ["\0\0\0\0\0\0\0\0", "urgent", "first", "second"]);
}

#[tokio::test]
async fn a_server_that_speaks_no_websocket_is_a_protocol_error() {
    let listener = crate::transport::Listener::bind(([127, 0, 0, 1], 0).into())
        .await
        .unwrap();
    let address = listener.local_addr().unwrap();
    let nonsense = async {
        let mut stream = listener.accept().await.unwrap();
        stream
            .write_all(b"220 mail.example ESMTP\r\n")
            .await
            .unwrap();
        let _ = stream.read(&mut [0; 1024]).await;
    };
    let tls = crate::tls::ClientTls::system();
    let url = format!("ws://{address}/");
    let dialer = Dialer::tcp();

    let opening = connect(&dialer, &tls, &url, HeaderMap::new());
    let (_, opened) = guarded(async { tokio::join!(nonsense, opening) }).await;

    let error = opened.unwrap_err();
    assert!(matches!(error, ConnectError::Protocol { .. }), "{error}");
}
