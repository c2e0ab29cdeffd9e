//! The notify channel: how an agent is told of work (wire-protocol 10.3).

use std::sync::Arc;

use axt_control::luban::{Answer, Notify};
use axt_net::{
    link::{self, Backoff},
    tap::{Seen, Side, Way},
    ws::{ConnectError, Incoming, WsError, WsReader, WsWriter},
};
use tokio::sync::watch;

use crate::{calls::Relay, channels::Channels};

/// Keeps the notify channel open, for ever. One line is logged when it is lost and one when it is
/// back, however many tries that takes, and however many agents of the process say the same.
pub(crate) async fn keep(relay: Arc<Relay>, channels: Arc<Channels>, online: watch::Sender<bool>) {
    let mut backoff = Backoff::seeded(relay.random());
    let mut is_told = false;
    let outage = &relay.around().outage;
    loop {
        if relay.fate().is_silent() {
            std::future::pending::<()>().await;
        }
        // Split in there: a whole websocket would have its place in this task for good, and again in
        // whatever it is handed to.
        let dialled = async { Ok(relay.notify_channel().await?.split()) };
        let wait = match Box::pin(dialled).await {
            Ok(halves) => {
                backoff.reset();
                is_told = false;
                outage.end();
                tracing::info!(instance = %relay.instance(), "the agent is online");
                channels.notify_dialled();
                online.send_replace(true);
                let lost = listen(halves, &relay, &channels).await;
                online.send_replace(false);
                let (Lost::Closed(why) | Lost::Broken(why)) = &lost;
                relay.tell_channel_lost(why);
                let instance = relay.instance();
                match lost {
                    Lost::Closed(why) => tracing::info!(%instance, why, "the relay closed"),
                    Lost::Broken(why) if outage.is_news(&why) => {
                        tracing::warn!(%instance, why, "the relay was lost");
                    }
                    Lost::Broken(why) => tracing::debug!(%instance, why, "the relay was lost too"),
                }
                backoff.next_wait()
            }
            Err(error) => {
                let (instance, told) = (relay.instance(), in_full(&error));
                if !std::mem::replace(&mut is_told, true) && outage.is_news(&told) {
                    tracing::warn!(%instance, error = told, "no relay; trying on");
                } else {
                    tracing::debug!(%instance, error = told, "still no relay");
                }
                match error {
                    ConnectError::Unreachable(_) => backoff.next_wait_alone(),
                    _ => backoff.next_wait(),
                }
            }
        };
        link::sleep(wait).await;
    }
}

/// Why a notify channel is no longer there.
enum Lost {
    /// The relay said goodbye, as when it is stopped: nothing that anybody has to mend.
    Closed(String),
    /// It broke.
    Broken(String),
}

/// What went wrong, with what the relay says of it: which of a wrong key, a wrong clock and an
/// unknown instance it is can be told by nobody else.
fn in_full(error: &ConnectError) -> String {
    if let ConnectError::Refused { body, .. } = error
        && let Ok(body) = serde_json::from_slice::<serde_json::Value>(body)
        && let Some(message) = body.get("Message").and_then(serde_json::Value::as_str)
    {
        return format!("{error}: {message}");
    }
    error.to_string()
}

/// Answers and obeys until the channel is lost; says why it was.
async fn listen(
    (mut reader, writer): (WsReader, WsWriter),
    relay: &Relay,
    channels: &Channels,
) -> Lost {
    loop {
        let next = tokio::select! {
            biased;
            () = relay.fate().silence() => None,
            next = reader.next() => Some(next),
        };
        let Some(next) = next else {
            // Without its reader a websocket answers no ping and sends none, and stays open.
            drop(reader);
            let _open = writer;
            return std::future::pending().await;
        };
        let command = match next {
            Ok(Incoming::Data(command)) => command,
            Ok(Incoming::Closed { code, reason }) => {
                return Lost::Closed(format!("{code} {reason}"));
            }
            Err(error) => return Lost::Broken(error.to_string()),
        };
        if let Err(error) = Box::pin(obey(&command, &writer, relay, channels)).await {
            return Lost::Broken(error.to_string());
        }
    }
}

/// Answers a command and does what it says.
async fn obey(
    command: &[u8],
    writer: &WsWriter,
    relay: &Relay,
    channels: &Channels,
) -> Result<(), WsError> {
    let noted = async |way, text: &str| {
        let seen = Seen::Text(text.to_owned());
        let now = relay.around().clock.now();
        relay.control().note(now, Side::Agent, way, seen).await;
    };
    let command = String::from_utf8_lossy(command);
    noted(Way::In, &command).await;
    // Before anything is done: the answer proves delivery, nothing more.
    let answer = Answer::to_command(&command).to_string();
    noted(Way::Out, &answer).await;
    writer.send_text(answer).await?;
    if let Ok(command) = command.parse::<Notify>() {
        channels.obey(command);
    }
    Ok(())
}
