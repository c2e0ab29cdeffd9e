//! Any bytes as query, body and headers get a documented 4xx from the real listener.

use axt_net::{http::HttpClient, link::timeout};
use axt_openapi::{
    ActionName, Credentials, ErrorCode,
    signature::{Method, Outgoing, acs3, rpc},
};
use axt_sandbox::Sandbox;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use proptest::{
    prelude::*,
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    calls::{NOW_MS, simulated},
    harness::{GUARD, sandbox, start},
};

const CASES: usize = 300;

/// Values of a strategy, the same ones at each run.
fn values<S: Strategy>(strategy: S) -> impl Iterator<Item = S::Value> {
    let mut runner = TestRunner::deterministic();
    std::iter::repeat_with(move || {
        let tree = strategy.new_tree(&mut runner);
        tree.expect("a value").current()
    })
    .take(CASES)
}

async fn send(sandbox: &Sandbox, request: Request<Bytes>) -> Response<Bytes> {
    let network = sandbox.network();
    let http = HttpClient::new(network.dialer.clone(), network.tls.clone());
    http.send(request).await.expect("an answer")
}

/// The code of an error that stands in the table with that status.
fn documented(answer: &Response<Bytes>) -> Option<String> {
    let body = std::str::from_utf8(answer.body()).ok()?;
    let code = match serde_json::from_str::<serde_json::Value>(body) {
        Ok(json) => json["Code"].as_str()?.to_owned(),
        Err(_) => {
            let (_, rest) = body.split_once("<Code>")?;
            rest.split_once("</Code>")?.0.to_owned()
        }
    };
    let known = ErrorCode::find(&code);
    let status = answer.status().as_u16();
    // A few actions have a status of their own for a code.
    let has_status = |code: &ErrorCode| {
        let as_of = |action: &ActionName| code.entry_for(Some(*action)).status;
        code.entry().status == status || ActionName::ALL.iter().any(|it| as_of(it) == status)
    };
    known.iter().any(has_status).then_some(code)
}

/// Names that mean something to whoever reads a call.
const HEADERS: &[&str] = &[
    "authorization",
    "content-type",
    "accept",
    "x-acs-action",
    "x-acs-version",
    "x-acs-date",
    "x-acs-signature-nonce",
    "x-acs-content-sha256",
    "x-acs-security-token",
    "x-else",
];

fn header() -> impl Strategy<Value = (String, Vec<u8>)> {
    let values = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        "ACS3-HMAC-SHA256 [ -~]{0,80}".prop_map(String::into_bytes),
        Just(b"application/x-www-form-urlencoded".to_vec()),
        Just(b"2014-05-26".to_vec()),
    ];
    (
        prop::sample::select(HEADERS).prop_map(str::to_owned),
        values,
    )
}

fn query() -> impl Strategy<Value = String> {
    prop_oneof![
        "[!$-;=?-Z_a-z~]{0,200}",
        "(Action|Format|AccessKeyId|Signature|Timestamp|RegionId|InstanceId\\.1)=[%0-9A-Za-z.+]{0,9}(&Format=[A-Z]{0,4})?",
    ]
}

