//! What a call has to be answered with: the description of its action, read in the order of
//! limits-and-semantics 3, and a naive model of the sandbox for what comes after that.

use axt_openapi::{
    ActionName, ErrorCode,
    description::{Kind, Parameter, RegionRule, Rule},
};

use super::{
    case::{Case, Known, Region, Twice},
    sample::Says,
};

/// Status and code; no code is a success.
pub(super) type Outcome = (u16, Option<String>);

/// What is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    Exactly(Outcome),
    /// Of an action that the model knows nothing of: success, or a code of its own.
    OneOf(Vec<Outcome>),
}

impl Expected {
    pub(super) fn admits(&self, outcome: &Outcome) -> bool {
        match self {
            Self::Exactly(expected) => expected == outcome,
            Self::OneOf(expected) => expected.iter().any(|(status, code)| {
                let is_code = match (code, &outcome.1) {
                    // The parameter that it names may be any.
                    (Some(family), Some(code)) if family.ends_with('.') => code.starts_with(family),
                    (expected, code) => expected == code,
                };
                *status == outcome.0 && is_code
            }),
        }
    }
}

/// The sandbox as far as calls can tell.
pub(super) struct Model {
    known: Known,
    session_manager: bool,
    is_deleted: bool,
}

struct Refusal {
    code: ErrorCode,
    name: &'static str,
}

impl From<ErrorCode> for Refusal {
    fn from(code: ErrorCode) -> Self {
        Self { code, name: "" }
    }
}

type Check = Result<(), Refusal>;

const SUCCESS: Outcome = (200, None);

impl Model {
    pub(super) fn new(known: Known) -> Self {
        Self {
            known,
            session_manager: true,
            is_deleted: false,
        }
    }

    /// What is to come of a call; what it changes is changed.
    pub(super) fn expect(&mut self, case: &Case) -> Expected {
        let outcome = |refusal: Refusal| -> Outcome {
            let entry = refusal.code.entry_for(Some(case.action));
            (entry.status, Some(entry.code.replace("{0}", refusal.name)))
        };
        if let Err(refusal) = self.before_the_world(case) {
            return Expected::Exactly(outcome(refusal));
        }
        match self.in_the_world(case) {
            Some(Ok(())) => Expected::Exactly(SUCCESS),
            Some(Err(refusal)) => Expected::Exactly(outcome(refusal)),
            None => {
                let errors = case.action.description().errors.iter();
                let errors = errors.map(|code| outcome((*code).into()));
                Expected::OneOf(errors.chain([SUCCESS]).collect())
            }
        }
    }

    /// Steps 1 to 5.
    fn before_the_world(&self, case: &Case) -> Check {
        let description = case.action.description();
        if case.is_ambiguous() {
            return Err(ErrorCode::InvalidParameter.into());
        }
        region(description.region, case.region)?;
        if description.region == RegionRule::WithSessionManager && !self.session_manager {
            return Err(ErrorCode::UserBehaviorSessionManagerDisabled.into());
        }
        let given: Vec<(&Parameter, &Says)> = case
            .given
            .iter()
            .map(|(parameter, sample)| (parameter, &sample.says))
            .collect();
        missing(&given)?;
        for (parameter, says) in &given {
            let is_let_go = parameter
                .unless
                .iter()
                .any(|other| case.says(other).is_given());
            if !is_let_go {
                malformed(parameter, says)?;
            }
        }
        description
            .rules
            .iter()
            .try_for_each(|rule| together(rule, case))?;
        if case.action == ActionName::StartTerminalSession {
            encryption(case)?;
            let alone = case.says("TargetServer").is_given() || case.says("CommandLine").is_given();
            if alone && matches!(case.says("InstanceId"), Says::TooMany) {
                return Err(ErrorCode::InvalidInstanceIdsCountLimitExceeded.into());
            }
        }
        if case.action == ActionName::RunCommand {
            script(case)?;
        }
        given
            .iter()
            .try_for_each(|(parameter, says)| too_many(parameter, says))
    }

