//! Instances of the cloud's own (ecs-api 3.14).

use axt_openapi::{
    Answer, ApiError, Caller,
    action::{DescribeInstanceStatus, DescribeInstances},
    answer,
};
use axt_proto::RegionId;
use axt_registry::{Instance, OsType};
use wildmatch::WildMatchPattern;

use super::{has_tags, page, tags, times::minutes};
use crate::relay::Shared;

/// ecs-api 3.14: instances of the cloud's own, not managed ones.
pub(super) async fn list(
    shared: &Shared,
    caller: &Caller,
    request: &DescribeInstances,
) -> Result<Answer, ApiError> {
    let (account, wanted) = (caller.account.clone(), request.clone());
    let found: Vec<Instance> = shared
        .desk
        .ask(move |desk| {
            let all = desk.registry.instances();
            let ours = all.filter(|one| {
                one.spec.account == account
                    && one.spec.region == wanted.region_id
                    && !one.spec.id.is_managed()
                    && is_wanted(one, &wanted)
            });
            ours.cloned().collect()
        })
        .await?;
    let page = page(shared, caller, (request, &request.page), found, |one| {
        one.spec.id.as_str()
    })?;
    let items: Vec<_> = page.items.iter().map(described).collect();
    Ok(answer::DescribeInstances {
        total_count: page.total_count,
        page_number: page.page_number,
        page_size: page.page_size,
        next_token: page.next_token,
        instances: items.into(),
    }
    .into())
}

/// ecs-api 3.14. An instance that is not there has no state, and is left out.
pub(super) async fn states(
    shared: &Shared,
    caller: &Caller,
    request: &DescribeInstanceStatus,
) -> Result<Answer, ApiError> {
    let (account, wanted) = (caller.account.clone(), request.clone());
    let found: Vec<answer::InstanceStatus> = shared
        .desk
        .ask(move |desk| {
            let all = desk.registry.instances().map(|one| &one.spec);
            let ours = all.filter(|spec| {
                let id = spec.id.as_str();
                let has_id =
                    wanted.instance_id.is_empty() || wanted.instance_id.iter().any(|it| it == id);
                spec.account == account
                    && spec.region == wanted.region_id
                    && !spec.id.is_managed()
                    && has_id
            });
            ours.map(|spec| answer::InstanceStatus {
                instance_id: spec.id.to_string(),
                status: format!("{:?}", spec.status),
            })
            .collect()
        })
        .await?;
    let page = page(shared, caller, (request, &request.page), found, |one| {
        &one.instance_id
    })?;
    Ok(answer::DescribeInstanceStatus {
        total_count: page.total_count,
        page_number: page.page_number,
        page_size: page.page_size,
        instance_statuses: page.items.into(),
    }
    .into())
}

fn is_wanted(instance: &Instance, wanted: &DescribeInstances) -> bool {
    let spec = &instance.spec;
    let has_id = wanted
        .instance_ids
        .as_ref()
        .is_none_or(|ids| ids.iter().any(|id| id == spec.id.as_str()));
    let has_name = wanted
        .instance_name
        .as_ref()
        .is_none_or(|pattern| matches(pattern, &spec.name));
    let has_status = wanted
        .status
        .as_ref()
        .is_none_or(|status| *status == format!("{:?}", spec.status));
    let has_address = wanted
        .private_ip_addresses
        .as_ref()
        .is_none_or(|addresses| addresses.contains(&spec.intranet_ip));
    has_id && has_name && has_status && has_address && has_tags(&spec.tags, &wanted.tags)
}

/// Whether a text fits a pattern in which `*` stands for any text, and nothing else for another.
fn matches(pattern: &str, text: &str) -> bool {
    WildMatchPattern::<'*', '\0'>::new(pattern).matches(text)
}

/// The only zone that a region has here.
pub(crate) fn zone(region: &RegionId) -> String {
    format!("{region}-a")
}

fn described(instance: &Instance) -> answer::Instance {
    let spec = &instance.spec;
    let region = spec.region.to_string();
    let declared = minutes(instance.declared);
    let addresses = |address: &str| {
        let one = (!address.is_empty()).then(|| address.to_owned());
        one.into_iter().collect::<Vec<_>>().into()
    };
    answer::Instance {
        instance_id: spec.id.to_string(),
        instance_name: spec.name.clone(),
        host_name: spec.host_name.clone(),
        status: format!("{:?}", spec.status),
        zone_id: zone(&spec.region),
        region_id: region,
        os_type: match spec.os_type {
            OsType::Windows => "windows",
            OsType::Linux | OsType::FreeBsd => "linux",
        }
        .to_owned(),
        os_name: spec.os_version.clone(),
        os_name_en: spec.os_version.clone(),
        instance_type: "ecs.t6-c1m1.large".to_owned(),
        instance_type_family: "ecs.t6".to_owned(),
        cpu: 1,
        memory: 1_024,
        instance_network_type: "vpc".to_owned(),
        instance_charge_type: "PostPaid".to_owned(),
        vpc_attributes: answer::VpcAttributes {
            private_ip_address: addresses(&spec.intranet_ip),
            ..Default::default()
        },
        public_ip_address: addresses(&spec.internet_ip),
        tags: tags(&spec.tags).into(),
        creation_time: declared.clone(),
        start_time: declared,
        expired_time: "2099-12-31T15:59Z".to_owned(),
        device_available: true,
        io_optimized: true,
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, fits) in [
            ("web", "web", true),
            ("web", "web-1", false),
            ("web*", "web-1", true),
            ("*-1", "web-1", true),
            ("w*b*1", "web-1", true),
            ("*", "", true),
            ("a*a", "a", false),
            ("w**1", "web-1", true),
            ("w*x*1", "web-1", false),
            ("we?", "web", false),
        ] {
            assert_eq!(matches(pattern, text), fits, "{pattern} on {text}");
        }
    }
}
