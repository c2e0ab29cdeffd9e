//! The account's switch and its settings (ecs-api 3.12, 3.13).
//!
//! The session manager's switch is one value for all regions, seen through two pairs of actions.
//! The other settings are kept as they came and given back.

use std::convert::Infallible;

use axt_openapi::{
    Answer, ApiError, Caller,
    action::{
        AgentUpgradeConfig, DescribeCloudAssistantSettings, DescribeUserBusinessBehavior,
        ModifyCloudAssistantSettings, ModifyUserBusinessBehavior, OssDeliveryConfig,
        ResourceUsageConfig, SESSION_MANAGER_STATUS, SessionManagerConfig, SettingType,
        SlsDeliveryConfig, Switch,
    },
    answer,
};
use axt_proto::AccountId;
use axt_registry::{Account, Changes};
use serde::{Serialize, de::DeserializeOwned};

use super::refused;
use crate::{desk::Desk, relay::Shared};

/// A key that means nothing has an empty value.
pub(super) async fn switch(
    shared: &Shared,
    caller: &Caller,
    request: &DescribeUserBusinessBehavior,
) -> Result<Answer, ApiError> {
    let is_on = account(shared, caller).await?.session_manager;
    let status_value = match request.status_key.as_str() {
        SESSION_MANAGER_STATUS if is_on => "enabled",
        SESSION_MANAGER_STATUS => "disabled",
        _ => "",
    };
    Ok(answer::DescribeUserBusinessBehavior { status_value }.into())
}

/// Setting a key that means nothing changes nothing.
pub(super) async fn set_switch(
    shared: &Shared,
    caller: &Caller,
    request: &ModifyUserBusinessBehavior,
) -> Result<Answer, ApiError> {
    if request.status_key == SESSION_MANAGER_STATUS {
        let is_on = request.status_value == Switch::Enabled;
        change(shared, caller, move |desk, account| {
            desk.registry
                .set_session_manager(desk.now(), account, is_on)
        })
        .await?;
    }
    Ok(answer::ModifyUserBusinessBehavior {}.into())
}

pub(super) async fn set(
    shared: &Shared,
    caller: &Caller,
    request: ModifyCloudAssistantSettings,
) -> Result<Answer, ApiError> {
    change(shared, caller, move |desk, account| {
        let now = desk.now();
        let mut changes = Changes::default();
        let mut keep = |kind: String, text: Option<String>| {
            if let Some(text) = text {
                changes.extend(desk.registry.store_setting(now, account, &kind, &text));
            }
        };
        match request.setting_type {
            SettingType::SessionManagerConfig => {
                if let Some(config) = request.session_manager_config {
                    let is_on = config.session_manager_enabled;
                    changes.extend(desk.registry.set_session_manager(now, account, is_on));
                }
            }
            SettingType::AgentUpgradeConfig => {
                keep(UPGRADE.to_owned(), text(&request.agent_upgrade_config));
                keep(USAGE.to_owned(), text(&request.resource_usage_config));
            }
            SettingType::SessionManagerDelivery | SettingType::InvocationDelivery => {
                let delivery = delivery(request.setting_type);
                keep(oss(delivery), text(&request.oss_delivery_config));
                keep(sls(delivery), text(&request.sls_delivery_config));
            }
        }
        changes
    })
    .await?;
    Ok(answer::ModifyCloudAssistantSettings {}.into())
}

/// Only what was asked for; what was never set as it is by default.
pub(super) async fn get(
    shared: &Shared,
    caller: &Caller,
    request: &DescribeCloudAssistantSettings,
) -> Result<Answer, ApiError> {
    let account = account(shared, caller).await?;
    let mut found = answer::DescribeCloudAssistantSettings::default();
    for asked in &request.setting_type {
        match asked {
            SettingType::SessionManagerConfig => {
                found.session_manager_config = Some(SessionManagerConfig {
                    session_manager_enabled: account.session_manager,
                });
            }
            SettingType::AgentUpgradeConfig => {
                let upgrade = kept(&account, UPGRADE).or_else(AgentUpgradeConfig::unset);
                found.agent_upgrade_config = upgrade.map(Into::into);
                found.resource_usage_config =
                    kept(&account, USAGE).or_else(ResourceUsageConfig::unset);
            }
            SettingType::SessionManagerDelivery | SettingType::InvocationDelivery => {
                let delivery_type = delivery(*asked);
                let to_oss = found.oss_delivery_configs.get_or_insert_default();
                let config: Option<OssDeliveryConfig> = kept(&account, &oss(delivery_type));
                to_oss
                    .items
                    .extend(config.map(|config| answer::OssDelivery {
                        delivery_type,
                        config,
                    }));
                let to_sls = found.sls_delivery_configs.get_or_insert_default();
                let config: Option<SlsDeliveryConfig> = kept(&account, &sls(delivery_type));
                to_sls
                    .items
                    .extend(config.map(|config| answer::SlsDelivery {
                        delivery_type,
                        config,
                    }));
            }
        }
    }
    Ok(found.into())
}

/// The names that settings are kept under.
const UPGRADE: &str = "AgentUpgradeConfig";
const USAGE: &str = "ResourceUsageConfig";

fn oss(delivery: &str) -> String {
    format!("{delivery}.OssDeliveryConfig")
}

fn sls(delivery: &str) -> String {
    format!("{delivery}.SlsDeliveryConfig")
}

/// `DeliveryType`
const fn delivery(setting: SettingType) -> &'static str {
    match setting {
        SettingType::InvocationDelivery => "Invocation",
        _ => "SessionManager",
    }
}

fn text(config: &Option<impl Serialize>) -> Option<String> {
    config
        .as_ref()
        .and_then(|it| serde_json::to_string(it).ok())
}

fn kept<T: DeserializeOwned>(account: &Account, kind: &str) -> Option<T> {
    let text = account.settings.get(kind)?;
    serde_json::from_str(text).ok()
}

async fn account(shared: &Shared, caller: &Caller) -> Result<Account, ApiError> {
    let id = caller.account.clone();
    let account = shared.desk.ask(move |desk| desk.registry.account(&id));
    Ok(account.await?)
}

/// Changes something about the caller's account; done when it is durable.
async fn change(
    shared: &Shared,
    caller: &Caller,
    change: impl FnOnce(&mut Desk, &AccountId) -> Changes + Send + 'static,
) -> Result<(), ApiError> {
    let account = caller.account.clone();
    shared
        .desk
        .ask_later(move |desk, reply| {
            let changes = change(desk, &account);
            desk.change((Ok::<_, Infallible>(()), changes), |result| {
                // Who asked may have gone.
                let _ = reply.send(result);
            });
        })
        .await?
        .map_err(|failure| refused(failure, |never| match never {}))
}
