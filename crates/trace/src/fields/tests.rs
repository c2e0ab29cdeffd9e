use serde_json::Value;

use super::*;

/// Each websocket message of the golden vectors: its name, framing, bytes, and what it decodes to.
fn golden() -> Vec<(String, Hop, Bytes, Value)> {
    let text = include_str!("../../../../tests/data/golden-vectors.json");
    let file: Value = serde_json::from_str(text).expect("JSON");
    let vectors = file["vectors"].as_array().expect("a list");
    vectors
        .iter()
        .filter_map(|vector| {
            let hop = match vector["framing"].as_str()? {
                "agent" => Hop::Agent,
                "client" => Hop::Client,
                _ => return None,
            };
            let bytes = hex::decode(vector["hex"].as_str()?).expect("hex");
            let name = vector["name"].as_str()?.to_owned();
            Some((name, hop, bytes.into(), vector["decoded"].clone()))
        })
        .collect()
}

#[test]
fn every_golden_vector_reads_as_what_it_was_when_it_was_captured() {
    let mut checked = 0;
    for (name, hop, message, decoded) in golden() {
        let fields = read(hop, &message, true);

        let Some(kind) = decoded["type"].as_u64() else {
            continue;
        };
        checked += 1;
        let known = u32::try_from(kind).ok().and_then(word).unwrap_or("unknown");
        assert_eq!(fields.r#type, known, "{name}");
        assert_eq!(fields.date_ms, decoded["createdDate"].as_u64(), "{name}");
        assert_eq!(fields.seq, decoded["sequence"].as_i64(), "{name}");
        let length = decoded["payloadLength"].as_u64();
        assert_eq!(fields.length.map(u64::from), length, "{name}");
        if let Some(payload) = decoded["payload_hex"].as_str() {
            let kept = payload_of(&fields);
            assert_eq!(hex::encode(kept), payload, "{name}");
        }
    }
    assert!(checked > 20, "{checked}");
}

fn payload_of(fields: &Fields) -> Bytes {
    payload(fields).unwrap_or_default()
}

#[test]
fn the_framing_of_every_golden_vector_with_a_header_is_guessed() {
    for (name, hop, message, _) in golden() {
        if read(hop, &message, false).r#type == "none" {
            continue;
        }

        assert_eq!(guess(&message), hop, "{name}");
    }
}

#[test]
fn what_no_peer_may_send_is_shown_all_the_same() {
    let frame = client::Frame {
        kind: 77,
        schema: *b"9.99",
        session_id: Bytes::from_static(b"s-1"),
        instance_id: Bytes::new(),
        created_date: 0,
        sequence: -1,
        declared_length: 5,
        payload: Bytes::from_static(b"x"),
    };

    let fields = read(Hop::Client, &frame.encode(), false);
    let cut = read(Hop::Client, &frame.encode().slice(..20), false);

    assert_eq!(fields.r#type, "unknown");
    assert_eq!((fields.type_number, fields.date_ms), (Some(77), Some(0)));
    assert_eq!((fields.length, fields.size), (Some(5), 1));
    assert_eq!(fields.schema.as_deref(), Some("9.99"));
    assert!(fields.error.is_some());
    assert_eq!(fields.payload, None);
    assert_eq!((cut.r#type.as_str(), cut.size), ("none", 20));
}
