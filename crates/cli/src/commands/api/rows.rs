//! An answer of the API as rows: its list, or its members where it has none.

use axt_client::api::page_of;
use axt_openapi::ActionName;
use serde_json::{Map, Value};

use crate::grid::Grid;

/// The columns that people want of an action's list: header, and the way to it. Other lists show all
/// members that say something.
#[rustfmt::skip] // a table
const COLUMNS: &[(ActionName, &[(&str, &str)])] = &[
    (ActionName::DescribeInstances, &[
        ("INSTANCE", "InstanceId"), ("NAME", "InstanceName"), ("STATUS", "Status"), ("OS", "OSType"),
        ("REGION", "RegionId"), ("PRIVATE IP", "VpcAttributes.PrivateIpAddress.IpAddress"),
        ("PUBLIC IP", "PublicIpAddress.IpAddress"), ("TAGS", "Tags.Tag"),
    ]),
    (ActionName::DescribeTerminalSessions, &[
        ("SESSION", "SessionId"), ("CREATED", "CreationTime"), ("USER", "Username"), ("PORT", "PortNumber"),
        ("TARGET", "TargetServer"), ("INSTANCE", "Connections.Connection.InstanceId"),
        ("STATUS", "Connections.Connection.Status"), ("REASON", "Connections.Connection.ClosedReason"),
    ]),
    (ActionName::DescribeCloudAssistantStatus, &[
        ("INSTANCE", "InstanceId"), ("ONLINE", "CloudAssistantStatus"), ("VERSION", "CloudAssistantVersion"),
        ("OS", "OSType"), ("SESSIONS", "SupportSessionManager"), ("LAST HEARTBEAT", "LastHeartbeatTime"),
    ]),
    (ActionName::DescribeManagedInstances, &[
        ("INSTANCE", "InstanceId"), ("NAME", "InstanceName"), ("HOST", "Hostname"), ("OS", "OsType"),
        ("ONLINE", "Connected"), ("VERSION", "AgentVersion"), ("INTRANET IP", "IntranetIp"),
        ("REGISTERED", "RegistrationTime"),
    ]),
    (ActionName::DescribeActivations, &[
        ("ACTIVATION", "ActivationId"), ("NAME", "InstanceName"), ("CREATED", "CreationTime"),
        ("HOURS", "TimeToLiveInHours"), ("MOST", "InstanceCount"), ("REGISTERED", "RegisteredCount"),
        ("DISABLED", "Disabled"),
    ]),
    (ActionName::DescribeInvocationResults, &[
        ("INVOCATION", "InvokeId"), ("INSTANCE", "InstanceId"), ("STATUS", "InvocationStatus"),
        ("EXIT", "ExitCode"), ("USER", "Username"), ("STARTED", "StartTime"), ("FINISHED", "FinishedTime"),
        ("ERROR", "ErrorCode"),
    ]),
];

/// An action's answers as rows, page after page.
#[derive(Debug)]
pub(super) struct Rows {
    columns: Vec<(String, String)>,
    grid: Option<Grid>,
}

impl Rows {
    /// Of that action; with these columns, where any are named.
    pub(super) fn new(action: &str, named: &[String]) -> Self {
        let known = ActionName::find(action)
            .and_then(|action| COLUMNS.iter().find(|(name, _)| *name == action))
            .map_or(&[][..], |(_, columns)| columns);
        let columns = match named {
            [] => known
                .iter()
                .map(|(header, path)| ((*header).to_owned(), (*path).to_owned()))
                .collect(),
            named => named.iter().map(|it| (it.clone(), it.clone())).collect(),
        };
        Self {
            columns,
            grid: None,
        }
    }

    /// The answer's lines.
    pub(super) fn lines(&mut self, answer: &Value) -> Vec<String> {
        let Some(list) = list(page_of(answer)) else {
            let rows = members(answer);
            return Grid::new([]).lines(&rows);
        };
        if self.columns.is_empty() {
            self.columns = all_columns(list);
        }
        let headers = || self.columns.iter().map(|(header, _)| header.clone());
        let grid = self.grid.get_or_insert_with(|| Grid::new(headers()));
        let rows: Vec<Vec<String>> = list
            .iter()
            .map(|item| {
                let cells = self.columns.iter();
                cells.map(|(_, path)| at(item, path)).collect()
            })
            .collect();
        grid.lines(&rows)
    }
}

/// The list that an answer is about: `{"Sessions": {"Session": […]}}`, or a bare one.
fn list(answer: &Value) -> Option<&[Value]> {
    answer.as_object()?.values().find_map(|member| {
        let list = match member {
            Value::Object(wrapped) if wrapped.len() == 1 => wrapped.values().next(),
            Value::Array(_) => Some(member),
            _ => None,
        };
        list.and_then(Value::as_array).map(Vec::as_slice)
    })
}

/// Name and value of each member.
fn members(answer: &Value) -> Vec<Vec<String>> {
    let members = answer.as_object().into_iter().flatten();
    members
        .map(|(name, value)| vec![name.clone(), text(value)])
        .collect()
}

