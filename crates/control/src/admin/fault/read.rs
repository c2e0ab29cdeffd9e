//! From what people wrote to a [`Fault`], and back.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    Fault, FaultKind, Link, Scope, Stream,
    words::{Attribute, Family, KINDS, KindWords},
};
use crate::words::instead;

/// What is no fault: what is wrong, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadFault(String);

/// The longest span that a fault may last, in ms: 30 days.
const LONGEST_MS: u64 = 30 * 24 * 3_600 * 1_000;

/// The longest name.
const NAME_MAX: usize = 64;

impl Fault {
    /// A fault by its words: its type, and `KEY=VALUE` for each attribute.
    ///
    /// # Errors
    /// [`BadFault`].
    pub fn from_words<'a>(
        word: &str,
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, BadFault> {
        let words = known(word)?;
        let mut members = Map::new();
        members.insert("type".to_owned(), word.into());
        for (name, text) in pairs {
            let Some(key) = words.keys().find(|key| key.name == name) else {
                return Err(unknown(words, name));
            };
            let text = match name {
                // As it is shown.
                "connection" => text.trim_start_matches("conn-"),
                _ => text,
            };
            let value = if key.is_text() {
                Value::from(text)
            } else {
                let number = serde_json::from_str(text).map(Value::Number);
                number.map_err(|_| misfit(words, key, text))?
            };
            members.insert(name.to_owned(), value);
        }
        Self::try_from(members)
    }

    fn check(&self) -> Result<(), BadFault> {
        let wrong = |what: String| Err(BadFault(format!("{}: {what}", self.kind.word())));
        if !(0.0..=1.0).contains(&self.toxicity) {
            return wrong(format!("toxicity {} is not from 0 to 1", self.toxicity));
        }
        if self.times == Some(0) {
            return wrong("times 0 is never: expected a whole number from 1 on".to_owned());
        }
        let is_word = |name: &String| {
            (1..=NAME_MAX).contains(&name.len())
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        if let Some(name) = self.name.as_ref().filter(|name| !is_word(name)) {
            let expected = "expected 1 to 64 of `A-Z a-z 0-9 - _ .`";
            return wrong(format!("the name `{name}` is none: {expected}"));
        }
        let is_frame =
            KindWords::find(self.kind.word()).is_some_and(|it| it.family == Family::Frame);
        if is_frame && self.link == Link::Notify {
            return wrong("the notify channel has no frames: expected client or agent".to_owned());
        }
        match &self.kind {
            FaultKind::Latency {
                latency: ms,
                jitter: more,
            } if ms.max(more) > &LONGEST_MS => {
                wrong(format!("{} ms is more than 30 days", ms.max(more)))
            }
            FaultKind::SlowClose { delay: ms }
            | FaultKind::DelayKick { delay: ms }
            | FaultKind::HoldPairing { delay: ms }
            | FaultKind::CutDataChannel { delay: ms }
            | FaultKind::Timeout { timeout: ms }
            | FaultKind::ResetPeer { timeout: ms }
                if *ms > LONGEST_MS =>
            {
                wrong(format!("{ms} ms is more than 30 days"))
            }
            FaultKind::Bandwidth { rate: 0 } => {
                wrong("rate 0 is no rate: `timeout` lets nothing through".to_owned())
            }
            FaultKind::Bandwidth { rate } if *rate > 10_000_000 => {
                wrong(format!("rate {rate} KB/s is more than 10,000,000"))
            }
            FaultKind::Slicer {
                average_size,
                size_variation,
                delay,
            } => {
                if *average_size == 0 || size_variation >= average_size {
                    wrong(format!(
                        "pieces of {average_size} ± {size_variation} bytes can be empty: expected \
                         average_size above size_variation"
                    ))
                } else if *delay > LONGEST_MS {
                    wrong(format!("a delay of {delay} µs is more than 43 minutes"))
                } else {
                    Ok(())
                }
            }
            FaultKind::RefuseDataChannel { status } if !(200..=599).contains(status) => wrong(
                format!("status {status} is no answer's: expected 200 to 599"),
            ),
            _ => Ok(()),
        }
    }
}

impl Attribute {
    /// Whether its value is a text.
    #[must_use]
    pub fn is_text(&self) -> bool {
        self.unit.starts_with("text")
            || matches!(self.name, "link" | "stream" | "instance" | "session")
    }
}

impl TryFrom<Map<String, Value>> for Fault {
    type Error = BadFault;

