//! The answers: one struct for each action, from which JSON and XML are made alike.
//!
//! Fields are in the order in which they are written; what is optional and absent is left out
//! (ecs-api 1.4). A list that the page wraps is a struct of its own with one field; it is there even
//! when it is empty.

mod account;
mod activation;
mod assistant;
mod command;
mod instance;
mod managed;
mod region;
mod settings;
mod terminal;

use serde::Serialize;

pub use self::{
    account::{
        DescribeUserBusinessBehavior, InstallCloudAssistant, ModifyCloudAssistantSettings,
        ModifyUserBusinessBehavior,
    },
    activation::{
        Activation, CreateActivation, DeleteActivation, DescribeActivations, DisableActivation,
    },
    assistant::{CloudAssistantStatus, CloudAssistantStatuses, DescribeCloudAssistantStatus},
    command::{
        DescribeInvocationResults, InvocationPage, InvocationResult, InvocationResults,
        InvokeCommand, RunCommand,
    },
    instance::{
        DescribeInstanceStatus, DescribeInstances, EipAddress, Instance, InstanceStatus,
        InstanceStatuses, Instances, IpAddresses, NetworkInterface, NetworkInterfaces,
        OperationLock, OperationLocks, SecurityGroupIds, Tag, Tags, VpcAttributes,
    },
    managed::{
        DeregisterManagedInstance, DescribeManagedInstances, ManagedInstance,
        ModifyManagedInstance, RenamedInstance,
    },
    region::{DescribeRegions, Region, Regions},
    settings::{
        AgentUpgradeConfig, DescribeCloudAssistantSettings, OssDelivery, OssDeliveryConfigs,
        SlsDelivery, SlsDeliveryConfigs, UpgradeWindows,
    },
    terminal::{
        Connection, Connections, DescribeTerminalSessions, EndTerminalSession, Session, Sessions,
        StartTerminalSession, session_url,
    },
};
use crate::ActionName;

/// Lists that stand in an element of their own: `"Sessions":{"Session":[…]}`.
macro_rules! wrapped {
    ($($(#[$doc:meta])* $outer:ident { $inner:literal: $item:ty })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
            pub struct $outer {
                /// The items, in the order in which they are answered.
                #[serde(rename = $inner)]
                pub items: Vec<$item>,
            }

            impl From<Vec<$item>> for $outer {
                fn from(items: Vec<$item>) -> Self {
                    Self { items }
                }
            }
        )*
    };
}
use wrapped;

macro_rules! answers {
    ($($name:ident),* $(,)?) => {
        /// An answer to an action that was carried out.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        #[serde(untagged)]
        pub enum Answer {
            $(#[doc = concat!("See [`", stringify!($name), "`].")] $name($name),)*
        }

        impl Answer {
            /// The action that it answers.
            #[must_use]
            pub const fn action(&self) -> ActionName {
                match self { $(Self::$name(_) => ActionName::$name,)* }
            }
        }

        $(impl From<$name> for Answer {
            fn from(answer: $name) -> Self { Self::$name(answer) }
        })*
    };
}

answers! {
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
