//! `axt up`: from nothing to ready, and what it needs when it has nothing to do.

use std::{fs, path::Path, time::Duration};

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

/// How long it idles before its memory is looked at.
const IDLE: Duration = Duration::from_millis(500);

pub(super) async fn run(context: &Context<'_>) -> anyhow::Result<Vec<Figure>> {
    let mut values = Vec::new();
    for _ in 0..context.plan.rounds {
        let folder = tempfile::tempdir()?;
        for (start, is_first) in [
            ("the first one: keys and CA are made", true),
            ("later", false),
        ] {
            context.progress.says(&format!("axt up, {start}"));
            values.extend(once(context.binary, folder.path(), start, is_first).await?);
        }
        context.progress.step(context.plan.rounds);
    }
    let size = fs::metadata(context.binary.path())?.len();
    // Small.
    #[allow(clippy::cast_precision_loss)]
    let size = size as f64 / 1e6;
    values.push(Value::new("the program", "size", "MB", size));
    Ok(collect(values))
}

async fn once(
    binary: &Binary,
    folder: &Path,
    start: &str,
    is_first: bool,
) -> anyhow::Result<Values> {
    let mut command = binary.command();
    command.arg("up");
    in_folder(&mut command, folder);
    let begin = link::now();
    let mut up = Process::start("up", &mut command, folder)?;
    up.said("is ready").await?;
    let took = link::now() - begin;
    let heading = "axt up, to ready";
    let mut values = vec![Value::new(heading, start, "ms", took.as_secs_f64() * 1e3)];
    if !is_first {
        link::sleep(IDLE).await;
        let idle = up.memory()?.resident / 1024.0 / 1024.0;
        values.push(Value::new("axt up, idle", "memory", "MiB", idle));
    }
    up.terminate().await?;
    Ok(values)
}
