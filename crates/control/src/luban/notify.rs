//! The text commands on the notify channel (wire-protocol 10.3).
//!
//! Two-word commands such as `kick_vm session` kill the official agent's reader for good. No value
//! of [`Notify`] is written as one: each of the dangerous words is always followed by a verb and an
//! object that cannot be empty.

use std::{fmt, str::FromStr};

use axt_proto::ChannelId;

/// What a run-command task is called on the wire: 1 to 64 of `A-Z a-z 0-9 - _`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(String);

/// A text that is no task id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no task id: expected 1 to 64 of `A-Z a-z 0-9 - _`")]
pub struct MalformedTaskId(String);

impl TaskId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TaskId {
    type Err = MalformedTaskId;

    fn from_str(text: &str) -> Result<Self, MalformedTaskId> {
        let is_word = (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        if is_word {
            return Ok(Self(text.to_owned()));
        }
        Err(MalformedTaskId(text.chars().take(80).collect()))
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// A command from the relay to an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notify {
    /// Fetch the task list.
    Fetch,
    /// Nothing: a probe of the agent itself.
    Noop,
    /// Fetch the session list and serve this channel.
    SessionStart(ChannelId),
    /// End this channel's session.
    SessionStop(ChannelId),
    /// Fetch and run a task.
    TaskRun(TaskId),
    /// Stop a task.
    TaskStop(TaskId),
    /// Deregister. The official agent answers that it does not know the command, and obeys.
    AgentDeregister,
}

impl fmt::Display for Notify {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fetch => out.write_str("kick_vm"),
            Self::Noop => out.write_str("kick_vm noop"),
            Self::SessionStart(channel) => write!(out, "kick_vm session start {channel}"),
            Self::SessionStop(channel) => write!(out, "kick_vm session stop {channel}"),
            Self::TaskRun(task) => write!(out, "kick_vm task run {task}"),
            Self::TaskStop(task) => write!(out, "kick_vm task stop {task}"),
            Self::AgentDeregister => out.write_str("kick_vm agent deregister"),
        }
    }
}

/// A text that is no command this version obeys; an agent answers `unknow:`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a notify command")]
pub struct UnknownCommand;

impl FromStr for Notify {
    type Err = UnknownCommand;

    /// Reads a command as the official agent does: the first word is not looked at, the second
    /// selects. Where the official reader dies of a missing word, this one does not know the
    /// command.
    fn from_str(text: &str) -> Result<Self, UnknownCommand> {
        let words: Vec<&str> = text.split(' ').collect();
        match words.as_slice() {
            ["kick_vm"] => Ok(Self::Fetch),
            // A diagnosis of its network is something that no agent of ours has to tell.
            [_, "noop", ..] | [_, "status", "network", ..] => Ok(Self::Noop),
            [_, "session", "start", channel] => channel
                .parse()
                .map(Self::SessionStart)
                .map_err(|_| UnknownCommand),
            [_, "session", "stop", channel] => channel
                .parse()
                .map(Self::SessionStop)
                .map_err(|_| UnknownCommand),
            // A file to be sent is found in the task list, too.
            [_, "task", "run", task] | [_, "file", "create", task] => {
                task.parse().map(Self::TaskRun).map_err(|_| UnknownCommand)
            }
            [_, "task" | "file", "stop", task] => {
                task.parse().map(Self::TaskStop).map_err(|_| UnknownCommand)
            }
            [_, "agent", "deregister"] => Ok(Self::AgentDeregister),
            _ => Err(UnknownCommand),
        }
    }
}

/// An agent's answer: a word and the command's own text. Nothing else tells which command is
/// answered (wire-protocol 12.13), and it proves delivery only (12.19).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The command will be obeyed.
    Accept(String),
    /// The agent does not know the command (`unknow`, sic).
    Unknown(String),
    /// Not now: an update is in its critical part.
    Reject(String),
}

impl Answer {
    /// The answer to a command as it arrived.
    #[must_use]
    pub fn to_command(text: &str) -> Self {
        match text.parse::<Notify>() {
            Ok(Notify::AgentDeregister) | Err(UnknownCommand) => Self::Unknown(text.to_owned()),
            Ok(_) => Self::Accept(text.to_owned()),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accept(command) => write!(out, "accept:{command}"),
            Self::Unknown(command) => write!(out, "unknow:{command}"),
            Self::Reject(command) => write!(out, "reject:{command}"),
        }
    }
}

impl FromStr for Answer {
    type Err = UnknownCommand;

    fn from_str(text: &str) -> Result<Self, UnknownCommand> {
        match text.split_once(':') {
            Some(("accept", command)) => Ok(Self::Accept(command.to_owned())),
            Some(("unknow", command)) => Ok(Self::Unknown(command.to_owned())),
            Some(("reject", command)) => Ok(Self::Reject(command.to_owned())),
            _ => Err(UnknownCommand),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_command() -> impl Strategy<Value = Notify> {
        prop_oneof![
            Just(Notify::Fetch),
            Just(Notify::Noop),
            Just(Notify::AgentDeregister),
            "[A-Za-z0-9-]{1,32}".prop_map(|id| Notify::SessionStart(id.parse().expect("valid"))),
            "[A-Za-z0-9-]{1,32}".prop_map(|id| Notify::SessionStop(id.parse().expect("valid"))),
            "[A-Za-z0-9_-]{1,64}".prop_map(|id| Notify::TaskRun(id.parse().expect("valid"))),
            "[A-Za-z0-9_-]{1,64}".prop_map(|id| Notify::TaskStop(id.parse().expect("valid"))),
        ]
    }

    proptest! {
        #[test]
        fn no_command_is_one_of_the_deadly_two_words(command in any_command()) {
            let text = command.to_string();
            let words: Vec<&str> = text.split(' ').collect();

            let is_deadly = words.len() == 2
                && ["session", "task", "agent", "file", "status"].contains(&words[1]);
            prop_assert!(!is_deadly);
            prop_assert!(words.iter().all(|word| !word.is_empty()));
            prop_assert_eq!(text.parse::<Notify>(), Ok(command));
        }

        #[test]
        fn any_text_is_answered_with_itself(text in ".{0,80}") {
            let answer = Answer::to_command(&text);

            prop_assert_eq!(answer.to_string().parse::<Answer>(), Ok(answer));
        }
    }

    #[test]
    fn what_the_official_agent_takes_and_a_relay_of_ours_never_says_is_taken() {
        for command in [
            "kick_vm status network --refresh --vpc",
            "kick_vm file create f-1",
            "kick_vm file stop f-1",
        ] {
            let answer = Answer::to_command(command).to_string();
            assert_eq!(answer, format!("accept:{command}"));
        }
    }

    #[test]
    fn a_deadly_text_is_only_unknown_to_us() {
        assert_eq!(
            Answer::to_command("kick_vm session").to_string(),
            "unknow:kick_vm session"
        );
    }
}