    /// Steps 7 to 10, and what the call does.
    fn in_the_world(&mut self, case: &Case) -> Option<Check> {
        let refuse = |is_refused: bool, code: ErrorCode| match is_refused {
            true => Err(code.into()),
            false => Ok(()),
        };
        let is_unknown = |ids: &Says| match ids {
            Says::List(ids) => {
                case.region != Region::Home || ids.iter().any(|id| *id != self.known.instance)
            }
            _ => false,
        };
        // There is no call whose NextToken would be one of ours.
        let forged = || match case.says("NextToken").is_given() {
            true => Err(Refusal {
                code: ErrorCode::InvalidParameterValue,
                name: "NextToken",
            }),
            false => Ok(()),
        };
        let is_here =
            |says: &Says, known: &str| case.region == Region::Home && word(says) == Some(known);
        let not_found = ErrorCode::InvalidInstanceNotFound;
        Some(match case.action {
            ActionName::StartTerminalSession => {
                refuse(is_unknown(case.says("InstanceId")), not_found)
                    .and_then(|()| {
                        refuse(
                            word(case.member("EncryptionOptions", "Enabled")) == Some("true"),
                            ErrorCode::UnsupportedAgentVersionEncryption,
                        )
                    })
                    .and_then(|()| {
                        refuse(
                            word(case.says("ConnectionType")) == Some("Intranet"),
                            ErrorCode::InvalidOperationConnectionTypeUnsupported,
                        )
                    })
            }
            ActionName::EndTerminalSession => refuse(
                !is_here(case.says("SessionId"), &self.known.session),
                ErrorCode::InvalidSessionIdNotFound,
            ),
            ActionName::DescribeCloudAssistantStatus => {
                refuse(is_unknown(case.says("InstanceId")), not_found).and_then(|()| forged())
            }
            ActionName::InstallCloudAssistant => {
                refuse(is_unknown(case.says("InstanceId")), not_found)
            }
            ActionName::DescribeTerminalSessions
            | ActionName::DescribeActivations
            | ActionName::DescribeManagedInstances
            | ActionName::DescribeInvocationResults
            | ActionName::DescribeInstances => forged(),
            ActionName::DisableActivation => refuse(
                !is_here(case.says("ActivationId"), &self.known.activation),
                ErrorCode::InvalidActivationIdNotFound,
            ),
            ActionName::DeleteActivation => {
                let is_there =
                    !self.is_deleted && is_here(case.says("ActivationId"), &self.known.doomed);
                self.is_deleted |= is_there;
                refuse(!is_there, ErrorCode::InvalidActivationIdNotFound)
            }
            ActionName::DeregisterManagedInstance | ActionName::ModifyManagedInstance => {
                Err(not_found.into())
            }
            ActionName::ModifyUserBusinessBehavior => {
                if word(case.says("statusKey")) == Some("sessionManagerStatus") {
                    self.session_manager = word(case.says("statusValue")) == Some("enabled");
                }
                Ok(())
            }
            ActionName::ModifyCloudAssistantSettings => {
                if word(case.says("SettingType")) == Some("SessionManagerConfig") {
                    self.session_manager =
                        word(case.member("SessionManagerConfig", "SessionManagerEnabled"))
                            == Some("true");
                }
                Ok(())
            }
            ActionName::CreateActivation
            | ActionName::DescribeUserBusinessBehavior
            | ActionName::DescribeCloudAssistantSettings
            | ActionName::DescribeInstanceStatus
            | ActionName::DescribeRegions => Ok(()),
            // How a command goes is told by its description alone.
            ActionName::RunCommand | ActionName::InvokeCommand => return None,
        })
    }
}

impl Case {
    /// Whether a name comes twice with different values, which is seen before anything is read.
    fn is_ambiguous(&self) -> bool {
        self.dress.twice == Twice::Beside && !self.pairs(0).is_empty()
    }

    fn member(&self, object: &str, name: &str) -> &Says {
        let Says::Object(members) = self.says(object) else {
            return &Says::Absent;
        };
        let found = members.iter().find(|(parameter, _)| parameter.name == name);
        found.map_or(&Says::Absent, |(_, says)| says)
    }
}

fn word(says: &Says) -> Option<&str> {
    match says {
        Says::Text(text) => Some(text),
        _ => None,
    }
}

/// Step 1.
fn region(rule: RegionRule, region: Region) -> Check {
    let wants_api = matches!(rule, RegionRule::WithApi | RegionRule::WithSessionManager);
    match region {
        Region::Absent if rule == RegionRule::Optional => Ok(()),
        Region::Absent => Err(Refusal {
            code: ErrorCode::MissingParameter,
            name: "RegionId",
        }),
        Region::Unknown | Region::Malformed => Err(ErrorCode::InvalidRegionIdNotFound.into()),
        Region::WithoutApi if wants_api => Err(ErrorCode::RegionIdApiNotSupported.into()),
        Region::Home | Region::Other | Region::WithoutApi => Ok(()),
    }
}

