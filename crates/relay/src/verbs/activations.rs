//! Activation codes (ecs-api 3.6 to 3.8).

use axt_openapi::{
    Answer, ApiError, Caller, ErrorCode, Idempotency,
    action::{CreateActivation, DeleteActivation, DescribeActivations, DisableActivation},
    answer,
};
use axt_registry::{Activation, ActivationId, ActivationRefusal, ActivationSpec, TokenAction};

use super::{has_tags, page, refused, tags, times::seconds, token};
use crate::relay::Shared;

pub(super) async fn create(
    shared: &Shared,
    caller: &Caller,
    request: CreateActivation,
    idempotency: Option<Idempotency>,
) -> Result<Answer, ApiError> {
    let region = &request.region_id;
    let token = token(caller, region, TokenAction::CreateActivation, idempotency);
    let spec = ActivationSpec {
        account: caller.account.clone(),
        region: request.region_id,
        instance_name: request.instance_name.unwrap_or_default(),
        description: request.description.unwrap_or_default(),
        instance_count: request.instance_count,
        time_to_live_hours: request.time_to_live_in_hours,
        ip_address_range: request.ip_address_range,
        resource_group_id: request.resource_group_id.unwrap_or_default(),
        tags: request
            .tags
            .into_iter()
            .map(|tag| (tag.key, tag.value))
            .collect(),
    };
    let made = shared
        .desk
        .ask_later(move |desk, reply| {
            let create = |desk: &mut crate::desk::Desk| {
                let (made, changes) = desk.create_activation(spec);
                let made = made.map(|activation| answer::CreateActivation {
                    activation_id: activation.id.to_string(),
                    activation_code: activation.code,
                });
                (made, changes)
            };
            // Who asked may have gone.
            desk.once(token, create, |result| drop(reply.send(result)));
        })
        .await?
        .map_err(|failure| refused(failure, refusal))?;
    Ok(made.into())
}

/// The newest first, and never with their codes.
pub(super) async fn list(
    shared: &Shared,
    caller: &Caller,
    request: &DescribeActivations,
) -> Result<Answer, ApiError> {
    let (account, wanted) = (caller.account.clone(), request.clone());
    let mut found: Vec<Activation> = shared
        .desk
        .ask(move |desk| {
            let fits = |filter: &Option<String>, text: &str| {
                filter.as_ref().is_none_or(|filter| filter == text)
            };
            let all = desk.registry.activations();
            let ours = all.filter(|one| {
                one.spec.account == account
                    && one.spec.region == wanted.region_id
                    && fits(&wanted.activation_id, &one.id.0)
                    && fits(&wanted.instance_name, &one.spec.instance_name)
                    && fits(&wanted.resource_group_id, &one.spec.resource_group_id)
                    && has_tags(&one.spec.tags, &wanted.tags)
            });
            ours.cloned().collect()
        })
        .await?;
    found.sort_by(|a, b| (b.created, &b.id).cmp(&(a.created, &a.id)));
    let page = page(shared, caller, (request, &request.page), found, |one| {
        one.id.0.as_str()
    })?;
    Ok(answer::DescribeActivations {
        page_number: page.page_number,
        page_size: page.page_size,
        total_count: page.total_count,
        next_token: page.next_token,
        activation_list: page.items.iter().map(described).collect(),
    }
    .into())
}

pub(super) async fn disable(
    shared: &Shared,
    caller: &Caller,
    request: DisableActivation,
) -> Result<Answer, ApiError> {
    let account = caller.account.clone();
    let disabled = shared
        .desk
        .ask_later(move |desk, reply| {
            let id = ActivationId(request.activation_id);
            let (now, region) = (desk.now(), &request.region_id);
            let disabled = desk.registry.disable_activation(now, &account, region, &id);
            desk.change(disabled, |result| drop(reply.send(result)));
        })
        .await?
        .map_err(|failure| refused(failure, refusal))?;
    Ok(answer::DisableActivation {
        activation: bare(&disabled),
    }
    .into())
}

pub(super) async fn delete(
    shared: &Shared,
    caller: &Caller,
    request: DeleteActivation,
) -> Result<Answer, ApiError> {
    let account = caller.account.clone();
    let deleted = shared
        .desk
        .ask_later(move |desk, reply| {
            let id = ActivationId(request.activation_id);
            let (now, region) = (desk.now(), &request.region_id);
            let deleted = desk.registry.delete_activation(now, &account, region, &id);
            desk.change(deleted, |result| drop(reply.send(result)));
        })
        .await?
        .map_err(|failure| refused(failure, refusal))?;
    Ok(answer::DeleteActivation {
        activation: answer::Activation {
            disabled: None,
            ..bare(&deleted)
        },
    }
    .into())
}

fn refusal(refusal: ActivationRefusal) -> ApiError {
    match refusal {
        ActivationRefusal::Full => ErrorCode::ActivationCountExceedLimit,
        ActivationRefusal::NotFound => ErrorCode::InvalidActivationIdNotFound,
        ActivationRefusal::InUse => ErrorCode::ActivationIdInUse,
    }
    .into()
}

fn described(activation: &Activation) -> answer::Activation {
    answer::Activation {
        resource_group_id: given(&activation.spec.resource_group_id),
        tags: Some(tags(&activation.spec.tags)),
        ..bare(activation)
    }
}

/// An activation without resource group and tags.
fn bare(activation: &Activation) -> answer::Activation {
    let spec = &activation.spec;
    answer::Activation {
        activation_id: activation.id.to_string(),
        disabled: Some(activation.is_disabled),
        instance_count: spec.instance_count,
        registered_count: activation.registered,
        deregistered_count: activation.deregistered,
        time_to_live_in_hours: spec.time_to_live_hours,
        creation_time: seconds(activation.created),
        ip_address_range: spec.ip_address_range.clone(),
        instance_name: given(&spec.instance_name),
        description: given(&spec.description),
        resource_group_id: None,
        tags: None,
    }
}

fn given(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}
