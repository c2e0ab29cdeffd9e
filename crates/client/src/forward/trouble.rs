//! What went wrong with a connection: a code for scripts, a line for people, and what to do.

use std::str::FromStr;

use axt_proto::{
    Reason,
    unreached::{Cause, Unreached},
};

use crate::{
    api::CallError,
    session::{Ended, OpenError, Why},
};

/// What went wrong, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Which kind it is of: one of a list that does not change, for scripts.
    pub code: &'static str,
    /// What was wrong, with which value, in words.
    pub problem: String,
    /// What to do.
    pub hint: &'static str,
}

impl Trouble {
    fn new(code: &'static str, problem: impl Into<String>, hint: &'static str) -> Self {
        Self {
            code,
            problem: problem.into(),
            hint,
        }
    }

    /// A connection that could not be opened.
    pub(super) fn refused(error: &OpenError) -> Self {
        let problem = error.to_string();
        match error {
            OpenError::Refused { code, .. } => refused_upgrade(code, problem),
            OpenError::Call(CallError::Api(refusal)) => refused_call(&refusal.code, problem),
            OpenError::Call(CallError::Unreachable { source, .. }) if source.proxy().is_some() => {
                Self::new("proxy_refused", problem, PROXY)
            }
            OpenError::Connect(cause) if cause.proxy().is_some() => {
                Self::new("proxy_refused", problem, PROXY)
            }
            OpenError::Call(_) | OpenError::Answer(_) => Self::new(
                "api_unreachable",
                problem,
                "is the sandbox still running? `axt up` starts one, and the next connection tries again",
            ),
            OpenError::Connect(_) => Self::new(
                "relay_unreachable",
                problem,
                "`axt health` says whether the relay works; the next connection tries again",
            ),
        }
    }

    /// A connection that was cut off.
    pub(super) fn cut_off(why: Why, detail: Option<&str>) -> Self {
        let Why::Told(reason) = why else {
            let (code, hint) = match &why {
                Why::Lost(_) => (
                    "relay_lost",
                    "`axt health` says whether the relay works; the next connection tries again",
                ),
                Why::Malformed(_) => ("protocol_error", "is there a relay at that address?"),
                _ => ("closed", "the next connection tries again"),
            };
            return Self::new(code, in_words(why), hint);
        };
        match reason {
            Reason::OpenPortFailed => not_reached(detail),
            reason => {
                let (code, hint) = cut(reason);
                Self::new(code, in_words(why), hint)
            }
        }
    }
}

const PROXY: &str = "HTTPS_PROXY names the proxy and NO_PROXY the hosts that need none";

/// The line that a session would tell.
fn in_words(why: Why) -> String {
    let ended = Ended {
        why,
        exit_code: None,
        detail: None,
    };
    let told = ended.message();
    told.map_or_else(|| "the relay ended it".to_owned(), |(line, _)| line)
}

/// A target that the agent did not reach. An official agent does not say why.
fn not_reached(detail: Option<&str>) -> Trouble {
    let told = detail.and_then(|detail| Unreached::from_str(detail).ok());
    let Some(Unreached { cause, address }) = told else {
        let more = detail.map(|detail| format!(": {detail}"));
        let more = more.unwrap_or_default();
        return Trouble::new(
            "port_failed",
            format!("the instance could not reach the port (Open_port_failed){more}"),
            "does anything listen there, and is TARGET spelt right?",
        );
    };
    match cause {
        Cause::Refused => Trouble::new(
            "port_refused",
            format!("nothing listens on {address} (Open_port_failed)"),
            "start the service there, or forward to another port",
        ),
        Cause::Unresolved => Trouble::new(
            "name_unresolved",
            format!("the instance does not know the name in {address} (Open_port_failed)"),
            "check the spelling of TARGET, or give its address",
        ),
        Cause::NoRoute => Trouble::new(
            "target_unreachable",
            format!("the instance has no route to {address} (Open_port_failed)"),
            "check TARGET, and the instance's network",
        ),
        Cause::NoAnswer => Trouble::new(
            "target_unreachable",
            format!("nobody answers the instance at {address} (Open_port_failed)"),
            "check TARGET, and the firewalls before it",
        ),
    }
}

/// A refused upgrade (design, "Refused upgrades").
fn refused_upgrade(code: &str, problem: String) -> Trouble {
    let (code, hint) = match code {
        "SessionUrl.Expired" => (
            "session_expired",
            "a session's URL opens connections for 10 minutes: ask for a new one",
        ),
        "SessionUrl.Ended" | "InvalidSessionToken" => (
            "session_ended",
            "ask whoever made the session for a new one",
        ),
        "SessionCount.ExceedLimit" => (
            "too_many_connections",
            "an instance takes 20 connections at a time: close some, or start the sandbox with \
             `--limit connections_per_instance=…`",
        ),
        "RelayStopping" => ("relay_stopping", "the next connection tries again"),
        _ => ("refused", "`axt health` says whether the relay works"),
    };
    Trouble::new(code, problem, hint)
}

