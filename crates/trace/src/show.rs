//! Rows of a table that a person reads.

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    fields::{self, Fields},
    read::Trace,
    record::{Call, Dir, Hop, Record, What},
};

/// The heads of the columns.
pub const HEADS: [&str; 8] = [
    "TIME",
    "LINK",
    "BY",
    "FROM > TO",
    "WHOSE",
    "WHAT",
    "SIZE",
    "SAYS",
];

/// Which records are wanted; what is absent, or empty, does not matter.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// The session's id.
    pub session: Option<String>,
    /// The connection's.
    pub connection: Option<String>,
    /// The channel's.
    pub channel: Option<String>,
    /// The instance's.
    pub instance: Option<String>,
    /// Between whom.
    pub hop: Option<Hop>,
    /// Types of frames, and kinds of the others.
    pub types: Vec<String>,
    /// Rule time from which on, microseconds since the Unix epoch.
    pub since_us: Option<u64>,
}

impl Filter {
    /// Whether the record is wanted.
    #[must_use]
    pub fn takes(&self, record: &Record) -> bool {
        let is = |wanted: &Option<String>, id: &Option<String>| {
            wanted.is_none() || wanted.as_deref() == id.as_deref()
        };
        let ids = &record.ids;
        let word = record.what.word();
        // A connection is `conn-7`, and its number alone is enough.
        let number = |id: &str| id.trim_start_matches("conn-").to_owned();
        let connection = ids.connection.as_deref().map(number);
        is(&self.session, &ids.session)
            && is(&self.connection.as_deref().map(number), &connection)
            && is(&self.channel, &ids.channel)
            && is(&self.instance, &ids.instance)
            && self.hop.is_none_or(|hop| hop == record.hop)
            && self.since_us.is_none_or(|since| record.rule_us >= since)
            && (self.types.is_empty()
                || self
                    .types
                    .iter()
                    .any(|wanted| wanted == word || wanted == record.what.kind()))
    }
}

/// The wanted records of all traces, in the order of their time.
#[must_use]
pub fn merged<'a>(traces: &'a [Trace], filter: &Filter) -> Vec<(&'a Trace, &'a Record)> {
    let mut all: Vec<_> = traces
        .iter()
        .flat_map(|trace| trace.records.iter().map(move |record| (trace, record)))
        .filter(|(_, record)| filter.takes(record))
        .collect();
    all.sort_by_key(|(trace, record)| (trace.wall_us(record), record.n));
    all
}

/// The cells of a record, below [`HEADS`].
#[must_use]
pub fn row(trace: &Trace, record: &Record) -> [String; 8] {
    let ids = &record.ids;
    let whose = match (&ids.connection, &ids.session, &ids.channel) {
        (Some(connection), Some(session), _) => format!("{session}/{connection}"),
        (_, Some(session), _) => session.clone(),
        (_, _, Some(channel)) => channel.clone(),
        _ => ids.instance.clone().unwrap_or_default(),
    };
    [
        clock(record.rule_us),
        format!(
            "+{}.{:06}",
            record.link_us / 1_000_000,
            record.link_us % 1_000_000
        ),
        trace.header.seen_by.clone(),
        way(record).to_owned(),
        whose,
        record.what.word().to_owned(),
        size(&record.what),
        says(&record.what),
    ]
}

fn clock(rule_us: u64) -> String {
    let at = i64::try_from(rule_us)
        .ok()
        .and_then(|us| Timestamp::from_microsecond(us).ok());
    at.map_or_else(
        || rule_us.to_string(),
        |at| at.strftime("%H:%M:%S%.6f").to_string(),
    )
}

fn way(record: &Record) -> &'static str {
    let is_admin = matches!(&record.what, What::Call(call) if call.path.starts_with("/v1/"));
    match (record.hop, record.dir) {
        _ if is_admin => "admin > relay",
        (Hop::Client, Dir::Up) => "client > relay",
        (Hop::Client, Dir::Down) => "relay > client",
        (Hop::Agent, Dir::Up) => "relay > agent",
        (Hop::Agent, Dir::Down) => "agent > relay",
    }
}

fn size(what: &What) -> String {
    match what {
        What::Frame(fields) => fields.size.to_string(),
        _ => String::new(),
    }
}

/// What it says beside its kind and its size, in words.
#[must_use]
pub fn says(what: &What) -> String {
    match what {
        What::Open => String::new(),
        What::Frame(fields) => frame(fields),
        What::Close { code, reason } => format!("{code} {reason}").trim_end().to_owned(),
        What::Lost { why } => why.clone(),
        What::Notify { text } => text.clone(),
        What::Call(call) => of_call(call),
    }
}

fn frame(fields: &Fields) -> String {
    let mut words = Vec::new();
    if let Some(seq) = fields.seq {
        words.push(format!("seq {seq}"));
    }
    if let (Some(rows), Some(cols)) = (fields.rows, fields.cols) {
        words.push(format!("{rows} rows, {cols} columns"));
    }
    if let Some(code) = fields.code {
        let status = fields.status.as_deref().unwrap_or("unknown");
        words.push(format!("code {code} {status}"));
    }
    words.extend(fields.reason.clone());
    words.extend(fields.speed.map(|speed| format!("{speed} bit/s")));
    words.extend(fields.exit.map(|exit| format!("exit {exit}")));
    words.extend(fields.type_number.map(|number| format!("type {number:#x}")));
    words.extend(fields.schema.as_ref().map(|it| format!("schema {it:?}")));
    words.extend(
        fields
            .session_field
            .as_ref()
            .map(|id| format!("session {id}")),
    );
    words.extend(
        fields
            .instance_field
            .as_ref()
            .map(|id| format!("instance {id}")),
    );
    if fields.date_ms == Some(0) {
        words.push("createdDate 0".to_owned());
    }
    if let Some(length) = fields
        .length
        .filter(|length| u64::from(*length) != fields.size)
    {
        words.push(format!("length says {length}"));
    }
    if let Some(payload) = fields::payload(fields).filter(|_| fields.is_data()) {
        let text = String::from_utf8_lossy(&payload);
        let start: String = text.chars().take(60).collect();
        words.push(format!("{start:?}"));
    }
    words.extend(fields.error.as_ref().map(|why| format!("malformed: {why}")));
    words.join(", ")
}

fn of_call(call: &Call) -> String {
    let said = |name: &str| call.said.get(name).and_then(Value::as_str);
    let status = call
        .status
        .map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    let what = match said("action") {
        Some(action) => action.to_owned(),
        None => format!("{} {}", call.method, call.path),
    };
    let query = call.query.iter().filter(|(name, value)| {
        let is_told = value
            .as_str()
            .is_some_and(|it| it != crate::mask::MASK && !it.is_empty());
        is_told && SHOWN.contains(&name.as_str())
    });
    let query: Vec<_> = query
        .map(|(name, value)| format!(" {name}={}", value.as_str().unwrap_or_default()))
        .collect();
    let code = said("code").filter(|code| *code != "Ok");
    let code = code.map(|code| format!(" {code}")).unwrap_or_default();
    format!("{what}{} -> {status}{code}", query.concat())
}

/// Parameters that tell a reader of the table what a call was about.
const SHOWN: [&str; 9] = [
    "sessionId",
    "SessionId",
    "channelId",
    "InstanceId.1",
    "InstanceId",
    "PortNumber",
    "status",
    "errorcode",
    "taskId",
];
