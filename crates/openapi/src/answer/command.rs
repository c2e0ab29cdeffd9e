//! Answers about commands (ecs-api 3.16).

use serde::{Deserialize, Serialize};

use super::wrapped;

/// The answer of RunCommand. It can be read back, for a repeated ClientToken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RunCommand {
    /// `c-…`: InvokeCommand finds it when it is kept.
    pub command_id: String,
    /// `t-…`
    pub invoke_id: String,
}

/// The answer of InvokeCommand. It can be read back, for a repeated ClientToken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct InvokeCommand {
    /// `t-…`
    pub invoke_id: String,
}

/// The answer of DescribeInvocationResults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeInvocationResults {
    /// The results, and the page that they are on.
    pub invocation: InvocationPage,
}

/// A page of results.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct InvocationPage {
    /// How many there are on all pages of the old scheme.
    pub total_count: u32,
    /// The page of the old scheme.
    pub page_number: u32,
    /// The size of its pages.
    pub page_size: u32,
    /// What leads to the next page; empty on the last.
    pub next_token: String,
    /// The results of the page, the newest call first.
    pub invocation_results: InvocationResults,
}

wrapped! {
    /// `InvocationResults.InvocationResult[]`
    InvocationResults { "InvocationResult": InvocationResult }
}

/// How a command went on an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct InvocationResult {
    /// Where.
    pub instance_id: String,
    /// Of which call.
    pub invoke_id: String,
    /// Of which command.
    pub command_id: String,
    /// `Pending`, `Running`, `Success`, `Failed`, …
    pub invocation_status: &'static str,
    /// `Running`, `Finished`, `Failed` or `Stopped`.
    pub invoke_record_status: &'static str,
    /// The exit code, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// The last 24 KB of what it has printed.
    pub output: String,
    /// How many bytes came before them.
    pub dropped: u64,
    /// What went wrong, for programs; empty when nothing did.
    pub error_code: String,
    /// What went wrong, for people.
    pub error_info: String,
    /// When the agent started it.
    pub start_time: String,
    /// When it was over.
    pub finished_time: String,
    /// When it was asked to stop.
    pub stop_time: String,
    /// As whom it ran; empty for the agent's own user.
    pub username: String,
    /// How often it has run: 0 or 1.
    pub repeats: u32,
}
