//! Many simulated instances that have nothing to do, each with a notify channel under TLS: the agents of
//! all in one process beside a relay, and relay and agents in one, as `axt up` has them.

use std::{path::Path, time::Duration};

use anyhow::Context as _;
use axt_net::link;

use super::Context;
use crate::{
    report::Figure,
    rounds::{Value, Values, collect},
    ways::{
        axt::{Binary, in_folder},
        process::Process,
    },
};

/// How long they idle while they are looked at.
const IDLE: Duration = Duration::from_secs(1);

/// How many such spans agents have for what they report once, at their start.
const AT_FIRST: usize = 20;

/// What share of a processor is nothing to speak of.
const QUIET: f64 = 0.1;

/// How many instances an activation is good for, at most.
const AN_ACTIVATION: u16 = 1_000;

pub(super) async fn run(context: &Context<'_>) -> anyhow::Result<Vec<Figure>> {
    let count = context.instances;
    let mut values = Values::new();
    context
        .progress
        .says(&format!("the agents of {count} instances"));
    values.extend(apart(context.binary, count.min(AN_ACTIVATION)).await?);
    context.progress.step(2);
    context
        .progress
        .says(&format!("axt up with {count} instances"));
    values.extend(together(context.binary, count).await?);
    context.progress.step(2);
    Ok(collect(values))
}

/// The agents of instances that have registered: measured once they are started again, for that is what
/// they go on as.
async fn apart(binary: &Binary, count: u16) -> anyhow::Result<Values> {
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    let mut command = binary.command();
    command.arg("relay");
    in_folder(&mut command, folder);
    let mut relay = Process::start("relay", &mut command, folder)?;
    relay.said("ready").await?;
    let (id, code) = activation(binary, folder, count).await?;
    let agent = || {
        let mut command = binary.command();
        command
            .arg("agent")
            .arg("--state-dir")
            .arg(folder.join("state"));
        command
    };
    let mut command = agent();
    command.args(["--register", "--instances", &count.to_string()]);
    command.args(["--activation-id", &id, "--activation-code", &code]);
    let mut first = Process::start("registering", &mut command, folder)?;
    first.said("is online").await?;
    first.terminate().await?;

    let begin = link::now();
    let mut agents = Process::start("agents", &mut agent(), folder)?;
    agents.said("is online").await?;
    let took = link::now() - begin;
    let heading = format!("the agents of {count} instances, in one process");
    let values = idle(&heading, &agents, took).await?;
    agents.terminate().await?;
    relay.terminate().await?;
    Ok(values)
}

/// An activation's id and code.
async fn activation(
    binary: &Binary,
    folder: &Path,
    count: u16,
) -> anyhow::Result<(String, String)> {
    let mut command = binary.command();
    command.args([
        "api",
        "CreateActivation",
        "--InstanceCount",
        &count.to_string(),
    ]);
    command.arg("--state-dir").arg(folder.join("state"));
    let made = command.output().await?;
    let made: serde_json::Value = serde_json::from_slice(&made.stdout).with_context(|| {
        let said = String::from_utf8_lossy(&made.stderr);
        format!("CreateActivation: {}", said.trim())
    })?;
    let text = |name: &str| {
        let text = made.get(name).and_then(serde_json::Value::as_str);
        text.map(str::to_owned)
            .with_context(|| format!("CreateActivation gives no {name}"))
    };
    Ok((text("ActivationId")?, text("ActivationCode")?))
}

async fn together(binary: &Binary, count: u16) -> anyhow::Result<Values> {
    let folder = tempfile::tempdir()?;
    let mut command = binary.command();
    command.args(["up", "--instances", &count.to_string()]);
    in_folder(&mut command, folder.path());
    let begin = link::now();
    let mut up = Process::start("up", &mut command, folder.path())?;
    up.said("is ready").await?;
    let took = link::now() - begin;
    let heading = format!("axt up with {count} instances");
    let values = idle(&heading, &up, took).await?;
    up.terminate().await?;
    Ok(values)
}

/// What a process needs that has nothing to do, and how long it took until that.
async fn idle(heading: &str, process: &Process, took: Duration) -> anyhow::Result<Values> {
    let mut busy = f64::INFINITY;
    for _ in 0..AT_FIRST {
        let before = process.cpu()?;
        link::sleep(IDLE).await;
        busy = (process.cpu()? - before).as_secs_f64() / IDLE.as_secs_f64();
        if busy < QUIET {
            break;
        }
    }
    let memory = process.memory()?;
    let mib = |bytes: f64| bytes / 1024.0 / 1024.0;
    Ok(vec![
        Value::new(heading, "to ready", "s", took.as_secs_f64()),
        Value::new(heading, "memory, idle", "MiB", mib(memory.resident)),
        Value::new(heading, "memory, peak", "MiB", mib(memory.peak)),
        Value::new(heading, "processor, idle", "%", busy * 100.0),
    ])
}
