//! The parts of a run, each of which measures one kind of thing and can be run alone.

mod accuracy;
mod bulk;
mod calls;
mod echo;
mod idle;
mod instances;
mod session;
mod setup;
mod up;

use std::sync::Arc;

use clap::ValueEnum;

use crate::{
    progress::Progress,
    report::Figure,
    rounds::{Measure, Plan, take_turns},
    target::Target,
    ways::{Running, Way, axt::Binary},
};

/// One kind of thing that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Bulk up and down, by one connection and by eight, and the processor time for it
    Bulk,
    /// How long 64 bytes take there and back, with pauses between them
    Echo,
    /// How long a new connection takes to its first echoed byte
    Setup,
    /// How long a session takes to the first byte of a plain `sh`
    Session,
    /// What a bandwidth limit of 200 KB/s lets through
    Accuracy,
    /// StartTerminalSession/EndTerminalSession pairs a second
    Api,
    /// Memory of idle connections, and of as many once more
    Idle,
    /// `axt up`: how long it takes to start, and what it needs then
    Up,
    /// `axt up` with a thousand instances
    Instances,
}

/// What the parts have to go by.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) plan: Plan,
    /// Everybody, axt first.
    pub(crate) ways: &'a [Way],
    pub(crate) binary: &'a Binary,
    pub(crate) progress: &'a Progress,
    /// How many idle connections there are, each time.
    pub(crate) idle: &'a [usize],
    /// How many instances.
    pub(crate) instances: u16,
}

impl Part {
    pub(crate) async fn run(self, context: &Context<'_>) -> anyhow::Result<Vec<Figure>> {
        let plan = context.plan;
        match self {
            Self::Bulk => in_turns(context, plan, bulk::of).await,
            Self::Echo => in_turns(context, plan.times(1.5), echo::of).await,
            Self::Setup => in_turns(context, plan.times(1.5), setup::of).await,
            Self::Session => session::run(context).await,
            Self::Accuracy => accuracy::run(context).await,
            Self::Api => calls::run(context).await,
            Self::Idle => idle::run(context).await,
            Self::Up => up::run(context).await,
            Self::Instances => instances::run(context).await,
        }
    }
}

/// Starts every way and has them measured in turns.
async fn in_turns(
    context: &Context<'_>,
    plan: Plan,
    of: impl Fn(&Arc<Running>, &Arc<Target>) -> Vec<Box<dyn Measure>>,
) -> anyhow::Result<Vec<Figure>> {
    let target = Arc::new(Target::start().await?);
    let mut ways = Vec::new();
    for way in context.ways {
        ways.push(Arc::new(way.start(target.port).await?));
    }
    let mut by_way: Vec<_> = ways
        .iter()
        .map(|way| of(way, &target).into_iter())
        .collect();
    let mut measures = Vec::new();
    // The same of all of them, then the next.
    loop {
        let before = measures.len();
        measures.extend(by_way.iter_mut().filter_map(Iterator::next));
        if measures.len() == before {
            break;
        }
    }
    let figures = take_turns(plan, &mut measures, context.progress).await;
    drop(measures);
    for way in ways {
        if let Some(way) = Arc::into_inner(way) {
            way.stop().await;
        }
    }
    figures
}
