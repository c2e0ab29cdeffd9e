//! Pairs of calls a second, beside the journal's bare commits: `axt-bench api`, for less long.

use super::Context;
use crate::{api, report::Figure};

pub(super) async fn run(context: &Context<'_>) -> anyhow::Result<Vec<Figure>> {
    let plan = context.plan.times(2.0).at_most(3);
    api::figures(&api::Flags::default(), plan, context.progress).await
}
