//! The agent's side, against a live relay and whoever opens a session on its instance.

use std::process::ExitCode;

use axt_agent::Puppet;
use axt_control::luban::{StatusCode, StatusPost};
use axt_sandbox::lone;
use axt_trace::{
    read::Trace,
    record::{Dir, Hop, Record, What},
};

use super::{judge, script};
use crate::{
    commands::unless_stopped,
    failure::{Failure, say},
    flags::{agent::AgentFlags, trace::ReplayAgentFlags},
    settings::{Settings, agent},
};

pub(super) async fn run(flags: ReplayAgentFlags, settings: Settings) -> Result<ExitCode, Failure> {
    let (traces, script) = script(&flags.replay, Hop::Agent, Dir::Down)?;
    let given = AgentFlags {
        who: flags.who,
        relay: flags.relay,
        base: flags.base,
        ..AgentFlags::default()
    };
    let mut config = agent::resolve(given, settings)?.config()?;
    // It is no start of the machine's own agent.
    config.boot_mark = None;
    let instance = config.instance.clone();
    let (mut configs, around) = lone::agents(config).map_err(Failure::usage)?;
    configs.truncate(1);
    let config = configs
        .pop()
        .ok_or_else(|| Failure::usage("no agent to play"))?;
    let now_ms = || around.clock.now().as_millis();
    let played = async {
        let mut puppet = Puppet::start(config, around.clone())
            .await
            .map_err(Failure::unreachable)?;
        say(&format!(
            "playing the agent of {instance}: open a session on it, as in the trace"
        ));
        let (object, socket) = puppet.channel().await.map_err(Failure::failed)?;
        let channel = object.channel_id.clone();
        // The trace's agent said so before it closed.
        let post = StatusPost {
            channel: channel.clone(),
            code: posted(&traces, &script.theirs().cloned().collect::<Vec<_>>()),
            detail: None,
        };
        let posting = async {
            if let Err(error) = puppet.post(&post).await {
                tracing::warn!(%error, "the relay does not know how the channel ended");
            }
        };
        let seen = script
            .play(socket, Some(channel.as_str()), now_ms, posting)
            .await;
        Ok::<_, Failure>(seen)
    };
    let seen = unless_stopped(played).await??;
    judge(&script, &seen, &flags.replay)
}

/// How the trace's agent said that the channel ended.
fn posted(traces: &[Trace], channel: &[Record]) -> StatusCode {
    let channel = channel
        .iter()
        .find_map(|record| record.ids.channel.as_ref());
    let records = traces.iter().flat_map(|trace| &trace.records);
    let mut words = records.filter_map(|record| match &record.what {
        What::Call(call)
            if call.path == axt_control::luban::path::SESSION_STATUS
                && record.ids.channel.as_ref() == channel =>
        {
            call.query.get("errorcode")?.as_str()
        }
        _ => None,
    });
    words.next().map_or(StatusCode::Ok, StatusCode::from)
}