/// Step 3.
fn missing(given: &[(&Parameter, &Says)]) -> Check {
    let missing = given
        .iter()
        .find(|(parameter, says)| parameter.required && !says.is_given());
    match missing {
        Some((parameter, _)) => Err(Refusal {
            code: ErrorCode::MissingParameter,
            name: parameter.name,
        }),
        None => Ok(()),
    }
}

/// Step 4. An object is looked into at its place.
fn malformed(parameter: &Parameter, says: &Says) -> Check {
    let own = |code: Option<ErrorCode>| Refusal {
        code: code
            .or(parameter.invalid)
            .unwrap_or(ErrorCode::InvalidParameterValue),
        name: parameter.name,
    };
    match says {
        Says::Absent | Says::Text(_) | Says::List(_) | Says::TooMany => Ok(()),
        Says::Malformed => Err(own(None)),
        Says::TooLong => Err(own(parameter.too_long)),
        Says::Unreadable => Err(ErrorCode::InvalidParameter.into()),
        Says::NoKey => Err(ErrorCode::InvalidTagMismatch.into()),
        Says::Object(members) => {
            let given: Vec<(&Parameter, &Says)> = members
                .iter()
                .map(|(parameter, says)| (parameter, says))
                .collect();
            missing(&given)?;
            given
                .iter()
                .try_for_each(|(parameter, says)| malformed(parameter, says))
        }
    }
}

/// Step 5, what the table says.
fn together(rule: &Rule, case: &Case) -> Check {
    let given = |name: &str| case.says(name).is_given();
    match *rule {
        Rule::Requires(first, second, code) if given(first) && !given(second) => Err(code.into()),
        Rule::Excludes(first, others, code)
            if given(first) && others.iter().any(|other| given(other)) =>
        {
            Err(code.into())
        }
        Rule::Needs(first, wanted, others)
            if word(case.says(first)) == Some(wanted)
                && !others.iter().any(|other| given(other)) =>
        {
            Err(Refusal {
                code: ErrorCode::MissingParameter,
                name: others[0],
            })
        }
        _ => Ok(()),
    }
}

/// Step 5, R18: what holds between the members of EncryptionOptions.
fn encryption(case: &Case) -> Check {
    let member = |name| case.member("EncryptionOptions", name);
    let is_enabled = word(member("Enabled")) == Some("true");
    let is_forwarding = case.says("PortNumber").is_given() || case.says("TargetServer").is_given();
    let (mode, key) = (word(member("Mode")), word(member("KMSKeyId")));
    let invalid = Err(ErrorCode::InvalidParameterEncryptionOptionsKmsKeyId.into());
    match (mode, key) {
        (Some(_), _) if !is_enabled => {
            Err(ErrorCode::InvalidEncryptionOptionsModeEncryptionDisabled.into())
        }
        _ if is_enabled && is_forwarding => Err(ErrorCode::InvalidEncryptionOptionsConflict.into()),
        (Some("Kms"), None) => Err(ErrorCode::MissingParameterEncryptionOptionsKmsKeyId.into()),
        (Some("Kms"), Some(key)) if !key.is_ascii() => invalid,
        (Some("Kms"), Some(_)) | (_, None) => Ok(()),
        (_, Some(_)) => invalid,
    }
}

/// What a script and its parameters have to be together (ecs-api 3.16). The scripts of the samples are
/// Base64 if their length lets them.
fn script(case: &Case) -> Check {
    let is_base64 = word(case.says("ContentEncoding")) == Some("Base64");
    let content = word(case.says("CommandContent")).unwrap_or_default();
    if is_base64 && (!content.is_ascii() || !content.len().is_multiple_of(4)) {
        return Err(ErrorCode::CmdContentDecodeError.into());
    }
    let has_parameters = word(case.says("Parameters")).is_some_and(|text| text != "{}");
    if has_parameters && word(case.says("EnableParameter")) != Some("true") {
        return Err(ErrorCode::ParameterDisabled.into());
    }
    Ok(())
}

/// The end of step 5: how many there are, in lists also of objects.
fn too_many(parameter: &Parameter, says: &Says) -> Check {
    match (says, parameter.kind) {
        (Says::TooMany, Kind::List { .. }) => Err(Refusal {
            code: parameter
                .too_long
                .or(parameter.invalid)
                .unwrap_or(ErrorCode::InvalidParameterValue),
            name: parameter.name,
        }),
        (Says::Object(members), _) => members
            .iter()
            .try_for_each(|(parameter, says)| too_many(parameter, says)),
        _ => Ok(()),
    }
}
