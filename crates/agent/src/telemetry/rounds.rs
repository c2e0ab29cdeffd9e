//! What an agent asks for every half an hour: an update of itself, and its machine's configurations
//! (wire-protocol 10.5). It takes neither: nothing is ever downloaded or applied, and what there would
//! be is told in the log.

use std::time::Duration;

use axt_control::luban::{
    beat::{APP_ID, UpdateReply, UpdateRequest},
    path,
    state::{AGENT_NAME, StateReply, StateRequest},
};
use axt_net::link;

use super::spread;
use crate::calls::{CallError, Relay};

/// How often each is asked for, unless the answer says otherwise.
const EVERY: Duration = Duration::from_secs(1_800);
/// How soon an answer can have it asked for again, and how late, in seconds.
const ANSWERED_S: std::ops::RangeInclusive<u64> = 60..=86_400;
/// How soon after the start the configurations are asked for the first time: what nobody waits for
/// comes when the agent, and hundreds beside it, are long online.
const FIRST: Duration = Duration::from_secs(60);
/// How long after that, at most.
const FIRST_SPREAD: Duration = Duration::from_secs(120);
/// When a service that does not exist is asked for again.
const UNSUPPORTED: Duration = Duration::from_secs(86_400);
/// How long a start waits for the answer to its update check.
const PATIENCE: Duration = Duration::from_secs(5);

/// When each is due next.
#[derive(Debug)]
pub(super) struct Rounds {
    update: link::Instant,
    states: link::Instant,
    checkpoint: Option<String>,
}

impl Rounds {
    /// The first check for an update belongs to the start, but for one of many.
    pub(super) fn new(relay: &Relay) -> Self {
        let now = link::now();
        let soon = now + FIRST + spread(relay, FIRST_SPREAD);
        Self {
            update: if relay.config().is_one_of_many() {
                soon
            } else {
                now + EVERY
            },
            states: soon,
            checkpoint: None,
        }
    }

    /// When the next thing is to be asked for.
    pub(super) fn due(&self) -> link::Instant {
        self.update.min(self.states)
    }

    /// Asks for what is due.
    pub(super) async fn go(&mut self, relay: &Relay) {
        if self.update <= link::now() {
            let next = check_for_update(relay).await;
            self.update = link::now() + next;
        }
        if self.states <= link::now() {
            let next = self.ask_for_states(relay).await;
            self.states = link::now() + next;
        }
    }

    async fn ask_for_states(&mut self, relay: &Relay) -> Duration {
        let machine = &relay.config().machine;
        let request = StateRequest {
            agent_name: AGENT_NAME.to_owned(),
            agent_version: relay.config().version.clone(),
            computer_name: machine.host_name.clone(),
            ip_address: machine.ip.clone(),
            last_checkpoint: self.checkpoint.clone(),
            platform_name: machine.platform.clone(),
            platform_type: machine.os_type.clone(),
            platform_version: machine.platform_version.clone(),
            ram_role: String::new(),
        };
        match ask::<StateReply>(relay, path::STATE_CONFIGURATIONS, &request).await {
            Ok(reply) if reply.is_unsupported() => UNSUPPORTED,
            Ok(reply) => {
                let result = reply.result.unwrap_or_default();
                if !result.state_configurations.is_empty() {
                    let count = result.state_configurations.len();
                    tracing::info!(
                        count,
                        "the relay has configurations; this agent applies none"
                    );
                }
                self.checkpoint = Some(result.checkpoint).filter(|it| !it.is_empty());
                answered(result.interval)
            }
            Err(error) => {
                tracing::debug!(%error, "no state configurations");
                EVERY
            }
        }
    }
}

/// Asks for an update; says when to ask again.
pub(crate) async fn check_for_update(relay: &Relay) -> Duration {
    let config = relay.config();
    let machine = &config.machine;
    let request = UpdateRequest {
        os: machine.os_type.clone(),
        arch: machine.architecture.clone(),
        os_version: machine.os_version.clone(),
        app_id: APP_ID.to_owned(),
        app_version: config.version.clone(),
        kernel_version: machine.kernel_version.clone(),
    };
    let asking = ask::<UpdateReply>(relay, path::UPDATE_CHECK, &request);
    match link::timeout(PATIENCE, asking).await {
        Ok(Ok(reply)) => {
            if reply.need_update != 0 {
                tracing::info!("the relay offers an update; this agent takes none");
            }
            answered(reply.next_interval)
        }
        Ok(Err(error)) => {
            tracing::debug!(%error, "no answer to the update check");
            EVERY
        }
        Err(late) => {
            tracing::debug!(error = %late, "no answer to the update check");
            EVERY
        }
    }
}

async fn ask<T: serde::de::DeserializeOwned>(
    relay: &Relay,
    path: &str,
    request: &impl serde::Serialize,
) -> Result<T, CallError> {
    let answer = relay.post_json(path, request).await?;
    Ok(serde_json::from_slice(&answer)?)
}

/// What an answer says of the next time, where it makes sense.
fn answered(seconds: u64) -> Duration {
    match ANSWERED_S.contains(&seconds) {
        true => Duration::from_secs(seconds),
        false => EVERY,
    }
}