/// A session that could not be renewed.
fn refused_call(code: &str, problem: String) -> Trouble {
    let (code, hint) = match code {
        "Operation.Forbidden" => (
            "instance_unavailable",
            "start the instance and its agent: `axt api DescribeCloudAssistantStatus` shows them",
        ),
        "InvalidInstance.NotFound" => (
            "instance_unavailable",
            "the instance is gone: `axt api DescribeInstances` lists those that there are",
        ),
        "UserBehavior.SessionManagerDisabled" => ("session_manager_off", SESSION_MANAGER_OFF),
        "SessionCount.ExceedLimit" => (
            "too_many_connections",
            "close some connections, or end sessions: `axt api DescribeTerminalSessions` lists them",
        ),
        _ => ("api_error", "`axt api --errors` explains the API's errors"),
    };
    Trouble::new(code, problem, hint)
}

/// What to do about an account whose session manager is off.
pub const SESSION_MANAGER_OFF: &str = "switch it on: `axt api ModifyUserBusinessBehavior \
     --statusKey sessionManagerStatus --statusValue enabled`";

/// What to do about a connection that the relay ended for that reason.
const fn cut(reason: Reason) -> (&'static str, &'static str) {
    match reason {
        Reason::IdleTimeout => (
            "idle_timeout",
            "3 minutes without a byte end a connection: use the protocol's own keep-alive, or `--keepalive`",
        ),
        Reason::EndTerminalSession => (
            "session_ended",
            "the next connection gets a session of its own",
        ),
        Reason::AgentTimeout => (
            "agent_timeout",
            "`axt api DescribeCloudAssistantStatus` tells whether the agent is online",
        ),
        Reason::AgentNeedUpgrade => (
            "agent_too_old",
            "update the agent to more than 2.2.3.256 (Linux) or 2.1.3.256 (Windows)",
        ),
        Reason::InstanceUnavailable => (
            "instance_unavailable",
            "start the instance: `axt api DescribeInstances` shows its state",
        ),
        Reason::FlowExceedLimit => ("flow_exceeded", "send less at a time"),
        Reason::RelayStopping => ("relay_stopping", "the next connection tries again"),
        Reason::RelayRestarted => ("relay_restarted", "the next connection tries again"),
        Reason::IoPortFailed | Reason::ReadPortFailed => (
            "port_broken",
            "the connection to the port broke: see that service's log",
        ),
        Reason::ProtocolError | Reason::MessageTooBig | Reason::ProcessDataError => (
            "protocol_error",
            "the relay's log (`AXT_LOG=debug axt up`) says what it did not understand",
        ),
        _ => ("agent_failed", "the agent's log says more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_not_reaching_a_port_has_its_own_words() {
        let troubles = [
            Some("connection refused by localhost:80"),
            Some("cannot resolve db.example:5432"),
            Some("no route to 10.0.0.1:80"),
            Some("no answer from 10.0.0.1:80"),
            Some("`http` is no port number"),
            None,
        ]
        .map(|detail| Trouble::cut_off(Why::Told(Reason::OpenPortFailed), detail));

        insta::assert_debug_snapshot!(troubles);
    }

    #[test]
    fn every_reason_and_refusal_names_what_to_do() {
        let refused = |code: &str| {
            Trouble::refused(&OpenError::Refused {
                code: code.into(),
                message: "Because.".into(),
            })
        };
        let called = |code: &str| {
            Trouble::refused(&OpenError::Call(CallError::Api(crate::ApiError {
                code: code.into(),
                message: "Because.".into(),
                request_id: String::new(),
                status: 403,
            })))
        };
        let cut = |reason| Trouble::cut_off(Why::Told(reason), None);

        insta::assert_debug_snapshot!([
            refused("SessionUrl.Expired"),
            refused("SessionCount.ExceedLimit"),
            called("Operation.Forbidden"),
            called("UserBehavior.SessionManagerDisabled"),
            called("SessionCount.ExceedLimit"),
            cut(Reason::IdleTimeout),
            cut(Reason::AgentNeedUpgrade),
            cut(Reason::InstanceUnavailable),
            cut(Reason::AgentTimeout),
            Trouble::cut_off(Why::Lost("reset".into()), None),
        ]);
    }
}
