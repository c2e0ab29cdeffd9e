//! The API's verbs, carried out on the registry.
//!
//! What lives here: from an action to commands of the desk, and from the registry's refusals to the
//! API's errors. What never does: HTTP, signatures, and the checks that need no knowledge of what
//! exists; `openapi` has made them.

mod instances;
mod sessions;
mod urls;

use axt_openapi::{Action, Answer, ApiError, Call, ErrorCode, action::Language, answer, region};

pub(crate) use self::urls::host_name;
use crate::{desk::Stopping, relay::Shared};

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
        Action::DescribeInstances(request) => instances::list(shared, &caller, &request).await,
        Action::DescribeCloudAssistantStatus(request) => {
            instances::agents(shared, &caller, &request).await
        }
        Action::DescribeRegions(request) => {
            Ok(regions(shared, request.accept_language, from).into())
        }
        // The rest of the table can be read, and is not carried out yet.
        _ => Err(ErrorCode::InvalidActionNotFound.into()),
    }
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
        settings.get::<axt_proto::RegionId>(&id)?.name.as_deref()
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
