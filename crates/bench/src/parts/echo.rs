//! Messages that wait for their echo, as keystrokes do, with a pause between one and the next.

use std::{sync::Arc, time::Duration};

use axt_net::link;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    rounds::{Measure, Round, Value},
    spread::Spread,
    target::{self, Asked, Target},
    ways::Running,
};

/// How long a message is, in bytes.
const MESSAGE: usize = 64;
/// The pause.
const PAUSE: Duration = Duration::from_millis(2);

#[derive(Debug)]
struct Echo {
    way: Arc<Running>,
}

pub(super) fn of(way: &Arc<Running>, _: &Arc<Target>) -> Vec<Box<dyn Measure>> {
    let way = Arc::clone(way);
    vec![Box::new(Echo { way })]
}

impl Measure for Echo {
    fn name(&self) -> String {
        format!("echo: {}", self.way.name)
    }

    fn round(&mut self, span: Duration) -> Round<'_> {
        Box::pin(async move {
            let mut stream = target::ask(self.way.at, Asked::Echo).await?;
            target::echo_once(&mut stream).await?;
            let (message, mut heard) = ([b'x'; MESSAGE], [0; MESSAGE]);
            let mut times = Vec::new();
            let end = link::now() + span;
            while times.is_empty() || link::now() < end {
                link::sleep(PAUSE).await;
                let start = link::now();
                stream.write_all(&message).await?;
                stream.read_exact(&mut heard).await?;
                times.push(link::now() - start);
            }
            let spread = Spread::of(times);
            let of = |percent| {
                let heading = format!("echo of {MESSAGE} bytes, p{percent}");
                Value::new(
                    heading,
                    self.way.name,
                    "µs",
                    spread.percentile(percent) * 1e6,
                )
            };
            Ok([50, 90, 99].map(of).into())
        })
    }
}
