//! Connections that are open and say nothing: what each costs in memory, in processes that are fresh.
//! Then all close, and as many come once more, which should need no more than the first did.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use axt_net::{link, tasks::Tasks, transport::Stream};
use tokio::sync::mpsc;

use super::Context;
use crate::{
    report::Figure,
    rounds::{Value, Values, collect},
    target::{self, Asked, Target},
    ways::{AXT, Running, STARTED_IN, TWO, Way, process::Memory},
};

/// How many are opened at the same time.
const AT_ONCE: usize = 16;
/// What a process may have open that has no connections: listeners, files, calls that are kept.
const FEW: usize = 48;
/// How long things have to come to rest, at most.
const REST: Duration = Duration::from_millis(500);

pub(super) async fn run(context: &Context<'_>) -> anyhow::Result<Vec<Figure>> {
    let (first, more) = context
        .idle
        .split_first()
        .context("no number of connections")?;
    let mut turns: Vec<(&Way, usize)> = context.ways.iter().map(|way| (way, *first)).collect();
    let of_axt = context.ways.iter().filter(|way| way.name() == AXT);
    turns.extend(of_axt.flat_map(|way| more.iter().map(move |count| (way, *count))));
    let rest = REST.min(context.plan.span);
    let mut values = Vec::new();
    for (way, count) in &turns {
        context
            .progress
            .says(&format!("{count} idle connections: {}", way.name()));
        let measured = measure(way, *count, *count == *first, rest).await;
        match measured.with_context(|| format!("{count} idle connections: {}", way.name())) {
            Ok(measured) => values.extend(measured),
            // What is not made for so many.
            Err(error) if !matches!(way.name(), AXT | TWO) => {
                context.progress.line(&format!("left out: {error:#}"));
            }
            Err(error) => return Err(error),
        }
        context.progress.step(turns.len());
    }
    Ok(collect(values))
}

async fn measure(
    way: &Way,
    count: usize,
    is_twice: bool,
    rest: Duration,
) -> anyhow::Result<Values> {
    let target = Arc::new(Target::start().await?);
    let running = Arc::new(way.start(target.port).await?);
    let rows = |process: &str| match running.name {
        name if running.processes.len() > 1 => format!("{name}: {process}"),
        name => name.to_owned(),
    };
    link::sleep(rest).await;
    let before = memory(&running)?;
    let streams = open(&running, count).await?;
    link::sleep(rest).await;
    let open_once = memory(&running)?;
    let heading = format!("memory of an idle connection, of {count}");
    // Small.
    #[allow(clippy::cast_precision_loss)]
    let each = count as f64;
    let processes = running.processes.iter().zip(before.iter().zip(&open_once));
    let mut values: Values = processes
        .map(|(process, (before, now))| {
            let bytes = (now.resident - before.resident) / each;
            Value::new(&heading, rows(process.role), "KiB", bytes / 1024.0)
        })
        .collect();
    if is_twice {
        // The peak of a round is with its end: to close is work too.
        close(streams, &running, rest).await?;
        let once = memory(&running)?;
        let streams = open(&running, count).await?;
        link::sleep(rest).await;
        close(streams, &running, rest).await?;
        let twice = memory(&running)?;
        let heading = format!("growth of the peak, {count} connections a second time");
        let processes = running.processes.iter().zip(once.iter().zip(&twice));
        values.extend(processes.map(|(process, (once, twice))| {
            let growth = (twice.peak / once.peak - 1.0) * 100.0;
            Value::new(&heading, rows(process.role), "%", growth)
        }));
    }
    if let Some(running) = Arc::into_inner(running) {
        running.stop().await;
    }
    Ok(values)
}

fn memory(running: &Running) -> anyhow::Result<Vec<Memory>> {
    running
        .processes
        .iter()
        .map(|process| process.memory())
        .collect()
}

/// Opens connections, each of which has had an echo.
async fn open(running: &Arc<Running>, count: usize) -> anyhow::Result<Vec<Stream>> {
    let (sender, mut opened) = mpsc::channel(AT_ONCE);
    let tasks = Tasks::new();
    for worker in 0..AT_ONCE {
        let (sender, running) = (sender.clone(), Arc::clone(running));
        tasks.spawn("opener", async move {
            for _ in (worker..count).step_by(AT_ONCE) {
                let one = link::timeout(STARTED_IN, async {
                    let mut stream = target::ask(running.at, Asked::Echo).await?;
                    target::echo_once(&mut stream).await?;
                    anyhow::Ok(stream)
                });
                let one = one.await.map_err(anyhow::Error::from).and_then(|one| one);
                if sender.send(one).await.is_err() {
                    return;
                }
            }
        });
    }
    drop(sender);
    let mut streams = Vec::with_capacity(count);
    while let Some(one) = opened.recv().await {
        let number = streams.len() + 1;
        streams.push(one.with_context(|| format!("connection {number}"))?);
    }
    Ok(streams)
}

/// Closes connections, and waits until no process holds anything of them.
async fn close(streams: Vec<Stream>, running: &Running, rest: Duration) -> anyhow::Result<()> {
    drop(streams);
    let closed = async {
        for process in &running.processes {
            while process.descriptors()? > FEW {
                link::sleep(Duration::from_millis(20)).await;
            }
        }
        anyhow::Ok(())
    };
    let closed = link::timeout(2 * STARTED_IN, closed).await;
    closed.context("not all are closed")??;
    link::sleep(rest).await;
    Ok(())
}
