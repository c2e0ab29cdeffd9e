//! The answers: one struct for each action, from which JSON and XML are made alike.
//!
//! Fields are in the order in which they are written; what is optional and absent is left out
//! (ecs-api 1.4). A list that the page wraps is a struct of its own with one field; it is there even
//! when it is empty.

mod instance;
mod region;
mod terminal;

use serde::Serialize;

pub use self::{
    instance::{
        CloudAssistantStatus, CloudAssistantStatuses, DescribeCloudAssistantStatus,
        DescribeInstances, EipAddress, Instance, Instances, IpAddresses, NetworkInterface,
        NetworkInterfaces, OperationLock, OperationLocks, SecurityGroupIds, Tag, Tags,
        VpcAttributes,
    },
    region::{DescribeRegions, Region, Regions},
    terminal::{EndTerminalSession, StartTerminalSession, session_url},
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
    DescribeCloudAssistantStatus,
    DescribeInstances,
    DescribeRegions,
}