#[tokio::test(start_paused = true)]
async fn unsigned_bytes_are_refused_with_a_code_of_the_table() {
    let sandbox = start(simulated()).await;
    let calls = (
        prop::sample::select(vec!["GET", "POST", "PUT", "DELETE", "OPTIONS", "NONSENSE"]),
        query(),
        prop::collection::vec(header(), 0..6),
        prop::collection::vec(any::<u8>(), 0..2_000),
    );

    for (method, query, headers, body) in values(calls) {
        let what = format!("{method} {query:?} {headers:?} {body:?}");
        let uri = format!("{}/?{query}", sandbox.ready().api_http);
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                let name: HeaderName = name.parse().expect("a name");
                request = request.header(name, value);
            }
        }
        let request = request.body(Bytes::from(body)).expect("a request");

        let answer = send(&sandbox, request).await;

        assert!(
            answer.status().is_client_error(),
            "{}: {what}",
            answer.status()
        );
        assert!(documented(&answer).is_some(), "{:?}: {what}", answer.body());
    }
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn signed_nonsense_is_carried_out_or_refused_with_a_code_of_the_table() {
    let sandbox = start(simulated()).await;
    let ready = sandbox.ready();
    let credentials = Credentials {
        access_key_id: ready.access_key_id.clone(),
        secret: ready.access_key_secret.clone(),
        security_token: None,
    };
    let (_, host) = ready.api_http.split_once("://").expect("a URL");
    let now = i64::try_from(NOW_MS).expect("small");
    let now = jiff::Timestamp::from_millisecond(now).expect("a time");
    let calls = (
        prop::sample::select(ActionName::ALL),
        prop::collection::vec((any::<prop::sample::Index>(), ".{0,40}|[0-9]{1,3}"), 0..6),
        any::<bool>(),
    );

    for (number, (action, chosen, is_rpc)) in values(calls).enumerate() {
        let names: Vec<String> = action
            .description()
            .every_parameter()
            .flat_map(|parameter| parameter.wire_names())
            .collect();
        let mut parameters = vec![("RegionId".to_owned(), "cn-hangzhou".to_owned())];
        for (index, value) in chosen {
            let name = index.get(&names).replace(".N", ".1");
            if !parameters.iter().any(|(given, _)| *given == name) {
                parameters.push((name, value));
            }
        }
        let call = Outgoing {
            method: if is_rpc { Method::Get } else { Method::Post },
            host,
            action: action.as_str(),
            parameters: &parameters,
            nonce: &format!("nonce-{number}"),
            now,
        };
        let signed = match is_rpc {
            true => rpc::sign(&call, &credentials),
            false => acs3::sign(&call, &credentials),
        };
        let uri = format!("{}{}", ready.api_http, signed.target);
        let mut request = Request::builder().method(signed.method).uri(uri);
        for (name, value) in signed.headers {
            request = request.header(name, value);
        }
        let request = request.body(Bytes::from(signed.body)).expect("a request");

        let answer = send(&sandbox, request).await;

        let status = answer.status();
        let what = format!("{status} {action} {parameters:?}: {:?}", answer.body());
        assert!(status.is_success() || status.is_client_error(), "{what}");
        assert!(
            status.is_success() || documented(&answer).is_some(),
            "{what}"
        );
        assert_ne!(
            documented(&answer).as_deref(),
            Some("SignatureDoesNotMatch"),
            "{what}"
        );
    }
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_too_large_is_refused_as_such() {
    let sandbox = start(simulated()).await;
    let request =
        Request::post(&sandbox.ready().api_http).body(Bytes::from(vec![b'x'; 1024 * 1024 + 1]));

    let answer = send(&sandbox, request.expect("a request")).await;

    assert_eq!(
        documented(&answer).as_deref(),
        Some("RequestEntityTooLarge")
    );
    assert_eq!(answer.status(), 413);
    sandbox.shutdown().await;
}

/// A request in any bytes at all: none, half of one, or one with anything in its line and headers.
fn raw_request() -> impl Strategy<Value = Vec<u8>> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..300);
    let around = |line: Vec<u8>, header: Vec<u8>, body: Vec<u8>| {
        let parts: [&[u8]; 7] = [
            b"POST /?",
            &line,
            b" HTTP/1.1\r\nHost: localhost\r\nX-Acs-Date: ",
            &header,
            b"\r\nContent-Length: 9\r\n\r\n",
            &body,
            b"\r\n\r\n",
        ];
        parts.concat()
    };
    prop_oneof![
        bytes(),
        (bytes(), bytes(), bytes())
            .prop_map(move |(line, header, body)| around(line, header, body)),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_request_get_a_4xx_or_an_end() {
    let sandbox = sandbox().await;
    let (_, address) = sandbox.ready().api_http.split_once("://").expect("a URL");

    for bytes in values(raw_request()) {
        let mut socket = TcpStream::connect(address).await.expect("it listens");
        // It may have seen enough before all was sent.
        let _ = socket.write_all(&bytes).await;
        let _ = socket.shutdown().await;

        let mut answer = Vec::new();
        let _ = timeout(GUARD, socket.read_to_end(&mut answer))
            .await
            .expect("an end");

        let is_refusal = answer.is_empty() || answer.starts_with(b"HTTP/1.1 4");
        // What begins like TLS is told so in TLS.
        let is_alert = answer.starts_with(b"\x15\x03");
        assert!(is_refusal || is_alert, "{:?}: {answer:?}", bytes);
    }
    sandbox.shutdown().await;
}
