//! That it complains about each thing that the official client would choke on: before a relay of which
//! nothing is there but its end of the websocket.

use axt_net::{
    tls::ClientTls,
    transport::{Dialer, Listener, MemoryNet, Stream},
};
use bytes::{BufMut, BytesMut};
use futures_util::SinkExt;
use tokio_tungstenite::{WebSocketStream, accept_async, tungstenite::Message};

use super::*;
use crate::wire::kind;

const SPEED: [u8; 5] = [7, 0, 25, 0, 0];

/// A client, and the listener that it dials.
fn place() -> (OfficialClient, Listener) {
    let net = MemoryNet::new();
    let listener = net.bind("relay.test", 80).expect("free");
    let network = Network::new(Dialer::memory(&net), ClientTls::system());
    let url = "ws://relay.test/session?sessionid=s-1";
    (OfficialClient::new(network, url), listener)
}

/// The relay's end of a websocket.
struct Relay(WebSocketStream<Stream>);

impl Relay {
    async fn accept(listener: Listener) -> Self {
        let stream = listener.accept().await.expect("dialled");
        Self(accept_async(stream).await.expect("a handshake"))
    }

    async fn send(&mut self, message: Bytes) {
        let sent = self.0.send(Message::Binary(message)).await;
        sent.expect("it reads");
    }

    async fn say(&mut self, kind: u32, payload: &[u8]) {
        self.send(frame(kind, payload)).await;
    }
}

fn frame(kind: u32, payload: &[u8]) -> Bytes {
    wire::write_at_client(kind, 1, 0, payload)
}

/// A frame of that date, cut or filled to that length.
fn message(created_ms: u64, length: usize) -> Bytes {
    let frame = wire::write_at_client(kind::OUTPUT, created_ms, 0, b"");
    let mut bytes = BytesMut::from(&frame[..length.min(frame.len())]);
    bytes.put_bytes(b'x', length - bytes.len());
    bytes.freeze()
}

/// Sees that it complains about one thing, and about that.
fn complains_only_of(client: &OfficialClient, what: &str) {
    let complaints = client.complaints().take();
    assert!(
        complaints.len() == 1 && complaints[0].contains(what),
        "{complaints:?} instead of `{what}`"
    );
}

/// What it complains of when it gets this behind the speed, and how its session ends then.
async fn at_a_terminal(message: Bytes) -> (OfficialClient, Ended) {
    let (client, listener) = place();
    let (terminal, mut relay) = tokio::join!(client.session((30, 100)), Relay::accept(listener));
    relay.say(kind::STATUS, &SPEED).await;
    relay.send(message).await;
    link::sleep(Duration::from_secs(1)).await;
    drop(relay);
    let (ended, _) = terminal.expect("let in").ended().await;
    (client, ended)
}

#[tokio::test(start_paused = true)]
async fn what_a_relay_should_do_is_no_complaint() {
    let (client, listener) = place();
    let (terminal, mut relay) = tokio::join!(client.session((30, 100)), Relay::accept(listener));
    let mut terminal = terminal.expect("let in");

    relay.say(kind::STATUS, &SPEED).await;
    relay.say(kind::OUTPUT, b"$ ").await;
    terminal.expect("$ ").await;
    relay.say(kind::STATUS, b"\x05Exit").await;
    let (ended, _) = terminal.ended().await;

    assert_eq!(
        (ended.status, ended.line.as_str()),
        (1, "Exit: session closed")
    );
    assert_eq!(client.complaints().take(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn each_frame_that_it_cannot_use_is_complained_about() {
    for (message, status, what) in [
        (message(1, 26), 1, "26 bytes end it"),
        (message(0, 31), 1, "without a date"),
        (message(1, 30), 1, "type 1 without payload"),
        (frame(kind::INPUT, b"x"), 1, "type 0 is ignored"),
        (frame(kind::SIZE, &[1, 0, 1, 0]), 1, "type 2 is ignored"),
        (frame(kind::CLOSE, b"1"), 1, "type 3 is ignored"),
        (frame(9, b"x"), 1, "type 9 is ignored"),
        (
            frame(kind::STATUS, b"\x04"),
            1,
            "a status that does nothing",
        ),
        (frame(kind::STATUS, &[7]), 1, "a speed that is none"),
        (frame(kind::STATUS, &[7, 0, 0]), 1, "a speed that is none"),
        // One below 16,384 bits a second.
        (
            frame(kind::STATUS, &[7, 63, 255]),
            2,
            "16383 divides by zero",
        ),
    ] {
        let (client, ended) = at_a_terminal(message).await;

        complains_only_of(&client, what);
        assert_eq!(ended.status, status, "{what}");
    }
}

/// It stays up, and nothing but the end of its input would end it.
#[tokio::test(start_paused = true)]
async fn lengths_that_break_its_reader_make_it_deaf() {
    for length in 27..30 {
        let (client, listener) = place();
        let (terminal, mut relay) =
            tokio::join!(client.session((30, 100)), Relay::accept(listener));
        let _terminal = terminal.expect("let in");
        relay.say(kind::STATUS, &SPEED).await;
        relay.send(message(1, length)).await;
        relay.say(kind::INPUT, b"not heard").await;
        link::sleep(Duration::from_secs(1)).await;

        complains_only_of(&client, &format!("{length} bytes make it deaf"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_empty_status_is_complained_about() {
    let (client, _) = at_a_terminal(frame(kind::STATUS, b"")).await;

    let complaints = client.complaints().take().join("\n");

    assert!(
        complaints.contains("type 5 without payload"),
        "{complaints}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_speed_comes_first() {
    // They begin as a speed and as an end do.
    for payload in [&SPEED[..], b"\x05Exit"] {
        let (client, listener) = place();
        let (terminal, mut relay) =
            tokio::join!(client.session((30, 100)), Relay::accept(listener));
        relay.say(kind::OUTPUT, payload).await;
        let mut terminal = terminal.expect("let in");
        terminal.expect(&String::from_utf8_lossy(payload)).await;

        complains_only_of(&client, "the first frame is no speed");
    }
}

#[tokio::test(start_paused = true)]
async fn a_line_with_a_reason_has_no_place_in_a_byte_stream() {
    let (client, listener) = place();
    let (pipe, mut relay) = tokio::join!(client.ssh(), Relay::accept(listener));
    let _pipe = pipe.expect("let in");
    relay.say(kind::STATUS, b"\x05Exit").await;
    link::sleep(Duration::from_secs(1)).await;

    complains_only_of(&client, "went into the byte stream");

    let (client, listener) = place();
    let (forwarded, mut relay) = tokio::join!(client.forward(), Relay::accept(listener));
    let _forwarded = forwarded.expect("let in");
    relay.say(kind::STATUS, b"\x05Exit").await;
    link::sleep(Duration::from_secs(1)).await;

    complains_only_of(&client, "the local connection is left open");
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "the official client would have choked on:")]
async fn a_client_that_has_a_complaint_fails_its_test() {
    let (client, _) = at_a_terminal(frame(kind::CLOSE, b"1")).await;

    drop(client);
}
