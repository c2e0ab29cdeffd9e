//! Reading what is there.

use std::{future::poll_fn, io, pin::Pin};

use bytes::{Bytes, BytesMut};
use tokio::io::AsyncRead;
use tokio_util::io::poll_read_buf;

/// Reads what is there, `most` bytes at most, or waits for some; empty at the end. The buffer lives for one
/// poll, so that a connection that is silent holds none. Cancel-safe.
///
/// # Errors
/// The stream's.
pub async fn read_some(input: &mut (impl AsyncRead + Unpin), most: usize) -> io::Result<Bytes> {
    poll_fn(|context| {
        let mut buffer = BytesMut::with_capacity(most);
        let read = poll_read_buf(Pin::new(&mut *input), context, &mut buffer);
        read.map_ok(|_| buffer.freeze())
    })
    .await
}
