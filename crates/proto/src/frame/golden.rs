//! Every frame of the golden vectors, which are what the real programs sent or obeyed, decoded
//! and encoded again to the byte.

use bytes::Bytes;
use serde::Deserialize;

use super::*;
use crate::ChannelId;

/// Vectors that our own encoder would not make, each because it is more careful or more terse.
const NOT_OURS: [&str; 7] = [
    // JSON with blanks.
    "relay_to_agent_resize",
    // A speed in three bytes.
    "relay_to_agent_speed_3byte_81920",
    "relay_to_client_speed_3byte",
    // A header with ids, and one that declares a wrong length.
    "relay_to_client_output_with_ids",
    "relay_to_client_output_wrong_length",
    // Speeds that their reader does not survive.
    "relay_to_agent_speed_8191_KILLS_READER",
    "relay_to_client_speed_16383_CRASHES",
];

#[derive(Deserialize)]
struct Golden {
    vectors: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    hex: String,
    decoded: Decoded,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Decoded {
    #[serde(rename = "type")]
    kind: u32,
    schema: String,
    channel_id: Option<String>,
    session_id: Option<String>,
    instance_id: Option<String>,
    created_date: u64,
    sequence: i64,
    payload_length: u32,
    #[serde(rename = "payload_hex")]
    payload: String,
    status_code: Option<u8>,
    reason: Option<String>,
}

impl Vector {
    fn bytes(&self) -> Bytes {
        hex::decode(&self.hex).expect("hexadecimal").into()
    }

    fn payload(&self) -> Bytes {
        hex::decode(&self.decoded.payload)
            .expect("hexadecimal")
            .into()
    }

    fn is_ours(&self) -> bool {
        !NOT_OURS.contains(&self.name.as_str())
    }

    fn is_status(&self) -> bool {
        self.decoded.kind == kind::STATUS
    }
}

fn vectors(framing: &str) -> Vec<Vector> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/data/golden-vectors.json"
    );
    let text = std::fs::read(path).expect("the golden vectors are there");
    let golden: Golden = serde_json::from_slice(&text).expect("well-formed");
    let vectors: Vec<Vector> = golden
        .vectors
        .into_iter()
        .filter(|vector| vector["framing"] == framing)
        .map(|vector| serde_json::from_value(vector).expect("a frame with its fields"))
        .collect();
    assert!(
        vectors.len() > 10,
        "only {} {framing} vectors",
        vectors.len()
    );
    vectors
}

/// Decodes the frame, and encodes what it said where its own sender had counted to.
fn decoded_and_encoded_again<F: Framing>(mut framing: F, vector: &Vector) -> (Message, Bytes) {
    let message = framing.decode(vector.bytes()).expect("a good frame");
    for _ in 0..vector.decoded.sequence {
        framing.encode(1, &Message::Close);
    }
    let again = framing.encode(vector.decoded.created_date, &message);
    (message, again)
}

/// What the documented fields say, put together by hand for all types but the resize.
fn expected_message(vector: &Vector) -> Option<Message> {
    let payload = vector.payload();
    match vector.decoded.kind {
        0 => Some(Message::Input(payload)),
        1 => Some(Message::Output(payload)),
        3 => Some(Message::Close),
        _ => None,
    }
}

#[test]
fn every_client_frame_is_read_and_written_to_the_byte() {
    for vector in vectors("client") {
        let frame = client::Frame::decode(vector.bytes()).expect("a good frame");

        let Vector { name, decoded, .. } = &vector;
        assert_eq!(frame.kind, decoded.kind, "{name}");
        assert_eq!(frame.schema, decoded.schema.as_bytes(), "{name}");
        assert_eq!(
            Some(frame.session_id.as_ref()),
            decoded.session_id.as_deref().map(str::as_bytes),
            "{name}"
        );
        assert_eq!(
            Some(frame.instance_id.as_ref()),
            decoded.instance_id.as_deref().map(str::as_bytes),
            "{name}"
        );
        assert_eq!(frame.created_date, decoded.created_date, "{name}");
        assert_eq!(frame.sequence, decoded.sequence, "{name}");
        assert_eq!(frame.declared_length, decoded.payload_length, "{name}");
        assert_eq!(frame.payload, vector.payload(), "{name}");
        assert_eq!(frame.encode(), vector.bytes(), "{name}");
    }
}

