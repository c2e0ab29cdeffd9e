//! Why a connection ended: the one table.
//!
//! Each reason has a word for history and logs, sometimes a word for the client (status 5,
//! wire-protocol 5), and a websocket close code. The agent's own error codes (wire-protocol 10.4)
//! map onto it.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Reason {
    /// The shell ended by itself, whatever its exit code.
    Exit,
    /// No payload either way for the idle timeout.
    IdleTimeout,
    /// EndTerminalSession, or an administrator's reset.
    EndTerminalSession,
    /// The client closed, or its link went away.
    ClientClosed,
    /// The agent did not dial in time, or its channel went away and did not come back.
    AgentTimeout,
    /// The agent could not set up its channel.
    InitChannelFailed,
    /// The agent could not dial its data channel.
    OpenChannelFailed,
    /// The agent knows the channel id already, or a second shell was refused.
    SessionIdDuplicated,
    /// The agent, or the relay on its behalf, could not make sense of data.
    ProcessDataError,
    /// No PTY: an unknown user, a missing shell.
    OpenPtyFailed,
    /// The agent could not reach the port.
    OpenPortFailed,
    /// Reading from the port failed.
    ReadPortFailed,
    /// The port's connection broke, by a reset for instance.
    IoPortFailed,
    /// The agent's version has no session manager.
    AgentNeedUpgrade,
    /// The bandwidth was exceeded where the settings say to close instead of to wait.
    FlowExceedLimit,
    /// A peer broke the protocol.
    ProtocolError,
    /// A message above the maximum size.
    MessageTooBig,
    /// The instance was stopped, deregistered, or has no agent.
    InstanceUnavailable,
    /// The relay is shutting down.
    RelayStopping,
    /// The relay was killed and found the connection open when it started again.
    RelayRestarted,
    /// A fault inside the agent.
    UnknownError,
}

/// A websocket close code (RFC 6455 7.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloseCode(pub u16);

struct Row {
    reason: Reason,
    word: &'static str,
    /// The word of status 5; `None` when the client is not told (it has gone).
    to_client: Option<&'static str>,
    code: u16,
    /// Whether the connection ends as `Failed` rather than `Terminated` when it ends so before any
    /// payload passed.
    failed: bool,
}

const fn row(
    reason: Reason,
    word: &'static str,
    to_client: Option<&'static str>,
    code: u16,
    failed: bool,
) -> Row {
    Row {
        reason,
        word,
        to_client,
        code,
        failed,
    }
}

#[rustfmt::skip]
const TABLE: [Row; 21] = [
    row(Reason::Exit,                "Exit",                Some("Exit"),                1000, false),
    row(Reason::IdleTimeout,         "IdleTimeout",         Some("AgentTimeout"),        1000, false),
    row(Reason::EndTerminalSession,  "EndTerminalSession",  Some("Exit"),                1000, false),
    row(Reason::ClientClosed,        "ClientClosed",        None,                        1000, false),
    row(Reason::AgentTimeout,        "AgentTimeout",        Some("AgentTimeout"),        1011, false),
    row(Reason::InitChannelFailed,   "InitChannelFailed",   Some("InitChannelFailed"),   1011, true),
    row(Reason::OpenChannelFailed,   "OpenChannelFailed",   Some("OpenChannelFailed"),   1011, true),
    row(Reason::SessionIdDuplicated, "SessionIdDuplicated", Some("SessionIdDuplicated"), 1011, true),
    row(Reason::ProcessDataError,    "ProcessDataError",    Some("ProcessDataError"),    1011, false),
    row(Reason::OpenPtyFailed,       "OpenPtyFailed",       Some("OpenPtyFailed"),       1011, true),
    row(Reason::OpenPortFailed,      "Open_port_failed",    Some("Open_port_failed"),    1011, true),
    row(Reason::ReadPortFailed,      "Read_port_failed",    Some("Read_port_failed"),    1011, false),
    row(Reason::IoPortFailed,        "IO_port_failed",      Some("IO_port_failed"),      1011, false),
    row(Reason::AgentNeedUpgrade,    "AgentNeedUpgrade",    Some("AgentNeedUpgrade"),    1011, true),
    row(Reason::FlowExceedLimit,     "FlowExceedLimit",     Some("FlowExceedLimit"),     1008, false),
    row(Reason::ProtocolError,       "ProtocolError",       Some("ProcessDataError"),    1002, false),
    row(Reason::MessageTooBig,       "ProtocolError",       Some("ProcessDataError"),    1009, false),
    row(Reason::InstanceUnavailable, "InstanceUnavailable", Some("InstanceUnavailable"), 1001, true),
    row(Reason::RelayStopping,       "RelayStopping",       Some("RelayStopping"),       1001, false),
    row(Reason::RelayRestarted,      "RelayRestarted",      Some("RelayRestarted"),      1001, false),
    row(Reason::UnknownError,        "Unknown_error",       Some("Unknown_error"),       1011, false),
];

