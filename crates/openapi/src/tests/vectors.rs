//! The ten worked vectors of ecs-api 4.

use axt_proto::Secret;
use serde_json::Value;

use crate::signature::{
    acs3::{self, Authorization},
    rpc::{self, Algorithm},
};

fn vectors() -> serde_json::Map<String, Value> {
    let mut captures = super::captures::file();
    let Some(Value::Object(vectors)) = captures.remove("vectors") else {
        panic!("the file has vectors");
    };
    vectors
}

fn pairs(object: &Value) -> Vec<(&str, &str)> {
    let members = object.as_object().expect("an object").iter();
    members
        .map(|(name, value)| (name.as_str(), value.as_str().expect("a text")))
        .collect()
}

fn text<'a>(vector: &'a Value, name: &str) -> &'a str {
    vector[name].as_str().expect("a text")
}

#[test]
fn the_rpc_vectors_come_out_to_the_byte() {
    let vectors = vectors();
    let rpc: Vec<_> = vectors
        .iter()
        .filter(|(name, _)| name.starts_with("V1"))
        .collect();
    let secret = Secret::new("testsecret");

    assert_eq!(rpc.len(), 5);
    for (name, vector) in rpc {
        let string = rpc::string_to_sign(text(vector, "method"), pairs(&vector["params"]));
        let signature = rpc::signature(Algorithm::HmacSha1, &secret, &string);

        assert_eq!(string, text(vector, "stringToSign"), "{name}");
        assert_eq!(signature, text(vector, "signature"), "{name}");
        assert!(
            rpc::fits(Algorithm::HmacSha1, &secret, &string, &signature),
            "{name}"
        );
    }
}

#[test]
fn the_acs3_vectors_come_out_to_the_byte() {
    let vectors = vectors();
    let acs3: Vec<_> = vectors
        .iter()
        .filter(|(name, _)| name.starts_with("V3"))
        .collect();

    assert_eq!(acs3.len(), 5);
    for (name, vector) in acs3 {
        let is_printed = name == "V3-A";
        let secret = Secret::new(if is_printed {
            "YourAccessKeySecret"
        } else {
            "testsecret"
        });
        let header = text(vector, "authorization");
        let authorization = Authorization::parse(header).expect("of the scheme");
        let headers: Vec<(&str, &[u8])> = pairs(&vector["headers"])
            .into_iter()
            .map(|(name, value)| (name, value.as_bytes()))
            .collect();
        let canonical = acs3::canonical_request(
            text(vector, "method"),
            pairs(&vector["query"]),
            &headers,
            authorization.signed_headers,
            &acs3::sha256(text(vector, "body").as_bytes()),
        );
        let string = acs3::string_to_sign(&canonical);

        assert_eq!(canonical, text(vector, "canonicalRequest"), "{name}");
        assert_eq!(
            acs3::signature(&secret, &string),
            authorization.signature,
            "{name}"
        );
        assert!(
            acs3::fits(&secret, &string, authorization.signature),
            "{name}"
        );
    }
}
