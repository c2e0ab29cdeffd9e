//! The captured bytes, read and written again.

use serde_json::Value;

use super::*;

fn vectors(framing: &str, origin: &str) -> Vec<(String, Bytes)> {
    let golden: Value =
        serde_json::from_str(include_str!("../../../../tests/data/golden-vectors.json"))
            .expect("the vectors are JSON");
    let all = golden["vectors"].as_array().expect("a list").iter();
    all.filter(|vector| vector["framing"] == framing && vector["origin"] == origin)
        .map(|vector| {
            let hex = vector["hex"].as_str().expect("a text");
            let digits = hex.as_bytes().chunks(2);
            let bytes = digits.map(|two| {
                u8::from_str_radix(std::str::from_utf8(two).expect("ASCII"), 16).expect("hex")
            });
            let name = vector["name"].as_str().expect("a name").to_owned();
            (name, bytes.collect::<Vec<_>>().into())
        })
        .collect()
}

#[test]
fn what_the_official_agent_sent_is_written_to_the_byte() {
    for (name, captured) in vectors("agent", "captured") {
        let frame = read_at_agent(&captured).expect("a frame");
        let channel = std::str::from_utf8(&captured[8..40])
            .expect("ASCII")
            .trim_end();
        let sequence = i64::from_le_bytes(captured[48..56].try_into().expect("eight"));

        let again = write_at_agent(
            frame.kind,
            channel,
            frame.created_ms,
            sequence,
            &frame.payload,
        );

        assert_eq!(again, captured, "{name}");
    }
}

#[test]
fn what_the_official_client_sent_is_written_to_the_byte() {
    for (name, captured) in vectors("client", "captured") {
        let frame = read_at_client(&captured).expect("a frame");
        let sequence = i64::from_le_bytes(captured[18..26].try_into().expect("eight"));

        let again = write_at_client(frame.kind, frame.created_ms, sequence, &frame.payload);

        assert_eq!(again, captured, "{name}");
    }
}

#[test]
fn what_the_official_programs_accepted_is_read() {
    for (name, message) in vectors("agent", "constructed-and-accepted") {
        assert!(read_at_agent(&message).is_ok(), "{name}");
    }
    for (name, message) in vectors("client", "constructed-and-accepted") {
        assert!(read_at_client(&message).is_ok(), "{name}");
    }
}

#[test]
fn lengths_that_break_a_reader_are_told_apart() {
    let of = |length| Bytes::from(vec![0; length]);

    assert_eq!(read_at_agent(&of(56)), Err(Unreadable::TooShort));
    assert_eq!(read_at_client(&of(26)), Err(Unreadable::TooShort));
    for length in 57..60 {
        assert_eq!(read_at_agent(&of(length)), Err(Unreadable::KillsReader));
    }
    for length in 27..30 {
        assert_eq!(read_at_client(&of(length)), Err(Unreadable::KillsReader));
    }
}

#[test]
fn the_pace_is_the_documented_one_and_small_speeds_divide_by_zero() {
    assert_eq!(interval_ms(204_800, 1_024), Some(40));
    assert_eq!(interval_ms(204_800, 2_048), Some(83));
    assert_eq!(interval_ms(8_192, 1_024), Some(1_000));
    assert_eq!(interval_ms(8_191, 1_024), None);
    assert_eq!(interval_ms(16_383, 2_048), None);
    assert_eq!(interval_ms(16_384_000, 1_024), Some(0));
}
