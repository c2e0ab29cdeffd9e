//! While the agent's channel is not there: at first, and when it was lost.

use axt_net::{link, ws::WebSocket};
use axt_proto::Reason;

use super::{
    End, Life,
    ends::{Ending, send_extras},
};

impl Life {
    /// Waits until the agent has dialled. What the client sends meanwhile is kept for it.
    pub(super) async fn wait(&mut self) -> Result<Box<WebSocket>, End> {
        let is_first = self.idle.is_none();
        let (window, late) = if is_first {
            (
                link::KICK_WINDOW,
                "the agent did not dial its channel in time",
            )
        } else {
            (
                link::REDIAL_WINDOW,
                "the agent's channel was lost and did not come back in time",
            )
        };
        let deadline = link::now() + window;
        loop {
            let orders = self.line.orders.borrow_and_update().clone();
            let [to_client, _] = &self.frames;
            Box::pin(send_extras(to_client, &self.client.outgoing)).await;
            let is_dialled = self.line.is_dialled();
            match self.ordered(&orders) {
                Some(end) if orders.end.is_some() || !is_dialled => return Err(end),
                _ => {}
            }
            // At first the kick stays pending; later there is nobody left to come back. An official
            // agent's notify channel is away for 6 s whenever it is lost (wire-protocol 8), which
            // says nothing of its data channels.
            if orders.is_agent_gone && !is_first && !is_dialled && !self.is_official {
                return Err(End::new(Reason::AgentTimeout, "the agent went away"));
            }
            tokio::select! {
                biased;
                changed = self.line.orders.changed() => {
                    if changed.is_err() {
                        return Err(End::new(Reason::RelayStopping, "the relay has ended"));
                    }
                }
                fired = self.timer.fired() => {
                    if let Some(end) = self.idle_fired(fired) {
                        return Err(end);
                    }
                }
                Some(socket) = self.line.sockets.recv() => return Ok(socket),
                () = link::sleep_until(deadline) => {
                    return Err(End::new(Reason::AgentTimeout, late));
                }
                () = self.up.hold(&mut self.client.incoming), if !self.up.has_ended() => {
                    if let Some(end) = self.left_early() {
                        return Err(end);
                    }
                }
            }
        }
    }

    /// The client has ended before the agent was there. What it sent and then closed in good order
    /// is still delivered; for anything else there is no point in waiting.
    fn left_early(&self) -> Option<End> {
        let has_more = !self.up.is_empty();
        let end = self.up.source_end();
        match end.map(Ending::from) {
            None | Some(Ending::Orderly) if has_more => None,
            _ => Some(end.map_or_else(
                || End::new(Reason::ClientClosed, "the client closed"),
                End::client,
            )),
        }
    }
}
