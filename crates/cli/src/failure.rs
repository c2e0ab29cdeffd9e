//! How a command fails: one line, a hint, and an exit code (design, "Exit codes").

use std::{fmt, io::Write, process::ExitCode};

use axt_client::{
    DiscoverError, admin::AdminCallError, api::CallError, doctor::Trouble,
    forward::SESSION_MANAGER_OFF, instance::Ambiguous, session::OpenError, terminal::signals::Stop,
};
use axt_net::transport::ProxyError;
use axt_openapi::ErrorCode;

use crate::flags::usage::UsageError;

/// The exit codes that are not a remote command's: the one table of them, which the help prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// It was done.
    Done = 0,
    /// It was tried and did not work.
    Failed = 1,
    /// Wrong usage or settings.
    Usage = 2,
    /// No sandbox, or it cannot be reached.
    Unreachable = 3,
    /// The API answered with an error.
    Api = 4,
    /// Ctrl-C.
    Interrupted = 130,
    /// A session's own failures, which a remote command's code must not be taken for.
    Session = 255,
}

impl Code {
    /// All of them.
    pub(crate) const ALL: [Self; 7] = [
        Self::Done,
        Self::Failed,
        Self::Usage,
        Self::Unreachable,
        Self::Api,
        Self::Interrupted,
        Self::Session,
    ];

    /// What it means, as the help says it.
    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Usage => "wrong usage or settings",
            Self::Unreachable => "no sandbox is running, or it cannot be reached",
            Self::Api => "the API answered with an error",
            Self::Interrupted => "Ctrl-C",
            Self::Session => "`axt session` or `axt ssh`: not opened, or cut off",
        }
    }
}

/// A failure, ready to be told.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    hint: Option<String>,
    code: Code,
}

impl Failure {
    /// It was tried and did not work.
    pub(crate) fn failed(message: impl fmt::Display) -> Self {
        Self::new(message, Code::Failed)
    }

    /// Wrong usage or settings.
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self::new(message, Code::Usage)
    }

    /// Nobody there.
    pub(crate) fn unreachable(message: impl fmt::Display) -> Self {
        Self::new(message, Code::Unreachable)
    }

    /// A signal asked to end.
    pub(crate) fn stopped(stop: Stop) -> Self {
        let code = match stop {
            Stop::Interrupt => Code::Interrupted,
            Stop::Terminate | Stop::Hangup | Stop::Escape => Code::Failed,
        };
        Self::new(format!("ended by {}", stop.name()), code)
    }

    fn new(message: impl fmt::Display, code: Code) -> Self {
        Self {
            message: message.to_string(),
            hint: None,
            code,
        }
    }

    /// With what to do about it.
    #[must_use]
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        self.hint_if(Some(hint))
    }

    /// With what to do about it, where that is known.
    #[must_use]
    fn hint_if(mut self, hint: Option<impl Into<String>>) -> Self {
        self.hint = hint.map(Into::into);
        self
    }

    /// The same with the code that a session's own failures have.
    #[must_use]
    pub(crate) fn in_session(mut self) -> Self {
        if self.code != Code::Interrupted {
            self.code = Code::Session;
        }
        self
    }

    /// The same as what is wrong with a step of `axt doctor`.
    pub(crate) fn trouble(self) -> Trouble {
        let trouble = Trouble::new(self.message);
        match self.hint {
            Some(hint) => trouble.hint(hint),
            None => trouble,
        }
    }

    /// Tells it on stderr and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        tell(&self.message, self.hint.as_deref());
        ExitCode::from(self.code as u8)
    }
}

/// Writes a text for the person on stderr; data goes to stdout.
pub(crate) fn say(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// Writes `error: …` and `hint: …`.
pub(crate) fn tell(message: &str, hint: Option<&str>) {
    let mut stderr = anstream::stderr().lock();
    // There is nobody left to tell that stderr is closed.
    let _ = writeln!(stderr, "error: {}", one_line(message));
    if let Some(hint) = hint {
        let _ = writeln!(stderr, "hint: {}", one_line(hint));
    }
}

fn one_line(text: &str) -> String {
    text.split(['\n', '\r']).collect::<Vec<_>>().join(" ")
}

impl From<UsageError> for Failure {
    fn from(error: UsageError) -> Self {
        Self::usage(&error).hint_if(error.hint)
    }
}

impl From<DiscoverError> for Failure {
    fn from(error: DiscoverError) -> Self {
        let code = match error {
            DiscoverError::NotRunning(_)
            | DiscoverError::Unreadable { .. }
            | DiscoverError::Malformed { .. } => Code::Unreachable,
            DiscoverError::Missing { .. } | DiscoverError::Profile(_) | DiscoverError::NoHome => {
                Code::Usage
            }
        };
        Self::new(&error, code).hint(error.hint())
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match &error {
            CallError::Api(refusal) => Self::new(&error, Code::Api).hint_if(hint(&refusal.code)),
            CallError::Unreachable { source, .. } => {
                Self::unreachable(&error).hint(source.proxy().map_or(
                    "is the sandbox still running? `axt up` starts one",
                    ProxyError::hint,
                ))
            }
            CallError::Nonsense { .. } => {
                Self::unreachable(&error).hint("is that the API's address?")
            }
        }
    }
}

/// What to do about an error of the API: in this program's own terms for those that a newcomer meets, else
/// as the table says that the API is served from.
fn hint(code: &str) -> Option<&'static str> {
    Some(match code {
        "InvalidInstance.NotFound" => "`axt api DescribeInstances` lists the instances",
        "Operation.Forbidden" => {
            "the instance has to be Running with its agent online: `axt api DescribeCloudAssistantStatus`"
        }
        "SessionCount.ExceedLimit" => "`axt api EndTerminalSession --SessionId s-…` ends one",
        "UserBehavior.SessionManagerDisabled" => SESSION_MANAGER_OFF,
        "InvalidAction.NotFound" => {
            "actions are written as in the API's documentation, such as `DescribeInstances`"
        }
        "InvalidAccessKeyId.NotFound" | "SignatureDoesNotMatch" => {
            "is this the sandbox's own key? `axt env` prints it"
        }
        _ => ErrorCode::find(code).first()?.entry().hint,
    })
}

impl From<AdminCallError> for Failure {
    fn from(error: AdminCallError) -> Self {
        match &error {
            AdminCallError::Refused { hint, .. } => Self::failed(&error).hint_if(hint.clone()),
            AdminCallError::Unreachable { source, .. } => {
                Self::unreachable(&error).hint(source.proxy().map_or(
                    "is the sandbox still running? `axt up` starts one",
                    ProxyError::hint,
                ))
            }
            AdminCallError::Nonsense { .. } => {
                Self::unreachable(&error).hint("is that the admin listener's address?")
            }
        }
    }
}

impl From<Ambiguous> for Failure {
    fn from(error: Ambiguous) -> Self {
        Self::usage(&error).hint("name one by `-i INSTANCE`")
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Call(error) => error.into(),
            OpenError::Connect(ref cause) => Self::unreachable(&error).hint(cause.proxy().map_or(
                "`axt health` says whether the relay works",
                ProxyError::hint,
            )),
            OpenError::Answer(_) | OpenError::Refused { .. } => Self::failed(&error),
        }
    }
}
