//! The relay's end of one connection. Its websocket is tungstenite's own, so that ours is held to
//! what somebody else understands.

use axt_net::transport::Stream;
use axt_proto::frame::{Framing, Message, client::ClientFraming};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};

pub(crate) struct FarEnd {
    socket: WebSocketStream<Stream>,
    framing: ClientFraming,
}

impl FarEnd {
    pub(crate) fn new(socket: WebSocketStream<Stream>) -> Self {
        Self {
            socket,
            framing: ClientFraming::new(),
        }
    }

    /// The next frame; pings are no frames.
    pub(crate) async fn next(&mut self) -> Message {
        self.next_or_end().await.expect("more")
    }

    async fn next_or_end(&mut self) -> Option<Message> {
        loop {
            match self.socket.next().await?.ok()? {
                tungstenite::Message::Binary(frame) => {
                    return Some(self.framing.decode(frame).expect("a frame"));
                }
                tungstenite::Message::Close(_) => return None,
                _ => {}
            }
        }
    }

    /// Takes input until all of `expected` has come.
    pub(crate) async fn takes(&mut self, expected: &[u8]) {
        let mut taken = Vec::new();
        while taken.len() < expected.len() {
            match self.next().await {
                Message::Input(data) => {
                    assert!(data.len() <= 8 * 1024, "{} bytes in a frame", data.len());
                    taken.extend_from_slice(&data);
                }
                other => panic!("{other:?} instead of input"),
            }
        }
        assert_eq!(taken, expected);
    }

    pub(crate) async fn send(&mut self, message: Message) {
        let frame = self.framing.encode(1, &message);
        let message = tungstenite::Message::Binary(frame);
        self.socket.send(message).await.expect("sent");
    }

    pub(crate) async fn output(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(4096) {
            self.send(Message::Output(Bytes::copy_from_slice(chunk)))
                .await;
        }
    }

    pub(crate) async fn close(&mut self, code: u16, text: &'static str) {
        let frame = CloseFrame {
            code: CloseCode::from(code),
            reason: text.into(),
        };
        self.socket.close(Some(frame)).await.expect("closed");
    }

    /// Reads on until the client has closed too, and gives what came.
    pub(crate) async fn gone(mut self) -> Vec<Message> {
        let mut left = Vec::new();
        while let Some(message) = self.next_or_end().await {
            left.push(message);
        }
        left
    }
}
