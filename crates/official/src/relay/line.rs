//! The service's end of a websocket. A task reads it all the time, so that pings are answered whatever a
//! test does meanwhile.

use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::sync::mpsc;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::Role},
};

use axt_net::tasks::Tasks;

/// How many messages may wait each way.
const WAITING: usize = 256;

/// See the module. Dropping it is a loss without a close frame.
#[derive(Debug)]
pub(super) struct Line {
    to_agent: mpsc::Sender<Message>,
    from_agent: mpsc::Receiver<Message>,
}

impl Line {
    pub(super) async fn new(upgraded: Upgraded, tasks: &Tasks) -> Self {
        let io = TokioIo::new(upgraded);
        let socket = WebSocketStream::from_raw_socket(io, Role::Server, None).await;
        let (to_agent, outgoing) = mpsc::channel(WAITING);
        let (incoming, from_agent) = mpsc::channel(WAITING);
        tasks.spawn("strict websocket", carry(socket, outgoing, incoming));
        Self {
            to_agent,
            from_agent,
        }
    }

    pub(super) async fn send(&self, message: Message) {
        // What an agent that has gone is sent is lost.
        let _ = self.to_agent.send(message).await;
    }

    /// The next text or binary message, or its close; `None` once it is over.
    pub(super) async fn next(&mut self) -> Option<Message> {
        self.from_agent.recv().await
    }
}

async fn carry(
    mut socket: WebSocketStream<TokioIo<Upgraded>>,
    mut outgoing: mpsc::Receiver<Message>,
    incoming: mpsc::Sender<Message>,
) {
    loop {
        tokio::select! {
            biased;
            message = outgoing.recv() => {
                let Some(message) = message else { return };
                if socket.send(message).await.is_err() {
                    return;
                }
            }
            message = socket.next() => match message {
                // It is answered by the next write or read.
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(message)) => {
                    let is_over = message.is_close();
                    let _ = incoming.send(message).await;
                    if is_over {
                        // The answer to it goes out with the reading on.
                        while let Some(Ok(_)) = socket.next().await {}
                        return;
                    }
                }
                Some(Err(_)) | None => return,
            },
        }
    }
}
