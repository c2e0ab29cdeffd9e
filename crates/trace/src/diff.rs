//! The differences of two runs of one scenario, with two agents for instance.
//!
//! Ids, times, sequences and the sizes of chunks differ from run to run and say nothing, so they are
//! left out; what is compared is what was sent and in which order, for each connection, hop and
//! direction alone: how two directions interleave is chance. Data that follows data is one thing,
//! however it was cut.

mod align;

use std::collections::BTreeMap;

use bytes::Bytes;

use self::align::{Step, align};
use crate::{
    fields,
    read::Trace,
    record::{Call, Dir, Hop, Record, What},
};

/// How closely two runs are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Closeness {
    /// How many bytes of data each run of it has.
    pub sizes: bool,
    /// What the data is, where both have payload.
    pub data: bool,
    /// Calls that come by the clock too: heart-beats and the like.
    pub background: bool,
}

/// A line of the comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// What follows is about this connection, hop and direction.
    Lane(String),
    /// In both.
    Same(String),
    /// In the first alone.
    First(String),
    /// In the second alone.
    Second(String),
}

/// Compares two runs; connections are matched in the order in which they began.
#[must_use]
pub fn diff(first: &[Trace], second: &[Trace], closeness: Closeness) -> Vec<Line> {
    let (first, second) = (lanes(first, closeness), lanes(second, closeness));
    let mut names: Vec<&String> = first.keys().chain(second.keys()).collect();
    names.sort();
    names.dedup();
    let none = Vec::new();
    let mut lines = Vec::new();
    for name in names {
        let (a, b) = (
            first.get(name).unwrap_or(&none),
            second.get(name).unwrap_or(&none),
        );
        lines.extend(compare(name, a, b));
    }
    lines
}

/// Compares one lane of two runs.
#[must_use]
pub fn compare(name: &str, first: &[String], second: &[String]) -> Vec<Line> {
    let mut lines = vec![Line::Lane(name.to_owned())];
    let steps = align(first, second).into_iter();
    lines.extend(steps.map(|step| match step {
        Step::Both(text) => Line::Same(text.clone()),
        Step::First(text) => Line::First(text.clone()),
        Step::Second(text) => Line::Second(text.clone()),
    }));
    lines
}

/// Whether there is a difference among these lines.
#[must_use]
pub fn differs(lines: &[Line]) -> bool {
    let mut lines = lines.iter();
    lines.any(|line| matches!(line, Line::First(_) | Line::Second(_)))
}

/// What passed one way on one hop of one connection, in words that two runs can share.
#[must_use]
pub fn lane<'a>(records: impl Iterator<Item = &'a Record>, closeness: Closeness) -> Vec<String> {
    let mut lane = Lane::default();
    for record in records {
        lane.put(record, closeness);
    }
    lane.end(closeness);
    lane.words
}

fn lanes(traces: &[Trace], closeness: Closeness) -> BTreeMap<String, Vec<String>> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut lanes = BTreeMap::new();
    for trace in traces {
        let is_connection = trace.header.ids.channel.is_some();
        let kind = if is_connection {
            "connection"
        } else {
            "control"
        };
        // All files of the control plane are one: how they are cut depends on who was traced.
        let seen_by = &trace.header.seen_by;
        let number = counts.entry(format!("{seen_by} {kind}")).or_default();
        *number += 1;
        let name = match is_connection {
            true => format!("{seen_by}: connection {number}"),
            false => format!("{seen_by}: control plane"),
        };
        for (hop, between) in [
            (Hop::Client, ("client", "relay")),
            (Hop::Agent, ("relay", "agent")),
        ] {
            for dir in [Dir::Up, Dir::Down] {
                let (from, to) = match dir {
                    Dir::Up => between,
                    Dir::Down => (between.1, between.0),
                };
                let records = trace
                    .records
                    .iter()
                    .filter(|record| record.hop == hop && record.dir == dir);
                let mut alone: BTreeMap<Option<&str>, Vec<&Record>> = BTreeMap::new();
                for record in records {
                    alone.entry(stream(record)).or_default().push(record);
                }
                for (path, records) in alone {
                    let words = lane(records.into_iter(), closeness);
                    if words.is_empty() {
                        continue;
                    }
                    let of = path.map_or_else(String::new, |path| format!(", {path}"));
                    lanes
                        .entry(format!("{name}, {from} > {to}{of}"))
                        .or_insert_with(Vec::new)
                        .extend(words);
                }
            }
        }
    }
    lanes
}

/// What an agent calls from tasks of its own, so that the order among them is chance: each path is compared alone.
fn stream(record: &Record) -> Option<&str> {
    match &record.what {
        What::Call(call) if record.hop == Hop::Agent => Some(&call.path),
        _ => None,
    }
}

