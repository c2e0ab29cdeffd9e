//! Run-command tasks: what agents are to run, and what they say of it (wire-protocol 10.7).

use std::{sync::Arc, time::Duration};

use axt_control::luban::{
    SessionList, TaskNews, TaskReport,
    task::{GrantedTask, OutputInfo, Task, TaskInfo},
};
use axt_net::link;
use axt_proto::{ConnectionId, InstanceId, InvocationId, Limits};
use axt_registry::{Invocation, RunNews, RunReport};
use axum::{
    body::Body,
    http::{Request, Response, StatusCode},
};
use http_body_util::{BodyExt, Limited};

use crate::{content, desk::Desk, relay::Shared, respond};

/// Bytes that a report may have: as much output as an agent is asked to keep, and some more.
const MAX_BYTES: usize = 4 * Limits::OUTPUT_BYTES;
/// How long after its start an agent has surely asked for what it was kicked for, if it ever will: two
/// kicks for one channel would make an official agent deaf for its stop (wire-protocol 9.5).
const KICK_AGAIN: Duration = Duration::from_secs(1);
/// How often a command that runs reports, in milliseconds: the least there is.
const INTERVAL_MS: u64 = 1_000;
/// Who an official agent runs as.
const ROOT: &str = "root";

/// The task list. An agent asks for the reason `startup` when its process begins, and then nothing
/// runs any more that ran before.
pub(super) async fn list(
    shared: &Arc<Shared>,
    instance: InstanceId,
    query: &str,
) -> Response<Body> {
    let get = |name: &str| {
        form_urlencoded::parse(query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    let is_startup = get("reason").as_deref() == Some("startup");
    let only = match get("taskId").map(|id| id.parse::<InvocationId>()) {
        None => None,
        Some(Ok(id)) => Some(id),
        // A task that cannot be ours.
        Some(Err(_)) => return respond::json(StatusCode::OK, &SessionList::empty(instance)),
    };
    let asked = instance.clone();
    let list = move |desk: &mut Desk| {
        let mut unheard = Vec::new();
        if is_startup {
            desk.agent_restarted(&asked);
            unheard = desk.kicked(&asked);
        }
        let work = desk.task_work(&asked, only.as_ref());
        let run = work.run.iter().map(|one| to_run(desk, one, &asked));
        let list = SessionList {
            run: run.collect(),
            stop: work.stop.iter().map(|id| to_stop(id, &asked)).collect(),
            ..SessionList::empty(asked.clone())
        };
        (list, unheard)
    };
    let Ok((list, unheard)) = shared.desk.ask(list).await else {
        return super::stopping(shared);
    };
    if !unheard.is_empty() {
        kick_again(shared, instance, unheard);
    }
    respond::json(StatusCode::OK, &list)
}

/// Has an agent that has just started told once more of what it was told before: an official one
/// accepts kicks until its first heart-beat, and forgets them (wire-protocol 10.3). What it has asked for
/// by then it did not forget, and what it is told from now on it hears: two kicks are one too many (9.5).
fn kick_again(shared: &Arc<Shared>, instance: InstanceId, unheard: Vec<ConnectionId>) {
    let relay = Arc::clone(shared);
    shared.tasks.spawn("kicks once more", async move {
        let stopping = relay.tasks.token();
        let waited = stopping.run_until_cancelled(link::sleep(KICK_AGAIN)).await;
        if waited.is_some() {
            // A relay that is stopping has nothing to tell any more.
            let kick = move |desk: &mut Desk| desk.kick_again(&instance, &unheard);
            let _ = relay.desk.ask(kick).await;
        }
    });
}

fn to_run(desk: &Desk, invocation: &Invocation, instance: &InstanceId) -> Task {
    let spec = &invocation.spec;
    let content = spec.content.expose();
    let content = match spec.has_parameters {
        true => content::fill_built_in(content, |name| match name {
            "ACS::RegionId" => Some(invocation.region.to_string()),
            "ACS::AccountId" => Some(invocation.account.to_string()),
            "ACS::InstanceId" => Some(instance.to_string()),
            "ACS::InstanceName" => Some(desk.registry.instance(instance)?.spec.name.clone()),
            "ACS::InvokeId" => Some(invocation.id.to_string()),
            "ACS::CommandId" => Some(invocation.command.to_string()),
            _ => None,
        }),
        false => content.to_owned(),
    };
    let is_official = desk.announced(instance).is_empty();
    Task {
        task: TaskInfo {
            command_id: invocation.command.to_string(),
            command_name: file_name(&spec.name),
            kind: spec.kind.word().to_owned(),
            command_content: content,
            time_out: spec.timeout_s.to_string(),
            working_directory: spec.working_directory.clone(),
            username: user(&spec.username, is_official).to_owned(),
            windows_password_name: spec.password_name.clone(),
            creation_time: invocation.created.as_millis(),
            ..to_stop(&invocation.id, instance).task
        },
        axt: (!is_official).then_some(GrantedTask { position: true }),
        ..to_stop(&invocation.id, instance)
    }
}

fn to_stop(id: &InvocationId, instance: &InstanceId) -> Task {
    Task {
        task: TaskInfo {
            task_id: id.to_string(),
            invoke_version: 1,
            instance_id: instance.to_string(),
            ..TaskInfo::default()
        },
        output: OutputInfo {
            interval: INTERVAL_MS,
            log_quota: u64::try_from(Limits::OUTPUT_BYTES).unwrap_or(u64::MAX),
            ..OutputInfo::default()
        },
        repeat: "Once".to_owned(),
        axt: None,
    }
}

/// As whom it is to run. The official agent, which is root's itself, refuses any user whose id is 0 by
/// name (as for sessions, wire-protocol 10.4): it runs as root what names nobody (10.7).
fn user(username: &str, is_official: bool) -> &str {
    match username {
        ROOT if is_official => "",
        _ => username,
    }
}

/// The official agent makes it a part of a file's name, so it gets one that is harmless there, or
/// none.
fn file_name(name: &str) -> String {
    let is_harmless = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        && !name.starts_with('.');
    if is_harmless && name.len() <= 64 {
        return name.to_owned();
    }
    String::new()
}

/// A report. Answered when its word is durable: the agent repeats one that fails.
pub(super) async fn report(
    shared: &Shared,
    instance: InstanceId,
    request: Request<Body>,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    let query = head.uri.query().unwrap_or_default();
    let Ok(told) = TaskReport::read(head.uri.path(), query) else {
        return super::calm();
    };
    let Ok(body) = Limited::new(body, MAX_BYTES).collect().await else {
        return super::refuse(
            shared,
            StatusCode::PAYLOAD_TOO_LARGE,
            "ReportTooLarge",
            "A report has more output than was asked for, or broke off.",
        );
    };
    let (Ok(invocation), Some((news, dropped))) = (told.task.parse(), read(told.news)) else {
        return super::calm();
    };
    let invocation: InvocationId = invocation;
    let report = RunReport {
        news,
        output: body.to_bytes().to_vec(),
        position: told.position,
        dropped,
    };
    let reported = shared
        .desk
        .ask_later(move |desk, reply| {
            desk.task_reported(&instance, &invocation, report, |is_kept| {
                // Who asked may have gone.
                let _ = reply.send(is_kept);
            });
        })
        .await;
    match reported {
        Ok(true) => super::calm(),
        Ok(false) => super::refuse(
            shared,
            StatusCode::INTERNAL_SERVER_ERROR,
            "NotKept",
            "The journal did not take the report.",
        ),
        Err(_) => super::stopping(shared),
    }
}

/// What a report means here, and how much output it says was cut.
fn read(news: TaskNews) -> Option<(RunNews, Option<u64>)> {
    match news {
        // Nothing is ever asked to be checked only.
        TaskNews::Verified => None,
        TaskNews::Running { .. } => Some((RunNews::Running, None)),
        TaskNews::Finish(end) => Some((RunNews::Finished(end.exit_code), Some(end.dropped))),
        TaskNews::Timeout(end) => Some((RunNews::TimedOut, Some(end.dropped))),
        TaskNews::Error {
            end,
            code,
            description,
        } => Some((RunNews::Error(code, description), Some(end.dropped))),
        TaskNews::Stopped { end, was_killed } => {
            let code = (!was_killed).then_some(end.exit_code);
            Some((RunNews::Stopped(code), Some(end.dropped)))
        }
        TaskNews::Invalid { parameter, value } => Some((RunNews::Invalid(parameter, value), None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commands_name_is_told_only_where_it_makes_a_harmless_file_name() {
        for (name, told) in [
            ("disk-check_1.sh", "disk-check_1.sh"),
            ("../../etc/cron.d/x", ""),
            ("..", ""),
            ("with space", ""),
            ("", ""),
        ] {
            assert_eq!(file_name(name), told, "{name}");
        }
    }
}
