//! What steps expect, and what is seen instead.

use std::{collections::BTreeMap, fmt::Display, time::Duration};

use axt_control::admin::EventLine;
use axt_net::link::{self, Instant};
use axt_proto::{EventKind, Tick};
use serde_json::Value;

use super::{Run, Trouble};
use crate::{
    format::{
        Span, Step,
        expect::{ExpectBytes, ExpectCount, ExpectDuration, ExpectEvent, ExpectReason, ExpectText},
    },
    stage::{Stage, terminal::End},
};

/// How often a count is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// Judges what was done by the code that it was to be refused with.
pub(super) fn error(code: Option<&str>, done: Result<(), Trouble>) -> Result<(), Trouble> {
    match (code, done) {
        (None, done) => done,
        (Some(code), Ok(())) => Err(Trouble::unmet(format!("the error {code}"), "it succeeded")),
        (Some(code), Err(trouble)) if trouble.code.as_deref() == Some(code) => Ok(()),
        (Some(code), Err(trouble)) => {
            Err(Trouble::unmet(format!("the error {code}"), trouble.seen))
        }
    }
}

impl Run {
    /// Waits for all that a step expects, in the order of its keys.
    pub(super) async fn expectations(&self, step: &Step, deadline: Instant) -> Result<(), Trouble> {
        if let Some(answer) = &step.expect_answer {
            self.answer(answer)?;
        }
        if let Some(text) = &step.expect_text {
            self.text(text, deadline).await?;
        }
        if let Some(bytes) = &step.expect_bytes {
            self.bytes(bytes, deadline).await?;
        }
        if let Some(reason) = &step.expect_reason {
            self.reason(reason, deadline).await?;
        }
        if let Some(event) = &step.expect_event {
            self.event(event, deadline).await?;
        }
        if let Some(count) = &step.expect_count {
            self.count(count, deadline).await?;
        }
        match &step.expect_duration {
            Some(duration) => self.duration(duration),
            None => Ok(()),
        }
    }

    fn answer(&self, wanted: &BTreeMap<String, Value>) -> Result<(), Trouble> {
        for (path, value) in wanted {
            let value = match value {
                Value::String(text) => Value::String(self.stage.fill(text)),
                other => other.clone(),
            };
            let pointer = format!("/{}", path.replace('.', "/"));
            let seen = self.stage.answer.pointer(&pointer);
            // Texts and numbers are the same here: the API writes some numbers as texts.
            if seen.is_none_or(|seen| *seen != value && bare(seen) != bare(&value)) {
                let seen = seen.map_or_else(|| "no such member".to_owned(), ToString::to_string);
                return Err(Trouble::unmet(
                    format!("{path} = {value} in the answer"),
                    seen,
                ));
            }
        }
        Ok(())
    }

    async fn text(&self, expected: &ExpectText, deadline: Instant) -> Result<(), Trouble> {
        let terminal = self.stage.terminal(expected.terminal.as_deref())?;
        let text = self.stage.fill(&expected.text);
        let unmet = |seen: String| Trouble::unmet(format!("the text {text:?}"), seen);
        match until(deadline, terminal.text(&text)).await {
            Some(Ok(())) => Ok(()),
            _ => Err(unmet(terminal.seen())),
        }
    }

    async fn bytes(&self, expected: &ExpectBytes, deadline: Instant) -> Result<(), Trouble> {
        let terminal = self.stage.terminal(expected.terminal.as_deref())?;
        let came = until(deadline, terminal.bytes(expected.bytes)).await;
        self.settle().await;
        let count = terminal.uncounted();
        if !matches!(came, Some(Ok(()))) {
            let end = terminal
                .ended()
                .map_or_else(String::new, |end| format!(", then its end: {}", end.word));
            return Err(Trouble::unmet(
                format!("{} bytes", expected.bytes),
                format!("{count} bytes{end}"),
            ));
        }
        if let Some(most) = expected.at_most.filter(|most| count > *most) {
            return Err(Trouble::unmet(
                format!("{most} bytes at most"),
                format!("{count} bytes"),
            ));
        }
        terminal.count(expected.bytes);
        Ok(())
    }

