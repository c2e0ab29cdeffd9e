//! One command from its check to its last report.
//!
//! Output and the end of the command wait for no report: one at a time is under way, beside them.

use std::{
    future::{Future, pending},
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use axt_control::luban::{TaskEnd, TaskNews, task::Task};
use axt_net::link;
use axt_proto::Size;
use tokio_util::sync::CancellationToken;

use super::{
    check::{self, Wanted},
    report::Reporter,
    script::Script,
    unsent::{Piece, Unsent},
};
use crate::{
    calls::Relay,
    config::Shells,
    helper::ShellSpec,
    shell::ShellEnd,
    target::{self, NotOpened, Target},
};

/// The least time between two running reports.
const INTERVAL_MIN: Duration = Duration::from_secs(1);
/// The longest time without one.
const SAY_SOMETHING: Duration = Duration::from_secs(60);
/// The most output that a running report carries.
const RUNNING_BYTES: usize = 6_000;
/// How much output is read at once.
const CHUNK: usize = 8 * 1_024;

/// Runs a task and tells the relay all about it.
pub(super) async fn run(relay: &Arc<Relay>, task: &Task, stop: CancellationToken) {
    let reporter = Reporter::new(relay, task);
    let shells = &relay.config().shells;
    let (id, instance) = (task.task.task_id.as_str(), relay.instance());
    let wanted = match check::check(task, shells) {
        Ok(wanted) => wanted,
        Err(news) => {
            tracing::warn!(id, %instance, ?news, "a command is not valid");
            reporter.post(news, Piece::default()).await;
            return;
        }
    };
    tracing::info!(id, %instance, "a command begins");
    let start = relay.now_ms();
    let opened = open(relay, task, &wanted).await;
    let (target, _script) = match opened {
        Ok(opened) => opened,
        Err(NotOpened(why)) => {
            reporter
                .post(failed(start, &reporter, 0, why), Piece::default())
                .await;
            return;
        }
    };
    let command = Command {
        reporter,
        start,
        output: Unsent::new(task.output.log_quota),
        interval: Duration::from_millis(task.output.interval).max(INTERVAL_MIN),
        skips_empty: task.output.skip_empty,
        report: None,
    };
    let time_out = wanted.time_out;
    let (news, output) = command
        .finish(target, time_out, stop, task.output.send_start)
        .await;
    tracing::info!(id, %instance, "a command ended");
    Reporter::new(relay, task).post(news, output).await;
}

/// Starts it. The script stays as long as it is held.
async fn open(
    relay: &Relay,
    task: &Task,
    wanted: &Wanted,
) -> Result<(Target, Option<Script>), NotOpened> {
    let shells = relay.config().shells.clone();
    let words = |error: std::io::Error| NotOpened(format!("cannot write the script: {error}"));
    let (spec, script) = match &shells {
        // The simulation's shell runs lines of its own kind.
        Shells::Scripted => {
            let line = String::from_utf8_lossy(&wanted.script).into_owned();
            let spec = ShellSpec {
                command: Some(line),
                ..ShellSpec::default()
            };
            (spec, None)
        }
        Shells::Real {
            keep_background, ..
        } => {
            let user = wanted.username.as_deref();
            let script = Script::write(&task.task, &wanted.script, user).map_err(words)?;
            let spec = ShellSpec {
                username: wanted.username.clone(),
                script: Some(script.path().to_owned()),
                directory: wanted.directory.as_ref().map(Into::into),
                keep_background: *keep_background,
                ..ShellSpec::default()
            };
            (spec, Some(script))
        }
    };
    let around = relay.around().clone();
    let wanted = target::Wanted::Shell(spec);
    let mut target = wanted.open(Size::default(), shells, around).await?;
    // Nobody types anything.
    target.input.finish().await;
    Ok((target, script))
}

/// Why a command is made to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    Stopped,
    TimedOut,
}

/// Whether it was taken, and what it carried.
type Report = Pin<Box<dyn Future<Output = (bool, Piece)> + Send>>;

struct Command {
    reporter: Reporter,
    /// Unix milliseconds.
    start: u64,
    output: Unsent,
    interval: Duration,
    skips_empty: bool,
    /// The running report that is under way.
    report: Option<Report>,
}

