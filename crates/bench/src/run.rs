//! The standard run: all parts, or those that are asked for, in about three minutes.

use std::{path::PathBuf, time::Duration};

use anyhow::Context;
use axt_net::link;
use clap::{Args, ValueEnum};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::{
    parts::{self, Part},
    progress::Progress,
    report::{Report, compare},
    rounds::Plan,
    target::Target,
    ways::{Peer, Way, axt::Binary},
};

/// How long a round of it takes, in seconds; some parts take a multiple of it.
pub(crate) const SPAN_S: f64 = 0.45;

/// The descriptors that this many idle connections need here: both of their ends, and some.
const DESCRIPTORS_EACH: u64 = 2;
const DESCRIPTORS_BESIDE: u64 = 200;

#[derive(Args, Debug)]
pub(crate) struct Flags {
    /// Only these parts, with commas between them.
    #[arg(long, value_name = "PART", value_delimiter = ',')]
    only: Vec<Part>,
    /// How many idle connections there are; the first number is for everybody, the others for axt.
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [1_000, 4_500])]
    idle: Vec<usize>,
    /// How many simulated instances there are.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    instances: u16,
    /// Leave out other people's programs.
    #[arg(long)]
    no_peers: bool,
    /// Write the plots into this folder, as SVG.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) plot: Option<PathBuf>,
    /// Write the page of the docs, with plots in a folder beside it. What stands by hand below its
    /// mark stays.
    #[arg(long, value_name = "FILE")]
    pub(crate) markdown: Option<PathBuf>,
}

/// Measures, and stops what it has started.
pub(crate) async fn measure(flags: &Flags, plan: Plan, is_quick: bool) -> anyhow::Result<Report> {
    let binary = Binary::find()?;
    let (idle, instances) = match is_quick {
        true => (vec![10, 20], 5),
        false => (flags.idle.clone(), flags.instances),
    };
    let room = room_for(&idle)?;
    anyhow::ensure!(
        idle.iter().all(|count| *count <= room),
        "a process may have too few files open for so many connections (`ulimit -Hn`): \
         --idle {room} at most"
    );
    let parts: Vec<Part> = match flags.only.as_slice() {
        [] => Part::value_variants().to_vec(),
        only => only.to_vec(),
    };
    let progress = Progress::of(parts.len());
    let ways = ways(&binary, flags, &progress).await?;
    let context = parts::Context {
        plan,
        ways: &ways,
        binary: &binary,
        progress: &progress,
        idle: &idle,
        instances,
    };
    let begin = link::now();
    let mut figures = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        let name = part.to_possible_value();
        let name = name.map_or_else(String::new, |name| name.get_name().to_owned());
        figures.extend(part.run(&context).await.context(name)?);
        progress.part(number);
    }
    let took = Duration::from_secs((link::now() - begin).as_secs());
    let title = format!("axt beside what it stands on, measured in {took:?}");
    Ok(Report::new(title, compare(figures)))
}

/// axt, the baselines, and the programs that are there and work.
async fn ways(binary: &Binary, flags: &Flags, progress: &Progress) -> anyhow::Result<Vec<Way>> {
    let mut ways = vec![Way::Axt(binary.clone()), Way::OneSegment, Way::TwoSegments];
    if flags.no_peers {
        return Ok(ways);
    }
    let target = Target::start().await?;
    for peer in Peer::found() {
        let way = Way::Peer(peer);
        progress.says(&format!("trying {}", way.name()));
        match way.start(target.port).await {
            Ok(running) => {
                running.stop().await;
                ways.push(way);
            }
            Err(error) => progress.line(&format!("left out: {error:#}")),
        }
    }
    Ok(ways)
}

/// Raises the limit of open files, which the processes that are started inherit; for how many idle
/// connections it is enough.
fn room_for(idle: &[usize]) -> anyhow::Result<usize> {
    let limit = getrlimit(Resource::Nofile);
    let most = idle.iter().copied().max().unwrap_or(0);
    let wanted = u64::try_from(most)? * DESCRIPTORS_EACH + DESCRIPTORS_BESIDE;
    let allowed = limit.maximum.unwrap_or(u64::MAX);
    let granted = limit.current.unwrap_or(u64::MAX).max(wanted.min(allowed));
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: Some(granted),
            maximum: limit.maximum,
        },
    )?;
    let room = granted.saturating_sub(DESCRIPTORS_BESIDE) / DESCRIPTORS_EACH;
    Ok(usize::try_from(room).unwrap_or(usize::MAX))
}