    async fn reason(&self, expected: &ExpectReason, deadline: Instant) -> Result<(), Trouble> {
        let terminal = self.stage.terminal(expected.terminal.as_deref())?;
        let mut wanted = format!("the end {}", expected.reason);
        if let Some(detail) = &expected.detail {
            wanted.push_str(&format!(" with {detail:?} in what is said of it"));
        }
        if let Some(code) = expected.exit_code {
            wanted.push_str(&format!(" with exit code {code}"));
        }
        let Some(end) = until(deadline, terminal.end()).await else {
            return Err(Trouble::unmet(
                wanted,
                format!("it goes on; on the screen: {}", terminal.seen()),
            ));
        };
        let is_it = end.word == expected.reason
            && expected
                .exit_code
                .is_none_or(|code| end.exit_code == Some(code))
            && expected.detail.as_ref().is_none_or(|detail| {
                end.detail
                    .as_ref()
                    .is_some_and(|seen| seen.contains(detail.as_str()))
            });
        match is_it {
            true => Ok(()),
            false => Err(Trouble::unmet(wanted, said(&end))),
        }
    }

    async fn event(&self, expected: &ExpectEvent, deadline: Instant) -> Result<(), Trouble> {
        let times = usize::try_from(expected.times.unwrap_or(1)).unwrap_or(usize::MAX);
        let mut more = self.stage.events.more();
        let enough = async {
            loop {
                more.borrow_and_update();
                let events = self.stage.events.since(self.since);
                let fitting = events
                    .iter()
                    .filter(|event| fits(event, expected, &self.stage));
                if fitting.count() >= times || more.changed().await.is_err() {
                    return;
                }
            }
        };
        if until(deadline, enough).await.is_some() {
            return Ok(());
        }
        let seen: Vec<String> = self
            .stage
            .events
            .since(self.since)
            .iter()
            .map(|event| crate::timeline::words(event, &self.stage))
            .collect();
        let seen = match seen.as_slice() {
            [] => "no event at all".to_owned(),
            seen => seen.join("; "),
        };
        Err(Trouble::unmet(event_words(expected), seen))
    }

    async fn count(&self, expected: &ExpectCount, deadline: Instant) -> Result<(), Trouble> {
        loop {
            let count = self.count_of(&expected.of).await?;
            let is_it = expected.is.is_none_or(|number| count == number)
                && expected.at_least.is_none_or(|number| count >= number)
                && expected.at_most.is_none_or(|number| count <= number);
            if is_it {
                return Ok(());
            }
            if link::now() >= deadline {
                let wanted = bounds(expected.is, expected.at_least, expected.at_most);
                return Err(Trouble::unmet(
                    format!("{wanted} of {}", expected.of),
                    count.to_string(),
                ));
            }
            link::sleep(LOOK).await;
        }
    }

    async fn count_of(&self, what: &str) -> Result<u64, Trouble> {
        let name = match what {
            "sessions" => "sessions_per_region",
            "connections" => "connections_per_instance",
            event => {
                let events = self.stage.events.since(0);
                let count = events.iter().filter(|one| one.kind.name() == event).count();
                return Ok(u64::try_from(count).unwrap_or(u64::MAX));
            }
        };
        let limits = self.stage.sandbox.admin().limits().await?;
        Ok(limits.get(name).and_then(|limit| limit.used).unwrap_or(0))
    }

    fn duration(&self, expected: &ExpectDuration) -> Result<(), Trouble> {
        let from = self.mark(&expected.from)?;
        let to = match &expected.to {
            Some(to) => self.mark(to)?,
            None => self.now(),
        };
        let span = to.since(from);
        let ms = |span: Span| span.0.as_millis();
        let is_it = expected
            .is
            .is_none_or(|wanted| ms(wanted) == span.as_millis())
            && expected.at_least.is_none_or(|wanted| span >= wanted.0)
            && expected.at_most.is_none_or(|wanted| span <= wanted.0);
        if is_it {
            return Ok(());
        }
        let wanted = bounds(expected.is, expected.at_least, expected.at_most);
        let to = expected.to.as_deref().unwrap_or("now");
        Err(Trouble::unmet(
            format!("{wanted} from `{}` to `{to}`", expected.from),
            Span(span).to_string(),
        ))
    }

