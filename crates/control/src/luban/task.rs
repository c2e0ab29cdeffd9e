//! Run-command tasks as the task list carries them (wire-protocol 10.7).

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use super::notify::TaskId;

/// The query of a request for the task list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskListQuery {
    /// Why it is asked for.
    pub reason: Reason,
    /// Unix milliseconds on the agent's clock.
    pub current_time: u64,
    /// Seconds by which its local time is before UTC.
    pub offset: i32,
    /// Such as `Etc/UTC`.
    pub time_zone: String,
}

/// Why an agent asks for the task list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It has started, for the first time since its machine did or again.
    Startup {
        /// Whether for the first time.
        cold_start: bool,
    },
    /// It was told to: for all that there is, or for one task.
    Kickoff(Option<TaskId>),
}

impl fmt::Display for TaskListQuery {
    /// The query string, its parameters in the official agent's order.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut query = form_urlencoded::Serializer::new(String::new());
        match &self.reason {
            Reason::Startup { cold_start } => query
                .append_pair("reason", "startup")
                .append_pair("cold_start", &cold_start.to_string()),
            Reason::Kickoff(None) => query.append_pair("reason", "kickoff"),
            Reason::Kickoff(Some(task)) => query
                .append_pair("reason", "kickoff")
                .append_pair("taskId", task.as_str()),
        };
        query
            .append_pair("currentTime", &self.current_time.to_string())
            .append_pair("offset", &self.offset.to_string())
            .append_pair("timeZone", &self.time_zone);
        out.write_str(&query.finish())
    }
}

/// One element of `run`, `stop` or `test`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// What to run.
    pub task: TaskInfo,
    /// How to report.
    #[serde(default)]
    pub output: OutputInfo,
    /// `Once`, `Period`, `NextRebootOnly`, `EveryReboot`, `Rate` or `At`.
    #[serde(default)]
    pub repeat: String,
    /// What was granted; only to an agent that announced extensions (design, "Extensions").
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub axt: Option<GrantedTask>,
}

/// The member `axt` of a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantedTask {
    /// Reports tell where in the output their bodies begin, so that one whose answer was lost can be
    /// repeated and is joined once.
    pub position: bool,
}

/// What to run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TaskInfo {
    /// Names the run, with `invoke_version`; both come back in each report.
    #[serde(rename = "taskID")]
    pub task_id: String,
    /// See `task_id`.
    pub invoke_version: u64,
    /// The command's id.
    pub command_id: String,
    /// The command's name.
    pub command_name: String,
    /// `RunShellScript`, `RunBatScript` or `RunPowerShellScript`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Standard base64.
    pub command_content: String,
    /// Seconds, **as text**; no number means 3,600.
    pub time_out: String,
    /// Empty for the user's home.
    pub working_directory: String,
    /// Empty for root.
    pub username: String,
    /// Unused on Linux.
    pub windows_password_name: String,
    /// Whether the agent fills in built-in names.
    pub enable_parameter: bool,
    /// The built-in names.
    pub built_in_parameter: BTreeMap<String, String>,
    /// Unused.
    pub args: String,
    /// Not empty only for scheduled runs.
    pub cron: String,
    /// Unix milliseconds.
    pub creation_time: u64,
    /// Unused.
    pub container_id: String,
    /// Unused.
    pub container_name: String,
    /// The instance.
    pub instance_id: String,
}

/// How to report on a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OutputInfo {
    /// Milliseconds between running reports, at least 1,000.
    pub interval: u64,
    /// Last bytes of output that are kept, at least 12,000.
    pub log_quota: u64,
    /// No running report without new output, but one a minute.
    pub skip_empty: bool,
    /// One empty running report at the start.
    pub send_start: bool,
}

impl Default for OutputInfo {
    fn default() -> Self {
        Self {
            interval: 3_000,
            log_quota: 12_000,
            skip_empty: true,
            send_start: true,
        }
    }
}
