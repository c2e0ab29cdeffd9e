//! Commands, and what became of them: RunCommand and InvokeCommand (ecs-api 3.16).
//!
//! ```text
//! run   Pending ──the agent's first report──▶ Running ──ends by itself──▶ Success | Failed
//!          │                                     ├── over its time ──▶ Timeout
//!          │                                     ├── cannot be run ──▶ Error | Invalid
//!          │                                     ├── nothing heard, on link time ──▶ Error
//!          │                                     └── to be stopped ──▶ Stopping ──▶ Terminated
//!          ├── not started within a minute of link time ──▶ Aborted
//!          └── to be stopped ──▶ Cancelled
//! ```
//!
//! An [`Invocation`] is one call; it has a [`Run`] for each instance. Neither has a deadline on rule
//! time while it goes on: whoever waits for an agent waits on link time, and is told by
//! [`Effect::Watch`](crate::Effect::Watch) for how long.

use axt_proto::{AccountId, CommandId, InstanceId, InvocationId, RegionId, Secret, Tick};
use serde::{Deserialize, Serialize};

use crate::{OsType, RunOutput, index::Scope};

/// What a command is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum CommandKind {
    /// A script for `sh`.
    #[default]
    RunShellScript,
    /// A batch file.
    RunBatScript,
    /// A PowerShell script.
    RunPowerShellScript,
}

impl CommandKind {
    /// The word of the API and of the agents' tasks.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::RunShellScript => "RunShellScript",
            Self::RunBatScript => "RunBatScript",
            Self::RunPowerShellScript => "RunPowerShellScript",
        }
    }

    /// Whether that system can run it (`InvalidInstance.NotMatch` otherwise).
    #[must_use]
    pub const fn runs_on(self, os: OsType) -> bool {
        matches!(self, Self::RunShellScript) != matches!(os, OsType::Windows)
    }
}

/// What to run, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandSpec {
    /// What it is written in.
    pub kind: CommandKind,
    /// The script in Base64. It may hold passwords.
    pub content: Secret,
    /// Its name, possibly empty.
    pub name: String,
    /// What people write about it, possibly empty.
    pub description: String,
    /// How many seconds of link time it may run.
    pub timeout_s: u32,
    /// Where it runs; empty for the user's home.
    pub working_directory: String,
    /// As whom it runs; empty for the agent's own user.
    pub username: String,
    /// The name of a stored Windows password, possibly empty.
    pub password_name: String,
    /// Whether `{{name}}` in it stands for a parameter.
    pub has_parameters: bool,
}

/// A command that is kept for InvokeCommand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Its id.
    pub id: CommandId,
    /// Whose.
    pub account: AccountId,
    /// Where.
    pub region: RegionId,
    /// What it is.
    pub spec: CommandSpec,
    /// When it was made.
    pub created: Tick,
}

/// One call of RunCommand or InvokeCommand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invocation {
    /// Its id.
    pub id: InvocationId,
    /// Whose.
    pub account: AccountId,
    /// Where.
    pub region: RegionId,
    /// Which command: one that is kept, or one that was for this call alone.
    pub command: CommandId,
    /// What is run, the caller's parameters filled in.
    pub spec: CommandSpec,
    /// When it was called.
    pub created: Tick,
}

impl Invocation {
    pub(crate) fn scope(&self) -> Scope {
        (self.account.clone(), self.region.clone())
    }
}

/// How a command goes on one instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Of which call.
    pub invocation: InvocationId,
    /// Where.
    pub instance: InstanceId,
    /// How it stands.
    pub status: RunStatus,
    /// When the agent's first report came.
    pub started: Option<Tick>,
    /// When it was over.
    pub finished: Option<Tick>,
    /// When it was asked to stop.
    pub stop_asked: Option<Tick>,
    /// The exit code, where there is one.
    pub exit_code: Option<i32>,
    /// What it has printed.
    pub output: RunOutput,
    /// What went wrong.
    pub trouble: Option<Trouble>,
}

impl Run {
    pub(crate) fn new(invocation: InvocationId, instance: InstanceId) -> Self {
        Self {
            invocation,
            instance,
            status: RunStatus::Pending,
            started: None,
            finished: None,
            stop_asked: None,
            exit_code: None,
            output: RunOutput::default(),
            trouble: None,
        }
    }
}

/// `InvocationStatus` of ecs-api 3.16, but for `Scheduled`: nothing here is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RunStatus {
    /// The agent has not said yet that it runs it.
    Pending,
    /// It runs.
    Running,
    /// It is being stopped.
    Stopping,
    /// Its exit code was 0.
    Success,
    /// Its exit code was another.
    Failed,
    /// It could not be run to its end.
    Error,
    /// It was over its time.
    Timeout,
    /// It was stopped before it began.
    Cancelled,
    /// It was stopped.
    Terminated,
    /// The agent does not take it as it is.
    Invalid,
    /// It never came to the agent.
    Aborted,
}

impl RunStatus {
    /// The word of `InvocationStatus`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Stopping => "Stopping",
            Self::Success => "Success",
            Self::Failed => "Failed",
            Self::Error => "Error",
            Self::Timeout => "Timeout",
            Self::Cancelled => "Cancelled",
            Self::Terminated => "Terminated",
            Self::Invalid => "Invalid",
            Self::Aborted => "Aborted",
        }
    }

    /// The word of `InvokeRecordStatus`, which says less.
    #[must_use]
    pub const fn record(self) -> &'static str {
        match self {
            Self::Pending | Self::Running | Self::Stopping => "Running",
            Self::Success | Self::Failed => "Finished",
            Self::Cancelled | Self::Terminated => "Stopped",
            Self::Error | Self::Timeout | Self::Invalid | Self::Aborted => "Failed",
        }
    }

    /// Whether nothing happens to it any more.
    #[must_use]
    pub const fn is_over(self) -> bool {
        !matches!(self, Self::Pending | Self::Running | Self::Stopping)
    }
}

/// What went wrong with a run: `ErrorCode` and `ErrorInfo` of ecs-api 3.16.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// For programs.
    pub code: String,
    /// For people.
    pub info: String,
}

impl Trouble {
    pub(crate) fn new(code: &str, info: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            info: info.into(),
        }
    }
}