    /// The end of a step, or the latest event of that name.
    fn mark(&self, name: &str) -> Result<Tick, Trouble> {
        if let Some((_, at)) = self.marks.iter().rev().find(|(step, _)| step == name) {
            return Ok(*at);
        }
        let events = self.stage.events.since(0);
        let event = events.iter().rev().find(|event| event.kind.name() == name);
        let missing = || {
            Trouble::unmet(
                format!("`{name}`, to measure from or to"),
                "it has not happened",
            )
        };
        event
            .map(|event| Tick::from_millis(event.at_ms))
            .ok_or_else(missing)
    }
}

/// Waits, but not beyond the deadline.
async fn until<T>(deadline: Instant, wait: impl Future<Output = T>) -> Option<T> {
    let rest = deadline.duration_since(link::now());
    link::timeout(rest, wait).await.ok()
}

fn bare(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn said(end: &End) -> String {
    let mut text = format!("the end {}", end.word);
    if let Some(detail) = &end.detail {
        text.push_str(&format!(" ({detail})"));
    }
    if let Some(code) = end.exit_code {
        text.push_str(&format!(" with exit code {code}"));
    }
    text
}

fn fits(event: &EventLine, expected: &ExpectEvent, stage: &Stage) -> bool {
    if event.kind.name() != expected.event {
        return false;
    }
    let (reason, code, detail) = match &event.kind {
        EventKind::ConnectionClosed { reason, .. } => (Some(reason.word()), None, None),
        EventKind::ConnectionFailed { reason, detail } => (Some(reason.word()), None, Some(detail)),
        EventKind::ConnectionRefused { code } => (None, Some(code.as_str()), None),
        EventKind::RunEnded { status, .. } => (None, Some(status.as_str()), None),
        _ => (None, None, None),
    };
    let is_of = |wanted: &Option<String>, seen: Option<String>| match wanted {
        Some(wanted) => seen.as_ref() == Some(wanted),
        None => true,
    };
    let session = event
        .session
        .as_ref()
        .and_then(|id| stage.name_of_session(id.as_str()));
    let instance = event
        .instance
        .as_ref()
        .and_then(|id| stage.name_of_instance(id));
    expected
        .reason
        .as_deref()
        .is_none_or(|wanted| reason == Some(wanted))
        && expected
            .code
            .as_deref()
            .is_none_or(|wanted| code == Some(wanted))
        && expected
            .detail
            .as_ref()
            .is_none_or(|wanted| detail.is_some_and(|detail| detail.contains(wanted.as_str())))
        && is_of(&expected.session, session)
        && is_of(&expected.instance, instance)
}

fn event_words(expected: &ExpectEvent) -> String {
    let mut words = format!("the event {}", expected.event);
    let parts = [
        ("session", &expected.session),
        ("instance", &expected.instance),
        ("reason", &expected.reason),
        ("code", &expected.code),
        ("detail", &expected.detail),
    ];
    for (name, value) in parts {
        if let Some(value) = value {
            words.push_str(&format!(" {name}={value}"));
        }
    }
    match expected.times {
        Some(times) => format!("{words}, {times} times"),
        None => words,
    }
}

/// What was wanted of a number or a span, in words.
fn bounds<T: Display>(is: Option<T>, at_least: Option<T>, at_most: Option<T>) -> String {
    [("", is), ("at least ", at_least), ("at most ", at_most)]
        .into_iter()
        .filter_map(|(word, bound)| Some(format!("{word}{}", bound?)))
        .collect::<Vec<_>>()
        .join(", ")
}
