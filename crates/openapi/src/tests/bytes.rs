//! Any bytes at all get a documented 4xx (issue 4, "bad input").

use proptest::{collection::vec, prelude::*, sample::select};

use super::{By, TestWorld, credentials, sign};
use crate::{
    ActionName, Received,
    signature::{Method, Signed},
    withstand,
};

/// Never a panic, never a 5xx.
fn withstand(received: &Received<'_>) {
    let outcome = withstand::received_call(received, &TestWorld::new());

    assert_eq!(outcome, Ok(()));
}

fn header_name() -> impl Strategy<Value = &'static str> {
    select(vec![
        "authorization",
        "accept",
        "content-type",
        "host",
        "x-acs-action",
        "x-acs-content-sha256",
        "x-acs-date",
        "x-acs-security-token",
        "x-acs-signature-nonce",
        "x-acs-version",
    ])
}

fn call() -> impl Strategy<Value = Signed> {
    let by = select(vec![
        By::Rpc(Method::Get),
        By::Rpc(Method::Post),
        By::Acs3(Method::Get),
        By::Acs3(Method::Post),
    ]);
    let parameter = (parameter_name(), parameter_value());
    (by, select(ActionName::ALL), vec(parameter, 0..6)).prop_map(|(by, action, parameters)| {
        let mut lent = vec![("RegionId", "cn-hangzhou"), ("InstanceId.1", "i-1")];
        lent.extend(
            parameters
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
        );
        lent.sort_unstable();
        lent.dedup_by_key(|(name, _)| *name);
        sign(by, action.as_str(), &lent, &credentials())
    })
}

fn parameter_name() -> impl Strategy<Value = String> {
    let known: Vec<&str> = ActionName::ALL
        .iter()
        .flat_map(|action| action.description().parameters)
        .map(|parameter| parameter.name)
        .collect();
    let suffix = select(vec![
        "", ".1", ".2", ".0", ".x", ".Enabled", ".1.Key", ".1.Value", ".",
    ]);
    (select(known), suffix).prop_map(|(name, suffix)| format!("{name}{suffix}"))
}

fn parameter_value() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        select(vec![
            "true",
            "1",
            "0",
            "65536",
            "[]",
            "{}",
            "{\"Enabled\":true}",
            "[\"i-1\"]",
            "Kms",
            "\u{0}",
        ])
        .prop_map(str::to_owned),
    ]
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_withstood(
        method in prop_oneof![select(vec!["GET", "POST"]).prop_map(str::to_owned), any::<String>()],
        path in prop_oneof![Just("/".to_owned()), any::<String>()],
        query in any::<String>(),
        headers in vec((header_name(), vec(any::<u8>(), 0..80)), 0..8),
        body in vec(any::<u8>(), 0..200),
    ) {
        let headers: Vec<(&str, &[u8])> =
            headers.iter().map(|(name, value)| (*name, value.as_slice())).collect();
        withstand(&Received {
            method: &method, path: &path, query: &query, headers: &headers, body: &body, is_tls: false,
        });
    }

    #[test]
    fn a_call_written_in_any_bytes_is_withstood(
        action in select(ActionName::ALL),
        name in parameter_name(),
        value in "[ -~]{0,40}",
        rest in vec(any::<u8>(), 0..200),
    ) {
        let head = format!("GET /?Action={action}&Version=2014-05-26&RegionId=cn-hangzhou&{name}={value}&");
        for bytes in [rest.clone(), [head.as_bytes(), &rest].concat()] {
            prop_assert_eq!(withstand::call(&bytes), Ok(()));
        }
    }

    #[test]
    fn signed_calls_with_any_parameters_are_withstood(signed in call()) {
        let (path, query) = signed.target.split_once('?').unwrap_or((&signed.target, ""));
        let headers: Vec<(&str, &[u8])> =
            signed.headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        withstand(&Received {
            method: signed.method, path, query, headers: &headers,
            body: signed.body.as_bytes(), is_tls: true,
        });
    }

    #[test]
    fn mutated_calls_are_withstood(
        signed in call(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        header in any::<prop::sample::Index>(),
        drop in any::<bool>(),
    ) {
        let (path, query) = signed.target.split_once('?').unwrap_or((&signed.target, ""));
        let mut body = signed.body.clone().into_bytes();
        let mut query = query.as_bytes().to_vec();
        let mut headers: Vec<(&str, Vec<u8>)> =
            signed.headers.iter().map(|(name, value)| (*name, value.clone().into_bytes())).collect();
        let (_, value) = &mut headers[header.index(signed.headers.len())];
        for bytes in [&mut body, &mut query, value] {
            if !bytes.is_empty() {
                let index = at.index(bytes.len());
                bytes[index] = byte;
            }
        }
        if drop {
            headers.remove(header.index(headers.len()));
        }
        let query = String::from_utf8_lossy(&query);
        let headers: Vec<(&str, &[u8])> =
            headers.iter().map(|(name, value)| (*name, value.as_slice())).collect();
        withstand(&Received {
            method: signed.method, path, query: &query, headers: &headers, body: &body, is_tls: false,
        });
    }
}
