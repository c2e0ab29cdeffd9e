//! Why a session ended, for the exit code and for the person.

use axt_proto::Reason;

use crate::terminal::signals::Stop;

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Why.
    pub why: Why,
    /// The remote exit code, where the other side could tell (extension `exit`).
    pub exit_code: Option<i32>,
    /// What the agent said of it, in words, where the relay handed that on.
    pub detail: Option<String>,
}

/// Why a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The relay said so, in a status or in the close frame's text.
    Told(Reason),
    /// The relay said something that is in no table.
    ToldOtherwise(String),
    /// The websocket was closed without a reason.
    Closed {
        /// The websocket close code.
        code: u16,
    },
    /// The websocket broke, or nothing came for 30 s.
    Lost(String),
    /// The other side sent what is no frame.
    Malformed(String),
    /// A signal.
    Stopped(Stop),
    /// The local terminal was closed.
    InputClosed,
    /// Nobody reads the output any more.
    OutputClosed,
}

impl Why {
    /// What a reason word says, with a detail behind it or without.
    pub(crate) fn told(word: &str) -> Self {
        let reason = word.split_once(": ").map_or(word, |(reason, _)| reason);
        match reason.parse::<Reason>() {
            Ok(reason) => Self::Told(reason),
            Err(_) => {
                Self::ToldOtherwise(word.chars().filter(|c| !c.is_control()).take(200).collect())
            }
        }
    }

    /// What a close frame says: its text is the history word.
    pub(crate) fn closed(code: u16, text: &str) -> Self {
        if text.is_empty() {
            return Self::Closed { code };
        }
        Self::told(text)
    }
}

/// What stands behind the reason in a close frame's text.
pub(crate) fn detail_of(text: &str) -> Option<String> {
    let (reason, detail) = text.split_once(": ")?;
    reason.parse::<Reason>().ok()?;
    Some(detail.chars().filter(|c| !c.is_control()).collect())
}

impl Ended {
    /// The exit code of the command: the remote's where it is known, 0 for an orderly `Exit`, 130
    /// for Ctrl-C, 255 for everything else (design, "Exit codes").
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match (self.exit_code, &self.why) {
            // As a shell would see it: the low byte.
            (Some(code), _) => code.to_le_bytes()[0],
            (None, Why::Told(Reason::Exit)) => 0,
            (None, Why::Stopped(Stop::Interrupt)) => 130,
            _ => 255,
        }
    }

    /// What to tell the person: one line and a hint; nothing after an orderly end.
    #[must_use]
    pub fn message(&self) -> Option<(String, Option<&'static str>)> {
        let (line, hint) = match &self.why {
            Why::Told(reason) => {
                let (line, hint) = told(*reason)?;
                let line = match &self.detail {
                    Some(detail) => format!("{line}: {detail}"),
                    None => line,
                };
                return Some((line, hint));
            }
            Why::ToldOtherwise(text) => (format!("the session ended: {text}"), None),
            Why::Closed { code } => (
                format!("the session was closed without a reason (code {code})"),
                None,
            ),
            Why::Lost(problem) => (
                format!("the relay was lost: {problem}"),
                Some("`axt health` says whether it works"),
            ),
            Why::Malformed(problem) => (format!("the relay sent nonsense: {problem}"), None),
            Why::Stopped(stop) => (format!("the session was ended by {}", stop.name()), None),
            Why::InputClosed | Why::OutputClosed => return None,
        };
        Some((line, hint))
    }
}

fn told(reason: Reason) -> Option<(String, Option<&'static str>)> {
    let (line, hint) = match reason {
        Reason::Exit | Reason::ClientClosed => return None,
        Reason::IdleTimeout => (
            "the session was idle for too long (IdleTimeout)",
            Some(
                "sessions end after 3 minutes without a byte; `--limit idle_timeout_s=…` of `axt up` changes that",
            ),
        ),
        Reason::EndTerminalSession => ("the session was ended by EndTerminalSession", None),
        Reason::AgentTimeout => (
            "the instance's agent does not answer (AgentTimeout)",
            Some("`axt api DescribeCloudAssistantStatus` tells whether it is online"),
        ),
        Reason::OpenPtyFailed => (
            "the instance could not start the shell (OpenPtyFailed)",
            Some(
                "is there such a user, and may the agent change to it? Only root's can, and the official one opens none for root",
            ),
        ),
        Reason::OpenPortFailed => (
            "the instance could not reach the port (Open_port_failed)",
            Some("does anything listen there?"),
        ),
        Reason::AgentNeedUpgrade => (
            "the instance's agent is too old for sessions (AgentNeedUpgrade)",
            Some("it has to be later than 2.2.3.256 (Linux) or 2.1.3.256 (Windows)"),
        ),
        Reason::FlowExceedLimit => (
            "the session went over its bandwidth (FlowExceedLimit)",
            None,
        ),
        Reason::InstanceUnavailable => (
            "the instance is stopped or gone (InstanceUnavailable)",
            Some("`axt api DescribeInstances` shows its state"),
        ),
        Reason::RelayStopping => ("the relay is shutting down (RelayStopping)", None),
        Reason::RelayRestarted => ("the relay was restarted (RelayRestarted)", None),
        Reason::SessionIdDuplicated => (
            "the session has a shell already (SessionIdDuplicated)",
            None,
        ),
        other => return Some((format!("the session ended: {other}"), None)),
    };
    Some((line.to_owned(), hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(why: Why, exit_code: Option<i32>) -> Ended {
        Ended {
            why,
            exit_code,
            detail: None,
        }
    }

    #[test]
    fn the_remote_code_is_handed_on_where_it_is_known() {
        assert_eq!(ended(Why::Told(Reason::Exit), Some(7)).exit_code(), 7);
        assert_eq!(ended(Why::Told(Reason::Exit), None).exit_code(), 0);
    }

    #[test]
    fn our_own_failures_are_255_and_ctrl_c_130() {
        assert_eq!(ended(Why::Told(Reason::IdleTimeout), None).exit_code(), 255);
        assert_eq!(ended(Why::Lost("cut".into()), None).exit_code(), 255);
        assert_eq!(ended(Why::Stopped(Stop::Interrupt), None).exit_code(), 130);
    }

    #[test]
    fn a_detail_stands_behind_the_reason_and_is_no_part_of_it() {
        let text = "OpenPtyFailed: no user `nobody2`";

        assert_eq!(Why::closed(1011, text), Why::Told(Reason::OpenPtyFailed));
        assert_eq!(detail_of(text).as_deref(), Some("no user `nobody2`"));
        assert_eq!(detail_of("OpenPtyFailed"), None);
        assert_eq!(detail_of("elsewhere: something"), None);
    }

    #[test]
    fn an_orderly_end_says_nothing_and_every_other_names_its_reason() {
        assert_eq!(ended(Why::Told(Reason::Exit), None).message(), None);

        for reason in [
            Reason::IdleTimeout,
            Reason::OpenPtyFailed,
            Reason::ProcessDataError,
        ] {
            let (line, _) = ended(Why::Told(reason), None).message().expect("a line");
            assert!(line.contains(reason.word()), "{line}");
        }
    }
}
