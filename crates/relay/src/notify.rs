//! Notify channels: one for each agent, the last one counts (wire-protocol 10.3, 13).

use std::{collections::HashMap, time::Duration};

use axt_control::luban::{Answer, Notify};
use axt_net::{
    fault::Hook,
    link,
    tap::Way,
    ws::{Incoming, WebSocket},
};
use axt_proto::{ChannelId, InstanceId};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::traces::Traces;

/// How many commands may wait for one agent to read them.
const COMMANDS: usize = 256;

/// How long an agent that was told to deregister keeps its channel, to hear of it and to answer (link
/// time).
const FAREWELL: Duration = Duration::from_secs(5);

/// How many stops are remembered for an agent that is away.
const OWED: usize = 64;

/// Which of an instance's successive notify channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LinkNumber(u64);

/// A notify channel's end of what the table holds for it.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) number: LinkNumber,
    /// By which faults are put on it.
    pub(crate) hook: Hook,
    commands: mpsc::Receiver<Notify>,
    /// Cancelled when a newer channel replaces this one, or the agent does not read.
    replaced: CancellationToken,
}

#[derive(Debug)]
struct Entry {
    number: LinkNumber,
    commands: mpsc::Sender<Notify>,
    replaced: CancellationToken,
}

/// All notify channels.
#[derive(Debug, Default)]
pub(crate) struct Links {
    up: HashMap<InstanceId, Entry>,
    /// Stops that could not be told. A kick needs no such list: the connection waits.
    owed: HashMap<InstanceId, Vec<ChannelId>>,
    next: u64,
}

impl Links {
    /// A new notify channel; an older one of the same instance is closed.
    pub(crate) fn put(&mut self, instance: &InstanceId, hook: Hook) -> Link {
        self.next += 1;
        let number = LinkNumber(self.next);
        let (commands, to_agent) = mpsc::channel(COMMANDS);
        let replaced = CancellationToken::new();
        let entry = Entry {
            number,
            commands,
            replaced: replaced.clone(),
        };
        if let Some(older) = self.up.insert(instance.clone(), entry) {
            older.replaced.cancel();
        }
        for channel in self.owed.remove(instance).unwrap_or_default() {
            self.send(instance, Notify::SessionStop(channel));
        }
        Link {
            number,
            hook,
            commands: to_agent,
            replaced,
        }
    }

    /// A notify channel has ended. Says whether the instance has none now; an older one's end
    /// changes nothing.
    pub(crate) fn remove(&mut self, instance: &InstanceId, number: LinkNumber) -> bool {
        let is_current = self
            .up
            .get(instance)
            .is_some_and(|entry| entry.number == number);
        if is_current {
            self.up.remove(instance);
        }
        is_current
    }

    /// Closes the instance's notify channel: the instance is no more.
    pub(crate) fn close(&mut self, instance: &InstanceId) {
        if let Some(entry) = self.up.get(instance) {
            entry.replaced.cancel();
        }
        self.owed.remove(instance);
    }

    /// Tells the instance's agent that it is deregistered, and closes its notify channel then.
    pub(crate) fn dismiss(&mut self, instance: &InstanceId) {
        self.send(instance, Notify::AgentDeregister);
        self.owed.remove(instance);
    }

    pub(crate) fn is_up(&self, instance: &InstanceId) -> bool {
        self.up.contains_key(instance)
    }

    /// Hands a command to the instance's notify channel. `false`: there is none, or its agent has
    /// not read for so long that it is closed; a stop is then owed.
    pub(crate) fn send(&mut self, instance: &InstanceId, command: Notify) -> bool {
        let Some(entry) = self.up.get(instance) else {
            self.owe(instance, command);
            return false;
        };
        match entry.commands.try_send(command) {
            Ok(()) => true,
            Err(refused) => {
                entry.replaced.cancel();
                self.owe(instance, refused.into_inner());
                false
            }
        }
    }

    fn owe(&mut self, instance: &InstanceId, command: Notify) {
        if let Notify::SessionStop(channel) = command {
            let owed = self.owed.entry(instance.clone()).or_default();
            if owed.len() < OWED && !owed.contains(&channel) {
                owed.push(channel);
            }
        }
    }
}

