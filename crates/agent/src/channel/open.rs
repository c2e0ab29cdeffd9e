//! From a kick to an open channel, and back to one whose link was lost.

use std::{io, sync::Arc, time::Duration};

use axt_control::luban::{SessionObject, StatusCode, StatusPost};
use axt_net::{
    link,
    tasks::Tasks,
    ws::{ConnectError, WebSocket},
};
use axt_proto::{ChannelId, Size, channel::Opening};
use http::StatusCode as HttpStatus;
use tokio_util::sync::CancellationToken;

use super::Runner;
use crate::{calls::Relay, config::AgentConfig, target::Wanted};

/// The `code` of a session list that is not ready yet (wire-protocol 10.4).
const NOT_YET: i64 = 408;
/// How long to wait before asking again for a list that is not ready, or that failed.
const ASK_AGAIN: Duration = Duration::from_secs(2);
/// How long to wait, once, before asking again for a list that is empty.
const ASK_AGAIN_EMPTY: Duration = Duration::from_secs(3);
/// How long a lost link is dialled again: as long as the official agent does (wire-protocol 8),
/// and so within the relay's own window.
const REDIAL: Duration = Duration::from_secs(13);
/// The waits between dials, after the first, which is at once; the last one is repeated.
const REDIAL_WAITS_MS: [u64; 6] = [100, 200, 400, 800, 1_600, 2_000];

/// Serves one channel from its kick to its end. `begins` is called once it is known what to open.
pub(crate) async fn serve(
    relay: Arc<Relay>,
    id: ChannelId,
    stop: CancellationToken,
    tasks: Tasks,
    begins: impl FnOnce(),
) {
    if relay.config().behaviour.never_dials {
        return stop.cancelled().await;
    }
    let object = tokio::select! {
        biased;
        () = stop.cancelled() => None,
        object = ask_for_session(&relay, &id) => object,
    };
    let Some(object) = object else {
        return;
    };
    begins();
    let wanted = Wanted::of(&object, &relay.config().shells);
    tracing::info!(channel = %id, instance = %relay.instance(), kind = ?wanted.kind(), "a channel begins");
    match relay.data_channel(&id).await {
        Ok(socket) => {
            Runner::new(relay, &object, wanted, socket, tasks)
                .run(stop)
                .await;
        }
        Err(error) => {
            tracing::warn!(channel = %id, %error, "the data channel cannot be dialled");
            let post = StatusPost {
                channel: id,
                code: StatusCode::OpenChannelFailed,
                detail: object.axt.map(|_| error.to_string()),
            };
            report(&relay, post, &error.to_string()).await;
        }
    }
}

/// Tells that a channel is served already: the second kick gets nothing (wire-protocol 9.5).
pub(crate) async fn refuse_duplicate(relay: Arc<Relay>, id: ChannelId) {
    let post = StatusPost {
        channel: id,
        code: StatusCode::SessionIdDuplicate,
        detail: None,
    };
    report(&relay, post, "the channel is served already").await;
}

/// Posts how a channel ended, and then what there is to say of a failure (wire-protocol 10.4).
pub(super) async fn report(relay: &Relay, post: StatusPost, why: &str) {
    if let Err(error) = relay.post_status(&post).await {
        tracing::debug!(channel = %post.channel, %error, "no status was taken");
    }
    relay.tell_failure(&post, why);
}

/// Asks until the relay has an answer, or would no longer wait for ours.
async fn ask_for_session(relay: &Relay, id: &ChannelId) -> Option<SessionObject> {
    let asking = async {
        let mut was_empty = false;
        loop {
            match relay.session_list(id).await {
                Ok(list) if list.code == NOT_YET => link::sleep(ASK_AGAIN).await,
                Ok(list) => {
                    let mut sessions = list.session.into_iter();
                    let found = sessions.find(|session| session.channel_id == *id);
                    if found.is_some() || std::mem::replace(&mut was_empty, true) {
                        return found;
                    }
                    link::sleep(ASK_AGAIN_EMPTY).await;
                }
                Err(error) => {
                    tracing::debug!(channel = %id, %error, "no session list");
                    link::sleep(ASK_AGAIN).await;
                }
            }
        }
    };
    let found = link::timeout(link::KICK_WINDOW, asking)
        .await
        .ok()
        .flatten();
    if found.is_none() {
        tracing::warn!(channel = %id, "kicked for a session that the relay does not list");
    }
    found
}

/// What the machine is to know of a session.
pub(super) fn opening(object: &SessionObject, wanted: &Wanted, config: &AgentConfig) -> Opening {
    let granted = object.axt.unwrap_or_default();
    Opening {
        target: wanted.kind(),
        size: granted
            .rows
            .zip(granted.cols)
            .map(|(rows, cols)| Size { rows, cols }),
        granted: granted.ext.both(config.extensions),
        speed_bits: object.flow_limit,
        any_frame_counts: granted.idle_s.is_none(),
        idle_timeout: granted
            .idle_s
            .map_or(config.idle_timeout, Duration::from_secs),
    }
}

/// Dials a lost data channel again; `None` when the relay no longer knows it, or is not there.
pub(super) async fn redial(relay: Arc<Relay>, id: ChannelId) -> Option<Box<WebSocket>> {
    let dialling = async {
        let mut waits = REDIAL_WAITS_MS.into_iter();
        let mut ceiling = 0;
        loop {
            match relay.data_channel(&id).await {
                Ok(socket) => return Some(Box::new(socket)),
                Err(ConnectError::Refused {
                    status: HttpStatus::FORBIDDEN | HttpStatus::NOT_FOUND,
                    ..
                }) => return None,
                // Nobody listens where the relay was: it has ended, and what it knew of live
                // connections with it.
                Err(ConnectError::Unreachable(error))
                    if error.source.kind() == io::ErrorKind::ConnectionRefused =>
                {
                    return None;
                }
                Err(error) => tracing::debug!(channel = %id, %error, "dialling again failed"),
            }
            ceiling = waits.next().unwrap_or(ceiling);
            // Between half of it and all: the channels of a lost relay must not come in step.
            let spread = relay.random() % (ceiling / 2 + 1);
            link::sleep(Duration::from_millis(ceiling - spread)).await;
        }
    };
    link::timeout(REDIAL, dialling).await.ok().flatten()
}
