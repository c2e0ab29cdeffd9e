//! The exact form of queries and bodies: names, their order, and what stands behind each
//! (wire-protocol 10.2 to 10.7).

use serde_json::{Map, Value};

type Rule = fn(&str) -> bool;

fn any(_: &str) -> bool {
    true
}

fn word(text: &str) -> bool {
    !text.is_empty()
}

fn number(text: &str) -> bool {
    text.parse::<u64>().is_ok()
}

fn offset(text: &str) -> bool {
    text.parse::<i32>().is_ok()
}

fn flag(text: &str) -> bool {
    ["true", "false"].contains(&text)
}

fn channel(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

const BEAT: [(&str, Rule); 6] = [
    ("uptime", number),
    ("timestamp", number),
    ("pid", number),
    ("process_uptime", number),
    ("index", number),
    ("seq_no", number),
];
const FIRST_BEAT: [(&str, Rule); 5] = [
    ("virt_type", |it| it == "kvm"),
    ("os_version", word),
    ("az", word),
    ("machineid", any),
    ("cold_start", flag),
];
const LONG_BEAT: [(&str, Rule); 6] = [
    ("virt_type", |it| it == "kvm"),
    ("lang", |it| it == "golang"),
    ("os_type", word),
    ("os_version", word),
    ("app_version", word),
    ("az", word),
];
const NOW: [(&str, Rule); 3] = [
    ("currentTime", number),
    ("offset", offset),
    ("timeZone", word),
];
const END: [(&str, Rule); 4] = [
    ("start", number),
    ("end", number),
    ("exitCode", any),
    ("dropped", number),
];

/// The forms that a path's query may have, each a list of names in order.
fn queries(path: &str) -> Vec<Vec<(&'static str, Rule)>> {
    let run: [(&'static str, Rule); 2] = [("taskId", word), ("invokeVersion", number)];
    match path {
        "/luban/api/heart-beat" => vec![
            BEAT.to_vec(),
            [&BEAT[..], &FIRST_BEAT].concat(),
            [&BEAT[..], &LONG_BEAT].concat(),
            [&BEAT[..], &LONG_BEAT, &[("cold_start", flag as Rule)]].concat(),
        ],
        "/luban/api/v1/task/list" => vec![
            [
                &[
                    ("reason", (|it| it == "startup") as Rule),
                    ("cold_start", flag),
                ][..],
                &NOW,
            ]
            .concat(),
            [&[("reason", (|it| it == "kickoff") as Rule)][..], &NOW].concat(),
            [
                &[("reason", (|it| it == "kickoff") as Rule), ("taskId", word)][..],
                &NOW,
            ]
            .concat(),
        ],
        "/luban/api/v1/session/list" | "/luban/session/backend" => {
            vec![vec![("channelId", channel)]]
        }
        "/luban/api/v1/session/status" => vec![vec![
            ("channelId", channel),
            ("status", |it| ["Success", "Failed"].contains(&it)),
            ("errorcode", word),
        ]],
        "/luban/api/v1/task/verified" => vec![run.to_vec()],
        "/luban/api/v1/task/running" => vec![[&run[..], &[("start", number as Rule)]].concat()],
        "/luban/api/v1/task/finish" | "/luban/api/v1/task/timeout" => {
            vec![[&run[..], &END].concat()]
        }
        "/luban/api/v1/task/error" => vec![
            [
                &run[..],
                &END,
                &[("errCode", word as Rule), ("errDesc", any)],
            ]
            .concat(),
        ],
        "/luban/api/v1/task/stopped" => vec![
            [
                &run[..],
                &[
                    ("start", number as Rule),
                    ("end", number),
                    ("exitcode", any),
                    ("dropped", number),
                    ("result", |it| ["killed", "completed"].contains(&it)),
                ],
            ]
            .concat(),
        ],
        "/luban/api/v1/task/invalid" => {
            vec![[&run[..], &[("param", word as Rule), ("value", any)]].concat()]
        }
        _ => vec![vec![]],
    }
}

/// What is wrong with a query.
pub(super) fn query(path: &str, query: &str) -> Result<(), String> {
    let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect();
    let fits = |form: &Vec<(&str, Rule)>| {
        form.len() == pairs.len()
            && form
                .iter()
                .zip(&pairs)
                .all(|((name, rule), (told, value))| name == told && rule(value))
    };
    match queries(path).iter().any(fits) {
        true => Ok(()),
        false => Err(format!("the query `{query}`")),
    }
}

/// The members of a path's JSON body, in order; those with `?` may be missing.
fn members(path: &str) -> Option<&'static [&'static str]> {
    Some(match path {
        "/luban/api/instance/register" => &[
            "activationCode",
            "machineId",
            "regionId",
            "instanceName",
            "hostname",
            "intranetIp",
            "osVersion",
            "osType",
            "agentVersion",
            "publicKey",
            "activationId",
            "tag",
        ],
        "/luban/api/v1/update/update_check" => &[
            "os",
            "arch",
            "os_version",
            "app_id",
            "app_version",
            "kernel_version",
        ],
        "/luban/api/metrics" => &[
            "eventId",
            "category",
            "subCategory",
            "eventLevel",
            "eventTime",
            "common",
            "keywords",
        ],
        "/luban/api/v1/exception/client_report" => &["type", "info"],
        "/luban/api/instance/list_instance_state_configurations" => &[
            "agentName",
            "agentVersion",
            "computerName",
            "ipAddress",
            "lastCheckpoint?",
            "platformName",
            "platformType",
            "platformVersion",
            "ramRole",
        ],
        _ => return None,
    })
}

/// Reads a body; what is wrong with it. A path without JSON has none, but for a report's output.
pub(super) fn body(path: &str, body: &[u8]) -> Result<Map<String, Value>, String> {
    let Some(names) = members(path) else {
        let is_report =
            path.starts_with("/luban/api/v1/task/") && path != "/luban/api/v1/task/list";
        return match body.is_empty() || is_report {
            true => Ok(Map::new()),
            false => Err("a body".to_owned()),
        };
    };
    let text = std::str::from_utf8(body).map_err(|_| "a body that is no text".to_owned())?;
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let Value::Object(told) = value else {
        return Err(format!("the body {text}"));
    };
    // The order is that of the text, which a map does not keep.
    let mut at = 0;
    let mut known = 0;
    for name in names {
        let (name, may_be_missing) = match name.strip_suffix('?') {
            Some(name) => (name, true),
            None => (*name, false),
        };
        match text
            .get(at..)
            .and_then(|rest| rest.find(&format!("\"{name}\":")))
        {
            Some(found) => {
                at += found;
                known += 1;
            }
            None if may_be_missing => {}
            None => return Err(format!("`{name}` missing or not in its place: {text}")),
        }
    }
    if known != told.len() {
        return Err(format!("more members than there are: {text}"));
    }
    let is_flat = |(name, value): (&String, &Value)| match name.as_str() {
        "tag" => value.is_array(),
        "eventTime" => value.is_u64(),
        _ => value.is_string(),
    };
    match told.iter().all(is_flat) {
        true => Ok(told),
        false => Err(format!("a member of another type: {text}")),
    }
}
