//! A session's life in sentences, from its events.

use std::fmt::Write;

use axt_control::admin::{ConnectionRecord, EventLine, SessionAnswer, StarterState};
use axt_proto::{Carried, ConnectionId, EventKind, Reason};

/// Tells it: what the session is, what happened line by line, and how it stands.
pub(super) fn of(answer: &SessionAnswer) -> String {
    let mut text = String::new();
    line(&mut text, &what(answer));
    line(&mut text, &who(answer));
    let mut seq = None;
    for event in &answer.events {
        // Numbers count up over all sessions; what is missing here shows by the journal's bound.
        if seq.is_some_and(|(number, index)| index == KEPT && number < event.seq) {
            line(
                &mut text,
                "…  (the journal keeps the first 100 events and the latest 100)",
            );
        }
        let index = seq.map_or(1, |(_, index)| index + 1);
        seq = Some((event.seq, index));
        if let Some(sentence) = sentence(answer, event) {
            line(&mut text, &format!("{}  {sentence}", instant(event.at_ms)));
        }
    }
    for connection in answer
        .connections
        .iter()
        .filter(|one| one.ended_ms.is_none())
    {
        line(&mut text, &until_now(answer.now_ms, connection));
    }
    line(&mut text, &stands(answer));
    text
}

/// How many of a session's first events the journal keeps; beyond it there are gaps, if it has as
/// many again.
const KEPT: usize = 100;

fn line(text: &mut String, sentence: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{sentence}");
}

fn what(answer: &SessionAnswer) -> String {
    let session = &answer.session;
    let opens = match (session.port, &answer.target_server) {
        (Some(port), Some(host)) => format!("forwards port {port} of {host} through"),
        (Some(port), None) => format!("forwards port {port} of"),
        (None, _) => "opens a shell on".to_owned(),
    };
    let user = answer.username.as_ref();
    let user = user.map_or_else(String::new, |user| format!(" as {user}"));
    let (id, instance, region) = (&session.id, &session.instance, &session.region);
    format!("{id} {opens} {instance} in {region}{user}.")
}

fn who(answer: &SessionAnswer) -> String {
    let StarterState {
        identity_type,
        principal_id,
        client_ip,
    } = &answer.starter;
    let kind = match identity_type.as_str() {
        "RAMUser" => "the RAM user",
        "AssumedRoleUser" => "the assumed role",
        _ => "the account",
    };
    let from = match client_ip.as_str() {
        "" => String::new(),
        address => format!(" from {address}"),
    };
    format!(
        "It was made by {kind} {principal_id}{from}, and its URL is good for opening until {}.",
        instant(answer.session.url_expires_ms)
    )
}

/// What an event means for this session; nothing for those that are about something else.
fn sentence(answer: &SessionAnswer, event: &EventLine) -> Option<String> {
    let name = event
        .connection
        .map_or_else(String::new, |id| id.to_string());
    let after = |since: Option<u64>| {
        since.map_or_else(String::new, |since| {
            format!(
                ", {} after it was opened",
                span(event.at_ms.saturating_sub(since))
            )
        })
    };
    let opened = event.connection.and_then(|id| opened(answer, id));
    Some(match &event.kind {
        EventKind::SessionStarted { account } => {
            format!("StartTerminalSession was answered, and it counts for account {account}.")
        }
        EventKind::SessionRolledBack => "The journal did not take it: it never was.".to_owned(),
        EventKind::SessionExpired => {
            "Its URL became too old to open connections; what is open goes on.".to_owned()
        }
        EventKind::SessionEnded => {
            "It was ended for good, by EndTerminalSession or with its instance.".to_owned()
        }
        EventKind::SessionReleased => "It counts no more.".to_owned(),
        EventKind::ConnectionOpened { client_ip } => format!("{name} was opened from {client_ip}."),
        EventKind::ConnectionRefused { code } => format!("A connection was refused: {code}."),
        EventKind::ConnectionKicked => format!("{name}: the agent was told (kicked)."),
        EventKind::ConnectionLive => {
            format!(
                "{name} was paired with the agent's channel{}.",
                after(opened)
            )
        }
        EventKind::ConnectionClosed { reason, carried } => format!(
            "{name} ended{}: {}. {}",
            after(opened),
            why(*reason),
            went(*carried)
        ),
        EventKind::ConnectionFailed { reason, detail } => {
            format!(
                "{name} failed{}: {} ({detail}).",
                after(opened),
                why(*reason)
            )
        }
        EventKind::FaultInjected { fault, kind } => match name.as_str() {
            "" => format!("The fault {fault} ({kind}) struck."),
            name => format!("{name}: the fault {fault} ({kind}) struck."),
        },
        _ => return None,
    })
}

