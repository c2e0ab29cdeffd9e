use std::time::Duration;

use axt_proto::{
    Status, Tick,
    frame::{Size, agent::AgentFraming, client::ClientFraming, client::Frame},
};
use bytes::Bytes;
use tokio::sync::mpsc;

use super::*;
use crate::{
    link,
    tap::{Label, Taps},
    testing::Server,
};

type Half = (FrameReader<ClientFraming>, FrameWriter<ClientFraming>);

fn half(socket: WebSocket, tap: Tap) -> Half {
    let clock = Clock::frozen(Tick::from_millis(1_700_000_000_000));
    framed(
        socket,
        ClientFraming::new(),
        ClientFraming::new(),
        clock,
        tap,
    )
}

async fn pair(tap: Tap) -> (Server, Half, Half) {
    let mut server = Server::in_memory();
    let (client, accepted) = server.pair("ws").await;
    (server, half(client, Tap::none()), half(accepted, tap))
}

fn tap_to(taker: mpsc::Sender<Tapped>) -> Tap {
    let label = Label {
        name: "conn-1".to_owned(),
        ..Label::default()
    };
    Taps::to(taker).tap(label, true)
}

fn frame_of(tapped: Tapped) -> Bytes {
    match tapped.seen {
        Seen::Frame(bytes, None) => bytes,
        other => panic!("{other:?} is no frame"),
    }
}

fn output(text: &'static str) -> Message {
    Message::Output(Bytes::from_static(text.as_bytes()))
}

#[tokio::test(start_paused = true)]
async fn messages_pass_in_order_and_end_with_the_close() {
    let (_server, (mut reader, _writer), (other_reader, other)) = pair(Tap::none()).await;
    let sent = [
        Message::Status(Status::Speed(1_638_400)),
        output("$ "),
        Message::Resize(Size {
            rows: 30,
            cols: 100,
        }),
        Message::Close,
    ];

    for message in &sent {
        other.send(message).await.unwrap();
    }
    other.close(1000, "Exit").await.unwrap();
    drop((other_reader, other));
    let mut received = Vec::new();
    let end = loop {
        match reader.next().await.unwrap() {
            Next::Message(message) => received.push(message),
            end => break end,
        }
    };

    assert_eq!(received, sent);
    let reason = "Exit".to_owned();
    assert_eq!(end, Next::Closed { code: 1000, reason });
}

#[tokio::test(start_paused = true)]
async fn empty_output_is_never_sent() {
    let (_server, (mut reader, _writer), (_other_reader, other)) = pair(Tap::none()).await;

    other.send(&output("")).await.unwrap();
    other.send(&output("x")).await.unwrap();

    assert_eq!(reader.next().await.unwrap(), Next::Message(output("x")));
}

#[tokio::test(start_paused = true)]
async fn what_leaves_together_comes_in_order_and_without_what_is_empty() {
    let (_server, (mut reader, _writer), (_other_reader, other)) = pair(Tap::none()).await;
    let sent = [output("a"), output(""), Message::Eof, output("b")];

    other.send_all(&sent).await.unwrap();

    for expected in [output("a"), Message::Eof, output("b")] {
        assert_eq!(reader.next().await.unwrap(), Next::Message(expected));
    }
}

#[tokio::test(start_paused = true)]
async fn of_what_leaves_together_nothing_counts_that_was_given_up() {
    let mut server = Server::in_memory();
    let (client, _silent) = server.pair("ws").await;
    let framing = || AgentFraming::new("ch-abcdefghijklmnopqrstuvwxyz".parse().unwrap());
    let clock = Clock::frozen(Tick::from_millis(1));
    let (_reader, writer) = framed(client, framing(), framing(), clock, Tap::none());
    let large = Message::Output(Bytes::from(vec![b'x'; 500_000]));

    let messages = [large.clone(), large.clone(), large];
    let held_up = link::timeout(Duration::from_secs(1), writer.send_all(&messages)).await;

    assert!(held_up.is_err());
    assert_eq!(writer.with_framing(AgentFraming::sequence), 0);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_no_frame_leaves_the_websocket_whole() {
    let mut server = Server::in_memory();
    let (client, accepted) = server.pair("ws").await;
    let (mut reader, _writer) = half(accepted, Tap::none());
    let (_client_reader, client) = client.split();
    let frame = ClientFraming::new().encode(1, &Message::Close);

    client.send_text("short".to_owned()).await.unwrap();
    client.send_binary(frame).await.unwrap();

    let refused = reader.next().await.unwrap_err();
    assert!(
        matches!(
            refused,
            ReadError::Frame(FrameError::TooShort { len: 5, .. })
        ),
        "{refused}"
    );
    assert_eq!(reader.next().await.unwrap(), Next::Message(Message::Close));
}

#[tokio::test(start_paused = true)]
async fn a_tap_sees_both_ways_with_the_bytes() {
    let (taker, mut taken) = mpsc::channel(8);
    let tap = tap_to(taker);
    let (_server, (_reader, writer), (mut other_reader, other)) = pair(tap).await;

    other.send(&output("out")).await.unwrap();
    writer.send(&Message::Close).await.unwrap();
    other_reader.next().await.unwrap();

    let (first, second) = (taken.recv().await.unwrap(), taken.recv().await.unwrap());
    assert_eq!((first.way, second.way), (Way::Out, Way::In));
    assert_eq!(
        (first.side, first.label.name.as_str()),
        (Side::Client, "conn-1")
    );
    let first = Frame::decode(frame_of(first)).unwrap();
    assert_eq!(first.created_date, 1_700_000_000_000);
    assert_eq!(first.payload, "out");
    let second = ClientFraming::new().decode(frame_of(second));
    assert_eq!(second, Ok(Message::Close));
}

#[tokio::test(start_paused = true)]
async fn a_tap_sees_how_a_websocket_ends_and_nothing_once_it_is_off() {
    let (taker, mut taken) = mpsc::channel(8);
    let tap = tap_to(taker);
    let (_server, (_reader, writer), (mut other_reader, other)) = pair(tap.clone()).await;

    writer.close(1000, "Exit").await.unwrap();
    other_reader.next().await.unwrap();
    tap.turn_off();
    // It answers the close by itself, so this one is not sent, and not seen either.
    let _ = other.send(&output("late")).await;

    let seen = taken.recv().await.unwrap().seen;
    assert!(
        matches!(&seen, Seen::Closed { code: 1000, reason } if reason == "Exit"),
        "{seen:?}"
    );
    assert!(taken.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_full_tap_holds_the_reader_back_and_a_dropped_wait_loses_nothing() {
    let (taker, mut taken) = mpsc::channel(1);
    let tap = tap_to(taker);
    let (_server, (_reader, writer), (mut other, _writer)) = pair(tap).await;
    writer.send(&output("one")).await.unwrap();
    writer.send(&output("two")).await.unwrap();
    assert_eq!(other.next().await.unwrap(), Next::Message(output("one")));

    let held_back = link::timeout(Duration::from_secs(1), other.next()).await;
    taken.recv().await.unwrap();
    let freed = other.next().await.unwrap();

    assert!(held_back.is_err());
    assert_eq!(freed, Next::Message(output("two")));
}
