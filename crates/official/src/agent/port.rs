//! A port's TCP connection, and what becomes of it when the target closes (wire-protocol 9.2).

use axt_net::transport::{Dialer, Stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};

/// Bytes that are read at once.
const READ: usize = 2_048;

#[derive(Debug)]
pub(super) struct Port {
    dialer: Dialer,
    host: String,
    port: String,
    halves: Option<(ReadHalf<Stream>, WriteHalf<Stream>)>,
}

impl Port {
    /// Dials the target; `None` when that fails, or the port is no number.
    pub(super) async fn open(dialer: &Dialer, host: &str, port: &str) -> Option<Self> {
        let mut opened = Self {
            dialer: dialer.clone(),
            host: if host.is_empty() { "localhost" } else { host }.to_owned(),
            port: port.to_owned(),
            halves: None,
        };
        opened.dial().await.then_some(opened)
    }

    /// Dials the target anew; whether it is there.
    pub(super) async fn dial(&mut self) -> bool {
        let Ok(port) = self.port.parse() else {
            return false;
        };
        let mut dialled = self.dialer.dial(&self.host, port).await;
        if dialled.is_err() && self.host == "localhost" {
            dialled = self.dialer.dial("127.0.0.1", port).await;
        }
        self.halves = dialled.ok().map(tokio::io::split);
        self.halves.is_some()
    }

    pub(super) fn is_open(&self) -> bool {
        self.halves.is_some()
    }

    /// The target has closed, and nobody is told.
    pub(super) fn forget(&mut self) {
        self.halves = None;
    }

    /// Some output; `None` at its end, and never when there is no connection. Cancel-safe.
    pub(super) async fn read(&mut self) -> Option<Vec<u8>> {
        let Some((reader, _)) = &mut self.halves else {
            return std::future::pending().await;
        };
        let mut piece = vec![0; READ];
        let read = reader.read(&mut piece).await.unwrap_or_default();
        piece.truncate(read);
        (read > 0).then_some(piece)
    }

    /// Writes all of it; whether it could.
    pub(super) async fn write(&mut self, input: &[u8]) -> bool {
        match &mut self.halves {
            Some((_, writer)) => writer.write_all(input).await.is_ok(),
            None => false,
        }
    }
}
