//! The end of a connection, on both sides.

use axt_proto::{Message, Reason, Status};
use tokio::sync::oneshot;

use super::{
    End, Life,
    ends::{AgentEnds, ClientEnds},
    live,
};
use crate::desk::{Ended, Who};

impl Life {
    /// Reports the end, tells the client, and lets both ends go. What comes back is the channel of an
    /// official agent that has not let go of it.
    ///
    /// The report comes first: whoever has seen the end of a connection may count on its slot.
    pub(super) async fn finish(
        mut self,
        end: End,
        agent: Option<AgentEnds>,
        report: oneshot::Sender<Ended>,
        who: &Who,
    ) -> Option<AgentEnds> {
        // Nobody waits for this deadline any more, so it must not hold up a moving clock.
        self.timer.set(None);
        tracing::debug!(
            connection = %who.connection,
            session = %who.session,
            instance = %who.instance,
            reason = %end.reason,
            detail = end.detail,
            "a connection ends"
        );
        let (done, is_done) = oneshot::channel();
        let ended = Ended {
            reason: end.reason,
            detail: end.detail,
            was_live: self.idle.is_some(),
            carried: self.traffic.carried(),
            done,
        };
        if report.send(ended).is_ok() {
            // A desk that is gone reports nothing any more.
            let _ = is_done.await;
        }
        let is_official = self.is_official;
        let agent_lets_go = async {
            let mut agent = agent?;
            let has_let_go = live::let_go(&mut agent).await;
            (is_official && !has_let_go).then_some(agent)
        };
        if end.reason == Reason::Exit {
            // What the other end sent before it ended is the client's, however slowly he reads.
            let word = last_word(end.reason, who.is_port);
            let (code, text) = (end.reason.close_code().0, end.reason.word());
            let client_has_all = self.client.finish(word.as_slice(), code, text);
            return tokio::join!(client_has_all, agent_lets_go).1;
        }
        if end.is_client_stuck {
            self.client.reset();
            return agent_lets_go.await;
        }
        if !end.is_client_gone {
            // Words are for those who know extensions: to others the text is the reason alone.
            let told = end.told.filter(|_| !self.granted.is_empty());
            tell(&self.client, end.reason, told.as_deref(), who.is_port).await;
        }
        drop(end.fired);
        tokio::join!(self.client.drain(), agent_lets_go).1
    }
}

/// The status that tells a client in a shell session why it ends. In a byte stream such as ssh's it
/// would be taken for data (wire-protocol 5).
fn last_word(reason: Reason, is_port: bool) -> Option<Message> {
    let word = reason.to_client().filter(|_| !is_port)?;
    Some(Message::Status(Status::Ended(word.into())))
}

/// Tells the client the reason: status 5 in a shell session, and the close frame in any, which has
/// room for what the agent said of it.
pub(super) async fn tell(client: &ClientEnds, reason: Reason, told: Option<&str>, is_port: bool) {
    if let Some(word) = last_word(reason, is_port) {
        client.tell(&word).await;
    }
    let text = match told {
        Some(told) => format!("{}: {told}", reason.word()),
        None => reason.word().to_owned(),
    };
    client.close(reason.close_code().0, &text).await;
}
