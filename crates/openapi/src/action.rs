//! The actions as types.
//!
//! One file for each family. An action is a struct whose fields are its parameters, read and
//! checked by the table that stands beside it ([`Request::DESCRIPTION`]).

mod activation;
mod assistant;
mod behavior;
mod command;
mod instance;
mod managed;
mod region;
mod settings;
mod start;
mod terminal;
mod values;

use std::collections::BTreeMap;

use axt_proto::RegionId;
use serde::{Serialize, de::DeserializeOwned};

pub use self::{
    activation::{CreateActivation, DeleteActivation, DescribeActivations, DisableActivation},
    assistant::{DescribeCloudAssistantStatus, InstallCloudAssistant},
    behavior::{
        DescribeUserBusinessBehavior, ModifyUserBusinessBehavior, SESSION_MANAGER_STATUS, Switch,
    },
    command::{ContentEncoding, DescribeInvocationResults, InvokeCommand, RunCommand},
    instance::{DescribeInstanceStatus, DescribeInstances, Tag},
    managed::{DeregisterManagedInstance, DescribeManagedInstances, ModifyManagedInstance},
    region::{DescribeRegions, Language},
    settings::{
        AgentUpgradeConfig, DescribeCloudAssistantSettings, ModifyCloudAssistantSettings,
        OssDeliveryConfig, ResourceUsageConfig, SessionManagerConfig, SettingType,
        SlsDeliveryConfig,
    },
    start::{ConnectionType, EncryptionMode, EncryptionOptions, StartTerminalSession},
    terminal::{DescribeTerminalSessions, EndTerminalSession},
    values::Values,
};
use crate::{ApiError, Caller, Fingerprint, Idempotency, World, description::Description};

/// An action's request: a struct that serde fills from what the table has read.
pub trait Request: DeserializeOwned + Serialize {
    /// The table of its parameters.
    const DESCRIPTION: Description;

    /// The ClientToken that came with it, if it takes one.
    fn client_token(&self) -> Option<&str> {
        None
    }

    /// Checks what no row of the table can say, and writes down what the absence of a parameter means
    /// when another decides it.
    ///
    /// # Errors
    /// The first that does not hold, in the order of limits-and-semantics 3, step 5.
    fn settle(&mut self, caller: &Caller, world: &dyn World) -> Result<(), ApiError> {
        let _ = (caller, world);
        Ok(())
    }
}

macro_rules! actions {
    ($($name:ident),* $(,)?) => {
        /// The name of an action.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum ActionName {
            $(#[doc = concat!("`", stringify!($name), "`")] $name,)*
        }

        impl ActionName {
            /// Every action that is served.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The name as callers spell it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// Its row of the table.
            #[must_use]
            pub const fn description(self) -> Description {
                match self { $(Self::$name => <$name as Request>::DESCRIPTION,)* }
            }
        }

        /// An action, read and checked as far as that needs no knowledge of what exists.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Action {
            $(#[doc = concat!("See [`", stringify!($name), "`].")] $name($name),)*
        }

        impl Action {
            /// Its name.
            #[must_use]
            pub const fn name(&self) -> ActionName {
                match self { $(Self::$name(_) => ActionName::$name,)* }
            }

            /// The ClientToken and what came with it.
            #[must_use]
            pub fn idempotency(&self) -> Option<Idempotency> {
                match self { $(Self::$name(request) => request.client_token().map(|token| Idempotency {
                    token: token.to_owned(),
                    fingerprint: Fingerprint::of(request),
                }),)* }
            }

            /// The request as JSON, defaults filled in.
            #[must_use]
            pub fn to_json(&self) -> serde_json::Value {
                let json = match self { $(Self::$name(request) => serde_json::to_value(request),)* };
                json.unwrap_or_default()
            }

            fn from_values(
                name: ActionName,
                values: Values,
                caller: &Caller,
                world: &dyn World,
            ) -> Result<Self, ApiError> {
                match name {
                    $(ActionName::$name => values.into_request(caller, world).map(Self::$name),)*
                }
            }
        }

        $(impl From<$name> for Action {
            fn from(request: $name) -> Self { Self::$name(request) }
        })*
    };
}

actions! {
    StartTerminalSession,
    EndTerminalSession,
    DescribeTerminalSessions,
    DescribeCloudAssistantStatus,
    InstallCloudAssistant,
    CreateActivation,
    DescribeActivations,
    DisableActivation,
    DeleteActivation,
    DescribeManagedInstances,
    DeregisterManagedInstance,
    ModifyManagedInstance,
    DescribeUserBusinessBehavior,
    ModifyUserBusinessBehavior,
    ModifyCloudAssistantSettings,
    DescribeCloudAssistantSettings,
    DescribeInstances,
    DescribeInstanceStatus,
    DescribeRegions,
    RunCommand,
    InvokeCommand,
    DescribeInvocationResults,
}

impl ActionName {
    /// The action of that name. The case counts (field-reports-api 14).
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|action| action.as_str() == name)
    }
}

impl std::fmt::Display for ActionName {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.as_str())
    }
}

/// An action that was read.
pub(crate) struct Read {
    pub(crate) action: Action,
    pub(crate) region: Option<RegionId>,
    pub(crate) ignored: Vec<String>,
}

/// Reads an action's parameters: limits-and-semantics 3, steps 1 to 5.
pub(crate) fn read(
    name: ActionName,
    flat: &BTreeMap<String, String>,
    caller: &Caller,
    world: &dyn World,
) -> Result<Read, ApiError> {
    let read = values::read(&name.description(), flat, caller, world)?;
    Ok(Read {
        action: Action::from_values(name, read.values, caller, world)?,
        region: read.region,
        ignored: read.ignored,
    })
}

/// The ids of a list parameter as far as they can be read, for the policy, which is judged before
/// parameters are.
pub(crate) fn named_list(flat: &BTreeMap<String, String>, name: &str) -> Vec<String> {
    values::lenient_list(flat, name)
}
