//! Names that nothing has, and what does not go together: found before anything starts.

use std::{collections::BTreeMap, path::Path};

use axt_openapi::ErrorCode;
use axt_proto::{EventKind, Limits, Reason};
use serde_json::Value;

use super::{
    AgentKind, Class, FaultText, Instance, Problem, Scenario, Step,
    place::{At, Places},
    problem::guess,
    shares, spell,
    step::{Action, Part, PartRef},
};

/// The codes of connections that are refused (design, "Refused upgrades"), beside the API's.
const REFUSALS: [&str; 5] = [
    "InvalidSessionToken",
    "SessionUrl.Expired",
    "SessionUrl.Ended",
    "SessionCount.ExceedLimit",
    "ServiceUnavailable",
];

/// What a terminal's link that breaks is called.
pub(crate) const LOST: &str = "Lost";

/// The limits, with those that are set.
pub(super) fn limits(set: &BTreeMap<String, u64>) -> Result<Limits, String> {
    let limits: Value = set
        .iter()
        .map(|(name, value)| (name.clone(), Value::from(*value)))
        .collect();
    let limits: Limits = serde_json::from_value(limits).map_err(|error| error.to_string())?;
    limits.check().map_err(|error| error.to_string())?;
    Ok(limits)
}

/// The names of all events.
pub(crate) fn events() -> Vec<String> {
    // The closed set, told by its own parser.
    let unknown = serde_json::from_value::<EventKind>(serde_json::json!({ "event": "" }));
    let message = unknown.map_or_else(|error| error.to_string(), |_| String::new());
    let words = message.split('`').skip(1).step_by(2);
    words
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Checks how the instances' agents misbehave.
pub(super) fn behaviours(
    instances: &[Instance],
    places: &Places<'_>,
    file: &Path,
) -> Result<(), Problem> {
    for (index, instance) in instances.iter().enumerate() {
        let path = [At::Key("instances"), At::Item(index), At::Key("behave")];
        let problem = |what: String| Problem::text(file, places.line(&path), what);
        if !instance.behave.is_empty() && instance.agent != AgentKind::Own {
            return Err(problem(
                "`behave` in [[instances]] is for agents of axt's own".to_owned(),
            ));
        }
        if let Err(why) = shares::read(&instance.behave) {
            return Err(problem(format!("`behave` in [[instances]]: {why}")));
        }
    }
    Ok(())
}

/// Checks everything that the types do not.
pub(super) fn all(scenario: &Scenario, places: &Places<'_>, file: &Path) -> Result<(), Problem> {
    let check = Check {
        scenario,
        places,
        file,
    };
    check.head()?;
    for (index, fault) in scenario.faults.iter().enumerate() {
        let path = [At::Key("faults"), At::Item(index)];
        let is_known = |name: &String| scenario.instances.iter().any(|one| one.name == *name);
        if fault.session.is_some() {
            return Err(check.problem(
                &path,
                "a fault in [[faults]] is from the start on: there is no session yet",
            ));
        }
        if let Some(name) = fault.instance.as_ref().filter(|name| !is_known(name)) {
            let names: Vec<&str> = scenario
                .instances
                .iter()
                .map(|one| one.name.as_str())
                .collect();
            let guess = guess(name, &names);
            let what = format!("`instance` in [[faults]]: no instance is called `{name}`; {guess}");
            return Err(check.problem(&[path[0], path[1], At::Key("instance")], what));
        }
    }
    let mut known = Known {
        instances: scenario
            .instances
            .iter()
            .map(|one| one.name.clone())
            .collect(),
        ports: scenario.ports.iter().map(|one| one.name.clone()).collect(),
        faults: scenario
            .faults
            .iter()
            .filter_map(|fault| fault.name().map(str::to_owned))
            .collect(),
        marks: events(),
        ..Known::default()
    };
    for (index, step) in scenario.steps.iter().enumerate() {
        check.step(index, step, &mut known)?;
        known.marks.push(step.name.clone());
    }
    Ok(())
}

struct Check<'a> {
    scenario: &'a Scenario,
    places: &'a Places<'a>,
    file: &'a Path,
}

/// The names that a step can use.
#[derive(Default)]
struct Known {
    instances: Vec<String>,
    ports: Vec<String>,
    faults: Vec<String>,
    sessions: Vec<String>,
    terminals: Vec<String>,
    marks: Vec<String>,
}

