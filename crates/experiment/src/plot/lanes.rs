//! The lanes below the rates: what was held back, faults, connections, events, steps.

use std::time::Duration;

use super::{
    LEFT, LENGTH,
    axis::Axis,
    canvas::{Canvas, Colour},
};
use crate::{format::Span, report::Report, stage::samples::SAMPLE_MS, timeline::What};

const LANE: f64 = 18.0;
/// More connections than this are drawn thinner, without names.
const MANY: usize = 12;

/// When the bandwidth held payload back.
pub(super) fn held(canvas: &mut Canvas, axis: &Axis, report: &Report, top: f64) -> f64 {
    if report.drawn.iter().all(|sample| sample.held_ms == 0) {
        return top;
    }
    let mut before = 0;
    for sample in &report.drawn {
        if sample.held_ms > before {
            let to = axis.x(sample.at_ms + SAMPLE_MS);
            let from = axis.x(sample.at_ms.saturating_sub(SAMPLE_MS));
            canvas.bar((from, top), (to - from, LANE - 6.0), Colour::Held);
        }
        before = sample.held_ms;
    }
    let all = Span(Duration::from_millis(before));
    canvas.label(top + 6.0, &format!("held {all}"));
    top + LANE
}

/// From when to when there was a fault.
pub(super) fn faults(canvas: &mut Canvas, axis: &Axis, report: &Report, top: f64) -> f64 {
    let mut y = top;
    for entry in report.timeline.entries() {
        let What::Fault { name, text } = &entry.what else {
            continue;
        };
        let removed = report.timeline.entries().iter().find(|other| {
            other.at_ms >= entry.at_ms
                && matches!(&other.what, What::FaultRemoved { name: other } if other == name)
        });
        let end = removed.map_or(report.over_ms, |entry| entry.at_ms);
        let (from, to) = (axis.x(entry.at_ms), axis.x(end));
        canvas.bar((from, y), ((to - from).max(3.0), LANE - 4.0), Colour::Fault);
        canvas.label(y + 6.0, "fault");
        canvas.text((from + 4.0, y + 11.0), text, Colour::Text);
        y += LANE;
    }
    y
}

/// How many letters a word has, for the room that it takes.
fn letters(word: &str) -> f64 {
    f64::from(u16::try_from(word.chars().count()).unwrap_or(u16::MAX))
}

struct Connection<'a> {
    name: &'a str,
    opened: u64,
    live: Option<u64>,
    end: Option<(u64, &'a str, bool)>,
}

/// Each connection: waiting for its agent, live, and why it ended.
pub(super) fn connections(canvas: &mut Canvas, axis: &Axis, report: &Report, top: f64) -> f64 {
    let mut all: Vec<Connection<'_>> = Vec::new();
    for entry in report.timeline.entries() {
        let What::Event {
            event,
            connection: Some(name),
            text,
            ..
        } = &entry.what
        else {
            continue;
        };
        let reason = text
            .split_once("reason=")
            .map_or("", |(_, rest)| rest.split(' ').next().unwrap_or(rest));
        let index = all.iter().position(|one| one.name == name);
        if event == "connection.opened" || index.is_none() {
            all.push(Connection {
                name,
                opened: entry.at_ms,
                live: None,
                end: None,
            });
        }
        let Some(one) = all.iter_mut().find(|one| one.name == name) else {
            continue;
        };
        match event.as_str() {
            "connection.live" => one.live = Some(entry.at_ms),
            "connection.closed" => one.end = Some((entry.at_ms, reason, false)),
            "connection.failed" => one.end = Some((entry.at_ms, reason, true)),
            _ => {}
        }
    }
    let is_many = all.len() > MANY;
    let lane = if is_many { 4.0 } else { LANE };
    let mut y = top;
    for (index, one) in all.iter().enumerate() {
        let end = one.end.map_or(report.over_ms, |(at, ..)| at);
        let (opened, over) = (axis.x(one.opened), axis.x(end));
        let live = one.live.map_or(over, |at| axis.x(at));
        let height = lane - if is_many { 1.0 } else { 4.0 };
        canvas.bar(
            (opened, y),
            ((live - opened).max(1.0), height),
            Colour::Waiting,
        );
        if one.live.is_some() {
            canvas.bar((live, y), ((over - live).max(2.0), height), Colour::Live);
        }
        let is_new = |word: &str| {
            let earlier = all.iter().take(index);
            !is_many
                || earlier
                    .filter_map(|other| other.end)
                    .all(|(_, other, _)| other != word)
        };
        if let Some((_, word, is_failed)) = one.end
            && is_new(word)
        {
            let colour = if is_failed {
                Colour::Failed
            } else {
                Colour::Text
            };
            // Where there is no room behind it, the word stands in front.
            if over > LEFT + LENGTH - 110.0 {
                canvas.text(
                    ((over - 8.0 * letters(word)).max(LEFT), y + 11.0),
                    word,
                    colour,
                );
            } else {
                canvas.text((over + 4.0, y + 11.0), word, colour);
            }
        }
        if !is_many {
            canvas.label(y + 6.0, one.name);
        } else if index == 0 {
            canvas.label(y + 6.0, &format!("{} connections", all.len()));
        }
        y += lane;
    }
    y + if is_many { 14.0 } else { 2.0 }
}

