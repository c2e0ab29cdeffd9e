//! What a call is refused with: one table of codes, and the error that picks from it.

mod table;

use std::{borrow::Cow, fmt, time::Duration};

use serde::Serialize;

pub use self::table::ErrorCode;
use crate::{ActionName, Caller, policy::Judgement};

/// A row of the table of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The HTTP status.
    pub status: u16,
    /// `Code`; `{0}` stands for the name of a parameter.
    pub code: &'static str,
    /// `Message`; `{0}` and `{1}` stand for arguments.
    pub message: &'static str,
    /// When it comes about, as the end of a sentence.
    pub when: &'static str,
    /// What its reader can do about it.
    pub hint: &'static str,
}

/// Where an action's own table words a code differently ("the action's own table wins",
/// limits-and-semantics 1, R22): the code, the actions, the status, the message.
const EXCEPTIONS: &[(ErrorCode, &[ActionName], u16, &str)] = &[
    (
        ErrorCode::InvalidInstanceNotFound,
        &[ActionName::StartTerminalSession],
        404,
        "The specified instances not found.",
    ),
    (
        ErrorCode::InvalidRegionIdNotFound,
        &[ActionName::DescribeTerminalSessions],
        404,
        "The specified parameter RegionId does not exist.",
    ),
    (
        ErrorCode::InvalidParamPageNumber,
        &[ActionName::DescribeInvocationResults],
        403,
        "The specified parameter is invalid.",
    ),
    (
        ErrorCode::InvalidParamPageSize,
        &[ActionName::DescribeInvocationResults],
        403,
        "The specified parameter is invalid.",
    ),
];

impl ErrorCode {
    /// The row of the table, as that action words it.
    #[must_use]
    pub fn entry_for(self, action: Option<ActionName>) -> Entry {
        let mut entry = self.entry();
        let own = EXCEPTIONS.iter().find(|(code, actions, ..)| {
            *code == self && action.is_some_and(|it| actions.contains(&it))
        });
        if let Some((_, _, status, message)) = own {
            entry.status = *status;
            entry.message = message;
        }
        entry
    }

    /// The codes of the gateway, which any call can be answered with (ecs-api 2.5).
    pub fn gateway() -> impl Iterator<Item = Self> {
        Self::ALL
            .iter()
            .copied()
            .filter(|code| *code <= Self::ForbiddenRam)
    }

    /// The codes that a caller can mean by this text: what `/errors/{Code}` and `axt api --errors`
    /// look up. Several when the message tells them apart, none when there is no such code.
    #[must_use]
    pub fn find(text: &str) -> Vec<Self> {
        let exact: Vec<Self> = Self::ALL
            .iter()
            .copied()
            .filter(|code| code.entry().code == text)
            .collect();
        if !exact.is_empty() {
            return exact;
        }
        let of_family = |code: &&Self| {
            let family = code.entry().code.strip_suffix("{0}");
            family.is_some_and(|family| text.len() > family.len() && text.starts_with(family))
        };
        Self::ALL.iter().filter(of_family).copied().collect()
    }
}

/// An error that a call is answered with: a code of the table and what its message names.
///
/// `Display` is `Code: Message` in the general wording; the answer itself is made by
/// [`render::error`](crate::render::error), which knows the action.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ApiError {
    code: ErrorCode,
    arguments: Vec<Cow<'static, str>>,
    retry_after: Option<Duration>,
    denied: Option<Box<AccessDenied>>,
}

impl ApiError {
    /// An error whose message names nothing.
    #[must_use]
    pub fn new(code: ErrorCode) -> Self {
        Self {
            code,
            arguments: Vec::new(),
            retry_after: None,
            denied: None,
        }
    }

    /// `MissingParameter.<Name>`.
    #[must_use]
    pub fn missing(name: &'static str) -> Self {
        Self::new(ErrorCode::MissingParameter).with(name)
    }

