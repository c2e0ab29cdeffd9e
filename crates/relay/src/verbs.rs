//! The API's verbs, carried out on the registry.
//!
//! What lives here: from an action to commands of the desk, and from the registry's refusals to the
//! API's errors. What never does: HTTP, signatures, and the checks that need no knowledge of what
//! exists; `openapi` has made them.

mod activations;
mod assistant;
mod commands;
mod history;
mod instances;
mod managed;
mod sessions;
mod settings;
mod times;
mod urls;

use std::collections::BTreeMap;

use axt_openapi::{
    Action, Answer, ApiError, Call, Caller, ErrorCode, Idempotency,
    action::{Language, Request, Tag},
    answer,
    paging::{Page, PageRequest, Scope},
    region,
};
use axt_proto::RegionId;
use axt_registry::{Fingerprint, TokenAction, TokenKey, TokenRefusal};

pub(crate) use self::{instances::zone, urls::host_name};
use crate::{
    desk::{NotDone, Stopping, Token},
    relay::Shared,
};

/// Where a call came from.
#[derive(Clone, Debug)]
pub(crate) struct CallFrom {
    /// The caller's address, without port.
    pub(crate) client_ip: Option<String>,
    /// The `Host` header, as sent.
    pub(crate) host: String,
}

/// Carries out a call.
pub(crate) async fn carry_out(
    shared: &Shared,
    call: Call,
    from: &CallFrom,
) -> Result<Answer, ApiError> {
    let Call {
        caller,
        action,
        idempotency,
        ..
    } = call;
    match action {
        Action::StartTerminalSession(request) => {
            sessions::start(shared, &caller, request, idempotency, from).await
        }
        Action::EndTerminalSession(request) => sessions::end(shared, &caller, request).await,
        Action::DescribeTerminalSessions(request) => history::list(shared, &caller, &request).await,
        Action::DescribeCloudAssistantStatus(request) => {
            assistant::agents(shared, &caller, &request).await
        }
        Action::InstallCloudAssistant(request) => {
            assistant::install(shared, &caller, request).await
        }
        Action::CreateActivation(request) => {
            activations::create(shared, &caller, request, idempotency).await
        }
        Action::DescribeActivations(request) => activations::list(shared, &caller, &request).await,
        Action::DisableActivation(request) => activations::disable(shared, &caller, request).await,
        Action::DeleteActivation(request) => activations::delete(shared, &caller, request).await,
        Action::DescribeManagedInstances(request) => managed::list(shared, &caller, &request).await,
        Action::DeregisterManagedInstance(request) => {
            managed::deregister(shared, &caller, request, idempotency).await
        }
        Action::ModifyManagedInstance(request) => managed::rename(shared, &caller, request).await,
        Action::DescribeUserBusinessBehavior(request) => {
            settings::switch(shared, &caller, &request).await
        }
        Action::ModifyUserBusinessBehavior(request) => {
            settings::set_switch(shared, &caller, &request).await
        }
        Action::ModifyCloudAssistantSettings(request) => {
            settings::set(shared, &caller, request).await
        }
        Action::DescribeCloudAssistantSettings(request) => {
            settings::get(shared, &caller, &request).await
        }
        Action::DescribeInstances(request) => instances::list(shared, &caller, &request).await,
        Action::DescribeInstanceStatus(request) => {
            instances::states(shared, &caller, &request).await
        }
        Action::DescribeRegions(request) => {
            Ok(regions(shared, request.accept_language, from).into())
        }
        Action::RunCommand(request) => commands::run(shared, &caller, request, idempotency).await,
        Action::InvokeCommand(request) => {
            commands::invoke(shared, &caller, request, idempotency).await
        }
        Action::DescribeInvocationResults(request) => {
            commands::results(shared, &caller, &request).await
        }
    }
}

/// The error of a call that the desk did not carry out; `code` knows the registry's refusals.
fn refused<R: std::error::Error>(
    failure: NotDone<R>,
    code: impl FnOnce(R) -> ApiError,
) -> ApiError {
    match failure {
        NotDone::Refused(refusal) => code(refusal),
        NotDone::Token(TokenRefusal::Mismatch) => ErrorCode::IdempotentParameterMismatch.into(),
        NotDone::Token(TokenRefusal::Processing) => ErrorCode::IdempotentProcessing.into(),
        NotDone::Journal => ErrorCode::InternalErrorDispatch.into(),
    }
}

/// The page that a request asks for, of a list whose order does not change from call to call; `id` is
/// what an item is found again by.
fn page<T, R: Request>(
    shared: &Shared,
    caller: &Caller,
    (request, wanted): (&R, &PageRequest),
    list: Vec<T>,
    id: impl Fn(&T) -> &str,
) -> Result<Page<T>, ApiError> {
    let scope = Scope::of(request, &caller.account);
    wanted.cut(list, id, scope, &shared.next_tokens, shared.clock.now())
}

/// What a ClientToken is unique within, and what it came with (limits-and-semantics 4).
fn token(
    caller: &Caller,
    region: &RegionId,
    action: TokenAction,
    idempotency: Option<Idempotency>,
) -> Option<Token> {
    let Idempotency { token, fingerprint } = idempotency?;
    let key = TokenKey {
        account: caller.account.clone(),
        region: region.clone(),
        action,
        token,
    };
    Some((key, Fingerprint(fingerprint.as_bytes().to_vec())))
}

/// Tags as answers have them.
fn tags(tags: &BTreeMap<String, String>) -> Vec<answer::Tag> {
    let tags = tags.iter().map(|(key, value)| answer::Tag {
        tag_key: key.clone(),
        tag_value: value.clone(),
    });
    tags.collect()
}

/// Whether all wanted tags are there, with those values.
fn has_tags(tags: &BTreeMap<String, String>, wanted: &[Tag]) -> bool {
    wanted
        .iter()
        .all(|tag| tags.get(&tag.key) == Some(&tag.value))
}

impl From<Stopping> for ApiError {
    fn from(_: Stopping) -> Self {
        ErrorCode::InternalErrorDispatch.into()
    }
}

/// ecs-api 3.15: the endpoint is the sandbox's own, so that who follows it stays here.
fn regions(shared: &Shared, language: Language, from: &CallFrom) -> answer::DescribeRegions {
    let settings = &shared.surroundings.regions;
    let own = |id: &str| {
        let id = id.parse().ok()?;
        settings.get::<RegionId>(&id)?.name.as_deref()
    };
    let named = |id: &str| {
        let known = region::find(id);
        let name = known.map(|region| match language {
            Language::Chinese => region.chinese,
            Language::English => region.english,
            Language::Japanese => region.japanese,
        });
        answer::Region {
            region_id: id.to_owned(),
            local_name: own(id).or(name).unwrap_or(id).to_owned(),
            region_endpoint: from.host.clone(),
            status: "available",
        }
    };
    let regions: Vec<_> = shared.surroundings.region_ids().map(named).collect();
    answer::DescribeRegions {
        regions: regions.into(),
    }
}
