//! The way from this machine to a shell, checked step by step.
//!
//! ```text
//!  settings ─▶ endpoint ─▶ tls ─▶ signature ─▶ session-manager ─▶ instance ─▶ agent
//!                                        shell ◀─ websocket ◀─ quotas ◀───────┘
//! ```
//!
//! [`Step`] is the table of the steps, [`check`] gets their facts from the network, [`judge`] says
//! what the facts mean, and what to do. The first step that fails ends it: those behind it would only
//! fail of the same.

mod check;
mod judge;

use std::fmt;

use axt_net::wall::Wall;
use axt_proto::InstanceId;
use serde::Serialize;

use crate::{
    api::Api,
    discover::Target,
    session::{self, Link, Network, Started},
};

/// A step of the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Something says where the API is, and with whose key to call it.
    Settings,
    /// The API's address takes connections.
    Endpoint,
    /// Its certificate is trusted here.
    Tls,
    /// It answers a signed call: the key, its secret, and both clocks.
    Signature,
    /// The account's session manager is on, and the region has one.
    SessionManager,
    /// The instance is there and running.
    Instance,
    /// Its agent is online, and new enough.
    Agent,
    /// StartTerminalSession makes a session: quotas and the key's policy.
    Quotas,
    /// The session's URL takes a websocket.
    Websocket,
    /// A command's output comes back through the agent's channel.
    Shell,
}

impl Step {
    /// All steps, in the order in which each needs those before it.
    pub const ALL: [Self; 10] = [
        Self::Settings,
        Self::Endpoint,
        Self::Tls,
        Self::Signature,
        Self::SessionManager,
        Self::Instance,
        Self::Agent,
        Self::Quotas,
        Self::Websocket,
        Self::Shell,
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Endpoint => "endpoint",
            Self::Tls => "tls",
            Self::Signature => "signature",
            Self::SessionManager => "session-manager",
            Self::Instance => "instance",
            Self::Agent => "agent",
            Self::Quotas => "quotas",
            Self::Websocket => "websocket",
            Self::Shell => "shell",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

/// What is wrong with a step, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// What is wrong, with what value.
    pub problem: String,
    /// What to do, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Trouble {
    /// A trouble that nobody knows a way out of.
    pub fn new(problem: impl fmt::Display) -> Self {
        Self {
            problem: problem.to_string(),
            hint: None,
        }
    }

    /// With what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// What a step found, in words, or what is wrong.
pub type Verdict = Result<String, Trouble>;

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub enum Outcome {
    /// It is as it should be.
    Passed {
        /// What was found.
        detail: String,
    },
    /// It is not.
    Failed(Trouble),
    /// An earlier step failed.
    Skipped,
}

/// A step and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The step.
    pub step: Step,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What is examined: a target, and what it takes to talk to it.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Where the API is, and how that was found.
    pub target: Target,
    /// The API.
    pub api: Api,
    /// How endpoint and sessions are dialled, and whom TLS trusts.
    pub network: Network,
    /// The instance, where one is named.
    pub instance: Option<InstanceId>,
    /// This machine's clock.
    pub wall: Wall,
}

/// An examination under way. It starts a session, which [`Examination::end`] ends, whichever way the
/// examination went; also when [`Examination::run`] was dropped in the middle.
#[derive(Debug)]
pub struct Examination {
    subject: Result<Subject, Trouble>,
    instance: Option<InstanceId>,
    started: Option<Started>,
    link: Option<Link>,
}

impl Examination {
    /// Of this subject, or with the trouble there was in finding one.
    #[must_use]
    pub fn of(subject: Result<Subject, Trouble>) -> Self {
        let instance = subject.as_ref().ok().and_then(|it| it.instance.clone());
        Self {
            subject,
            instance,
            started: None,
            link: None,
        }
    }

    /// Goes through the steps and tells each as it is done; gives whether all passed.
    pub async fn run(&mut self, mut tell: impl FnMut(Finding)) -> bool {
        let mut has_failed = false;
        for step in Step::ALL {
            let outcome = if has_failed {
                Outcome::Skipped
            } else {
                match self.check(step).await {
                    Ok(detail) => Outcome::Passed { detail },
                    Err(trouble) => Outcome::Failed(trouble),
                }
            };
            has_failed |= matches!(outcome, Outcome::Failed(_));
            tell(Finding { step, outcome });
        }
        !has_failed
    }

    /// Ends the session that the examination has started, if it has.
    pub async fn end(&mut self) {
        self.link = None;
        if let (Ok(subject), Some(started)) = (&self.subject, self.started.take()) {
            session::end(&subject.api, &started.id).await;
        }
    }
}
