//! What holds for every message and for any bytes at all, in both framings.

use bytes::Bytes;
use proptest::{collection::vec, prelude::*};

use super::{agent::AgentFraming, client::ClientFraming, *};
use crate::withstand;

fn agent_framing() -> AgentFraming {
    AgentFraming::new("ch-0".parse().expect("well-formed"))
}

fn bytes(length: std::ops::Range<usize>) -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), length).prop_map(Bytes::from)
}

fn status() -> impl Strategy<Value = Status> {
    prop_oneof![
        bytes(0..40).prop_map(Status::ConnectFailed),
        Just(Status::KeepAlive),
        ".{0,40}".prop_map(|reason| Status::Ended(reason.into())),
        (Status::MIN_SPEED..).prop_map(Status::Speed),
        (8..=u8::MAX, bytes(0..40)).prop_map(|(code, rest)| Status::Other { code, rest }),
    ]
}

fn message() -> impl Strategy<Value = Message> {
    prop_oneof![
        bytes(0..5_000).prop_map(Message::Input),
        bytes(0..5_000).prop_map(Message::Output),
        (any::<u16>(), any::<u16>()).prop_map(|(rows, cols)| Message::Resize(Size { rows, cols })),
        Just(Message::Close),
        status().prop_map(Message::Status),
        any::<i32>().prop_map(Message::Exit),
        Just(Message::Eof),
        Just(Message::Reset),
        Just(Message::Alive),
        (6..kind::EXIT, bytes(0..40)).prop_map(|(kind, payload)| Message::Other { kind, payload }),
    ]
}

/// Bytes that look like a frame often enough to get past the header.
fn hostile() -> impl Strategy<Value = Bytes> {
    let almost = (0..8_u32, bytes(0..120)).prop_map(|(kind, rest)| {
        [kind.to_le_bytes().as_slice(), &SCHEMA, &[0, 0], &rest]
            .concat()
            .into()
    });
    prop_oneof![bytes(0..200), almost]
}

proptest! {
    #[test]
    fn a_message_survives_the_client_framing(message in message(), created_ms in any::<u64>()) {
        let mut framing = ClientFraming::new();

        let frame = framing.encode(created_ms, &message);

        prop_assert_eq!(framing.decode(frame), Ok(message));
    }

    #[test]
    fn a_message_survives_the_agent_framing(message in message(), created_ms in any::<u64>()) {
        let mut framing = agent_framing();

        let frame = framing.encode(created_ms, &message);

        prop_assert_eq!(framing.decode(frame), Ok(message));
    }

    #[test]
    fn a_raw_client_frame_survives(
        (kind, schema, created_date) in (any::<u32>(), any::<[u8; 4]>(), 1..=u64::MAX),
        (session_id, instance_id) in (bytes(0..256), bytes(0..256)),
        (sequence, declared_length) in (any::<i64>(), any::<u32>()),
        payload in bytes(0..100),
    ) {
        let frame = client::Frame {
            kind,
            schema,
            session_id,
            instance_id,
            created_date,
            sequence,
            declared_length,
            payload,
        };

        prop_assert_eq!(client::Frame::decode(frame.encode()), Ok(frame));
    }

    #[test]
    fn a_raw_agent_frame_survives(
        (kind, schema, created_date) in (any::<u32>(), any::<[u8; 4]>(), 1..=u64::MAX),
        channel in any::<[u8; 32]>(),
        (sequence, declared_length) in (any::<i64>(), any::<u32>()),
        payload in bytes(0..100),
    ) {
        let frame = agent::Frame {
            kind,
            schema,
            channel,
            created_date,
            sequence,
            declared_length,
            payload,
        };

        prop_assert_eq!(agent::Frame::decode(frame.encode()), Ok(frame));
    }

    #[test]
    fn a_clients_input_is_read_whatever_its_header_says(
        schema in any::<[u8; 4]>(),
        (session_id, instance_id) in (bytes(0..256), bytes(0..256)),
        (sequence, declared_length) in (any::<i64>(), any::<u32>()),
    ) {
        let input = Bytes::from_static(b"ls");
        let frame = client::Frame {
            kind: kind::INPUT,
            schema,
            session_id,
            instance_id,
            created_date: 1,
            sequence,
            declared_length,
            payload: input.clone(),
        };

        prop_assert_eq!(ClientFraming::new().decode(frame.encode()), Ok(Message::Input(input)));
    }

    #[test]
    fn an_agents_output_is_read_whatever_its_header_says(
        (schema, channel) in (any::<[u8; 4]>(), any::<[u8; 32]>()),
        (sequence, declared_length) in (any::<i64>(), any::<u32>()),
    ) {
        let output = Bytes::from_static(b"$ ");
        let frame = agent::Frame {
            kind: kind::OUTPUT,
            schema,
            channel,
            created_date: 1,
            sequence,
            declared_length,
            payload: output.clone(),
        };

        prop_assert_eq!(agent_framing().decode(frame.encode()), Ok(Message::Output(output)));
    }

    #[test]
    fn arbitrary_bytes_are_withstood_as_messages_of_either_end(message in hostile()) {
        prop_assert_eq!(withstand::client_frame(&message), Ok(()));
        prop_assert_eq!(withstand::agent_frame(&message), Ok(()));
    }

    #[test]
    fn arbitrary_payloads_are_withstood(payload in bytes(0..40)) {
        prop_assert_eq!(withstand::payload(&payload), Ok(()));
    }

    #[test]
    fn arbitrary_resizes_are_withstood(payload in "[{}\":,0-9a-z ]{0,40}") {
        prop_assert_eq!(withstand::payload(payload.as_bytes()), Ok(()));
    }
}

