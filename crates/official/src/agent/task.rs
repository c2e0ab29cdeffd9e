//! Its run-command tasks: checked, run, and reported on (wire-protocol 10.7). The scripts are a few
//! words that it knows, run on link time.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use axt_net::link;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{Agent, calls::TEXT, lock};

/// How often a report is tried, and how long it waits between.
const TRIES: u32 = 4;
const TRY_AGAIN: Duration = Duration::from_secs(2);
/// The least pace of running reports, in milliseconds.
const LEAST_INTERVAL_MS: u64 = 1_000;
/// The least output that is kept.
const LEAST_QUOTA: usize = 12_000;
/// The most output that a running report has.
const RUNNING: usize = 6_000;
/// How often a running report comes without output.
const QUIET: Duration = Duration::from_secs(60);
/// Seconds of a time-out that is no number.
const TIMEOUT_S: u64 = 3_600;

/// The tasks that run, and how each is stopped.
pub(super) type Tasks = HashMap<String, CancellationToken>;

/// Takes up what a task list has.
pub(super) fn take(agent: &Arc<Agent>, list: &Value) {
    let elements = |name: &str| list.get(name).and_then(Value::as_array).cloned();
    for element in elements("stop").unwrap_or_default() {
        let Some(task) = Task::read(agent, &element) else {
            continue;
        };
        match lock(&agent.running).get(&task.id) {
            Some(stop) => stop.cancel(),
            None => agent
                .complaints
                .file(format!("told to stop {}, which does not run", task.id)),
        }
    }
    for element in elements("run").unwrap_or_default() {
        let Some(task) = Task::read(agent, &element) else {
            continue;
        };
        let stop = CancellationToken::new();
        let mut running = lock(&agent.running);
        if running.contains_key(&task.id) {
            // It is fetched with each list until it is reported on, and run once.
            continue;
        }
        running.insert(task.id.clone(), stop.clone());
        drop(running);
        let it = Arc::clone(agent);
        agent.spawn(async move {
            let id = task.id.clone();
            Run::new(&it, task).run(&stop).await;
            lock(&it.running).remove(&id);
        });
    }
}

/// A task as the Go program reads it.
#[derive(Debug)]
struct Task {
    id: String,
    version: u64,
    kind: String,
    content: String,
    timeout: Duration,
    folder: String,
    username: String,
    interval: Duration,
    quota: usize,
    skips_empty: bool,
    sends_start: bool,
}

impl Task {
    fn read(agent: &Agent, element: &Value) -> Option<Self> {
        const MEMBERS: [&str; 3] = ["task", "output", "repeat"];
        let others = element.as_object().into_iter().flatten();
        for (name, _) in others.filter(|(name, _)| !MEMBERS.contains(&name.as_str())) {
            let complaint = format!("the official service has no member `{name}`");
            agent.complaints.file(complaint);
        }
        let at = |path: &str| element.pointer(path);
        let text = |path: &str| {
            at(path)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let number = |path: &str| at(path).and_then(Value::as_u64);
        let flag = |path: &str| at(path).and_then(Value::as_bool).unwrap_or_default();
        let id = text("/task/taskID");
        let Some(version) = number("/task/invokeVersion").filter(|_| !id.is_empty()) else {
            agent
                .complaints
                .file(format!("a task without a name: {element}"));
            return None;
        };
        if at("/task/timeOut").is_some_and(|it| !it.is_string()) {
            agent
                .complaints
                .file("a time-out that is no text".to_owned());
        }
        let interval = number("/output/interval").unwrap_or_default();
        let quota = number("/output/logQuota").unwrap_or_default();
        Some(Self {
            version,
            kind: text("/task/type"),
            content: text("/task/commandContent"),
            timeout: Duration::from_secs(text("/task/timeOut").parse().unwrap_or(TIMEOUT_S)),
            folder: text("/task/workingDirectory"),
            username: text("/task/username"),
            interval: Duration::from_millis(interval.max(LEAST_INTERVAL_MS)),
            quota: usize::try_from(quota)
                .unwrap_or(LEAST_QUOTA)
                .max(LEAST_QUOTA),
            skips_empty: flag("/output/skipEmpty"),
            sends_start: flag("/output/sendStart"),
            id,
        })
    }

    /// The script, or the parameter that is wrong and its value.
    fn check(&self, agent: &Agent) -> Result<String, (&'static str, String)> {
        if self.kind != "RunShellScript" {
            return Err(("TypeInvalid", self.kind.clone()));
        }
        let content = STANDARD.decode(&self.content).ok();
        let script = content.and_then(|content| String::from_utf8(content).ok());
        let script = script.ok_or(("CommandContentInvalid", self.content.clone()))?;
        if !["", "/", "/tmp", "/root"].contains(&self.folder.as_str()) {
            return Err(("workingDirectory", self.folder.clone()));
        }
        // It runs as root what names nobody, and takes nobody by name whose id is 0.
        let is_taken = self.username.is_empty() || agent.setup.users.contains(&self.username);
        match is_taken {
            true => Ok(script),
            false => Err((
                "UsernameOrPasswordInvalid",
                format!("UserInvalid_{}: invalid uid and gid", self.username),
            )),
        }
    }
}

/// A task that runs.
struct Run<'a> {
    agent: &'a Arc<Agent>,
    task: Task,
    start: u64,
    /// Output that was not reported yet.
    unsent: VecDeque<u8>,
    dropped: usize,
    reported: link::Instant,
}

