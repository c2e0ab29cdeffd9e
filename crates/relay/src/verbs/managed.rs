//! Managed instances: machines that have registered (ecs-api 3.9 to 3.11).

use axt_openapi::{
    Answer, ApiError, Caller, ErrorCode, Idempotency,
    action::{DeregisterManagedInstance, DescribeManagedInstances, ModifyManagedInstance},
    answer,
};
use axt_proto::{AccountId, InstanceId, RegionId};
use axt_registry::{
    Changes, Instance, InstancePatch, OsType, Registry, TokenAction, UnknownInstance,
};

use super::{has_tags, page, refused, tags, times::seconds, token};
use crate::{desk::Desk, relay::Shared};

pub(super) async fn list(
    shared: &Shared,
    caller: &Caller,
    request: &DescribeManagedInstances,
) -> Result<Answer, ApiError> {
    let (account, wanted) = (caller.account.clone(), request.clone());
    let found: Vec<answer::ManagedInstance> = shared
        .desk
        .ask(move |desk| {
            let all = desk.registry.instances();
            let ours = all.filter(|one| is_of(one, &account, &wanted.region_id));
            ours.filter(|one| has_tags(&one.spec.tags, &wanted.tags))
                .map(|one| described(&desk.registry, one))
                .filter(|one| is_wanted(one, &wanted))
                .collect()
        })
        .await?;
    let page = page(shared, caller, (request, &request.page), found, |one| {
        &one.instance_id
    })?;
    Ok(answer::DescribeManagedInstances {
        page_number: page.page_number,
        page_size: page.page_size,
        total_count: page.total_count,
        next_token: page.next_token,
        instances: page.items,
    }
    .into())
}

/// Live sessions to it end, and its agent is refused from then on.
pub(super) async fn deregister(
    shared: &Shared,
    caller: &Caller,
    request: DeregisterManagedInstance,
    idempotency: Option<Idempotency>,
) -> Result<Answer, ApiError> {
    let (account, region) = (caller.account.clone(), request.region_id);
    let action = TokenAction::DeregisterManagedInstance;
    let token = token(caller, &region, action, idempotency);
    // An id that is none names nobody, but only after the ClientToken was looked up.
    let named = request.instance_id.parse::<InstanceId>().ok();
    let gone = shared
        .desk
        .ask_later(move |desk, reply| {
            let deregister = move |desk: &mut Desk| {
                let known = named.and_then(|id| find(&desk.registry, &id, &account, &region));
                let Some(instance) = known else {
                    return (Err(Unknown), Changes::default());
                };
                let told = answer::ManagedInstance {
                    connected: None,
                    tags: None,
                    ..described(&desk.registry, &instance)
                };
                let id = &instance.spec.id;
                let (removed, changes) = desk.registry.remove_instance(desk.now(), id);
                desk.links.dismiss(id);
                let answer = answer::DeregisterManagedInstance { instance: told };
                let removed = removed.map(|()| answer);
                (removed.map_err(|UnknownInstance(_)| Unknown), changes)
            };
            // Who asked may have gone.
            desk.once(token, deregister, |result| drop(reply.send(result)));
        })
        .await?
        .map_err(|failure| refused(failure, Unknown::code))?;
    Ok(gone.into())
}

pub(super) async fn rename(
    shared: &Shared,
    caller: &Caller,
    request: ModifyManagedInstance,
) -> Result<Answer, ApiError> {
    let (account, region) = (caller.account.clone(), request.region_id);
    let named = request.instance_id.parse::<InstanceId>();
    let named = named.map_err(|_| ErrorCode::InvalidInstanceNotFound)?;
    let patch = InstancePatch {
        name: Some(request.instance_name.clone()),
        ..InstancePatch::default()
    };
    shared
        .desk
        .ask_later(move |desk, reply| {
            let renamed = match find(&desk.registry, &named, &account, &region) {
                Some(_) => desk.registry.change_instance(desk.now(), &named, patch),
                None => (Err(UnknownInstance(named)), Changes::default()),
            };
            desk.change(renamed, |result| drop(reply.send(result)));
        })
        .await?
        .map_err(|failure| refused(failure, |UnknownInstance(_)| Unknown.code()))?;
    Ok(answer::ModifyManagedInstance {
        instance: answer::RenamedInstance {
            instance_id: request.instance_id,
            instance_name: request.instance_name,
        },
    }
    .into())
}

/// There is no such managed instance in this region and account.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("there is no such managed instance")]
struct Unknown;

impl Unknown {
    fn code(self) -> ApiError {
        ErrorCode::InvalidInstanceNotFound.into()
    }
}

fn find(
    registry: &Registry,
    id: &InstanceId,
    account: &AccountId,
    region: &RegionId,
) -> Option<Instance> {
    let instance = registry.instance(id);
    instance.filter(|one| is_of(one, account, region)).cloned()
}

fn is_of(instance: &Instance, account: &AccountId, region: &RegionId) -> bool {
    let spec = &instance.spec;
    spec.id.is_managed() && spec.account == *account && spec.region == *region
}

fn is_wanted(instance: &answer::ManagedInstance, wanted: &DescribeManagedInstances) -> bool {
    let fits = |filter: &Option<String>, texts: &[&str]| {
        let filter = filter.as_deref();
        filter.is_none_or(|filter| texts.contains(&filter))
    };
    let has_id =
        wanted.instance_id.is_empty() || wanted.instance_id.contains(&instance.instance_id);
    let addresses = [instance.intranet_ip.as_str(), &instance.internet_ip];
    let group = instance.resource_group_id.as_deref().unwrap_or_default();
    has_id
        && fits(&wanted.instance_name, &[&instance.instance_name])
        && fits(&wanted.instance_ip, &addresses)
        && fits(&wanted.os_type, &[&instance.os_type])
        && fits(&wanted.activation_id, &[&instance.activation_id])
        && fits(&wanted.machine_id, &[&instance.machine_id])
        && fits(&wanted.resource_group_id, &[group])
        && (wanted.connected.is_none() || wanted.connected == instance.connected)
}

fn described(registry: &Registry, instance: &Instance) -> answer::ManagedInstance {
    let spec = &instance.spec;
    let registered = instance.registered.as_ref();
    let activation = registered.and_then(|it| registry.activation(&it.activation));
    let group = activation.map(|activation| activation.spec.resource_group_id.clone());
    answer::ManagedInstance {
        instance_id: spec.id.to_string(),
        instance_name: spec.name.clone(),
        hostname: spec.host_name.clone(),
        os_type: match spec.os_type {
            OsType::Linux => "linux",
            OsType::Windows => "windows",
            OsType::FreeBsd => "FreeBSD",
        }
        .to_owned(),
        os_version: spec.os_version.clone(),
        agent_version: instance.agent_version().unwrap_or_default().to_owned(),
        intranet_ip: spec.intranet_ip.clone(),
        internet_ip: spec.internet_ip.clone(),
        machine_id: spec.machine_id.clone().unwrap_or_default(),
        activation_id: registered
            .map(|it| it.activation.to_string())
            .unwrap_or_default(),
        registration_time: seconds(registered.map_or(instance.declared, |it| it.at)),
        last_invoked_time: instance.last_invoked.map(seconds),
        invocation_count: instance.invocations,
        resource_group_id: group.filter(|group| !group.is_empty()),
        connected: Some(instance.presence.is_online),
        tags: Some(tags(&spec.tags)),
    }
}