#[test]
fn every_agent_frame_is_read_and_written_to_the_byte() {
    for vector in vectors("agent") {
        let frame = agent::Frame::decode(vector.bytes()).expect("a good frame");

        let Vector { name, decoded, .. } = &vector;
        let channel = decoded.channel_id.as_deref().expect("a channel");
        assert_eq!(frame.kind, decoded.kind, "{name}");
        assert_eq!(frame.schema, decoded.schema.as_bytes(), "{name}");
        assert_eq!(frame.channel, channel.as_bytes(), "{name}");
        assert_eq!(
            frame.channel_id().as_ref().map(ChannelId::as_str),
            Some(channel.trim_end()),
            "{name}"
        );
        assert_eq!(frame.created_date, decoded.created_date, "{name}");
        assert_eq!(frame.sequence, decoded.sequence, "{name}");
        assert_eq!(frame.declared_length, decoded.payload_length, "{name}");
        assert_eq!(frame.payload, vector.payload(), "{name}");
        assert_eq!(frame.encode(), vector.bytes(), "{name}");
    }
}

#[test]
fn a_client_frame_that_we_would_make_is_the_one_that_was_captured() {
    for vector in vectors("client") {
        let (message, again) = decoded_and_encoded_again(client::ClientFraming::new(), &vector);

        if let Some(expected) = expected_message(&vector) {
            assert_eq!(message, expected, "{}", vector.name);
        }
        assert_eq!(again == vector.bytes(), vector.is_ours(), "{}", vector.name);
    }
}

#[test]
fn an_agent_frame_that_we_would_make_is_the_one_that_was_captured() {
    for vector in vectors("agent") {
        let channel = vector.decoded.channel_id.as_deref().expect("a channel");
        let channel = channel.trim_end().parse().expect("well-formed");

        let (message, again) =
            decoded_and_encoded_again(agent::AgentFraming::new(channel), &vector);

        if let Some(expected) = expected_message(&vector) {
            assert_eq!(message, expected, "{}", vector.name);
        }
        assert_eq!(again == vector.bytes(), vector.is_ours(), "{}", vector.name);
    }
}

#[test]
fn both_framings_sizes_say_rows_and_columns() {
    let sizes = [
        (
            "client_resize_first",
            Size {
                rows: 30,
                cols: 100,
            },
        ),
        (
            "client_resize_second",
            Size {
                rows: 40,
                cols: 120,
            },
        ),
        (
            "relay_to_agent_resize",
            Size {
                rows: 30,
                cols: 100,
            },
        ),
    ];
    let mut agent = agent::AgentFraming::new("ch-0".parse().expect("well-formed"));
    let mut client = client::ClientFraming::new();

    for (name, size) in sizes {
        let is_named = |vector: &Vector| vector.name == name;
        let message = match vectors("client").into_iter().find(is_named) {
            Some(vector) => client.decode(vector.bytes()),
            None => {
                let vector = vectors("agent").into_iter().find(is_named);
                agent.decode(vector.expect("one of the two").bytes())
            }
        };

        assert_eq!(message, Ok(Message::Resize(size)), "{name}");
    }
}

#[test]
fn a_statuss_code_and_reason_are_the_documented_ones() {
    for vector in vectors("client").iter().filter(|vector| vector.is_status()) {
        let Ok(Message::Status(status)) = client::ClientFraming::new().decode(vector.bytes())
        else {
            panic!("{} is a status", vector.name);
        };

        let code = match &status {
            Status::ConnectFailed(_) => 2,
            Status::KeepAlive => 3,
            Status::Ended(_) => 5,
            Status::Speed(_) => 7,
            Status::Other { code, .. } => *code,
        };
        assert_eq!(Some(code), vector.decoded.status_code, "{}", vector.name);
        if let Some(reason) = &vector.decoded.reason {
            assert_eq!(
                status,
                Status::Ended(reason.as_str().into()),
                "{}",
                vector.name
            );
        }
    }
}

#[test]
fn a_frame_that_is_cut_inside_its_header_is_an_error() {
    for vector in vectors("client") {
        let header = vector.bytes().len() - vector.payload().len();
        for length in 0..header {
            let cut = vector.bytes().slice(..length);

            let error = client::Frame::decode(cut).expect_err("cut short");

            assert!(matches!(error, FrameError::TooShort { len, .. } if len == length));
        }
    }
    for vector in vectors("agent") {
        for length in 0..agent::HEADER {
            let cut = vector.bytes().slice(..length);

            let error = agent::Frame::decode(cut).expect_err("cut short");

            assert_eq!(
                error,
                FrameError::TooShort {
                    framing: "agent",
                    len: length,
                    least: 60
                }
            );
        }
    }
}
