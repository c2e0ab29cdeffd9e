//! What a bandwidth limit lets through: 200 KB/s, each way, from 2 s after it is saturated.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use axt_net::{link, tasks::Tasks};
use axt_proto::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Context;
use crate::{
    report::Figure,
    rounds::{Value, collect},
    target::{self, Asked, CHUNK, Target},
    ways::axt::Parts,
};

/// What the standard run leaves out at the beginning, in spans of its plan, and what it measures then.
const LEFT_OUT: f64 = 2.0 / crate::run::SPAN_S;
const MEASURED: f64 = 10.0 / crate::run::SPAN_S;

pub(super) async fn run(context: &Context<'_>) -> anyhow::Result<Vec<Figure>> {
    let target = Target::start().await?;
    let parts = Parts::start(context.binary, &[]).await?;
    let running = parts.forward(target.port).await?;
    context.progress.says("accuracy: both ways");
    let (tasks, given) = (Tasks::new(), Arc::<AtomicU64>::default());
    let mut up = target::ask(running.at, Asked::Take).await?;
    up.read_u8().await.context("it does not begin")?;
    tasks.spawn("up", async move {
        let chunk = vec![b'x'; CHUNK];
        while up.write_all(&chunk).await.is_ok() {}
    });
    let mut down = target::ask(running.at, Asked::Give).await?;
    let counted = Arc::clone(&given);
    tasks.spawn("down", async move {
        let mut buffer = vec![0; CHUNK];
        while let Ok(length @ 1..) = down.read(&mut buffer).await {
            counted.fetch_add(u64::try_from(length).unwrap_or(0), Ordering::Relaxed);
        }
    });
    link::sleep(context.plan.span.mul_f64(LEFT_OUT)).await;
    let arrived = || [target.taken(), given.load(Ordering::Relaxed)];
    let (before, start) = (arrived(), link::now());
    link::sleep(context.plan.span.mul_f64(MEASURED)).await;
    let (after, took) = (arrived(), link::now() - start);
    drop(tasks);
    running.stop().await;
    let rate = f64::from(Limits::default().bandwidth_bytes_per_s);
    let values = ["up", "down"]
        .into_iter()
        .zip(before.into_iter().zip(after));
    Ok(collect(values.flat_map(|(way, (before, after))| {
        let heading = "a limit of 204,800 B/s, saturated";
        let measured = per_second(after - before, took);
        [
            Value::new(heading, way, "B/s", measured),
            Value::new(
                heading,
                format!("{way}, off by"),
                "%",
                (measured / rate - 1.0) * 100.0,
            ),
        ]
    })))
}

/// Exact up to 9 PB.
#[allow(clippy::cast_precision_loss)]
fn per_second(bytes: u64, took: Duration) -> f64 {
    bytes as f64 / took.as_secs_f64()
}
