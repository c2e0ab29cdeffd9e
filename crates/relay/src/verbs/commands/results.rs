//! DescribeInvocationResults (ecs-api 3.16).

use axt_openapi::{
    Answer, ApiError, Caller,
    action::{ContentEncoding, DescribeInvocationResults},
    answer::{self, InvocationResult},
};
use axt_proto::{InstanceId, InvocationId, Tick};
use axt_registry::{Invocation, Registry, Run};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    relay::Shared,
    verbs::{page, times::seconds},
};

/// Where a result is found again.
struct Place {
    invocation: InvocationId,
    instance: InstanceId,
    name: String,
}

/// The newest call first. The page is cut before outputs are read: there may be megabytes of them.
pub(crate) async fn results(
    shared: &Shared,
    caller: &Caller,
    request: &DescribeInvocationResults,
) -> Result<Answer, ApiError> {
    let (caller_is, wanted) = (caller.account.clone(), request.clone());
    let found: Vec<Place> = shared
        .desk
        .ask(move |desk| {
            let all = desk.registry.invocations().into_iter();
            let ours = all.filter(|one| {
                one.account == caller_is
                    && one.region == wanted.region_id
                    && fits(&wanted.invoke_id, one.id.as_str())
                    && fits(&wanted.command_id, one.command.as_str())
            });
            ours.flat_map(|one| desk.registry.runs_of(&one.id))
                .filter(|run| {
                    fits(&wanted.instance_id, run.instance.as_str())
                        && fits(&wanted.invoke_record_status, run.status.record())
                })
                .map(Place::of)
                .collect()
        })
        .await?;
    let page = page(shared, caller, (request, &request.page), found, |place| {
        &place.name
    })?;
    let (places, encoding) = (page.items, request.content_encoding);
    let results: Vec<InvocationResult> = shared
        .desk
        .ask(move |desk| {
            let shown = |place: &Place| place.result(&desk.registry, encoding);
            places.iter().filter_map(shown).collect()
        })
        .await?;
    Ok(answer::DescribeInvocationResults {
        invocation: answer::InvocationPage {
            total_count: page.total_count,
            page_number: page.page_number,
            page_size: page.page_size,
            next_token: page.next_token,
            invocation_results: results.into(),
        },
    }
    .into())
}

fn fits(filter: &Option<String>, text: &str) -> bool {
    filter.as_ref().is_none_or(|filter| filter == text)
}

impl Place {
    fn of(run: &Run) -> Self {
        Self {
            invocation: run.invocation.clone(),
            instance: run.instance.clone(),
            name: format!("{} {}", run.invocation, run.instance),
        }
    }

    /// `None` when it was forgotten in between.
    fn result(&self, registry: &Registry, encoding: ContentEncoding) -> Option<InvocationResult> {
        let invocation = registry.invocation(&self.invocation)?;
        let mut runs = registry.runs_of(&self.invocation);
        let run = runs.find(|run| run.instance == self.instance)?;
        Some(described(invocation, run, encoding))
    }
}

fn described(invocation: &Invocation, run: &Run, encoding: ContentEncoding) -> InvocationResult {
    let output = run.output.bytes();
    let time = |at: Option<Tick>| at.map(seconds).unwrap_or_default();
    let trouble = run.trouble.as_ref();
    InvocationResult {
        instance_id: run.instance.to_string(),
        invoke_id: run.invocation.to_string(),
        command_id: invocation.command.to_string(),
        invocation_status: run.status.word(),
        invoke_record_status: run.status.record(),
        exit_code: run.exit_code,
        output: match encoding {
            ContentEncoding::Base64 => STANDARD.encode(output),
            ContentEncoding::PlainText => String::from_utf8_lossy(output).into_owned(),
        },
        dropped: run.output.dropped(),
        error_code: trouble.map(|it| it.code.clone()).unwrap_or_default(),
        error_info: trouble.map(|it| it.info.clone()).unwrap_or_default(),
        start_time: time(run.started),
        finished_time: time(run.finished),
        stop_time: time(run.stop_asked),
        username: invocation.spec.username.clone(),
        repeats: u32::from(run.started.is_some()),
    }
}
