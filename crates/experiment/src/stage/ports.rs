//! Servers on the instances' side, for sessions that forward to a port.

use axt_net::transport::{BindError, Dialer, Listener, Stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::server::Server;
use crate::format::PortKind;

/// A server that runs. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct PortServer(Server);

impl PortServer {
    /// Starts one at a free port, where the agents' dialler finds it.
    pub(crate) async fn start(kind: PortKind, dialer: &Dialer) -> Result<Self, BindError> {
        let listener = match dialer {
            Dialer::Memory(net) => net.bind("localhost", 0)?,
            _ => Listener::bind(Server::ANYWHERE).await?,
        };
        let names = ("port", "port's connection");
        let server = Server::start(listener, names, move |stream| serve(kind, stream))?;
        Ok(Self(server))
    }

    /// Its port.
    pub(crate) const fn number(&self) -> u16 {
        self.0.port()
    }
}

async fn serve(kind: PortKind, mut stream: Stream) {
    let mut buffer = vec![0; 16 * 1024];
    if kind == PortKind::Close {
        let _ = stream.shutdown().await;
        return;
    }
    while let Ok(length) = stream.read(&mut buffer).await {
        let read = buffer.get(..length).unwrap_or_default();
        if read.is_empty() {
            break;
        }
        if kind == PortKind::Echo && stream.write_all(read).await.is_err() {
            break;
        }
    }
    let _ = stream.shutdown().await;
}
