use axt_proto::{
    Message,
    frame::{Framing, client::ClientFraming},
};

use super::*;
use crate::record::{Header, Ids, VERSION};

/// A trace of one message that was typed, with its payload or without.
fn typed(text: &'static str, with_payload: bool) -> (Trace, Bytes) {
    let message = ClientFraming::new().encode(1, &Message::Input(text.as_bytes().into()));
    let record = |what| Record {
        n: 0,
        rule_us: 0,
        link_us: 5,
        hop: Hop::Client,
        dir: Dir::Up,
        ids: Ids {
            connection: Some("1".to_owned()),
            ..Ids::default()
        },
        what,
    };
    let frame = fields::read(Hop::Client, &message, with_payload);
    let trace = Trace {
        path: "x.jsonl".into(),
        header: Header {
            axt_trace: VERSION,
            seen_by: "relay".to_owned(),
            version: String::new(),
            started: "2026-11-28T10:00:00Z".to_owned(),
            payload: with_payload,
            ids: Ids::default(),
        },
        records: vec![record(What::Open), record(What::Frame(Box::new(frame)))],
    };
    (trace, message)
}

fn capture(trace: &Trace) -> Bytes {
    let records: Vec<_> = trace.records.iter().map(|record| (trace, record)).collect();
    write(&records)
}

/// The packets of a capture: time in microseconds, captured bytes, whole length. Written from the
/// format's description alone.
fn packets(capture: &[u8]) -> Vec<(u64, Vec<u8>, usize)> {
    let word = |at: usize| {
        let bytes: [u8; 4] = capture[at..at + 4].try_into().expect("four");
        u32::from_le_bytes(bytes)
    };
    let size = |at| usize::try_from(word(at)).expect("fits");
    assert_eq!(word(0), 0x0A0D_0D0A, "a section first");
    assert_eq!(word(8), 0x1A2B_3C4D, "its byte order");
    let mut at = 0;
    let mut found = Vec::new();
    while at < capture.len() {
        let total = size(at + 4);
        assert_eq!(total % 4, 0);
        assert_eq!(
            size(at + total - 4),
            total,
            "the length stands at both ends"
        );
        if word(at) == 6 {
            let time = (u64::from(word(at + 12)) << 32) | u64::from(word(at + 16));
            let (captured, whole) = (size(at + 20), size(at + 24));
            found.push((time, capture[at + 28..at + 28 + captured].to_vec(), whole));
        }
        at += total;
    }
    assert_eq!(at, capture.len(), "blocks and nothing else");
    found
}

/// What the client's side of the connection carries, and whether its counts fit.
fn stream(packets: &[(u64, Vec<u8>, usize)]) -> Vec<u8> {
    let mut stream = Vec::new();
    let mut next: Option<u32> = None;
    for (_, packet, whole) in packets {
        assert_eq!(packet[0], 0x45);
        let stated = u16::from_be_bytes([packet[2], packet[3]]);
        assert_eq!(usize::from(stated), *whole);
        if packet[12..16] != CLIENT {
            continue;
        }
        let sequence = u32::from_be_bytes(packet[24..28].try_into().expect("four"));
        let is_syn = packet[33] & SYN != 0;
        assert!(next.is_none_or(|next| next == sequence), "{sequence}");
        let len = u32::try_from(whole - 40).expect("short");
        next = Some(sequence + len + u32::from(is_syn));
        stream.extend_from_slice(&packet[40..]);
    }
    stream
}

#[test]
fn a_frame_stands_in_a_websocket_in_tcp_byte_for_byte() {
    let (trace, message) = typed("id\r", true);

    let packets = packets(&capture(&trace));

    let at = "2026-11-28T10:00:00Z".parse::<jiff::Timestamp>();
    let at = at.expect("a time").as_microsecond() + 5;
    assert!(
        packets
            .iter()
            .all(|(time, ..)| i64::try_from(*time) == Ok(at))
    );
    let stream = stream(&packets);
    let text = String::from_utf8_lossy(&stream);
    assert!(text.starts_with("GET /session HTTP/1.1\r\n"), "{text}");
    let end = stream
        .windows(4)
        .position(|it| it == b"\r\n\r\n")
        .expect("a head")
        + 4;
    let frame = &stream[end..];
    assert_eq!(frame[0], 0x82, "one binary frame");
    assert_eq!(usize::from(frame[1]), message.len());
    assert_eq!(frame[2..], message[..]);
}

#[test]
fn payload_that_was_not_kept_is_not_captured_and_counts_all_the_same() {
    let (trace, message) = typed("secret", false);

    let capture = capture(&trace);

    let packets = packets(&capture);
    let (_, last, whole) = packets.last().expect("a packet");
    assert_eq!(whole - last.len(), "secret".len());
    assert_eq!(last[42..], message[..message.len() - "secret".len()]);
    assert!(!capture.windows(6).any(|it| it == b"secret"));
}

#[test]
fn a_message_above_a_packets_size_is_cut_into_several() {
    let text = "x".repeat(150_000);
    let (trace, message) = typed(Box::leak(text.into_boxed_str()), true);

    let stream = stream(&packets(&capture(&trace)));

    assert_eq!(stream[stream.len() - message.len()..], message[..]);
}