impl Command {
    /// Goes with the command to its end; what is to be told last.
    async fn finish(
        mut self,
        target: Target,
        time_out: Duration,
        stop: CancellationToken,
        says_start: bool,
    ) -> (TaskNews, Piece) {
        let (mut source, mut control) = (target.output, target.control);
        let mut time_out = pin!(link::sleep(time_out));
        let mut due = pin!(link::sleep(self.interval));
        let mut drained = pin!(pending_or(None));
        let mut silent_since = link::now();
        let (mut cut, mut end, mut is_open) = (None, None, true);
        if says_start {
            self.start_report();
        }
        while end.is_none() || is_open {
            tokio::select! {
                biased;
                () = stop.cancelled(), if cut.is_none() && end.is_none() => {
                    cut = Some(Cut::Stopped);
                    control.stop();
                }
                () = &mut time_out, if cut.is_none() && end.is_none() => {
                    cut = Some(Cut::TimedOut);
                    control.stop();
                }
                ended = control.ended(), if end.is_none() => {
                    end = Some(ended);
                    // Something that was left running may hold its output open.
                    drained.set(pending_or(Some(link::DRAIN)));
                }
                (was_taken, body) = reported(&mut self.report) => self.reported(was_taken, &body),
                () = &mut due => {
                    due.set(link::sleep(self.interval));
                    let silence = link::now().duration_since(silent_since);
                    let is_due = !self.output.is_empty()
                        || !self.skips_empty
                        || silence >= SAY_SOMETHING;
                    if self.report.is_none() && is_due {
                        silent_since = link::now();
                        self.start_report();
                    }
                }
                read = source.read(CHUNK), if is_open => match read {
                    Ok(bytes) if !bytes.is_empty() => self.output.push(&bytes),
                    _ => is_open = false,
                },
                () = &mut drained => is_open = false,
            }
        }
        if let Some(report) = self.report.take() {
            let (was_taken, body) = report.await;
            self.reported(was_taken, &body);
        }
        let news = self.news(cut, end);
        (news, self.output.take_all())
    }

    fn start_report(&mut self) {
        let (reporter, body) = (self.reporter.clone(), self.output.take(RUNNING_BYTES));
        let news = TaskNews::Running { start: self.start };
        self.report = Some(Box::pin(async move {
            (reporter.post(news, body.clone()).await, body)
        }));
    }

    fn reported(&mut self, was_taken: bool, body: &Piece) {
        self.report = None;
        if !was_taken {
            self.output.put_back(&body.bytes);
        }
    }

    fn news(&self, cut: Option<Cut>, end: Option<ShellEnd>) -> TaskNews {
        let exit_code = match end {
            Some(ShellEnd::Exited(code)) => code,
            Some(ShellEnd::Failed(why)) => {
                return failed(self.start, &self.reporter, self.output.dropped(), why);
            }
            None => 0,
        };
        let end = TaskEnd {
            start: self.start,
            end: self.reporter.now_ms(),
            exit_code,
            dropped: self.output.dropped(),
        };
        match cut {
            None => TaskNews::Finish(end),
            Some(Cut::TimedOut) => TaskNews::Timeout(end),
            Some(Cut::Stopped) => TaskNews::Stopped {
                end,
                was_killed: true,
            },
        }
    }
}

fn failed(start: u64, reporter: &Reporter, dropped: u64, why: String) -> TaskNews {
    TaskNews::Error {
        end: TaskEnd {
            start,
            end: reporter.now_ms(),
            exit_code: -1,
            dropped,
        },
        code: "ExecuteFailed".to_owned(),
        description: why,
    }
}

async fn pending_or(wait: Option<Duration>) {
    match wait {
        Some(wait) => link::sleep(wait).await,
        None => pending().await,
    }
}

/// The report that is under way; for ever when none is. Dropped before it has answered, it goes on
/// when it is asked again.
async fn reported(report: &mut Option<Report>) -> (bool, Piece) {
    match report {
        Some(report) => report.await,
        None => pending().await,
    }
}