    fn try_from(mut members: Map<String, Value>) -> Result<Self, BadFault> {
        let word = match members.get("type") {
            Some(Value::String(word)) => word.clone(),
            Some(other) => return Err(BadFault(format!("the type of a fault cannot be {other}"))),
            None => {
                let all: Vec<_> = KINDS.iter().map(|kind| kind.word).collect();
                return Err(BadFault(format!(
                    "a fault has a `type`: {}",
                    all.join(", ")
                )));
            }
        };
        let words = known(&word)?;
        let name =
            |name: &&String| name.as_str() != "type" && words.keys().all(|key| key.name != **name);
        if let Some(name) = members.keys().find(name) {
            return Err(unknown(words, name));
        }
        let missing = words.attributes.iter();
        let mut missing =
            missing.filter(|key| key.default.is_none() && !members.contains_key(key.name));
        if let Some(key) = missing.next() {
            let what = format!("{word} has no `{}`: expected {}", key.name, key.unit);
            return Err(BadFault(what));
        }
        if word == "api_error" && !members.contains_key("code") {
            members.insert("code".to_owned(), "InternalError.Dispatch".into());
        }
        let mut own = Map::new();
        own.insert("type".to_owned(), word.into());
        for key in words.attributes {
            if let Some(value) = members.get(key.name) {
                check_form(words, key, value)?;
                own.insert(key.name.to_owned(), value.clone());
            }
        }
        let kind: FaultKind = serde_json::from_value(Value::Object(own.clone())).map_err(|_| {
            let shown = |(name, value): (&String, &Value)| format!("{name}={value}");
            let values: Vec<_> = own
                .iter()
                .filter(|(name, _)| *name != "type")
                .map(shown)
                .collect();
            BadFault(format!("{} cannot have {}", words.word, values.join(", ")))
        })?;
        let fault = Self {
            kind,
            name: take(words, &members, "name")?,
            link: take(words, &members, "link")?.unwrap_or_default(),
            stream: take(words, &members, "stream")?.unwrap_or_default(),
            scope: Scope {
                instance: take(words, &members, "instance")?,
                session: take(words, &members, "session")?,
                connection: take(words, &members, "connection")?,
            },
            toxicity: take(words, &members, "toxicity")?.unwrap_or(1.0),
            times: take(words, &members, "times")?,
        };
        fault.check()?;
        Ok(fault)
    }
}

fn known(word: &str) -> Result<&'static KindWords, BadFault> {
    KindWords::find(word).ok_or_else(|| {
        let words = KINDS.iter().map(|kind| kind.word);
        BadFault(format!(
            "there is no fault `{word}`; {}",
            instead(word, words)
        ))
    })
}

fn unknown(words: &KindWords, name: &str) -> BadFault {
    let names = words.keys().map(|key| key.name);
    let word = words.word;
    BadFault(format!("{word} has no `{name}`; {}", instead(name, names)))
}

fn misfit(words: &KindWords, key: &Attribute, shown: &str) -> BadFault {
    let (word, name, unit) = (words.word, key.name, key.unit);
    BadFault(format!(
        "{word}: `{name}` cannot be {shown}: expected {unit}"
    ))
}

fn check_form(words: &KindWords, key: &Attribute, value: &Value) -> Result<(), BadFault> {
    let is_right = match key.is_text() {
        true => value.is_string(),
        false => value.is_u64(),
    };
    match is_right {
        true => Ok(()),
        false => Err(misfit(words, key, &value.to_string())),
    }
}

/// A key that every kind has.
fn take<T: DeserializeOwned>(
    words: &KindWords,
    members: &Map<String, Value>,
    name: &'static str,
) -> Result<Option<T>, BadFault> {
    let Some(value) = members.get(name) else {
        return Ok(None);
    };
    serde_json::from_value(value.clone())
        .map(Some)
        .map_err(|error| {
            let key = words.common().find(|key| key.name == name);
            let key = key.copied().unwrap_or(Attribute {
                name,
                unit: "another value",
                default: None,
            });
            match value {
                // Links and streams are words: the nearest is named.
                Value::String(text) if name == "link" => BadFault(format!(
                    "there is no link `{text}`; {}",
                    instead(text, ["client", "agent", "notify"].into_iter())
                )),
                Value::String(text) if name == "stream" => BadFault(format!(
                    "there is no stream `{text}`; {}",
                    instead(text, ["upstream", "downstream"].into_iter())
                )),
                Value::String(_) if name == "instance" || name == "session" => {
                    BadFault(format!("{}: {error}", words.word))
                }
                _ => misfit(words, &key, &value.to_string()),
            }
        })
}

impl From<Fault> for Map<String, Value> {
    fn from(fault: Fault) -> Self {
        let word = fault.kind.word();
        let mut members = match serde_json::to_value(&fault.kind) {
            Ok(Value::Object(members)) => members,
            _ => Self::new(),
        };
        let has = |key: &str| {
            KindWords::find(word).is_some_and(|words| words.common().any(|it| it.name == key))
        };
        let mut put = |key: &str, value: Option<Value>| {
            if let Some(value) = value.filter(|_| has(key)) {
                members.insert(key.to_owned(), value);
            }
        };
        let json = |value| serde_json::to_value(value).ok();
        put("name", fault.name.map(Value::from));
        put("link", serde_json::to_value(fault.link).ok());
        put("stream", serde_json::to_value(fault.stream).ok());
        put(
            "instance",
            fault.scope.instance.map(|id| id.as_str().into()),
        );
        put("session", fault.scope.session.map(|id| id.as_str().into()));
        put(
            "connection",
            fault
                .scope
                .connection
                .and_then(|id| serde_json::to_value(id).ok()),
        );
        put(
            "toxicity",
            Some(fault.toxicity).filter(|it| *it < 1.0).and_then(json),
        );
        put("times", fault.times.map(Value::from));
        members
    }
}

impl From<Link> for &'static str {
    fn from(link: Link) -> Self {
        match link {
            Link::Client => "client",
            Link::Agent => "agent",
            Link::Notify => "notify",
        }
    }
}

impl From<Stream> for &'static str {
    fn from(stream: Stream) -> Self {
        match stream {
            Stream::Upstream => "upstream",
            Stream::Downstream => "downstream",
        }
    }
}