impl Reason {
    fn row(self) -> &'static Row {
        // The table has a row for each reason: `every_reason_has_its_row` says so.
        TABLE
            .iter()
            .find(|row| row.reason == self)
            .unwrap_or(&TABLE[0])
    }

    /// All of them, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.reason)
    }

    /// The word in history, logs and the close frame's text.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.row().word
    }

    /// The word that status 5 tells the client; `None` when nobody is there to be told.
    #[must_use]
    pub fn to_client(self) -> Option<&'static str> {
        self.row().to_client
    }

    /// The close code on the client's websocket.
    #[must_use]
    pub fn close_code(self) -> CloseCode {
        CloseCode(self.row().code)
    }

    /// Whether a connection that ends so was never any use to its client (`Failed` in history).
    #[must_use]
    pub fn is_failure(self) -> bool {
        self.row().failed
    }

    /// The reason behind an error code that an agent posts (wire-protocol 10.4, mapped by 5).
    ///
    /// `Timeout` depends on whether payload had stopped for the idle limit, which the caller knows.
    #[must_use]
    pub fn from_agent(code: &str, was_idle: bool) -> Self {
        match code {
            "Ok" | "Notified" => Self::Exit,
            "Timeout" if was_idle => Self::IdleTimeout,
            "Timeout" => Self::AgentTimeout,
            "Init_channel_failed" => Self::InitChannelFailed,
            "Open_channel_failed" => Self::OpenChannelFailed,
            "Session_id_duplicate" => Self::SessionIdDuplicated,
            "Process_data_error" => Self::ProcessDataError,
            "Open_pty_failed" => Self::OpenPtyFailed,
            "Open_port_failed" => Self::OpenPortFailed,
            "Read_port_failed" => Self::ReadPortFailed,
            "IO_port_failed" => Self::IoPortFailed,
            _ => Self::UnknownError,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.word())
    }
}

/// A word that stands in no row of the table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no reason")]
pub struct UnknownReason(String);

impl FromStr for Reason {
    type Err = UnknownReason;

    /// Reads a history word, as the close frame carries it.
    fn from_str(word: &str) -> Result<Self, UnknownReason> {
        TABLE
            .iter()
            .find(|row| row.word == word)
            .map(|row| row.reason)
            .ok_or_else(|| UnknownReason(word.chars().take(80).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_row() {
        for row in &TABLE {
            assert_eq!(row.reason.row().reason, row.reason);
        }
        let mut reasons: Vec<_> = TABLE
            .iter()
            .map(|row| format!("{:?}", row.reason))
            .collect();
        reasons.sort();
        reasons.dedup();
        assert_eq!(reasons.len(), TABLE.len());
    }

    #[test]
    fn an_agents_timeout_is_idleness_only_when_nothing_passed() {
        assert_eq!(Reason::from_agent("Timeout", true), Reason::IdleTimeout);
        assert_eq!(Reason::from_agent("Timeout", false), Reason::AgentTimeout);
    }

    #[test]
    fn the_close_frames_word_reads_back() {
        assert_eq!("IdleTimeout".parse(), Ok(Reason::IdleTimeout));
        assert!("nonsense".parse::<Reason>().is_err());
    }
}
