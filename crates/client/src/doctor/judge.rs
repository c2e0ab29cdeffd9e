//! What the facts of each step mean, and what to do: no call is made here.

#[cfg(test)]
mod tests;

use axt_net::{link::TimedOut, tls::TlsError, transport::DialError, ws::ConnectError};
use axt_openapi::ErrorCode;
use axt_proto::{InstanceId, Reason, RegionId};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{Trouble, Verdict};
use crate::{
    api::{Answered, ApiError, CallError},
    discover::Target,
    session::{Ended, OpenError, Why},
};

/// Both clocks may be so far apart before a person is told (a call is refused at 15 minutes).
const NOTABLE: SignedDuration = SignedDuration::from_mins(1);

type Called = Result<Value, CallError>;

pub(super) fn settings(target: &Target) -> String {
    let origins = &target.origins;
    format!(
        "{} [{}], region {} [{}], key {} [{}]",
        target.endpoint,
        origins.endpoint,
        target.region,
        origins.region,
        target.credentials.access_key_id,
        origins.key
    )
}

pub(super) fn unreachable(error: &DialError, target: &Target) -> Trouble {
    let trouble = Trouble::new(error);
    if error.proxy().is_some() {
        return trouble.hint("HTTPS_PROXY and NO_PROXY say which hosts go through which proxy");
    }
    trouble.hint(format!(
        "does it run, and is {} [{}] its address? `axt up` starts a sandbox",
        target.endpoint, target.origins.endpoint
    ))
}

pub(super) fn untrusted(error: &TlsError) -> Trouble {
    if !error.is_tls {
        return Trouble::new(error).hint("`--endpoint http://HOST:PORT` speaks plain HTTP");
    }
    Trouble::new(error).hint(
        "`--ca FILE` trusts the relay's CA, ca.pem in its state folder; `axt relay --name HOST` puts a name in its certificate",
    )
}

/// Whoever listens there takes the connection, and says nothing.
pub(super) fn speechless(host: &str, late: TimedOut) -> Trouble {
    Trouble::new(format!("TLS with {host} got {late}"))
        .hint("does the relay hang, or does another program listen there? `axt health` asks it")
}

/// Judges the first signed call: the key, its secret, and both clocks. `now` is this machine's.
pub(super) fn signature(
    asked: &Result<Answered, CallError>,
    now: Timestamp,
    target: &Target,
) -> Verdict {
    let answered = match asked {
        Ok(answered) => answered,
        Err(error) => return Err(Trouble::new(error).hint("is that the API's address?")),
    };
    let ahead = answered
        .server_time
        .map(|theirs| now.duration_since(theirs));
    let key = format!(
        "{} [{}]",
        target.credentials.access_key_id, target.origins.key
    );
    let error = match &answered.answer {
        Ok(_) => return Ok(accepted(&key, ahead)),
        Err(error) if error.code == "Forbidden.RAM" => return Ok(accepted(&key, ahead)),
        Err(error) => error,
    };
    let code = error.code.as_str();
    Err(match code {
        "InvalidTimeStamp.Expired" => {
            let apart = ahead.map_or_else(|| "wrong".to_owned(), apart);
            Trouble::new(format!("this machine's clock is {apart} ({code})"))
                .hint("set it, by NTP for instance: a signature is good for 15 minutes either way")
        }
        "InvalidAccessKeyId.NotFound" => Trouble::new(format!(
            "the API does not know the access key {key} ({code})"
        ))
        .hint("is it another sandbox's, or the cloud's? `axt env` prints this sandbox's own"),
        // The message holds what the server has signed, which is of no use here.
        "SignatureDoesNotMatch" => Trouble::new(format!(
            "the secret of the access key {key} is wrong ({code})"
        ))
        .hint("id and secret have to be of one key; `axt config` says where they are from"),
        _ if code.starts_with("InvalidSecurityToken")
            || code.starts_with("MissingSecurityToken") =>
        {
            Trouble::new(format!("the STS token of the access key {key}: {error}"))
                .hint("get a new one: `--security-token`, or ALIBABA_CLOUD_SECURITY_TOKEN")
        }
        _ => refused(error),
    })
}

