//! What is kept out of a trace: every text that is not known to be harmless.
//!
//! A list of what is harmless rather than of what is secret, so that what nobody has thought of stays
//! out. Numbers, truth values and the names of members stay: no secret is one.

use serde_json::{Map, Value};

/// What stands for a text that is not told.
pub const MASK: &str = "***";

/// Parameters, members and headers whose texts are harmless, in lower case.
const HARMLESS: [&str; 64] = [
    "account",
    "action",
    "activationid",
    "agent_version",
    "agentversion",
    "app_version",
    "arch",
    "az",
    "channelid",
    "clientid",
    "code",
    "commandid",
    "connectiontype",
    "content-type",
    "errcode",
    "errorcode",
    "format",
    "host",
    "id",
    "instanceid",
    "intranetip",
    "invokeid",
    "lang",
    "link",
    "machineid",
    "name",
    "offset",
    "os_type",
    "os_version",
    "ostype",
    "osversion",
    "param",
    "port",
    "portnumber",
    "reason",
    "recommend",
    "regionid",
    "repeat",
    "requestid",
    "resourcegroupid",
    "result",
    "schema",
    "sessionid",
    "signaturemethod",
    "signatureversion",
    "state",
    "status",
    "statuskey",
    "statusvalue",
    "stream",
    "targethost",
    "targetserver",
    "taskid",
    "timeout",
    "timestamp",
    "timezone",
    "type",
    "user-agent",
    "username",
    "version",
    "virt_type",
    "x-acs-action",
    "x-axt-ext",
    "x-axt-size",
];

/// Of which the text is harmless where it is a number.
fn is_number(text: &str) -> bool {
    !text.is_empty() && text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_harmless(name: &str) -> bool {
    // `InstanceId.1` is one of a list of `InstanceId`.
    let name = name
        .trim_end_matches(|letter: char| letter.is_ascii_digit())
        .trim_end_matches('.')
        .to_ascii_lowercase();
    HARMLESS.contains(&name.as_str())
}

/// Whether a name tells that a secret stands there, whatever form that has.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["token", "secret", "password", "signature", "activationcode"]
        .iter()
        .any(|word| name.contains(word))
        && !is_harmless(&name)
}

/// One text by the name that it stands under.
#[must_use]
pub fn text(name: &str, text: &str) -> Value {
    let is_told = is_harmless(name) || is_number(text) && !is_secret(name) || text.is_empty();
    Value::String(if is_told {
        text.chars().take(256).collect()
    } else {
        MASK.to_owned()
    })
}

/// The parameters of a query or of a form.
#[must_use]
pub fn query(query: &str) -> Map<String, Value> {
    form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| {
            let told = text(&name, &value);
            (name.chars().take(64).collect(), told)
        })
        .collect()
}

/// A JSON value, at any depth.
#[must_use]
pub fn json(value: Value) -> Value {
    under("", value)
}

fn under(name: &str, value: Value) -> Value {
    match value {
        Value::String(told) => text(name, &told),
        Value::Number(_) if is_secret(name) => Value::String(MASK.to_owned()),
        Value::Array(values) => values.into_iter().map(|value| under(name, value)).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| {
                let value = under(&name, value);
                (name, value)
            })
            .collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json as value;

    use super::*;

    #[test]
    fn the_list_is_in_order_and_in_lower_case() {
        let mut sorted = HARMLESS.map(str::to_ascii_lowercase);
        sorted.sort();

        assert_eq!(sorted, HARMLESS);
    }

    #[test]
    fn a_query_keeps_its_names_and_the_values_that_are_harmless() {
        let told = query("sessionId=s-1&token=abc&InstanceId.1=i-1&Signature=x%3D&index=7&new=");

        assert_eq!(
            Value::Object(told),
            value!({"sessionId": "s-1", "token": "***", "InstanceId.1": "i-1",
                "Signature": "***", "index": "7", "new": ""})
        );
    }

    #[test]
    fn json_is_masked_at_any_depth_and_a_secret_even_as_a_number() {
        let told = json(
            value!({"SessionId": "s-1", "SecurityToken": "t", "code": 200,
            "run": [{"task": {"taskID": "t-1", "commandContent": "c2VjcmV0"}}], "password": 1234,
            "activationCode": "0123"}),
        );

        assert_eq!(
            told,
            value!({"SessionId": "s-1", "SecurityToken": "***", "code": 200,
                "run": [{"task": {"taskID": "t-1", "commandContent": "***"}}], "password": "***",
                "activationCode": "***"})
        );
    }
}