impl Check<'_> {
    fn problem(&self, path: &[At<'_>], what: impl Into<String>) -> Problem {
        Problem::text(self.file, self.places.line(path), what)
    }

    fn head(&self) -> Result<(), Problem> {
        let scenario = self.scenario;
        for (name, value) in &scenario.limits {
            let path = [At::Key("limits"), At::Key(name)];
            let one = BTreeMap::from([(name.clone(), *value)]);
            limits(&one).map_err(|why| {
                let words: Vec<&str> = why.split('`').skip(1).step_by(2).collect();
                match words.split_first() {
                    Some((wrong, known)) if why.starts_with("unknown field") => {
                        let guess = guess(wrong, known);
                        self.problem(&path, format!("unknown key `{wrong}` in [limits]; {guess}"))
                    }
                    _ => self.problem(&path, format!("`{name}` in [limits]: {why}")),
                }
            })?;
        }
        limits(&scenario.limits).map_err(|why| self.problem(&[At::Key("limits")], why))?;
        for (index, instance) in scenario.instances.iter().enumerate() {
            let path = [At::Key("instances"), At::Item(index)];
            let others = scenario.instances.iter().take(index);
            if instance.name.is_empty() {
                return Err(self.problem(&path, "an instance in [[instances]] has no `name`"));
            }
            if others.into_iter().any(|other| other.name == instance.name) {
                return Err(self.problem(
                    &path,
                    format!("two instances are called `{}`", instance.name),
                ));
            }
            if instance.agent == AgentKind::Program && scenario.agent.is_none() {
                return Err(self.problem(
                    &path,
                    "`agent = \"program\"` needs the table [agent] with a `command`",
                ));
            }
        }
        let programs = [
            ("agent", scenario.agent.is_some()),
            ("client", scenario.client.is_some()),
        ];
        for (table, is_there) in programs {
            if is_there && scenario.class == Class::Simulated {
                let what = format!("a program of your own in [{table}] needs `class = \"real\"`");
                return Err(self.problem(&[At::Key(table)], what));
            }
        }
        let agent = scenario.agent.as_ref();
        let client = scenario.client.as_ref();
        let lines = [
            ("agent", "command", agent.map(|one| &one.command)),
            (
                "agent",
                "prepare",
                agent.and_then(|one| one.prepare.as_ref()),
            ),
            ("client", "command", client.map(|one| &one.command)),
        ];
        for (table, key, line) in lines {
            if let Some(Err(why)) = line.map(|line| spell::placeholder(line)) {
                let what = format!("`{key}` in [{table}]: {why}");
                return Err(self.problem(&[At::Key(table), At::Key(key)], what));
            }
        }
        if scenario.steps.is_empty() {
            return Err(self.problem(&[], "there are no [[steps]]"));
        }
        Ok(())
    }

    fn step(&self, index: usize, step: &Step, known: &mut Known) -> Result<(), Problem> {
        let here = [At::Key("steps"), At::Item(index)];
        if step.name.is_empty() {
            return Err(self.problem(&here, "a step in [[steps]] has no `name`"));
        }
        let actions = step.actions();
        if let [(first, _), (second, _), ..] = actions.as_slice() {
            let what = format!("a step does one thing: `{first}` and `{second}` are two steps");
            return Err(self.problem(&[here[0], here[1], At::Key(second)], what));
        }
        let action = actions.first().copied();
        if action.is_none() && !step.expects() {
            return Err(self.problem(&here, "the step neither does nor expects anything"));
        }
        if step.expect_error.is_some() && action.is_none() {
            let path = [here[0], here[1], At::Key("expect_error")];
            return Err(self.problem(
                &path,
                "`expect_error` needs something in the same step that is refused",
            ));
        }
        let check = StepCheck { check: self, index };
        check.spelling(step, known)?;
        if let Some((key, action)) = action {
            check.action(key, action, known)?;
        }
        check.expectations(step, known)
    }
}

struct StepCheck<'a> {
    check: &'a Check<'a>,
    index: usize,
}

