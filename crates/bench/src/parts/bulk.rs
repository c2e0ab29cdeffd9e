//! Bytes as fast as they go, counted where they arrive, and the processor time that they took.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::Context;
use axt_net::{link, tasks::Tasks};
use axt_proto::Direction;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    rounds::{Measure, Round, Value},
    target::{self, Asked, CHUNK, Target},
    ways::Running,
};

/// How long they flow before it counts, in rounds.
const WARM_UP: f64 = 1.0 / 3.0;
/// How long the ends have to be gone.
const SETTLE: Duration = Duration::from_millis(50);

#[derive(Debug)]
struct Bulk {
    way: Arc<Running>,
    target: Arc<Target>,
    direction: Direction,
    connections: usize,
}

pub(super) fn of(way: &Arc<Running>, target: &Arc<Target>) -> Vec<Box<dyn Measure>> {
    let mut measures: Vec<Box<dyn Measure>> = Vec::new();
    for connections in [1, 8] {
        for direction in [Direction::Up, Direction::Down] {
            measures.push(Box::new(Bulk {
                way: Arc::clone(way),
                target: Arc::clone(target),
                direction,
                connections,
            }));
        }
    }
    measures
}

impl Bulk {
    fn heading(&self) -> String {
        let direction = match self.direction {
            Direction::Up => "up",
            Direction::Down => "down",
        };
        match self.connections {
            1 => format!("bulk {direction}, 1 connection"),
            several => format!("bulk {direction}, {several} connections"),
        }
    }

    /// Lets bytes flow, which ends with the tasks. All connections are there by then.
    async fn flow(&self, given: &Arc<AtomicU64>) -> anyhow::Result<Tasks> {
        let asked = match self.direction {
            Direction::Up => Asked::Take,
            Direction::Down => Asked::Give,
        };
        let mut streams = Vec::new();
        for _ in 0..self.connections {
            streams.push(target::ask(self.way.at, asked).await?);
        }
        for stream in &mut streams {
            stream.read_u8().await.context("it does not begin")?;
        }
        let tasks = Tasks::new();
        for mut stream in streams {
            let given = Arc::clone(given);
            match self.direction {
                Direction::Up => tasks.spawn("up", async move {
                    let chunk = vec![b'x'; CHUNK];
                    while stream.write_all(&chunk).await.is_ok() {}
                }),
                Direction::Down => tasks.spawn("down", async move {
                    let mut buffer = vec![0; CHUNK];
                    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
                        let length = u64::try_from(length).unwrap_or(0);
                        given.fetch_add(length, Ordering::Relaxed);
                    }
                }),
            };
        }
        Ok(tasks)
    }
}

impl Measure for Bulk {
    fn name(&self) -> String {
        format!("{}: {}", self.heading(), self.way.name)
    }

    fn round(&mut self, span: Duration) -> Round<'_> {
        Box::pin(async move {
            let given = Arc::<AtomicU64>::default();
            let flow = self.flow(&given).await?;
            let arrived = || match self.direction {
                Direction::Up => self.target.taken(),
                Direction::Down => given.load(Ordering::Relaxed),
            };
            link::sleep(span.mul_f64(WARM_UP)).await;
            let (cpu, bytes, start) = (self.way.cpu()?, arrived(), link::now());
            link::sleep(span).await;
            let (bytes, took) = (arrived() - bytes, link::now() - start);
            let cpu = self.way.cpu()?.saturating_sub(cpu);
            drop(flow);
            link::sleep(SETTLE).await;
            anyhow::ensure!(bytes > 0, "nothing has arrived");
            // Exact up to 9 PB.
            #[allow(clippy::cast_precision_loss)]
            let bytes = bytes as f64;
            let (heading, way) = (self.heading(), self.way.name);
            let rate = bytes / 1e6 / took.as_secs_f64();
            let cost = cpu.as_secs_f64() / (bytes / 1e9);
            Ok(vec![
                Value::new(&heading, way, "MB/s", rate),
                Value::new(format!("processor time of {heading}"), way, "s/GB", cost),
            ])
        })
    }
}
