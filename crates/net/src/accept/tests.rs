use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    link,
    testing::{GUARD, Server},
};

async fn get(server: &Server, scheme: &str, path: &str) -> String {
    let request = http::Request::get(server.url(scheme, path)).body(bytes::Bytes::new());
    let answer = server.client().send(request.unwrap()).await.unwrap();
    String::from_utf8(answer.into_body().to_vec()).unwrap()
}

#[tokio::test]
async fn one_port_speaks_tls_and_plain_http() {
    let server = Server::on_loopback().await;

    let plain = get(&server, "http", "/peer").await;
    let tls = get(&server, "https", "/peer").await;

    assert_eq!(plain, "127.0.0.1 false");
    assert_eq!(tls, "127.0.0.1 true");
}

#[tokio::test(start_paused = true)]
async fn it_works_in_memory() {
    let server = Server::in_memory();

    assert_eq!(get(&server, "http", "/peer").await, "127.0.0.1 false");
    assert_eq!(get(&server, "https", "/peer").await, "127.0.0.1 true");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_says_nothing_is_dropped_after_ten_seconds() {
    let server = Server::in_memory();
    let mut silent = server.dialer.dial("localhost", 7443).await.unwrap();
    let began = link::now();

    let read = silent.read(&mut [0; 1]).await.unwrap();

    assert_eq!(read, 0);
    assert_eq!(link::now() - began, link::HANDSHAKE);
}

#[tokio::test(start_paused = true)]
async fn a_tls_handshake_that_stops_is_dropped_after_ten_seconds() {
    let server = Server::in_memory();
    let mut stuck = server.dialer.dial("localhost", 7443).await.unwrap();
    stuck.write_all(&[0x16, 3, 1]).await.unwrap();
    let began = link::now();

    let read = stuck.read(&mut [0; 1]).await.unwrap();

    assert_eq!(read, 0);
    assert_eq!(link::now() - began, link::HANDSHAKE);
}

#[tokio::test]
async fn the_end_closes_idle_connections_and_leaves_websockets_to_their_owners() {
    let mut server = Server::on_loopback().await;
    let (client, accepted) = server.pair("wss").await;
    let client_of_idle = server.client();
    let request = http::Request::get(server.url("http", "/peer")).body(bytes::Bytes::new());
    client_of_idle.send(request.unwrap()).await.unwrap();

    let left = link::timeout(GUARD, server.tasks.shutdown(GUARD))
        .await
        .unwrap();
    let (_reader, writer) = accepted.split();
    writer.send_text("still here".to_owned()).await.unwrap();
    let (mut reader, _writer) = client.split();
    let heard = link::timeout(GUARD, reader.next()).await.unwrap().unwrap();

    assert!(left.is_empty(), "{left:?}");
    assert_eq!(heard, crate::ws::Incoming::Data("still here".into()));
}

#[tokio::test(start_paused = true)]
async fn a_request_under_way_has_a_second_to_be_answered_at_the_end() {
    let server = Server::in_memory();
    let request = http::Request::get(server.url("http", "/slow")).body(bytes::Bytes::new());
    let client = server.client();
    let call = client.send(request.unwrap());
    let mut call = std::pin::pin!(call);
    assert!(
        link::timeout(Duration::from_secs(3), call.as_mut())
            .await
            .is_err()
    );
    let began = link::now();

    let left = server.tasks.shutdown(link::SHUTDOWN).await;

    assert!(left.is_empty(), "{left:?}");
    assert_eq!(link::now() - began, link::DRAIN);
    assert!(call.await.is_err());
}