/// Everything else that the relay says: a tick, and a word where there is room for it.
pub(super) fn events(canvas: &mut Canvas, axis: &Axis, report: &Report, top: f64) -> f64 {
    let rows = 3;
    let mut free = [f64::MIN; 3];
    for (at_ms, events) in at_once(report) {
        let x = axis.x(at_ms);
        canvas.line(
            (x, top),
            (x, top + LANE * f64::from(rows) - 6.0),
            Colour::Event,
        );
        for (event, count) in events {
            let words = match count {
                1 => event.to_owned(),
                count => format!("{event} ×{count}"),
            };
            let width = 7.0 * letters(&words) + 8.0;
            // At the right edge it stands before its line.
            let is_last = x + width > LEFT + LENGTH;
            let from = if is_last { x - width } else { x };
            let row = free.iter().position(|free| *free < from);
            if let Some(slot) = row.and_then(|row| free.get_mut(row)) {
                *slot = from + width;
                let y = top + 10.0 + LANE * f64::from(u8::try_from(row.unwrap_or(0)).unwrap_or(0));
                match is_last {
                    true => canvas.before((x - 3.0, y), &words, Colour::Event),
                    false => canvas.text((x + 3.0, y), &words, Colour::Event),
                }
            }
        }
    }
    canvas.label(top + 8.0, "events");
    top + LANE * f64::from(rows) + 4.0
}

/// The events of each instant that have a lane of their own nowhere, and how many there are of each.
fn at_once(report: &Report) -> Vec<(u64, Vec<(&str, usize)>)> {
    let mut all: Vec<(u64, Vec<(&str, usize)>)> = Vec::new();
    for entry in report.timeline.entries() {
        let What::Event { event, .. } = &entry.what else {
            continue;
        };
        if event.starts_with("connection.") && event != "connection.refused" {
            continue;
        }
        match all.last_mut() {
            Some((at_ms, events)) if *at_ms == entry.at_ms => {
                match events.iter_mut().find(|(known, _)| known == event) {
                    Some((_, count)) => *count = count.saturating_add(1),
                    None => events.push((event, 1)),
                }
            }
            _ => all.push((entry.at_ms, vec![(event, 1)])),
        }
    }
    all
}

/// The steps by their numbers.
pub(super) fn steps(canvas: &mut Canvas, axis: &Axis, report: &Report, top: f64) -> f64 {
    let mut free = f64::MIN;
    for step in &report.steps {
        let x = axis.x(step.began_ms);
        let colour = if step.is_met {
            Colour::Text
        } else {
            Colour::Failed
        };
        let at = x.max(free);
        canvas.middle((at + 4.0, top + 10.0), &step.number.to_string(), colour);
        free = at + 16.0;
    }
    canvas.label(top + 6.0, "steps");
    top + LANE
}

/// What the steps are called.
pub(super) fn legend(canvas: &mut Canvas, report: &Report, top: f64) -> f64 {
    let mut y = top;
    for step in &report.steps {
        let at = Span(Duration::from_millis(step.began_ms));
        let colour = if step.is_met {
            Colour::Text
        } else {
            Colour::Failed
        };
        canvas.text(
            (LEFT, y),
            &format!("{:>2}.  +{at}  {}", step.number, step.name),
            colour,
        );
        y += 15.0;
    }
    if let Some(failed) = &report.failed {
        canvas.text((LEFT, y + 4.0), &failed.to_string(), Colour::Failed);
        y += 20.0;
    }
    y + 6.0
}