impl StepCheck<'_> {
    fn problem(&self, key: &str, inner: &str, what: impl Into<String>) -> Problem {
        let path = [
            At::Key("steps"),
            At::Item(self.index),
            At::Key(key),
            At::Key(inner),
        ];
        self.check.problem(&path, what)
    }

    /// One of the names, or a problem with the nearest of them.
    fn known(
        &self,
        (key, inner): (&str, &str),
        what: &str,
        name: Option<&String>,
        names: &[String],
    ) -> Result<(), Problem> {
        match name {
            Some(name) if !names.contains(name) => {
                let words: Vec<&str> = names.iter().map(String::as_str).collect();
                let guess = guess(name, &words);
                Err(self.problem(
                    key,
                    inner,
                    format!("`{key}` in [[steps]]: no {what} is called `{name}`; {guess}"),
                ))
            }
            // The latest, or the first.
            None if names.is_empty() => Err(self.problem(
                key,
                inner,
                format!("`{key}` in [[steps]]: there is no {what} yet"),
            )),
            _ => Ok(()),
        }
    }

    fn word(
        &self,
        key: &str,
        inner: &str,
        what: &str,
        word: &str,
        words: &[&str],
    ) -> Result<(), Problem> {
        if words.contains(&word) {
            return Ok(());
        }
        let guess = guess(word, words);
        Err(self.problem(
            key,
            inner,
            format!("`{key}` in [[steps]]: there is no {what} `{word}`; {guess}"),
        ))
    }

    /// Words in texts. Whoever expects an error may want just that: an action that there is not, for instance.
    fn spelling(&self, step: &Step, known: &Known) -> Result<(), Problem> {
        let Some((key, action)) = step.actions().first().copied() else {
            return Ok(());
        };
        let is_meant = step.expect_error.is_some();
        let (inner, checked) = match action {
            Action::Type(one) => ("text", spell::placeholder(&one.text)),
            Action::StartSession(start) => {
                let mut values = start.parameters.values();
                (
                    "parameters",
                    values.try_for_each(|text| spell::placeholder(text)),
                )
            }
            Action::Call(call) if !is_meant && spell::action(&call.action).is_err() => {
                ("action", spell::action(&call.action))
            }
            Action::Call(call) => {
                let mut values = call.parameters.values();
                (
                    "parameters",
                    values.try_for_each(|text| spell::placeholder(text)),
                )
            }
            Action::RemoveFault(name) if !is_meant => ("", spell::fault(name, &known.faults)),
            _ => return Ok(()),
        };
        checked.map_err(|why| self.problem(key, inner, format!("`{key}` in [[steps]]: {why}")))
    }

    fn action(
        &self,
        key: &'static str,
        action: Action<'_>,
        known: &mut Known,
    ) -> Result<(), Problem> {
        match action {
            Action::StartSession(start) => {
                if start.instance.is_some() {
                    self.known(
                        (key, "instance"),
                        "instance",
                        start.instance.as_ref(),
                        &known.instances,
                    )?;
                }
                let is_number = |port: &String| port.parse::<u32>().is_ok();
                if let Some(port) = start.port.as_ref().filter(|port| !is_number(port)) {
                    self.known((key, "port"), "port", Some(port), &known.ports)?;
                }
                add(
                    &mut known.sessions,
                    start.name.as_deref().unwrap_or("session"),
                    start.times,
                );
            }
            Action::EndSession(end) => {
                self.known(
                    (key, "session"),
                    "session",
                    end.session.as_ref(),
                    &known.sessions,
                )?;
            }
            Action::Connect(connect) => {
                self.known(
                    (key, "session"),
                    "session",
                    connect.session.as_ref(),
                    &known.sessions,
                )?;
                let name = connect
                    .name
                    .clone()
                    .unwrap_or_else(|| free(&known.terminals, "terminal"));
                add(&mut known.terminals, &name, connect.times);
            }
            Action::StartClient(start) => {
                if self.check.scenario.client.is_none() {
                    return Err(self.problem(
                        key,
                        "",
                        "`start_client` needs the table [client] with a `command`",
                    ));
                }
                if start.session.is_some() {
                    self.known(
                        (key, "session"),
                        "session",
                        start.session.as_ref(),
                        &known.sessions,
                    )?;
                }
                add(
                    &mut known.terminals,
                    start.name.as_deref().unwrap_or("client"),
                    None,
                );
            }
            Action::Type(one) => self.terminal(key, one.terminal.as_ref(), known)?,
            Action::Send(one) => self.terminal(key, one.terminal.as_ref(), known)?,
            Action::Resize(one) => self.terminal(key, one.terminal.as_ref(), known)?,
            Action::HangUp(one) => self.terminal(key, one.terminal.as_ref(), known)?,
            Action::Kill(part)
            | Action::Restart(part)
            | Action::Pause(part)
            | Action::Resume(part) => {
                self.part(key, part, known)?;
            }
            Action::SetInstance(set) => {
                if set.instance.is_some() {
                    self.known(
                        (key, "instance"),
                        "instance",
                        set.instance.as_ref(),
                        &known.instances,
                    )?;
                }
            }
            Action::AddFault(fault) => {
                self.fault(key, fault, known)?;
                known.faults.extend(fault.name().map(str::to_owned));
            }
            Action::Advance(_)
            | Action::Wait(_)
            | Action::RemoveFault(_)
            | Action::Freeze
            | Action::Release
            | Action::Call(_)
            | Action::SetRegion(_) => {}
        }
        Ok(())
    }

    fn terminal(&self, key: &str, name: Option<&String>, known: &Known) -> Result<(), Problem> {
        self.known((key, "terminal"), "terminal", name, &known.terminals)
    }

    fn fault(&self, key: &str, fault: &FaultText, known: &Known) -> Result<(), Problem> {
        if fault.instance.is_some() {
            self.known(
                (key, "instance"),
                "instance",
                fault.instance.as_ref(),
                &known.instances,
            )?;
        }
        if fault.session.is_some() {
            self.known(
                (key, "session"),
                "session",
                fault.session.as_ref(),
                &known.sessions,
            )?;
        }
        Ok(())
    }

    fn part(&self, key: &str, part: &PartRef, known: &Known) -> Result<(), Problem> {
        match part.part {
            Part::Agent if part.instance.is_some() => self.known(
                (key, "instance"),
                "instance",
                part.instance.as_ref(),
                &known.instances,
            ),
            Part::Client if key == "restart" => {
                let what =
                    "a client is not restarted: `connect` or `start_client` opens another one";
                Err(self.problem(key, "", what))
            }
            Part::Client => self.terminal(key, part.terminal.as_ref(), known),
            _ => Ok(()),
        }
    }

    fn expectations(&self, step: &Step, known: &Known) -> Result<(), Problem> {
        if let Some(code) = &step.expect_error
            && ErrorCode::find(code).is_empty()
        {
            let words: Vec<&str> = ErrorCode::ALL
                .iter()
                .map(|code| code.entry().code)
                .chain(REFUSALS)
                .collect();
            self.word("expect_error", "", "error code", code, &words)?;
        }
        if let Some(text) = &step.expect_text {
            self.terminal("expect_text", text.terminal.as_ref(), known)?;
        }
        if let Some(bytes) = &step.expect_bytes {
            self.terminal("expect_bytes", bytes.terminal.as_ref(), known)?;
        }
        let reasons: Vec<&str> = Reason::all().map(Reason::word).chain([LOST]).collect();
        if let Some(reason) = &step.expect_reason {
            self.terminal("expect_reason", reason.terminal.as_ref(), known)?;
            self.word(
                "expect_reason",
                "reason",
                "reason",
                &reason.reason,
                &reasons,
            )?;
        }
        let events = events();
        let events: Vec<&str> = events.iter().map(String::as_str).collect();
        if let Some(event) = &step.expect_event {
            self.word("expect_event", "event", "event", &event.event, &events)?;
            if let Some(reason) = &event.reason {
                self.word("expect_event", "reason", "reason", reason, &reasons)?;
            }
            if event.session.is_some() {
                self.known(
                    ("expect_event", "session"),
                    "session",
                    event.session.as_ref(),
                    &known.sessions,
                )?;
            }
            if event.instance.is_some() {
                self.known(
                    ("expect_event", "instance"),
                    "instance",
                    event.instance.as_ref(),
                    &known.instances,
                )?;
            }
        }
        if let Some(count) = &step.expect_count {
            let words: Vec<&str> = events
                .iter()
                .copied()
                .chain(["sessions", "connections"])
                .collect();
            self.word("expect_count", "of", "count of", &count.of, &words)?;
        }
        if let Some(duration) = &step.expect_duration {
            for (inner, mark) in [("from", Some(&duration.from)), ("to", duration.to.as_ref())] {
                if mark.is_some() {
                    self.known(
                        ("expect_duration", inner),
                        "step before it or event",
                        mark,
                        &known.marks,
                    )?;
                }
            }
        }
        Ok(())
    }
}

/// Adds a name, or those of `times` of it.
fn add(names: &mut Vec<String>, name: &str, times: Option<u32>) {
    match times {
        Some(times) => names.extend((1..=times).map(|number| format!("{name}-{number}"))),
        None => names.push(name.to_owned()),
    }
}

/// The name, with a number behind it where it is taken.
pub(crate) fn free(names: &[String], name: &str) -> String {
    let mut numbered = (2..).map(|number| format!("{name}-{number}"));
    let is_free = |name: &String| !names.contains(name);
    if is_free(&name.to_owned()) {
        return name.to_owned();
    }
    numbered.find(is_free).unwrap_or_default()
}
