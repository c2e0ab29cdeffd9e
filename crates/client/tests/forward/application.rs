//! What an application on this machine does with its connection.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt},
    net::TcpStream,
};

/// Bytes that are not all alike.
pub(crate) fn bytes(length: u32) -> Vec<u8> {
    (0..length)
        .map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0])
        .collect()
}

pub(crate) async fn reads(application: &mut (impl AsyncRead + Unpin), expected: &[u8]) {
    let mut read = vec![0; expected.len()];
    application.read_exact(&mut read).await.expect("more");
    assert_eq!(read, expected);
}

/// Reads to the FIN.
pub(crate) async fn reads_to_the_end(application: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut read = Vec::new();
    application.read_to_end(&mut read).await.expect("a FIN");
    read
}

/// Reads to the reset.
pub(crate) async fn is_reset(application: &mut TcpStream) {
    let mut read = Vec::new();
    let error = application
        .read_to_end(&mut read)
        .await
        .expect_err("no FIN");
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}

/// Leaves as a program does that crashes.
pub(crate) fn resets(application: TcpStream) {
    rustix::net::sockopt::set_socket_linger(&application, Some(Duration::ZERO)).expect("set");
    drop(application);
}
