//! An agent without a will of its own: it signs in, hears of a channel and dials it, and whoever holds
//! it plays what comes after. For traces that are replayed.

use axt_control::luban::{Answer, Notify, SessionObject, StatusPost};
use axt_net::ws::{ConnectError, Incoming, WebSocket, WsError, WsReader, WsWriter};

use crate::{
    calls::{CallError, Relay},
    config::{AgentConfig, Surroundings},
};

/// See the module.
#[derive(Debug)]
pub struct Puppet {
    relay: Relay,
    reader: WsReader,
    writer: WsWriter,
}

/// Why a puppet has no channel to play on.
#[derive(Debug, thiserror::Error)]
pub enum PuppetError {
    /// The relay lets it not in.
    #[error("cannot open the notify channel or the data channel: {0}")]
    Connect(#[from] ConnectError),
    /// The notify channel broke.
    #[error("the notify channel was lost: {0}")]
    Lost(#[from] WsError),
    /// It was closed, by another agent of the instance for instance.
    #[error("the relay closed the notify channel: {0}")]
    Closed(String),
    /// What it is to open cannot be fetched.
    #[error("the session list cannot be fetched: {0}")]
    List(String),
}

impl From<CallError> for PuppetError {
    fn from(error: CallError) -> Self {
        Self::List(error.to_string())
    }
}

impl Puppet {
    /// Signs in: the instance is online from now on.
    ///
    /// # Errors
    /// [`PuppetError::Connect`].
    pub async fn start(config: AgentConfig, around: Surroundings) -> Result<Self, PuppetError> {
        let relay = Relay::new(config, around);
        let (reader, writer) = relay.notify_channel().await?.split();
        Ok(Self {
            relay,
            reader,
            writer,
        })
    }

    /// Waits until a channel is to be served, and dials it. Every command is accepted; others than
    /// this one are not obeyed.
    ///
    /// # Errors
    /// [`PuppetError`].
    pub async fn channel(&mut self) -> Result<(SessionObject, WebSocket), PuppetError> {
        loop {
            let command = match self.reader.next().await? {
                Incoming::Data(command) => command,
                Incoming::Closed { code, reason } => {
                    return Err(PuppetError::Closed(format!("{code} {reason}")));
                }
            };
            let command = String::from_utf8_lossy(&command);
            let answer = Answer::to_command(&command).to_string();
            self.writer.send_text(answer).await?;
            let Ok(Notify::SessionStart(channel)) = command.parse() else {
                continue;
            };
            let list = self.relay.session_list(&channel).await?;
            // A client that has gone meanwhile leaves nothing to open.
            if let Some(object) = list.session.into_iter().next() {
                let socket = self.relay.data_channel(&object.channel_id).await?;
                return Ok((object, socket));
            }
        }
    }

    /// Says how a channel ended.
    ///
    /// # Errors
    /// [`PuppetError::List`].
    pub async fn post(&self, post: &StatusPost) -> Result<(), PuppetError> {
        Ok(self.relay.post_status(post).await?)
    }
}
