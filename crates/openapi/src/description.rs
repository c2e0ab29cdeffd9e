//! The machine-readable table of actions and parameters.
//!
//! Reading a call is driven by it ([`crate::action`]), and so are the help and the completion of
//! `axt api` and the probe that compares a listener's answers with it. One [`Description`] stands
//! beside each action's type, in `action/*.rs`.

mod form;
mod parameter;

pub(crate) use self::form::is_decimal;
pub use self::{
    form::Form,
    parameter::{Kind, Parameter},
};
use crate::ErrorCode;

/// What is known about an action.
#[derive(Clone, Copy, Debug)]
pub struct Description {
    /// Its name, whose case counts.
    pub name: &'static str,
    /// What it does, as a line of help.
    pub about: &'static str,
    /// Whether RegionId has to be given (ecs-api 3).
    pub region: RegionRule,
    /// Whether the metadata says HTTPS only (ecs-api 2.5, row 20).
    pub https_only: bool,
    /// What a policy is asked about (row 22).
    pub resource: Resource,
    /// The parameters beside RegionId, in the order in which they are checked.
    pub parameters: &'static [Parameter],
    /// What holds between parameters, in the order in which it is checked.
    pub rules: &'static [Rule],
    /// The codes that only carrying it out can end in: see [`Description::every_error`].
    pub errors: &'static [ErrorCode],
}

/// How an action treats RegionId.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegionRule {
    /// Required, and the region must have the session API.
    WithApi,
    /// As [`RegionRule::WithApi`], and the account must have the session manager switched on.
    WithSessionManager,
    /// Required, and any known region will do: the action is older than the session manager.
    Known,
    /// Checked like [`RegionRule::Known`] when it is given.
    Optional,
}

impl RegionRule {
    /// Whether a call without RegionId is refused.
    #[must_use]
    pub const fn is_required(self) -> bool {
        !matches!(self, Self::Optional)
    }
}

/// What a policy is asked about before an action's parameters are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// The instances that this list parameter names; all of them when it names none.
    Instances(&'static str),
    /// An instance that only the session tells: allowed here when some resource is, and judged by
    /// [`Caller::may`](crate::Caller::may) when the session is known.
    Session,
    /// Everything that the account has in the region.
    All,
}

/// What holds between parameters.
#[derive(Clone, Copy, Debug)]
pub enum Rule {
    /// The first may only come with the second.
    Requires(&'static str, &'static str, ErrorCode),
    /// The first may not come with any of the others.
    Excludes(&'static str, &'static [&'static str], ErrorCode),
    /// When the first has that word, one of the others has to be there; the first of them is what
    /// `MissingParameter` names.
    Needs(&'static str, &'static str, &'static [&'static str]),
}

impl Description {
    /// A description of an action that wants a region with the API and has no parameter yet.
    #[must_use]
    pub const fn new(name: &'static str, about: &'static str) -> Self {
        Self {
            name,
            about,
            region: RegionRule::WithApi,
            https_only: false,
            resource: Resource::All,
            parameters: &[],
            rules: &[],
            errors: &[],
        }
    }

    /// The parameter of that name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&'static Parameter> {
        self.parameters
            .iter()
            .find(|parameter| parameter.name == name)
    }

    /// Every parameter, RegionId first where the action has a use for it.
    pub fn every_parameter(&self) -> impl Iterator<Item = Parameter> {
        let region = match self.region.is_required() {
            true => Parameter::REGION_ID.required(),
            false => Parameter::REGION_ID,
        };
        std::iter::once(region).chain(self.parameters.iter().copied())
    }

    /// Every code that the action can be answered with, gateway and all, in the order of the table.
    #[must_use]
    pub fn every_error(&self) -> Vec<ErrorCode> {
        let rules = self.rules.iter().map(|rule| match *rule {
            Rule::Requires(_, _, code) | Rule::Excludes(_, _, code) => code,
            Rule::Needs(..) => ErrorCode::MissingParameter,
        });
        let mut codes: Vec<ErrorCode> = ErrorCode::gateway().collect();
        codes.extend([
            ErrorCode::InvalidParameter,
            ErrorCode::InternalErrorDispatch,
        ]);
        codes.push(ErrorCode::InvalidRegionIdNotFound);
        match self.region {
            RegionRule::Known | RegionRule::Optional => {}
            RegionRule::WithApi => codes.push(ErrorCode::RegionIdApiNotSupported),
            RegionRule::WithSessionManager => codes.extend([
                ErrorCode::RegionIdApiNotSupported,
                ErrorCode::UserBehaviorSessionManagerDisabled,
            ]),
        }
        codes.extend(
            self.every_parameter()
                .flat_map(|parameter| parameter.errors()),
        );
        codes.extend(rules);
        codes.extend(self.errors);
        codes.sort_unstable();
        codes.dedup();
        codes
    }

    /// Whether a repeated call may carry a ClientToken (limits-and-semantics 4).
    #[must_use]
    pub fn is_idempotent(&self) -> bool {
        self.parameter("ClientToken").is_some()
    }
}
