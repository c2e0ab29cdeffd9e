//! What the caller may do: rows 21 and 22 of ecs-api 2.5.

use axt_proto::RegionId;

use super::gateway::{Gateway, throttled};
use crate::{
    ActionName, ApiError, Caller, ErrorCode, RateState,
    action::named_list,
    description::Resource,
    error::AccessDenied,
    policy::{Judgement, Policy, account_resource, instance_resource},
};

impl Gateway<'_> {
    pub(super) fn rate(&self, caller: &Caller, name: ActionName) -> Result<(), ApiError> {
        match self.world.rate(caller, name) {
            RateState::Within => Ok(()),
            RateState::User(wait) => Err(throttled(ErrorCode::ThrottlingUser, wait)),
            RateState::Api(wait) => Err(throttled(ErrorCode::ThrottlingApi, wait)),
            RateState::Service(wait) => Err(throttled(ErrorCode::Throttling, wait)),
        }
    }

    pub(super) fn policy(&self, caller: &Caller, name: ActionName) -> Result<(), ApiError> {
        let Some(policy) = &caller.policy else {
            return Ok(());
        };
        let judgement = self.judge(policy, caller, name);
        if judgement.is_allowed() {
            return Ok(());
        }
        let detail = AccessDenied::new(name, caller, judgement);
        Err(ApiError::new(ErrorCode::ForbiddenRam).denied(detail))
    }

    /// The worst that the policy says to any of the resources that the call is about.
    fn judge(&self, policy: &Policy, caller: &Caller, name: ActionName) -> Judgement {
        let region: Option<RegionId> = self.business.get("RegionId").and_then(|it| it.parse().ok());
        // Without a region the call is about none, or about to be refused for that.
        let Some(region) = region else {
            return policy.judge_anywhere(name);
        };
        let account = &caller.account;
        let resources = match name.description().resource {
            Resource::Session => return policy.judge_anywhere(name),
            Resource::All => vec![account_resource(&region, account)],
            Resource::Instances(list) => {
                let mut ids = named_list(&self.business, list);
                if ids.is_empty() {
                    ids.push("*".to_owned());
                }
                ids.iter()
                    .map(|id| instance_resource(&region, account, id))
                    .collect()
            }
        };
        let judgements = resources
            .iter()
            .map(|resource| policy.judge(name, resource));
        judgements.max().unwrap_or(Judgement::ImplicitDeny)
    }
}
