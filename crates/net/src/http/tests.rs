use std::time::Duration;

use bytes::Bytes;
use http::Request;

use super::*;
use crate::testing::Server;

fn post(url: &str, body: &'static str) -> Request<Bytes> {
    Request::post(url)
        .body(Bytes::from_static(body.as_bytes()))
        .unwrap()
}

#[tokio::test]
async fn a_call_over_tls_is_answered() {
    let server = Server::on_loopback().await;

    let request = post(&server.url("https", "/echo"), "hello");
    let answer = server.client().send(request).await.unwrap();

    assert_eq!(answer.into_body(), "hello");
}

#[tokio::test]
async fn an_answer_of_any_status_is_an_answer() {
    let server = Server::on_loopback().await;

    let request = post(&server.url("http", "/refuse"), "");
    let answer = server.client().send(request).await.unwrap();

    assert_eq!(answer.status(), 403);
}

#[tokio::test]
async fn an_answer_above_the_cap_is_refused() {
    let server = Server::on_loopback().await;
    let client = server.client().with_body_cap(9_999);

    let error = client
        .send(post(&server.url("http", "/big"), ""))
        .await
        .unwrap_err();

    assert!(matches!(error, HttpError::TooLarge(9_999)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_come_is_not_waited_for_for_ever() {
    let server = Server::in_memory();
    let client = server.client().with_timeout(Duration::from_secs(7));

    let error = client
        .send(post(&server.url("http", "/slow"), ""))
        .await
        .unwrap_err();

    assert_eq!(
        error.to_string(),
        "the call to localhost:7443 got no answer within 7 s"
    );
}

#[tokio::test(start_paused = true)]
async fn an_address_where_nobody_listens_is_named() {
    let server = Server::in_memory();

    let request = post("http://user:secret@localhost:1/", "");
    let error = server.client().send(request).await.unwrap_err();

    assert!(matches!(error, HttpError::Unreachable(_)));
    assert_eq!(
        error.to_string(),
        "cannot reach localhost:1: connection refused"
    );
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_names_the_flag() {
    let server = Server::on_loopback().await;
    let client = HttpClient::new(server.dialer.clone(), ClientTls::system());

    let error = client
        .send(post(&server.url("https", "/"), ""))
        .await
        .unwrap_err();

    assert!(matches!(error, HttpError::Tls(_)), "{error}");
    assert!(error.to_string().contains("--ca FILE"));
}
