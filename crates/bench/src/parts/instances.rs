//! `axt up` with many simulated instances that have nothing to do: relay and agents in one process,
//! each with a notify channel under TLS.

use std::time::Duration;

use axt_net::link;

use super::Context;
use crate::{
    report::Figure,
    rounds::{Value, collect},
    ways::{axt::in_folder, process::Process},
};

/// How long they idle before their memory is looked at.
const IDLE: Duration = Duration::from_secs(1);

pub(super) async fn run(context: &Context<'_>) -> anyhow::Result<Vec<Figure>> {
    let count = context.instances;
    context.progress.says(&format!("{count} instances"));
    let folder = tempfile::tempdir()?;
    let mut command = context.binary.command();
    command.args(["up", "--instances", &count.to_string()]);
    in_folder(&mut command, folder.path());
    let begin = link::now();
    let mut up = Process::start("up", &mut command, folder.path())?;
    up.said("is ready").await?;
    let took = link::now() - begin;
    link::sleep(IDLE).await;
    let (memory, before) = (up.memory()?, up.cpu()?);
    link::sleep(IDLE).await;
    let busy = (up.cpu()? - before).as_secs_f64() / IDLE.as_secs_f64();
    up.terminate().await?;
    let heading = format!("axt up with {count} instances");
    let mib = |bytes: f64| bytes / 1024.0 / 1024.0;
    Ok(collect([
        Value::new(&heading, "to ready", "s", took.as_secs_f64()),
        Value::new(&heading, "memory, idle", "MiB", mib(memory.resident)),
        Value::new(&heading, "memory, peak", "MiB", mib(memory.peak)),
        Value::new(&heading, "processor, idle", "%", busy * 100.0),
    ]))
}