/// Every member that says something in some item.
fn all_columns(list: &[Value]) -> Vec<(String, String)> {
    let mut names: Vec<&String> = Vec::new();
    for (name, value) in list.iter().filter_map(Value::as_object).flatten() {
        if !names.contains(&name) && !text(value).is_empty() {
            names.push(name);
        }
    }
    names
        .into_iter()
        .map(|name| (name.clone(), name.clone()))
        .collect()
}

/// What stands at a way such as `Connections.Connection.Status`; of several, all.
fn at(item: &Value, path: &str) -> String {
    match (item, path.split_once('.')) {
        (Value::Array(items), _) => join(items.iter().map(|item| at(item, path)), ", "),
        (Value::Object(members), Some((name, rest))) => members
            .get(name)
            .map_or_else(String::new, |it| at(it, rest)),
        (Value::Object(members), None) => members.get(path).map_or_else(String::new, text),
        _ => String::new(),
    }
}

/// A value in few words: what it holds, without its names.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(items) => join(items.iter().map(text), ", "),
        Value::Object(members) => join(Map::values(members).map(text), " "),
    }
}

fn join(texts: impl Iterator<Item = String>, between: &str) -> String {
    let texts: Vec<String> = texts.filter(|text| !text.is_empty()).collect();
    texts.join(between)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn session(id: &str, connections: Value) -> Value {
        json!({
            "SessionId": id, "CreationTime": "2026-11-25T06:11:01Z", "IdentityType": "Account",
            "PrincipalId": "1000000000000001", "Connections": {"Connection": connections}
        })
    }

    #[test]
    fn a_list_shows_the_columns_that_people_want() {
        let mut rows = Rows::new("DescribeTerminalSessions", &[]);
        let connection = json!([{"InstanceId": "i-1", "Status": "Connected", "StartTime": "x"}]);
        let answer = json!({
            "RequestId": "R", "NextToken": "",
            "Sessions": {"Session": [session("s-1", connection), session("s-22", json!([]))]}
        });

        let lines = rows.lines(&answer);

        assert_eq!(
            lines,
            [
                "SESSION  CREATED               USER  PORT  TARGET  INSTANCE  STATUS     REASON",
                "s-1      2026-11-25T06:11:01Z                      i-1       Connected",
                "s-22     2026-11-25T06:11:01Z",
            ]
        );
    }

    #[test]
    fn columns_can_be_named_and_lead_into_members() {
        let mut rows = Rows::new(
            "DescribeInstances",
            &["InstanceId".to_owned(), "Tags.Tag.TagValue".to_owned()],
        );
        let tags =
            json!({"Tag": [{"TagKey": "a", "TagValue": "1"}, {"TagKey": "b", "TagValue": "2"}]});
        let answer = json!({"Instances": {"Instance": [{"InstanceId": "i-1", "Tags": tags}]}});

        let lines = rows.lines(&answer);

        assert_eq!(lines, ["InstanceId  Tags.Tag.TagValue", "i-1         1, 2"]);
    }

    #[test]
    fn a_list_that_nobody_chose_columns_for_shows_what_says_something() {
        let mut rows = Rows::new("DescribeRegions", &[]);
        let region = json!({"RegionId": "cn-x", "LocalName": "X", "Status": ""});
        let answer = json!({"Regions": {"Region": [region]}, "RequestId": "R"});

        assert_eq!(
            rows.lines(&answer),
            ["LocalName  RegionId", "X          cn-x"]
        );
    }

    #[test]
    fn the_results_of_a_command_are_a_list() {
        let columns = ["InstanceId".to_owned(), "ExitCode".to_owned()];
        let mut rows = Rows::new("DescribeInvocationResults", &columns);
        let results = json!({"InvocationResult": [{"InstanceId": "i-1", "ExitCode": 3}]});
        let answer = json!({"Invocation": {"TotalCount": 1, "InvocationResults": results}});

        assert_eq!(
            rows.lines(&answer),
            ["InstanceId  ExitCode", "i-1         3"]
        );
    }

    #[test]
    fn an_answer_without_a_list_shows_its_members() {
        let mut rows = Rows::new("StartTerminalSession", &[]);
        let answer = json!({"RequestId": "R", "SessionId": "s-1"});

        assert_eq!(rows.lines(&answer), ["RequestId  R", "SessionId  s-1"]);
    }

    #[test]
    fn the_columns_of_an_action_are_members_of_its_answer() {
        use axt_openapi::answer;

        let samples = [
            (
                ActionName::DescribeInstances,
                serde_json::to_value(answer::Instance::default()),
            ),
            (
                ActionName::DescribeInvocationResults,
                serde_json::to_value(answer::InvocationResult {
                    exit_code: Some(0),
                    ..Default::default()
                }),
            ),
            (
                ActionName::DescribeManagedInstances,
                serde_json::to_value(answer::ManagedInstance {
                    connected: Some(true),
                    ..Default::default()
                }),
            ),
        ];

        for (action, sample) in samples {
            let sample = sample.expect("JSON");
            let (_, columns) = COLUMNS
                .iter()
                .find(|(name, _)| *name == action)
                .expect("chosen");
            for (_, path) in *columns {
                let first = path.split('.').next().expect("a name");
                assert!(sample.get(first).is_some(), "{action}: {first}");
            }
        }
    }
}
