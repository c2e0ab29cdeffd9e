//! What the official clients really sent, read as the relay reads it.

use axt_proto::Tick;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{TestWorld, at};
use crate::{ActionName, ErrorCode, Received, read, received::Parameters};

const PATH: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/data/sdk-captures.json"
);

pub(super) fn file() -> Map<String, Value> {
    let text = std::fs::read_to_string(PATH).expect("the captures are in the repository");
    serde_json::from_str(&text).expect("the captures are JSON")
}

#[derive(Deserialize)]
struct Capture {
    label: String,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: String,
    client: String,
    #[serde(default)]
    variant: String,
    tls: bool,
}

fn captures() -> Vec<Capture> {
    let requests = file().remove("requests").expect("the file has requests");
    serde_json::from_value(requests).expect("requests of the known form")
}

#[test]
fn every_request_of_an_official_client_is_read_as_it_was_meant() {
    let captures = captures();
    let mut wrong_on_purpose = 0;

    assert_eq!(captures.len(), 250);
    for capture in &captures {
        let (path, query) = capture
            .target
            .split_once('?')
            .unwrap_or((&capture.target, ""));
        let headers: Vec<(&str, &[u8])> = capture
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        let received = Received {
            method: &capture.method,
            path,
            query,
            headers: &headers,
            body: capture.body.as_bytes(),
            is_tls: capture.tls,
        };
        let parameters = Parameters::of(&received);
        let given = |header, name| received.header(header).or(parameters.get(name));
        let time = given("x-acs-date", "Timestamp").expect("a time");
        let world = match given("x-acs-security-token", "SecurityToken") {
            Some(token) => TestWorld::with_token(token, Tick::from_nanos(u64::MAX)),
            None => TestWorld::new(),
        };

        let outcome = read(&received, &world, at(time));

        // The Go client's label speaks of the server's answer, not of its own secret.
        let is_wrong = capture.variant.contains("bad-secret") && capture.client != "go_sdk";
        let action = given("x-acs-action", "Action").expect("an action");
        match outcome {
            Ok(call) => {
                assert!(!is_wrong, "{}", capture.label);
                assert_eq!(call.action.name().as_str(), action, "{}", capture.label);
                assert_eq!(call.ignored, Vec::<String>::new(), "{}", capture.label);
            }
            Err(failure) if is_wrong => {
                wrong_on_purpose += 1;
                assert_eq!(
                    failure.error.code_text(),
                    "SignatureDoesNotMatch",
                    "{}",
                    capture.label
                );
            }
            Err(failure) => {
                assert_eq!(
                    ActionName::find(action),
                    None,
                    "{}: {}",
                    capture.label,
                    failure.error
                );
                assert_eq!(failure.error.code(), ErrorCode::InvalidActionNotFound);
            }
        }
    }
    assert_eq!(wrong_on_purpose, 5);
}
