//! The agents of instances (ecs-api 3.4, 3.5).

use axt_openapi::{
    Answer, ApiError, Caller, ErrorCode,
    action::{DescribeCloudAssistantStatus, InstallCloudAssistant},
    answer,
};
use axt_proto::InstanceId;
use axt_registry::{Changes, Instance, OsType, UnknownInstance};

use super::{page, refused, times::seconds};
use crate::relay::Shared;

/// ecs-api 3.4.
pub(super) async fn agents(
    shared: &Shared,
    caller: &Caller,
    request: &DescribeCloudAssistantStatus,
) -> Result<Answer, ApiError> {
    let (account, wanted) = (caller.account.clone(), request.clone());
    let found: Option<Vec<(Instance, usize)>> = shared
        .desk
        .ask(move |desk| {
            let ours: Vec<&Instance> = desk
                .registry
                .instances()
                .filter(|one| one.spec.account == account && one.spec.region == wanted.region_id)
                .collect();
            let is_ours = |id: &String| ours.iter().any(|one| one.spec.id.as_str() == id);
            if !wanted.instance_id.iter().all(is_ours) {
                return None;
            }
            let is_wanted = |one: &&Instance| {
                let id = one.spec.id.as_str();
                let has_id =
                    wanted.instance_id.is_empty() || wanted.instance_id.iter().any(|it| it == id);
                let os = word(one.spec.os_type);
                has_id && wanted.os_type.as_ref().is_none_or(|it| it == os)
            };
            let with_tasks = |one: &Instance| (one.clone(), desk.registry.tasks_of(&one.spec.id));
            Some(ours.into_iter().filter(is_wanted).map(with_tasks).collect())
        })
        .await?;
    let found = found.ok_or(ErrorCode::InvalidInstanceNotFound)?;
    let page = page(
        shared,
        caller,
        (request, &request.page),
        found,
        |(one, _)| one.spec.id.as_str(),
    )?;
    let items: Vec<_> = page.items.iter().map(status).collect();
    Ok(answer::DescribeCloudAssistantStatus {
        page_number: page.page_number,
        page_size: page.page_size,
        total_count: page.total_count,
        next_token: page.next_token,
        instance_cloud_assistant_status_set: items.into(),
    }
    .into())
}

fn status((instance, tasks): &(Instance, usize)) -> answer::CloudAssistantStatus {
    answer::CloudAssistantStatus {
        instance_id: instance.spec.id.to_string(),
        cloud_assistant_status: answer::CloudAssistantStatus::word(instance.presence.is_online),
        cloud_assistant_version: instance.agent_version().unwrap_or_default().to_owned(),
        os_type: word(instance.spec.os_type).to_owned(),
        invocation_count: instance.invocations,
        active_task_count: u64::try_from(*tasks).unwrap_or(u64::MAX),
        last_invoked_time: instance.last_invoked.map(seconds),
        last_heartbeat_time: instance.presence.last_heart_beat.map(seconds),
        support_session_manager: instance.supports_session_manager(),
    }
}

const fn word(os: OsType) -> &'static str {
    match os {
        OsType::Linux => "Linux",
        OsType::Windows => "Windows",
        OsType::FreeBsd => "FreeBSD",
    }
}

/// ecs-api 3.5: noted for whoever provides the instance. Nothing is installed anywhere.
pub(super) async fn install(
    shared: &Shared,
    caller: &Caller,
    request: InstallCloudAssistant,
) -> Result<Answer, ApiError> {
    let (account, region) = (caller.account.clone(), request.region_id);
    let named = request.instance_id.iter().map(|id| id.parse());
    let named: Vec<InstanceId> = named
        .collect::<Result<_, _>>()
        .map_err(|_| ErrorCode::InvalidInstanceNotFound)?;
    shared
        .desk
        .ask_later(move |desk, reply| {
            let now = desk.now();
            let stranger = named.iter().find(|id| {
                let spec = desk.registry.instance(id).map(|one| &one.spec);
                !spec.is_some_and(|spec| spec.account == account && spec.region == region)
            });
            let asked = match stranger {
                Some(id) => (Err(UnknownInstance(id.clone())), Changes::default()),
                None => {
                    named
                        .iter()
                        .fold((Ok(()), Changes::default()), |(answer, mut changes), id| {
                            let (asked, change) = desk.registry.ask_install(now, id);
                            changes.extend(change);
                            (answer.and(asked), changes)
                        })
                }
            };
            desk.change(asked, move |result| {
                // Who asked may have gone.
                let _ = reply.send(result);
            });
        })
        .await?
        .map_err(|failure| {
            refused(failure, |UnknownInstance(_)| {
                ErrorCode::InvalidInstanceNotFound.into()
            })
        })?;
    Ok(answer::InstallCloudAssistant {}.into())
}
