//! Servers on the instances' side, for sessions that forward to a port.

use axt_net::{
    tasks::Tasks,
    transport::{BindError, Dialer, Listener, Stream},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::format::PortKind;

/// A server that runs. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct PortServer {
    number: u16,
    _tasks: Tasks,
}

impl PortServer {
    /// Starts one at a free port, where the agents' dialler finds it.
    pub(crate) async fn start(kind: PortKind, dialer: &Dialer) -> Result<Self, BindError> {
        let listener = match dialer {
            Dialer::Memory(net) => net.bind("localhost", 0)?,
            _ => Listener::bind(([127, 0, 0, 1], 0).into()).await?,
        };
        let address = listener.local_addr().map_err(|source| BindError {
            address: "127.0.0.1:0".to_owned(),
            source,
        })?;
        let tasks = Tasks::new();
        let each = tasks.child();
        tasks.spawn("port", async move {
            while let Ok(stream) = listener.accept().await {
                each.spawn("port's connection", serve(kind, stream));
            }
        });
        Ok(Self {
            number: address.port(),
            _tasks: tasks,
        })
    }

    /// Its port.
    pub(crate) const fn number(&self) -> u16 {
        self.number
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