fn opened(answer: &SessionAnswer, id: ConnectionId) -> Option<u64> {
    let connections = &answer.connections;
    let record = connections.iter().find(|one| one.id == id)?;
    Some(record.opened_ms)
}

/// The reason's word, and what it means.
fn why(reason: Reason) -> String {
    let meaning = match reason {
        Reason::Exit => "the shell ended, or the target closed",
        Reason::IdleTimeout => "no payload passed either way for the idle timeout",
        Reason::EndTerminalSession => "the session was ended, or everything reset",
        Reason::ClientClosed => "the client closed, or its link went away",
        Reason::AgentTimeout => "the agent did not dial in time, or went away",
        Reason::InitChannelFailed => "the agent could not set up its channel",
        Reason::OpenChannelFailed => "the agent could not dial its data channel",
        Reason::SessionIdDuplicated => "there was a live shell already",
        Reason::ProcessDataError => "what was sent made no sense",
        Reason::OpenPtyFailed => "no terminal: an unknown user, or no shell",
        Reason::OpenPortFailed => "the agent could not reach the port",
        Reason::ReadPortFailed => "reading from the port failed",
        Reason::IoPortFailed => "the port's connection broke",
        Reason::AgentNeedUpgrade => "the agent is too old for sessions",
        Reason::FlowExceedLimit => "it went beyond the bandwidth, and the limits say to close",
        Reason::ProtocolError => "a peer broke the protocol",
        Reason::MessageTooBig => "a message was too big",
        Reason::InstanceUnavailable => "the instance is not running, or has no agent",
        Reason::RelayStopping => "the relay was stopped",
        Reason::RelayRestarted => "the relay was killed, and found it open when it was back",
        Reason::UnknownError => "something went wrong inside the agent",
    };
    format!("{reason}, {meaning}")
}

fn went(carried: Carried) -> String {
    let Carried {
        bytes_up,
        bytes_down,
        held_up_ms,
        held_down_ms,
    } = carried;
    let held = match (held_up_ms, held_down_ms) {
        (0, 0) => "nothing had to wait for the bandwidth".to_owned(),
        (0, down) => format!("output had to wait for the bandwidth for {}", span(down)),
        (up, 0) => format!("input had to wait for the bandwidth for {}", span(up)),
        (up, down) => format!(
            "the bandwidth held input back for {} and output for {}",
            span(up),
            span(down)
        ),
    };
    format!("{bytes_up} bytes of input and {bytes_down} of output went through; {held}.")
}

fn until_now(now_ms: u64, connection: &ConnectionRecord) -> String {
    let id = connection.id;
    let age = span(now_ms.saturating_sub(connection.opened_ms));
    match connection.connected_ms {
        Some(_) => format!(
            "{id} is live, {age} after it was opened. {}",
            went(connection.carried)
        ),
        None => format!("{id} waits for the agent since {age}."),
    }
}

fn stands(answer: &SessionAnswer) -> String {
    let state = match answer.session.state.as_str() {
        "issued" => "its URL opens connections, and none is open",
        "in_use" => "it is in use",
        "expired" => "its URL has expired",
        "ended" => "it has ended",
        other => other,
    };
    let counts = match answer.is_active {
        true => "counts against its region",
        false => "does not count any more",
    };
    format!("Now, at {}: {state}; it {counts}.", instant(answer.now_ms))
}

/// An instant of rule time, to the millisecond.
fn instant(ms: u64) -> String {
    let instant = i64::try_from(ms).ok();
    let instant = instant.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    instant.map_or_else(|| format!("{ms} ms"), |at| format!("{at:.3}"))
}

/// A span of rule time, to the millisecond.
fn span(ms: u64) -> String {
    let (seconds, rest) = (ms / 1_000, ms % 1_000);
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    match minutes {
        0 => format!("{seconds}.{rest:03} s"),
        _ => format!("{minutes} min {seconds}.{rest:03} s"),
    }
}

#[cfg(test)]
mod tests;
