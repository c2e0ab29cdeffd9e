//! HTTP calls as they stand in a trace: without their secrets, and with the ids that they name.

use std::time::Duration;

use axt_control::luban::{header, path};
use axt_net::tap::{self, Side};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde_json::{Map, Value};

use crate::{
    mask,
    record::{Call, Ids},
};

/// What stands in the trace of a call, and whose it is.
pub(crate) fn record(call: tap::Call, side: Side, with_payload: bool) -> (Call, Ids) {
    let mut ids = Ids::default();
    for (name, value) in &call.headers {
        if [header::INSTANCE_ID, header::CLIENT_INSTANCE_ID].contains(&name.as_str()) {
            ids.instance = Some(value.clone());
        }
    }
    let is_form = call
        .headers
        .iter()
        .any(|(name, value)| name == "content-type" && value.contains("urlencoded"));
    let mut query = mask::query(&call.query);
    let body = String::from_utf8_lossy(&call.request);
    if is_form && !body.is_empty() {
        query.extend(mask::query(&body));
    }
    let is_report = side == Side::Agent && call.path.starts_with(path::TASK_REPORT);
    let payload = (with_payload && is_report && !call.request.is_empty())
        .then(|| STANDARD.encode(&call.request));
    let request = (!is_form).then(|| json(&call.request)).flatten();
    let answer = json(&call.answer);
    let said: Map<String, Value> = call
        .said
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Value::String(value.clone())))
        .collect();
    for (name, id) in
        named(&query).chain(answer.iter().filter_map(Value::as_object).flat_map(named))
    {
        note(&mut ids, name, id);
    }
    let headers = call
        .headers
        .iter()
        .map(|(name, value)| {
            let told = match name.as_str() {
                header::INSTANCE_ID | header::CLIENT_INSTANCE_ID => Value::String(value.clone()),
                name => mask::text(name, value),
            };
            (name.clone(), told)
        })
        .collect();
    let told = Call {
        method: call.method,
        path: call.path,
        query,
        headers,
        request,
        request_size: size(&call.request),
        status: call.status,
        said,
        answer,
        answer_size: size(&call.answer),
        took_us: micros(call.took),
        payload,
    };
    (told, ids)
}

/// Texts by their names.
fn named(members: &Map<String, Value>) -> impl Iterator<Item = (&str, &str)> {
    members
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
}

fn note(ids: &mut Ids, name: &str, id: &str) {
    if id.is_empty() || id == mask::MASK {
        return;
    }
    let place = match name {
        "sessionId" | "sessionid" | "SessionId" => &mut ids.session,
        "channelId" => &mut ids.channel,
        "InstanceId" | "InstanceId.1" | "instanceId" => &mut ids.instance,
        _ => return,
    };
    place.get_or_insert_with(|| id.to_owned());
}

fn json(body: &Bytes) -> Option<Value> {
    let value: Value = serde_json::from_slice(body).ok()?;
    value.is_object().then(|| mask::json(value))
}

fn size(body: &Bytes) -> u64 {
    u64::try_from(body.len()).unwrap_or(u64::MAX)
}

pub(crate) fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_names_whose_it_is_and_keeps_its_secrets() {
        let call = tap::Call {
            method: "POST".to_owned(),
            path: "/".to_owned(),
            query: "Action=StartTerminalSession&InstanceId.1=i-1&SignatureNonce=abc".to_owned(),
            answer: r#"{"SessionId":"s-1","WebSocketUrl":"wss://x/?token=t"}"#.into(),
            status: Some(200),
            ..tap::Call::default()
        };

        let (told, ids) = record(call, Side::Client, false);

        assert_eq!(ids.session.as_deref(), Some("s-1"));
        assert_eq!(ids.instance.as_deref(), Some("i-1"));
        let text = serde_json::to_string(&told).expect("writes");
        assert!(!text.contains("abc") && !text.contains("token=t"), "{text}");
        assert!(text.contains("StartTerminalSession"), "{text}");
    }

    #[test]
    fn a_report_keeps_its_output_only_where_payload_is_kept() {
        let report = || tap::Call {
            path: "/luban/api/v1/task/finish".to_owned(),
            request: "printed".into(),
            ..tap::Call::default()
        };

        let (without, _) = record(report(), Side::Agent, false);
        let (with, _) = record(report(), Side::Agent, true);

        assert_eq!((without.payload, without.request_size), (None, 7));
        assert_eq!(with.payload.as_deref(), Some("cHJpbnRlZA=="));
    }
}