fn raw_agent_frame(kind: u32, payload: Bytes) -> Bytes {
    agent::Frame {
        kind,
        schema: SCHEMA,
        channel: [b' '; 32],
        created_date: 1,
        sequence: 0,
        declared_length: 0,
        payload,
    }
    .encode()
}

fn raw_client_frame(kind: u32, payload: &'static [u8]) -> Bytes {
    client::Frame {
        kind,
        schema: SCHEMA,
        session_id: Bytes::new(),
        instance_id: Bytes::new(),
        created_date: 1,
        sequence: 0,
        declared_length: 0,
        payload: Bytes::from_static(payload),
    }
    .encode()
}

#[test]
fn a_sequence_counts_every_frame_from_zero() {
    let (mut client, mut agent) = (ClientFraming::new(), agent_framing());

    for sequence in 0..3 {
        let message = Message::Close;
        assert_eq!(agent.sequence(), sequence);
        let by_client = client::Frame::decode(client.encode(1, &message)).expect("whole");
        let by_agent = agent::Frame::decode(agent.encode(1, &message)).expect("whole");

        assert_eq!(by_client.sequence, sequence);
        assert_eq!(by_agent.sequence, sequence);
    }
}

#[test]
fn created_date_zero_is_refused_and_never_written() {
    let (mut client, mut agent) = (ClientFraming::new(), agent_framing());
    let mut undated = client.encode(0, &Message::Close).to_vec();

    assert_eq!(client.decode(undated.clone().into()), Ok(Message::Close));
    undated[10] = 0;
    assert_eq!(
        client.decode(undated.into()),
        Err(FrameError::NoDate { framing: "client" })
    );

    let mut undated = agent.encode(0, &Message::Close).to_vec();
    assert_eq!(agent.decode(undated.clone().into()), Ok(Message::Close));
    undated[40] = 0;
    assert_eq!(
        agent.decode(undated.into()),
        Err(FrameError::NoDate { framing: "agent" })
    );
}

#[test]
fn an_agents_size_is_any_json_object_that_has_both_keys() {
    let size = Ok(Message::Resize(Size {
        rows: 30,
        cols: 100,
    }));
    for text in [
        r#"{"cols":100,"rows":30}"#,
        r#" { "rows" : 30, "x": [{}], "cols" : 100 } "#,
    ] {
        let frame = raw_agent_frame(kind::RESIZE, text.into());

        assert_eq!(agent_framing().decode(frame), size, "{text}");
    }
    for text in [
        "",
        "{}",
        r#"{"cols":100}"#,
        r#"{"cols":-1,"rows":30}"#,
        "\x1e\0\x64\0",
    ] {
        let frame = raw_agent_frame(kind::RESIZE, text.into());

        let error = agent_framing().decode(frame).expect_err("malformed");

        assert!(
            matches!(error, FrameError::Payload { kind: "resize", .. }),
            "{text}"
        );
    }
}

#[test]
fn a_size_beyond_any_terminal_counts_as_the_largest() {
    let frame = raw_agent_frame(kind::RESIZE, r#"{"cols":4294967295,"rows":1}"#.into());

    assert_eq!(
        agent_framing().decode(frame),
        Ok(Message::Resize(Size {
            rows: 1,
            cols: u16::MAX
        }))
    );
}

#[test]
fn a_payload_that_does_not_fit_its_type_says_what_would() {
    let error = ClientFraming::new()
        .decode(raw_client_frame(kind::RESIZE, b"\x1e\0\x64"))
        .expect_err("malformed");

    assert_eq!(
        error.to_string(),
        "a resize payload of 3 bytes is malformed: expected rows and columns, 2 bytes little-endian each"
    );
    assert!(
        ClientFraming::new()
            .decode(raw_client_frame(kind::EXIT, b"\0"))
            .is_err()
    );
}

#[test]
fn an_exit_status_is_little_endian_in_both_framings() {
    let message = Message::Exit(-2);

    let by_client = ClientFraming::new().encode(1, &message);
    let by_agent = agent_framing().encode(1, &message);

    assert_eq!(&by_client[client::HEADER..], b"\xfe\xff\xff\xff");
    assert_eq!(&by_agent[agent::HEADER..], b"\xfe\xff\xff\xff");
}

#[test]
fn an_empty_status_is_read_as_unknown_and_never_written() {
    let empty = raw_client_frame(kind::STATUS, b"");

    let message = ClientFraming::new().decode(empty).expect("a whole header");
    let again = ClientFraming::new().encode(1, &message);

    assert_eq!(
        message,
        Message::Other {
            kind: kind::STATUS,
            payload: Bytes::new()
        }
    );
    assert_eq!(&again[client::HEADER..], b"\x03");
}
