//! What may come when, and what an agent owes (wire-protocol 9, 10.3 to 10.5).

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use axt_net::link;
use serde_json::{Map, Value};

use super::channel::Sequences;

/// How much a heart-beat may come before or after its time.
const SLACK: Duration = Duration::from_secs(2);

/// How many events there may be in ten minutes.
const EVENTS: u32 = 100;

/// How far a channel has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Kicked,
    Listed,
    /// Refused, or open.
    Dialled,
    Posted,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Order {
    beats_sent: u64,
    beats_acknowledged: u64,
    wants_long: bool,
    /// When the last beat came, and the interval that it was told.
    last_beat: Option<(link::Instant, Option<u64>)>,
    is_started: bool,
    has_told_start: bool,
    has_ended: bool,
    channels: BTreeMap<String, Stage>,
    /// Events on failed channels that are to come: of the session and of the task.
    failures: BTreeMap<(&'static str, String), u32>,
    /// Notify channels that were lost, and not reported yet.
    losses: u32,
    events: Option<(link::Instant, u32)>,
    sequences: Sequences,
    /// Channels that were kicked for over a notify channel that was lost before they were dialled: the
    /// service may kick for them once more.
    unsure: BTreeSet<String>,
}

/// What is wrong with a call's moment.
type Wrong = Result<(), String>;

impl Order {
    /// What the agent has still to tell.
    pub(super) fn owes(&self) -> Vec<String> {
        let mut owed: Vec<String> = self
            .failures
            .iter()
            .filter(|(_, count)| **count > 0)
            .map(|((kind, channel), _)| format!("{kind} for {channel}"))
            .collect();
        if self.losses > 0 {
            owed.push(format!("{} reports on lost channels", self.losses));
        }
        owed
    }

    /// Nothing comes from an agent that is deregistered, but one event of nobody.
    pub(super) fn anything(&self) -> Wrong {
        expect(!self.has_ended, "a signed call after deregistration")
    }

    pub(super) fn heart_beat(&mut self, query: &str) -> Wrong {
        let told: BTreeMap<_, _> = form_urlencoded::parse(query.as_bytes()).collect();
        let number = |name: &str| told.get(name).and_then(|value| value.parse::<u64>().ok());
        let (sent, acknowledged) = (self.beats_sent, self.beats_acknowledged);
        self.beats_sent += 1;
        let now = link::now();
        let last = self.last_beat.replace((now, None));
        if number("seq_no") != Some(sent) || number("index") != Some(acknowledged) {
            return Err(format!(
                "after {sent} beats, {acknowledged} of them good: {query}"
            ));
        }
        let is_long = told.contains_key("lang");
        let tells_machine = told.contains_key("virt_type");
        let fits = is_long == self.wants_long
            && tells_machine == (self.wants_long || acknowledged == 0)
            && told.contains_key("cold_start") == (acknowledged == 0);
        expect(fits, "a form of the beat that was not asked for")?;
        let Some((at, interval)) = last.filter(|_| self.is_started) else {
            return Ok(());
        };
        let (least, most) = match interval {
            Some(ms) => (Duration::from_millis(ms), Duration::from_millis(ms)),
            None => (Duration::from_secs(55), Duration::from_secs(65)),
        };
        let waited = now.duration_since(at);
        expect(
            waited + SLACK >= least && waited <= most + SLACK,
            &format!("a beat {waited:?} after the last one"),
        )
    }

    /// What a beat was answered with.
    pub(super) fn beat_answered(&mut self, answer: Option<&Value>) {
        let Some(answer) = answer else { return };
        if answer.get("errMsg").is_some() {
            self.wants_long = true;
            return;
        }
        self.beats_acknowledged += 1;
        let told = answer.get("nextInterval").and_then(Value::as_u64);
        if let Some((_, interval)) = &mut self.last_beat {
            *interval = told.filter(|told| (55_000..=65_000).contains(told));
        }
    }

    pub(super) fn task_list(&mut self, query: &str) -> Wrong {
        if query.starts_with("reason=kickoff") {
            return expect(self.is_started, "a kick is obeyed before the start is over");
        }
        expect(
            self.beats_sent > 0,
            "the first task list before a heart-beat",
        )?;
        expect(!self.is_started, "a start in the middle")
    }

    /// A list of the start was answered.
    pub(super) fn started(&mut self) {
        self.is_started = true;
    }

    pub(super) fn kicked(&mut self, channel: &str) {
        if self.unsure.remove(channel) {
            return;
        }
        // A second kick for a channel that is served gets nothing (9.5).
        match self.channels.get(channel) {
            Some(Stage::Posted) | None => {
                self.channels.insert(channel.to_owned(), Stage::Kicked);
            }
            Some(_) => {
                self.owe_failure(channel);
            }
        }
    }

    pub(super) fn session_list(&mut self, channel: &str) -> Wrong {
        match self.channels.get_mut(channel) {
            Some(stage @ (Stage::Kicked | Stage::Listed)) => {
                *stage = Stage::Listed;
                Ok(())
            }
            other => Err(format!("it asks for {channel}, which is {other:?}")),
        }
    }

    pub(super) fn dial(&mut self, channel: &str) -> Wrong {
        match self.channels.get_mut(channel) {
            Some(stage @ (Stage::Listed | Stage::Dialled)) => {
                *stage = Stage::Dialled;
                Ok(())
            }
            other => Err(format!("it dials {channel}, which is {other:?}")),
        }
    }

    pub(super) fn status(&mut self, query: &str) -> Wrong {
        let told: BTreeMap<_, _> = form_urlencoded::parse(query.as_bytes()).collect();
        let get = |name: &str| told.get(name).map(|it| it.to_string()).unwrap_or_default();
        let (channel, status, code) = (get("channelId"), get("status"), get("errorcode"));
        let is_success = ["Ok", "Notified", "Timeout"].contains(&code.as_str());
        let is_failure = [
            "Init_channel_failed",
            "Open_channel_failed",
            "Session_id_duplicate",
            "Open_pty_failed",
            "Process_data_error",
            "Open_port_failed",
            "Read_port_failed",
            "IO_port_failed",
            "Unknown_error",
        ]
        .contains(&code.as_str());
        let fits = (status == "Success" && is_success) || (status == "Failed" && is_failure);
        expect(fits, &format!("{status} with {code}"))?;
        if code == "Session_id_duplicate" {
            return Ok(());
        }
        if is_failure {
            self.owe_failure(&channel);
        }
        match self.channels.insert(channel.clone(), Stage::Posted) {
            Some(Stage::Dialled) => Ok(()),
            other => Err(format!("a status of {channel}, which is {other:?}")),
        }
    }

    fn owe_failure(&mut self, channel: &str) {
        for kind in ["agent.session.failed", "agent.task.failed"] {
            *self.failures.entry((kind, channel.to_owned())).or_default() += 1;
        }
    }

    pub(super) fn event(&mut self, event: &Map<String, Value>, is_signed: bool) -> Wrong {
        let get = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
        let inner = |name: &str| serde_json::from_str::<BTreeMap<String, String>>(get(name));
        let common = inner("common").map_err(|error| format!("common: {error}"))?;
        let wanted = [
            "arch",
            "distribution",
            "instanceId",
            "kernelVersion",
            "osVersion",
            "virtualType",
        ];
        expect(common.keys().eq(wanted), "the members of `common`")?;
        let keywords = inner("keywords").map_err(|error| format!("keywords: {error}"))?;
        let now = link::now();
        let window = self.events.get_or_insert((now, 0));
        if now.duration_since(window.0) > Duration::from_secs(600) {
            *window = (now, 0);
        }
        window.1 += 1;
        expect(window.1 <= EVENTS, "more than 100 events in ten minutes")?;
        let kind = [get("eventId"), get("category"), get("eventLevel")];
        match kind {
            ["agent.startup", "STARTUP", "INFO"] => {
                expect(self.is_started, "the start is told before its task list")?;
                let is_first = !std::mem::replace(&mut self.has_told_start, true);
                expect(is_first, "two starts")?;
                expect(keywords.keys().eq(["osName", "type"]), "the keywords")
            }
            ["agent.session.failed", "SESSION", "ERROR"]
            | ["agent.task.failed", "TASK", "ERROR"] => {
                let channel = keywords.get("taskid").cloned().unwrap_or_default();
                let kind = match kind {
                    ["agent.task.failed", ..] => "agent.task.failed",
                    _ => "agent.session.failed",
                };
                match self.failures.get_mut(&(kind, channel)) {
                    Some(count) if *count > 0 => {
                        *count -= 1;
                        expect(keywords.len() == 5, "the keywords")
                    }
                    _ => Err(format!("{kind} of nothing: {keywords:?}")),
                }
            }
            ["agent.hybrid.unregister", "HYBRID", "INFO"] => expect(
                self.has_ended && !is_signed,
                "unregistered too soon, or signed",
            ),
            other => Err(format!("the event {other:?}")),
        }
    }

    pub(super) fn notify_lost(&mut self) {
        if !self.has_ended {
            self.losses += 1;
        }
        let unsure = self.channels.iter();
        let unsure = unsure.filter(|(_, stage)| matches!(stage, Stage::Kicked | Stage::Listed));
        self.unsure = unsure.map(|(channel, _)| channel.clone()).collect();
    }

    pub(super) fn client_report(&mut self, report: &Map<String, Value>) -> Wrong {
        let get = |name: &str| report.get(name).and_then(Value::as_str).unwrap_or_default();
        let fits = get("type") == "switch_channel_in_wsk" && get("info").starts_with("start:");
        expect(fits, &format!("the report {report:?}"))?;
        expect(self.losses > 0, "a report on no loss")?;
        self.losses -= 1;
        Ok(())
    }

    pub(super) fn next_sequence(&self, channel: &str) -> i64 {
        self.sequences.get(channel).copied().unwrap_or_default()
    }

    pub(super) fn note_sequence(&mut self, channel: &str, next: i64) {
        self.sequences.insert(channel.to_owned(), next);
    }

    pub(super) fn deregistered(&mut self) {
        self.has_ended = true;
    }
}

fn expect(is_so: bool, what: &str) -> Wrong {
    match is_so {
        true => Ok(()),
        false => Err(what.to_owned()),
    }
}