fn accepted(key: &str, ahead: Option<SignedDuration>) -> String {
    match ahead {
        Some(ahead) if ahead.abs() > NOTABLE => {
            format!(
                "key {key} is accepted, though this clock is {}",
                apart(ahead)
            )
        }
        _ => format!("key {key} is accepted"),
    }
}

fn apart(ahead: SignedDuration) -> String {
    let way = if ahead.is_negative() {
        "behind"
    } else {
        "ahead of"
    };
    let seconds = ahead.as_secs().unsigned_abs();
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    format!("{minutes} min {seconds} s {way} the server's")
}

pub(super) fn session_manager(region: &RegionId, listed: Called, switch: Called) -> Verdict {
    for called in [listed, switch] {
        let answer = match called {
            Err(CallError::Api(error)) if is_forbidden(&error) => continue,
            called => called.map_err(|error| not_answered(&error))?,
        };
        if answer.get("StatusValue").and_then(Value::as_str) == Some("disabled") {
            return Err(Trouble::new("the account's session manager is switched off").hint(
                "`axt api ModifyUserBusinessBehavior --StatusKey sessionManagerStatus --StatusValue enabled` switches it on",
            ));
        }
    }
    Ok(format!("on, and {region} has it"))
}

pub(super) fn only_instance(listed: Called) -> Result<InstanceId, Trouble> {
    let answer = listed.map_err(|error| not_answered(&error))?;
    let all = items(&answer, "/Instances/Instance");
    match all {
        [only] => text(only, "InstanceId").parse().map_err(Trouble::new),
        [] => Err(Trouble::new("there is no instance in this region")
            .hint("another region: `--region`; `axt config --example` shows how one is declared")),
        several => Err(Trouble::new(format!(
            "no instance is named, and there are {}",
            several.len()
        ))
        .hint("name one by `-i INSTANCE`")),
    }
}

pub(super) fn running(instance: &InstanceId, listed: Called) -> Verdict {
    let answer = match listed {
        Err(CallError::Api(error)) if is_forbidden(&error) => return Ok(unseen(instance)),
        listed => listed.map_err(|error| not_answered(&error))?,
    };
    match items(&answer, "/Instances/Instance") {
        [found, ..] => match text(found, "Status") {
            "Running" => Ok(format!("{instance} is running")),
            status => Err(
                Trouble::new(format!("{instance} is {status}, not Running")).hint(format!(
                    "start it; in a sandbox: `axt instances set {instance} --status Running`"
                )),
            ),
        },
        [] => Err(nobody(instance)),
    }
}

pub(super) fn managed(instance: &InstanceId, listed: Called) -> Verdict {
    let answer = match listed {
        Err(CallError::Api(error)) if is_forbidden(&error) => return Ok(unseen(instance)),
        listed => listed.map_err(|error| not_answered(&error))?,
    };
    if items(&answer, "/Instances").is_empty() {
        return Err(nobody(instance));
    }
    Ok(format!("{instance} is registered"))
}

fn nobody(instance: &InstanceId) -> Trouble {
    Trouble::new(format!("there is no instance {instance} in this region"))
        .hint("`axt api DescribeInstances -o table` lists them; `--region` names another region")
}

fn unseen(instance: &InstanceId) -> String {
    format!("{instance}; its state is not for this key to see")
}

pub(super) fn agent(instance: &InstanceId, listed: Called) -> Verdict {
    let answer = match listed {
        Err(CallError::Api(error)) if is_forbidden(&error) => return Ok(unseen(instance)),
        listed => listed.map_err(|error| not_answered(&error))?,
    };
    let list = "/InstanceCloudAssistantStatusSet/InstanceCloudAssistantStatus";
    let [found, ..] = items(&answer, list) else {
        return Err(nobody(instance));
    };
    let version = text(found, "CloudAssistantVersion");
    if text(found, "CloudAssistantStatus") != "true" {
        return Err(Trouble::new(format!("the agent of {instance} is not online"))
            .hint("start it on the instance: `axt agent -i INSTANCE --key FILE`, or the Cloud Assistant"));
    }
    if found.get("SupportSessionManager") == Some(&Value::Bool(false)) {
        return Err(
            Trouble::new(format!("the agent of {instance} is too old: {version}"))
                .hint("it has to be later than 2.2.3.256 (Linux) or 2.1.3.256 (Windows)"),
        );
    }
    Ok(format!("online, version {version}"))
}

