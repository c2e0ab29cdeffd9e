//! What the official agent really sent, read and recomputed (wire-protocol 10).

#![allow(clippy::expect_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;

use axt_control::luban::{
    AgentKey, Answer, Identity, Notify, PublicKey, Signer, StatusPost, Verifier,
    beat::{HeartBeat, UpdateRequest},
    register::RegisterRequest,
    state::StateRequest,
    task::{Reason, TaskListQuery},
    telemetry::{ClientReport, Common, EventKind, MetricsEvent},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("../../../tests/data/golden-vectors.json"))
        .expect("the vectors are JSON")
}

fn vectors(golden: &Value) -> &Vec<Value> {
    golden["vectors"].as_array().expect("a list of vectors")
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().expect("a text")
}

/// The identity headers of a vector, if it has any.
fn identity(vector: &Value) -> Option<Identity> {
    let headers = vector["decoded"]["headers"].as_array()?;
    Identity::read(|name| {
        headers
            .iter()
            .find(|pair| {
                pair[0]
                    .as_str()
                    .is_some_and(|key| key.eq_ignore_ascii_case(name))
            })
            .and_then(|pair| pair[1].as_str())
    })
    .expect("captured headers are well-formed")
}

#[test]
fn every_captured_signature_verifies_and_is_recomputed_to_the_byte() {
    let golden = golden();
    let key = &golden["signing_key"];
    let machine_id = text(key, "machine_id");
    let private = AgentKey::from_pem(text(key, "private_key_pem")).expect("a key");
    let public = PublicKey::from_pem(text(key, "public_key_pem")).expect("a key");
    let instance = text(key, "instance_id").parse().expect("an id");
    let signer = Signer::new(instance, machine_id, &private);
    let verifier = Verifier::new(machine_id, &public);

    let signed: Vec<Identity> = vectors(&golden)
        .iter()
        .filter_map(identity)
        .filter(|identity| identity.instance == *signer.instance())
        .collect();

    assert!(signed.len() >= 19, "only {} signatures", signed.len());
    for identity in signed {
        assert_eq!(verifier.verify(&identity), Ok(()));
        assert_eq!(
            signer.sign(identity.timestamp_ms, identity.request_id.clone()),
            identity
        );
    }
}

#[test]
fn a_signature_over_anything_else_does_not_verify() {
    let golden = golden();
    let key = &golden["signing_key"];
    let public = PublicKey::from_pem(text(key, "public_key_pem")).expect("a key");
    let verifier = Verifier::new(text(key, "machine_id"), &public);
    let good = vectors(&golden)
        .iter()
        .filter_map(identity)
        .next()
        .expect("a signed request");

    let later = Identity {
        timestamp_ms: good.timestamp_ms + 1,
        ..good.clone()
    };
    let garbled = Identity {
        signature: "AAAA".to_owned(),
        ..good.clone()
    };

    assert!(verifier.verify(&later).is_err());
    assert!(verifier.verify(&garbled).is_err());
    assert!(
        Verifier::new("another machine", &public)
            .verify(&good)
            .is_err()
    );
}

#[test]
fn the_captured_registration_reads_and_is_written_to_the_byte() {
    let golden = golden();
    let vector = vectors(&golden)
        .iter()
        .find(|vector| vector["name"] == "http_register")
        .expect("the vector");
    let body = text(&vector["decoded"], "body");

    let request: RegisterRequest = serde_json::from_str(body).expect("reads");
    let key = PublicKey::from_registration(&request.public_key).expect("a key");

    assert_eq!(serde_json::to_string(&request).expect("serialises"), body);
    assert_eq!(
        key.to_pem().expect("encodes"),
        text(&golden["signing_key"], "public_key_pem")
    );
    assert_eq!(key.to_registration().expect("encodes"), request.public_key);
}

#[test]
fn the_captured_private_key_is_written_to_the_byte() {
    let golden = golden();
    let pem = text(&golden["signing_key"], "private_key_pem");

    let key = AgentKey::from_pem(pem).expect("a key");

    assert!(key.to_pem().expect("encodes").matches(pem));
}