/// How a script ended.
enum End {
    Exited(i64),
    TimedOut,
    Stopped,
}

impl<'a> Run<'a> {
    fn new(agent: &'a Arc<Agent>, task: Task) -> Self {
        Self {
            agent,
            task,
            start: agent.now_ms(),
            unsent: VecDeque::new(),
            dropped: 0,
            reported: link::now(),
        }
    }

    async fn run(mut self, stop: &CancellationToken) {
        let script = match self.task.check(self.agent) {
            Ok(script) => script,
            Err((parameter, value)) => {
                let value: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
                let query = format!("&param={parameter}&value={value}");
                return self.report("invalid", &query, Vec::new()).await;
            }
        };
        let start = format!("&start={}", self.start);
        if self.task.sends_start {
            self.report("running", &start, Vec::new()).await;
        }
        let over_at = link::now() + self.task.timeout;
        let end = self.lines(&script, over_at, stop).await;
        let span = format!("{start}&end={}", self.agent.now_ms());
        let output: Vec<u8> = self.unsent.drain(..).collect();
        let dropped = self.dropped;
        match end {
            End::Exited(code) => {
                let query = format!("{span}&exitCode={code}&dropped={dropped}");
                self.report("finish", &query, output).await;
            }
            End::TimedOut => {
                let query = format!("{span}&exitCode=1&dropped={dropped}");
                self.report("timeout", &query, output).await;
            }
            End::Stopped => {
                let query = format!("{span}&exitcode=0&dropped={dropped}&result=killed");
                self.report("stopped", &query, output).await;
            }
        }
    }

    /// Runs `echo TEXT`, `flood N`, `sleep SECONDS` and `exit N`, a line each; reports meanwhile.
    async fn lines(
        &mut self,
        script: &str,
        over_at: link::Instant,
        stop: &CancellationToken,
    ) -> End {
        for line in script.lines() {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "echo" => self.print(format!("{rest}\n").as_bytes()),
                "flood" => self.print(&vec![b'x'; rest.parse().unwrap_or_default()]),
                "exit" => return End::Exited(rest.parse().unwrap_or_default()),
                "sleep" => {
                    let until = link::now() + Duration::from_secs(rest.parse().unwrap_or_default());
                    if let Some(end) = self.wait(until, over_at, stop).await {
                        return end;
                    }
                }
                other => self.print(format!("sh: {other}: not found\n").as_bytes()),
            }
        }
        End::Exited(0)
    }

    async fn wait(
        &mut self,
        until: link::Instant,
        over_at: link::Instant,
        stop: &CancellationToken,
    ) -> Option<End> {
        loop {
            let next = link::now() + self.task.interval;
            tokio::select! {
                biased;
                () = stop.cancelled() => return Some(End::Stopped),
                () = link::sleep_until(over_at) => return Some(End::TimedOut),
                () = link::sleep_until(until) => return None,
                () = link::sleep_until(next) => {}
            }
            let is_quiet = self.unsent.is_empty() && self.task.skips_empty;
            if !is_quiet || link::now().duration_since(self.reported) >= QUIET {
                let count = self.unsent.len().min(RUNNING);
                let output = self.unsent.drain(..count).collect();
                let query = format!("&start={}", self.start);
                self.report("running", &query, output).await;
            }
        }
    }

    /// Keeps the last of the output.
    fn print(&mut self, output: &[u8]) {
        self.unsent.extend(output);
        let over = self.unsent.len().saturating_sub(self.task.quota);
        self.unsent.drain(..over);
        self.dropped += over;
    }

    async fn report(&mut self, what: &str, query: &str, output: Vec<u8>) {
        self.reported = link::now();
        let Task { id, version, .. } = &self.task;
        let path = format!("/luban/api/v1/task/{what}");
        let query = format!("taskId={id}&invokeVersion={version}{query}");
        let body = String::from_utf8_lossy(&output).into_owned();
        for number in 1..=TRIES {
            let answer = self.agent.post(&path, &query, TEXT, body.clone()).await;
            if answer.is_some() {
                return;
            }
            if number < TRIES {
                link::sleep(TRY_AGAIN).await;
            }
        }
        self.agent
            .complaints
            .file(format!("nobody took its report: {path}"));
    }
}