/// Serves one notify channel until it is over.
pub(crate) async fn serve(
    mut websocket: WebSocket,
    mut link: Link,
    instance: &InstanceId,
    traces: &Traces,
    stopping: &CancellationToken,
) {
    websocket.put_hook(link.hook.clone());
    let (mut reader, writer) = websocket.split();
    let mut ends_at: Option<link::Instant> = None;
    loop {
        tokio::select! {
            biased;
            () = stopping.cancelled() => {
                let _ = writer.close(1001, "RelayStopping").await;
                return;
            }
            () = link.replaced.cancelled() => {
                let _ = writer.close(1000, "replaced").await;
                return;
            }
            command = link.commands.recv() => {
                let Some(command) = command else { return };
                if command == Notify::AgentDeregister {
                    ends_at = Some(link::now() + FAREWELL);
                }
                let text = command.to_string();
                traces.notified(instance, Way::Out, &text).await;
                if let Err(broken) = writer.send_text(text).await {
                    tracing::debug!(%instance, error = %broken, "the notify channel broke");
                    return;
                }
            }
            () = until(ends_at) => {
                let _ = writer.close(1000, "deregistered").await;
                return;
            }
            incoming = reader.next() => match incoming {
                Ok(Incoming::Data(text)) => {
                    traces
                        .notified(instance, Way::In, &String::from_utf8_lossy(&text))
                        .await;
                    heard(instance, &text);
                }
                Ok(Incoming::Closed { .. }) => return,
                Err(broken) => {
                    tracing::debug!(%instance, error = %broken, "the notify channel broke");
                    return;
                }
            },
        }
    }
}

async fn until(at: Option<link::Instant>) {
    match at {
        Some(at) => link::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// An answer proves delivery only (wire-protocol 12.19), so nothing follows from it; one that is no
/// acceptance is worth a line.
fn heard(instance: &InstanceId, text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    match text.parse::<Answer>() {
        Ok(Answer::Accept(_)) => {}
        // The official agent obeys this one all the same.
        Ok(Answer::Unknown(command)) if command == Notify::AgentDeregister.to_string() => {}
        Ok(Answer::Unknown(command) | Answer::Reject(command)) => {
            tracing::warn!(%instance, command, "the agent did not take a command");
        }
        Err(_) => tracing::debug!(%instance, "the agent said something that is no answer"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent() -> InstanceId {
        "i-1".parse().expect("valid")
    }

    fn hook() -> Hook {
        let clock = axt_net::clock::Clock::frozen(axt_proto::Tick::EPOCH);
        axt_net::fault::Ground::new(clock, axt_net::tasks::Tasks::new()).hook(0)
    }

    fn stop(channel: &str) -> Notify {
        Notify::SessionStop(channel.parse().expect("valid"))
    }

    #[tokio::test(start_paused = true)]
    async fn a_newer_channel_replaces_the_older_one() {
        let mut links = Links::default();
        let older = links.put(&agent(), hook());
        let mut newer = links.put(&agent(), hook());

        assert!(links.send(&agent(), Notify::Noop));

        assert!(older.replaced.is_cancelled());
        assert_eq!(newer.commands.try_recv(), Ok(Notify::Noop));
        assert!(!links.remove(&agent(), older.number));
        assert!(links.is_up(&agent()));
        assert!(links.remove(&agent(), newer.number));
        assert!(!links.is_up(&agent()));
    }

    #[tokio::test(start_paused = true)]
    async fn stops_are_owed_to_an_agent_that_is_away_and_kicks_are_not() {
        let mut links = Links::default();
        let kick = Notify::SessionStart("ch-1".parse().expect("valid"));

        assert!(!links.send(&agent(), kick));
        assert!(!links.send(&agent(), stop("ch-1")));
        assert!(!links.send(&agent(), stop("ch-1")));
        let mut link = links.put(&agent(), hook());

        assert_eq!(link.commands.try_recv(), Ok(stop("ch-1")));
        assert!(link.commands.try_recv().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn an_agent_that_does_not_read_loses_its_channel() {
        let mut links = Links::default();
        let link = links.put(&agent(), hook());

        while links.send(&agent(), Notify::Noop) {}

        assert!(link.replaced.is_cancelled());
    }
}
