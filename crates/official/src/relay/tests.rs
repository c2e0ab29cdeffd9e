//! The strict relay lets the captured calls through, and nothing that differs from them.

use axt_net::{
    http::HttpClient,
    tls::ClientTls,
    transport::{Dialer, MemoryNet},
};
use bytes::Bytes;
use http::Request;
use serde_json::Value;

use super::*;

fn golden() -> Value {
    serde_json::from_str(include_str!("../../../../tests/data/golden-vectors.json"))
        .expect("the vectors are JSON")
}

/// A strict relay that knows the agent of the vectors, at the time when they were captured.
fn relay(golden: &Value) -> (StrictRelay, HttpClient) {
    let key = &golden["signing_key"];
    let text = |name: &str| key[name].as_str().expect("a text").to_owned();
    let agent = Registered {
        instance: text("instance_id"),
        machine_id: text("machine_id"),
        public_key: text("public_key_pem"),
    };
    let net = MemoryNet::new();
    let listener = net.bind("127.0.0.1", 8_443).expect("free");
    let at = jiff::Timestamp::from_millisecond(1_795_587_058_410).expect("in range");
    let relay = StrictRelay::start(listener, None, agent, Wall::fixed(at));
    let http = HttpClient::new(Dialer::memory(&net), ClientTls::system());
    (relay, http)
}

/// A captured call, changed.
async fn send(
    http: &HttpClient,
    golden: &Value,
    name: &str,
    change: impl FnOnce(&mut Request<Bytes>),
) {
    let all = golden["vectors"].as_array().expect("a list");
    let vector = all.iter().find(|it| it["name"] == name).expect("a vector");
    let call = &vector["decoded"];
    let text = |name: &str| call[name].as_str().expect("a text");
    let mut url = format!("http://127.0.0.1:8443{}", text("path"));
    if !text("query").is_empty() {
        url += &format!("?{}", text("query"));
    }
    let mut request = Request::builder().method(text("method")).uri(url);
    for pair in call["headers"].as_array().expect("a list") {
        let (name, value) = (pair[0].as_str(), pair[1].as_str());
        request = request.header(name.expect("a name"), value.expect("a value"));
    }
    let body = Bytes::copy_from_slice(text("body").as_bytes());
    let mut request = request.body(body).expect("a request");
    change(&mut request);
    http.send(request).await.expect("answered");
}

#[tokio::test(start_paused = true)]
async fn the_captured_start_passes() {
    let golden = golden();
    let (relay, http) = relay(&golden);

    for name in [
        "http_register",
        "http_update_check",
        "http_heartbeat_first",
        "http_task_list_startup",
        "http_metrics_startup",
    ] {
        send(&http, &golden, name, |_| {}).await;
    }

    assert_eq!(relay.complaints().take(), [""; 0]);
    assert_eq!(relay.paths().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn whatever_differs_is_complained_about() {
    type Change = fn(&mut Request<Bytes>);
    let golden = golden();
    let changes: [(&str, Change, &str); 9] = [
        (
            "http_update_check",
            |request| {
                let headers = request.headers_mut();
                headers.insert(
                    "x-acs-timestamp",
                    http::HeaderValue::from_static("1795587058405"),
                );
            },
            "signature",
        ),
        (
            "http_update_check",
            |request| {
                request.headers_mut().remove("x-acs-signature");
            },
            "x-acs-signature",
        ),
        (
            "http_update_check",
            |request| {
                let headers = request.headers_mut();
                headers.insert("content-type", http::HeaderValue::from_static("text/plain"));
            },
            "content type",
        ),
        (
            "http_update_check",
            |request| {
                let headers = request.headers_mut();
                headers.insert("x-new", http::HeaderValue::from_static("1"));
            },
            "the header x-new",
        ),
        (
            "http_update_check",
            |request| {
                let text = String::from_utf8_lossy(request.body()).replace("arch", "cpu");
                *request.body_mut() = text.into();
                request.headers_mut().remove("content-length");
            },
            "`arch` missing",
        ),
        (
            "http_heartbeat_first",
            |request| {
                let url = request.uri().to_string().replace("seq_no=0", "seq_no=1");
                *request.uri_mut() = url.parse().expect("a URL");
            },
            "after 0 beats",
        ),
        (
            "http_heartbeat_first",
            |request| {
                let url = request.uri().to_string().replace("&pid=7045", "");
                *request.uri_mut() = url.parse().expect("a URL");
            },
            "the query",
        ),
        ("http_task_list_startup", |_| {}, "before a heart-beat"),
        (
            "http_client_report_channel_lost",
            |_| {},
            "a report on no loss",
        ),
    ];

    for (name, change, complaint) in changes {
        let (relay, http) = relay(&golden);
        send(&http, &golden, name, change).await;

        let complaints = relay.complaints().take().join("\n");
        assert!(complaints.contains(complaint), "{name}: {complaints}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_comes_twice_is_a_replay() {
    let golden = golden();
    let (relay, http) = relay(&golden);

    for _ in 0..2 {
        send(&http, &golden, "http_update_check", |_| {}).await;
    }

    let complaints = relay.complaints().take();
    assert_eq!(complaints.len(), 1, "{complaints:?}");
}
