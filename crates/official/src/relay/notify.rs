//! The service's end of a notify channel (wire-protocol 10.3).

use std::sync::Arc;

use hyper::upgrade::Upgraded;
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

use super::{Shared, line::Line, soon};

/// A notify channel. Dropping it is a loss without a close frame.
#[derive(Debug)]
pub struct NotifyChannel {
    line: Option<Line>,
    shared: Arc<Shared>,
}

impl NotifyChannel {
    pub(super) async fn new(upgraded: Upgraded, shared: Arc<Shared>) -> Self {
        let line = Some(Line::new(upgraded, &shared.tasks).await);
        Self { line, shared }
    }

    /// Sends a command, and sees that it is answered by one text with the word that is due.
    pub async fn say(&mut self, command: &str) {
        let words: Vec<&str> = command.split(' ').collect();
        let (is_known, channel) = match words.as_slice() {
            ["kick_vm"] | [_, "noop", ..] => (true, None),
            [_, "session", "start", channel] => (true, Some(*channel)),
            [_, "session" | "task" | "file", "stop" | "run" | "create", _]
            | [_, "status", "network", ..] => (true, None),
            _ => (false, None),
        };
        if let Some(channel) = channel {
            self.shared.state().order.kicked(channel);
        }
        let line = self.line.as_mut().expect("open");
        line.send(Message::Text(command.to_owned().into())).await;
        let due = match is_known {
            true => format!("accept:{command}"),
            false => format!("unknow:{command}"),
        };
        match soon("an answer", line.next()).await {
            Some(Message::Text(answer)) if answer.as_str() == due => {}
            other => {
                let other = format!("{other:?} instead of `{due}`");
                self.shared.complain("notify channel", other);
            }
        }
    }

    /// Sends a command to which no answer is due.
    pub async fn tell(&mut self, command: &str) {
        let line = self.line.as_mut().expect("open");
        line.send(Message::Text(command.to_owned().into())).await;
    }

    /// Closes it in good order.
    pub async fn close(mut self, code: u16, reason: &str) {
        if let Some(mut line) = self.line.take() {
            self.shared.state().order.notify_lost();
            let frame = CloseFrame {
                code: CloseCode::from(code),
                reason: reason.to_owned().into(),
            };
            line.send(Message::Close(Some(frame))).await;
            while line.next().await.is_some() {}
        }
    }
}

impl Drop for NotifyChannel {
    fn drop(&mut self) {
        if self.line.is_some() {
            self.shared.state().order.notify_lost();
        }
    }
}