#[derive(Default)]
struct Lane {
    words: Vec<String>,
    /// Data that is not told yet: its type, bytes, and what it is.
    data: Option<(String, u64, Option<Vec<u8>>)>,
    sequence: Option<i64>,
}

impl Lane {
    fn put(&mut self, record: &Record, closeness: Closeness) {
        let word = match &record.what {
            What::Open => {
                // A channel that is dialled again may count on, or not: both are documented.
                self.sequence = None;
                "open".to_owned()
            }
            What::Close { code, reason } => format!("close {code} {reason}").trim_end().to_owned(),
            What::Lost { .. } => "lost".to_owned(),
            What::Notify { text } => notify(text),
            What::Call(call) => match call_word(call, closeness) {
                Some(word) => word,
                None => return,
            },
            What::Frame(frame) => {
                let odd = self.odd(frame);
                if frame.is_data() && odd.is_empty() {
                    let bytes = fields::payload(frame);
                    self.add(&frame.r#type, frame.size, bytes, closeness);
                    return;
                }
                let mut word = frame.r#type.clone();
                let said = crate::show::says(&What::Frame(Box::new(fields::Fields {
                    seq: None,
                    payload: None,
                    session_field: None,
                    instance_field: None,
                    ..(**frame).clone()
                })));
                if !said.is_empty() {
                    word = format!("{word} {said}");
                }
                if !odd.is_empty() {
                    word = format!("{word} [{odd}]");
                }
                // One that keeps an agent from its timer comes by the clock.
                if frame.status.as_deref() == Some("keep_alive") && !closeness.background {
                    return;
                }
                word
            }
        };
        self.end(closeness);
        self.words.push(word);
    }

    /// What is wrong with a header, in words.
    fn odd(&mut self, frame: &fields::Fields) -> String {
        let mut odd = Vec::new();
        if let (Some(seq), Some(before)) = (frame.seq, self.sequence)
            && seq != before.wrapping_add(1)
        {
            odd.push(format!(
                "the sequence goes on by {}",
                seq.wrapping_sub(before)
            ));
        }
        self.sequence = frame.seq.or(self.sequence);
        if frame.is_data() {
            if let Some(length) = frame.length.filter(|it| u64::from(*it) != frame.size) {
                odd.push(format!("the length is {length}, not {}", frame.size));
            }
            if let Some(schema) = &frame.schema {
                odd.push(format!("schema {schema:?}"));
            }
            if frame.date_ms == Some(0) {
                odd.push("createdDate 0".to_owned());
            }
        }
        odd.join(", ")
    }

    fn add(&mut self, kind: &str, size: u64, bytes: Option<Bytes>, closeness: Closeness) {
        if self
            .data
            .as_ref()
            .is_some_and(|(before, ..)| before != kind)
        {
            self.end(closeness);
        }
        let (_, total, all) = self
            .data
            .get_or_insert_with(|| (kind.to_owned(), 0, Some(Vec::new())));
        *total = total.saturating_add(size);
        match (all.as_mut(), bytes) {
            (Some(all), Some(bytes)) => all.extend_from_slice(&bytes),
            (_, None) if size > 0 => *all = None,
            _ => {}
        }
    }

    fn end(&mut self, closeness: Closeness) {
        let Some((kind, size, bytes)) = self.data.take() else {
            return;
        };
        let mut word = kind;
        if closeness.sizes {
            word = format!("{word} {size} bytes");
        }
        if let Some(bytes) = bytes.filter(|_| closeness.data) {
            word = format!("{word} {:?}", String::from_utf8_lossy(&bytes));
        }
        self.words.push(word);
    }
}

/// A command without its channel.
fn notify(text: &str) -> String {
    let words = text.split(' ');
    let kept: Vec<_> = words
        .map(
            |word| match word.contains(|letter: char| letter.is_ascii_digit()) {
                true => "…",
                false => word,
            },
        )
        .collect();
    format!("notify {}", kept.join(" "))
}

/// Ends of paths of calls that come by the clock, or tell how a program does.
const BACKGROUND: [&str; 12] = [
    "heart-beat",
    "clock",
    "metrics",
    "client_report",
    "update_check",
    "plugin/list",
    "report_status",
    "list_instance_state_configurations",
    "get_template",
    "put_instance_state_report",
    "put_inventory",
    "gshell",
];

fn call_word(call: &Call, closeness: Closeness) -> Option<String> {
    let is_background = BACKGROUND.iter().any(|end| call.path.ends_with(end));
    if is_background && !closeness.background {
        return None;
    }
    let mut what = crate::show::says(&What::Call(Box::new(Call {
        query: serde_json::Map::new(),
        ..call.clone()
    })));
    for name in ["status", "errorcode"] {
        if let Some(value) = call.query.get(name).and_then(|value| value.as_str()) {
            what = format!("{what} {name}={value}");
        }
    }
    Some(what)
}

#[cfg(test)]
mod tests;
