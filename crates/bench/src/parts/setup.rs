//! New connections, one after the other, each to its first echoed byte.

use std::{sync::Arc, time::Duration};

use axt_net::link;

use crate::{
    rounds::{Measure, Round, Value},
    spread::Spread,
    target::{self, Asked, Target},
    ways::Running,
};

/// The pause between the end of one and the next: how long one takes, not how many there can be. What
/// can be prepared for the next one is, by those who prepare.
const PAUSE: Duration = Duration::from_millis(25);

#[derive(Debug)]
struct Setup {
    way: Arc<Running>,
}

pub(super) fn of(way: &Arc<Running>, _: &Arc<Target>) -> Vec<Box<dyn Measure>> {
    let way = Arc::clone(way);
    vec![Box::new(Setup { way })]
}

impl Measure for Setup {
    fn name(&self) -> String {
        format!("set-up: {}", self.way.name)
    }

    fn round(&mut self, span: Duration) -> Round<'_> {
        Box::pin(async move {
            let mut times = Vec::new();
            let end = link::now() + span;
            while times.is_empty() || link::now() < end {
                let start = link::now();
                let mut stream = target::ask(self.way.at, Asked::Echo).await?;
                target::echo_once(&mut stream).await?;
                times.push(link::now() - start);
                drop(stream);
                link::sleep(PAUSE).await;
            }
            let spread = Spread::of(times);
            let of = |percent| {
                let heading = format!("set-up to the first echoed byte, p{percent}");
                Value::new(
                    heading,
                    self.way.name,
                    "ms",
                    spread.percentile(percent) * 1e3,
                )
            };
            Ok([50, 99].map(of).into())
        })
    }
}
