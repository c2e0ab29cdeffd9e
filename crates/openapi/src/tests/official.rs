//! What the official `ali-instance-cli` really called (wire-protocol 11).

use axt_proto::Secret;
use serde_json::Value;

use super::{TestWorld, at};
use crate::{
    Received, read,
    received::Parameters,
    signature::rpc::{self, Algorithm},
};

const PATH: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/data/golden-vectors.json"
);

fn text<'a>(call: &'a Value, name: &str) -> &'a str {
    call[name].as_str().expect("a text")
}

#[test]
fn every_call_of_the_official_client_is_read_and_its_signature_recomputed() {
    let golden = std::fs::read_to_string(PATH).expect("the vectors are in the repository");
    let golden: Value = serde_json::from_str(&golden).expect("the vectors are JSON");
    let all = golden["vectors"].as_array().expect("a list");
    let calls: Vec<_> = all
        .iter()
        .filter(|vector| vector["framing"] == "openapi-rpc")
        .map(|vector| &vector["decoded"])
        .collect();
    let secret = Secret::new("testsk");

    assert_eq!(calls.len(), 7);
    for call in calls {
        let headers: Vec<(&str, &[u8])> = call["headers"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|pair| (pair[0].as_str(), pair[1].as_str()))
            .map(|(name, value)| (name.expect("a name"), value.expect("a value").as_bytes()))
            .collect();
        let received = Received {
            method: text(call, "method"),
            path: text(call, "path"),
            query: text(call, "query"),
            headers: &headers,
            body: text(call, "body").as_bytes(),
            is_tls: true,
        };
        let parameters = Parameters::of(&received);
        let signed = parameters.signed();
        let string = rpc::string_to_sign("POST", signed.into_iter().collect::<Vec<_>>());
        let signature = rpc::signature(Algorithm::HmacSha1, &secret, &string);
        let mut world = TestWorld::new();
        world.key_id = "testak";
        world.key.secret = secret.clone();
        let time = parameters.get("Timestamp").expect("a time");

        let read = read(&received, &world, at(time)).expect("it is what it should be");

        assert_eq!(string, text(call, "string_to_sign"));
        assert_eq!(Some(signature.as_str()), parameters.get("Signature"));
        assert_eq!(Some(read.action.name().as_str()), parameters.get("Action"));
        assert_eq!(read.ignored, Vec::<String>::new());
    }
}