pub(super) fn not_started(error: &OpenError) -> Trouble {
    match error {
        OpenError::Call(error) => not_answered(error),
        other => Trouble::new(other),
    }
}

pub(super) fn not_connected(host: &str, error: &OpenError) -> Trouble {
    match error {
        OpenError::Connect(ConnectError::Unreachable(_)) => Trouble::new(error).hint(format!(
            "the API handed out {host}: `axt relay --public-url` sets what it hands out"
        )),
        OpenError::Connect(ConnectError::Tls(error)) => untrusted(error),
        OpenError::Refused { code, .. } => {
            let trouble = Trouble::new(error);
            match advice(code).or_else(|| refused_by_relay(code)) {
                Some(hint) => trouble.hint(hint),
                None => trouble,
            }
        }
        other => Trouble::new(other),
    }
}

pub(super) fn silent(late: TimedOut) -> Trouble {
    Trouble::new(format!("the command on the instance got {late}"))
        .hint("is the agent busy, or its network cut? its own log says what it opens")
}

/// Judges how the probe's command ended, and what it printed.
pub(super) fn probed(ended: &Ended, output: &[u8], mark: &str) -> Verdict {
    if String::from_utf8_lossy(output).contains(mark) {
        return Ok("a command's output came back".to_owned());
    }
    match ended.message() {
        // It was online a moment ago.
        Some((line, _)) if ended.why == Why::Told(Reason::AgentTimeout) => {
            Err(Trouble::new(line).hint(
                "it is online, but opens no channel: can it reach the address in its own log, and is it busy?",
            ))
        }
        Some((line, Some(hint))) => Err(Trouble::new(line).hint(hint)),
        Some((line, None)) => Err(Trouble::new(line)),
        None => Err(Trouble::new("the command ended without its output").hint(
            "does `axt session` give a shell there? `echo` has to be a command of the instance",
        )),
    }
}

/// `HOST:PORT` of a session's URL, without the token in it.
pub(super) fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or_default()
}

fn not_answered(error: &CallError) -> Trouble {
    match error {
        CallError::Api(error) => refused(error),
        other => Trouble::new(other),
    }
}

fn refused(error: &ApiError) -> Trouble {
    let trouble = Trouble::new(error);
    match advice(&error.code) {
        Some(hint) => trouble.hint(hint),
        None => trouble,
    }
}

/// What the API's own table of errors says is to be done.
fn advice(code: &str) -> Option<&'static str> {
    let known = ErrorCode::find(code);
    known.first().map(|code| code.entry_for(None).hint)
}

/// What is to be done where only the relay refuses. The session is new: its URL cannot be old.
fn refused_by_relay(code: &str) -> Option<&'static str> {
    match code {
        "InvalidSessionToken" => Some(
            "the relay does not know the session that the API has just made: are both of one sandbox?",
        ),
        "SessionUrl.Expired" | "SessionUrl.Ended" => {
            Some("the session ended while it was tested: did somebody end it, or move the clock?")
        }
        _ => None,
    }
}

fn is_forbidden(error: &ApiError) -> bool {
    error.code == "Forbidden.RAM"
}

fn items<'a>(answer: &'a Value, pointer: &str) -> &'a [Value] {
    let list = answer.pointer(pointer).and_then(Value::as_array);
    list.map_or(&[], Vec::as_slice)
}

fn text<'a>(item: &'a Value, name: &str) -> &'a str {
    item.get(name).and_then(Value::as_str).unwrap_or_default()
}