#[test]
fn every_captured_status_post_reads_and_is_written_to_the_byte() {
    let golden = golden();
    let posts: Vec<&str> = vectors(&golden)
        .iter()
        .filter(|vector| text(vector, "name").starts_with("http_session_status"))
        .map(|vector| text(&vector["decoded"], "query"))
        .filter(|query| !query.contains(&"c".repeat(33)))
        .collect();

    assert!(posts.len() >= 8);
    for query in posts {
        let post: StatusPost = query.parse().expect("reads");
        assert_eq!(post.to_string(), query);
    }
}

#[test]
fn captured_session_commands_are_ours_and_are_answered_alike() {
    let golden = golden();
    let mut seen = 0;
    for vector in vectors(&golden) {
        let sent = vector["decoded"]["sent"].as_str().unwrap_or_default();
        let Ok(command) = sent.parse::<Notify>() else {
            continue;
        };
        if matches!(command, Notify::SessionStart(_) | Notify::SessionStop(_)) {
            assert_eq!(command.to_string(), sent);
            assert_eq!(
                Answer::to_command(sent).to_string(),
                text(&vector["decoded"], "answer")
            );
            seen += 1;
        }
    }
    assert!(seen >= 2);
}

#[test]
fn every_captured_heart_beat_reads_and_is_written_to_the_byte() {
    let golden = golden();
    let beats: Vec<&str> = vectors(&golden)
        .iter()
        .filter(|vector| text(vector, "name").starts_with("http_heartbeat"))
        .map(|vector| text(&vector["decoded"], "query"))
        .collect();

    assert!(beats.len() >= 3);
    for query in beats {
        let beat: HeartBeat = query.parse().expect("reads");
        assert_eq!(beat.machine.is_some(), beat.index == 0);
        assert_eq!(beat.to_string(), query);
    }
}

#[test]
fn captured_metrics_events_and_client_reports_read_and_are_written_to_the_byte() {
    fn body<T: DeserializeOwned + Serialize>(golden: &Value, prefix: &str) -> usize {
        let bodies = vectors(golden)
            .iter()
            .filter(|vector| text(vector, "name").starts_with(prefix))
            .map(|vector| text(&vector["decoded"], "body"));
        let written = bodies.map(|body| {
            let told: T = serde_json::from_str(body).expect("reads");
            assert_eq!(serde_json::to_string(&told).expect("serialises"), body);
        });
        written.count()
    }
    let golden = golden();

    assert!(body::<MetricsEvent>(&golden, "http_metrics") >= 3);
    assert!(body::<ClientReport>(&golden, "http_client_report") >= 1);
    assert!(body::<UpdateRequest>(&golden, "http_update_check") >= 1);
    assert!(body::<StateRequest>(&golden, "http_list_instance_state") >= 1);
}

#[test]
fn captured_metrics_events_are_made_anew_from_what_they_tell() {
    let golden = golden();

    for (name, kind) in [
        ("http_metrics_startup", EventKind::Startup),
        ("http_metrics_session_failed", EventKind::SessionFailed),
        ("http_metrics_unregister", EventKind::Unregistered),
    ] {
        let vector = vectors(&golden)
            .iter()
            .find(|vector| vector["name"] == name)
            .expect("the vector");
        let body = text(&vector["decoded"], "body");
        let told: MetricsEvent = serde_json::from_str(body).expect("reads");
        let common: Common = serde_json::from_str(&told.common).expect("reads");
        let keywords: BTreeMap<String, String> =
            serde_json::from_str(&told.keywords).expect("reads");
        let keywords = keywords
            .into_iter()
            .map(|(name, value)| (&*name.leak(), value))
            .collect();

        let again = MetricsEvent::new(kind, told.event_time, &common, &keywords);

        assert_eq!(serde_json::to_string(&again).expect("serialises"), body);
    }
}

#[test]
fn the_captured_request_for_the_task_list_is_written_to_the_byte() {
    let golden = golden();
    let vector = vectors(&golden)
        .iter()
        .find(|vector| vector["name"] == "http_task_list_startup")
        .expect("the vector");

    let query = TaskListQuery {
        reason: Reason::Startup { cold_start: true },
        current_time: 1_795_587_058_421,
        offset: 0,
        time_zone: "Etc/UTC".to_owned(),
    };

    assert_eq!(query.to_string(), text(&vector["decoded"], "query"));
}