    /// `InvalidParameter.<Name>`.
    #[must_use]
    pub fn invalid(name: &'static str) -> Self {
        Self::new(ErrorCode::InvalidParameterValue).with(name)
    }

    /// Adds what the next `{n}` of the message stands for. Never a secret.
    #[must_use]
    pub fn with(mut self, argument: impl Into<Cow<'static, str>>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Tells the caller when to try again: the header `x-acs-retry-after` (ecs-api 1.6).
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Says what a policy denied (ecs-api 1.4).
    #[must_use]
    pub fn denied(mut self, detail: AccessDenied) -> Self {
        self.denied = Some(Box::new(detail));
        self
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// How long the caller should wait.
    #[must_use]
    pub fn wait(&self) -> Option<Duration> {
        self.retry_after
    }

    /// What a policy denied.
    #[must_use]
    pub fn access_denied(&self) -> Option<&AccessDenied> {
        self.denied.as_deref()
    }

    /// The HTTP status for that action.
    #[must_use]
    pub fn status(&self, action: Option<ActionName>) -> u16 {
        self.code.entry_for(action).status
    }

    /// `Code`, arguments filled in.
    #[must_use]
    pub fn code_text(&self) -> String {
        self.fill(self.code.entry().code)
    }

    /// `Message` in the words of that action, arguments filled in.
    #[must_use]
    pub fn message(&self, action: Option<ActionName>) -> String {
        self.fill(self.code.entry_for(action).message)
    }

    /// Replaces `{0}` and `{1}` once, from left to right, so that an argument which looks like a
    /// placeholder stays what it is.
    fn fill(&self, template: &str) -> String {
        let mut filled = String::with_capacity(template.len());
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let Some((index, tail)) = after.split_once('}') else {
                filled.push('{');
                rest = after;
                continue;
            };
            let argument = index
                .parse()
                .ok()
                .and_then(|index: usize| self.arguments.get(index));
            filled.push_str(argument.map_or("", |argument| argument));
            rest = tail;
        }
        filled.push_str(rest);
        filled
    }
}

impl From<ErrorCode> for ApiError {
    fn from(code: ErrorCode) -> Self {
        Self::new(code)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The messages of wrong signatures hold what was signed, which is for the caller alone.
        match self.code {
            ErrorCode::SignatureDoesNotMatchRpc | ErrorCode::SignatureDoesNotMatchAcs3 => {
                out.write_str(self.code.entry().code)
            }
            _ => write!(out, "{}: {}", self.code_text(), self.message(None)),
        }
    }
}

/// `AccessDeniedDetail` of a `Forbidden.RAM` answer (ecs-api 1.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AccessDenied {
    /// What was to be done, `ecs:StartTerminalSession`.
    pub auth_action: String,
    /// The kind of the caller: `SubUser`, `AssumedRoleUser`.
    pub auth_principal_type: &'static str,
    /// The caller's id.
    pub auth_principal_display_name: String,
    /// The caller's account.
    pub auth_principal_owner_id: String,
    /// The kind of policy that decided.
    pub policy_type: &'static str,
    /// `ImplicitDeny` when nothing allows it, `ExplicitDeny` when a statement denies it.
    pub no_permission_type: &'static str,
}

impl AccessDenied {
    /// What a policy says to an action of a caller.
    #[must_use]
    pub fn new(action: ActionName, caller: &Caller, judgement: Judgement) -> Self {
        Self {
            auth_action: format!("ecs:{action}"),
            auth_principal_type: match caller.identity.kind() {
                "RAMUser" => "SubUser",
                other => other,
            },
            auth_principal_display_name: caller.identity.principal().to_owned(),
            auth_principal_owner_id: caller.account.to_string(),
            policy_type: "AccountLevelIdentityBasedPolicy",
            no_permission_type: match judgement {
                Judgement::ExplicitDeny => "ExplicitDeny",
                Judgement::ImplicitDeny | Judgement::Allowed => "ImplicitDeny",
            },
        }
    }
}
