//! The limits: `--limit NAME=VALUE` over `AXT_LIMIT` over `[limits]` over the documented defaults.

use std::{collections::BTreeMap, fmt::Write, str::FromStr};

use axt_proto::Limits;
use serde_json::{Map, Value};

use super::{
    entries::{Entries, Table},
    key::{Description, Key},
    nearest,
    place::{FileError, Place},
};
use crate::failure::Failure;

/// The variable that holds limits: `NAME=VALUE`, several with commas between them.
pub(crate) const VARIABLE: &str = "AXT_LIMIT";

const fn limit(
    name: &'static str,
    unit: &'static str,
    default: &'static str,
    meaning: &'static [&'static str],
) -> Key {
    Key::new(unit).default(default).named(name, meaning)
}

/// The limits as people are told of them. A test holds them against those that there are.
#[rustfmt::skip] // a table
pub(crate) const KEYS: &[Key] = &[
    limit("url_validity_s", "whole seconds", "600", &["How long a session's URL opens connections."]),
    limit("idle_timeout_s", "whole seconds", "180", &["How long a connection may be without payload."]),
    limit("bandwidth_bytes_per_s", "bytes a second", "204800", &["Of a session, each way; 0 is no limit, else at least 2048."]),
    limit("burst_bytes", "bytes", "20480", &["What may go through at once beyond the bandwidth."]),
    limit("close_above_bandwidth", "0 or 1", "0", &["1 closes with FlowExceedLimit what is beyond the bandwidth and twice the burst; 0 has it wait."]),
    limit("sessions_per_region", "a whole number", "100", &["Sessions created and active."]),
    limit("connections_per_instance", "a whole number", "20", &["Connections at the same time."]),
    limit("history_days", "whole days", "30", &["How long a session's record is kept."]),
    limit("history_records", "a whole number", "1000", &["Records of sessions that a region keeps."]),
    limit("history_connections", "a whole number", "1000", &["Connections that a session's record keeps."]),
    limit("client_token_hours", "whole hours", "24", &["How long a ClientToken is remembered."]),
    limit("client_tokens", "a whole number", "10000", &["ClientTokens that an account has remembered."]),
    limit("activations_per_region", "a whole number", "10", &["Activations that are neither expired nor disabled."]),
    limit("user_calls_per_minute", "calls", "0", &["An account's calls of one action; 0 is no limit, the cloud's is 1000."]),
    limit("api_calls_per_minute", "calls", "0", &["Everybody's calls of one action; 0 is no limit."]),
    limit("all_calls_per_minute", "calls", "0", &["Everybody's calls of any action; 0 is no limit."]),
    limit("command_days", "whole days", "30", &["How long the results of a command are kept."]),
    limit("command_results", "a whole number", "1000", &["Results of commands that a region keeps."]),
    limit("kept_commands", "a whole number", "500", &["Commands that a region keeps for InvokeCommand."]),
    limit("tasks_per_instance", "a whole number", "100", &["Commands that may wait or run on an instance."]),
];

/// The limits that the file changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct LimitsTable(Vec<Change>);

impl Table for LimitsTable {
    const DESCRIPTION: Description = Description {
        name: "limits",
        is_list: false,
        meaning: &[
            " The documented limits. Each is a flag too, `--limit NAME=VALUE`, and may stand in",
            " AXT_LIMIT, with commas between them.",
        ],
        keys: KEYS,
    };

    fn read(entries: &mut Entries<'_>) -> Result<Self, FileError> {
        let mut changes = Vec::new();
        for key in KEYS {
            if let Some(set) = entries.take(key.name)? {
                changes.push(Change {
                    name: key.name.to_owned(),
                    value: set.value,
                    source: Source::File(set.at),
                });
            }
        }
        Ok(Self(changes))
    }
}

/// A changed limit.
#[derive(Clone, Debug)]
struct Change {
    name: String,
    value: u64,
    source: Source,
}

/// Where it was changed.
#[derive(Clone, Debug)]
enum Source {
    File(Place),
    Environment,
    Flag,
}

impl Source {
    /// As the admin API names it.
    fn name(&self) -> String {
        match self {
            Self::File(place) => place.to_string(),
            Self::Environment => "environment".to_owned(),
            Self::Flag => "flag".to_owned(),
        }
    }

    fn refuse(&self, problem: String) -> Failure {
        match self {
            Self::File(place) => FileError::new(place, problem).into(),
            Self::Environment => Failure::usage(format!("{VARIABLE}: {problem}")),
            Self::Flag => Failure::usage(problem),
        }
    }
}

/// One changed limit, as typed. The name is checked; the value when all are put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LimitArg {
    name: String,
    value: u64,
}

impl FromStr for LimitArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text
            .split_once('=')
            .ok_or("expected NAME=VALUE, for example `idle_timeout_s=20`")?;
        let names = || KEYS.iter().map(|key| key.name);
        if !names().any(|known| known == name) {
            return Err(match nearest(name, names()) {
                Some(near) => format!("there is no limit `{name}`; did you mean `{near}`?"),
                None => format!(
                    "there is no limit `{name}`; there are {}",
                    names().collect::<Vec<_>>().join(", ")
                ),
            });
        }
        let value = value
            .parse()
            .map_err(|_| format!("`{value}` is no whole number"))?;
        Ok(Self {
            name: name.to_owned(),
            value,
        })
    }
}

impl LimitArg {
    /// Which limit.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its value.
    pub(crate) const fn value(&self) -> u64 {
        self.value
    }

    fn from(self, source: Source) -> Change {
        Change {
            name: self.name,
            value: self.value,
            source,
        }
    }
}

/// The limits in force, and where those were set that are not at their defaults.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resolved {
    pub(crate) limits: Limits,
    pub(crate) sources: BTreeMap<String, String>,
}

/// Settles the layers; of two changes to one limit in a layer the later stands.
///
/// # Errors
/// A value out of its limit's range, or a variable that holds no limits.
pub(crate) fn resolve(
    flags: &[LimitArg],
    variable: Option<&str>,
    file: &LimitsTable,
) -> Result<Resolved, Failure> {
    let mut changes = file.0.clone();
    changes.extend(from_environment(variable)?);
    let flags = flags.iter().cloned();
    changes.extend(flags.map(|limit| limit.from(Source::Flag)));

    let mut all = defaults();
    let mut sources = BTreeMap::new();
    let mut resolved = Limits::default();
    for change in changes {
        all.insert(change.name.clone(), change.value.into());
        // One at a time, so that the message can name the one that does not fit.
        resolved = serde_json::from_value(Value::Object(all.clone()))
            .map_err(|error| error.to_string())
            .map_err(|why| {
                change
                    .source
                    .refuse(format!("limit `{}`: {why}", change.name))
            })?;
        resolved
            .check()
            .map_err(|error| change.source.refuse(error.to_string()))?;
        sources.insert(change.name, change.source.name());
    }
    Ok(Resolved {
        limits: resolved,
        sources,
    })
}

/// What `AXT_LIMIT` says.
fn from_environment(variable: Option<&str>) -> Result<Vec<Change>, Failure> {
    let mut changes = Vec::new();
    for text in variable.unwrap_or_default().split(',') {
        if text.trim().is_empty() {
            continue;
        }
        match text.trim().parse::<LimitArg>() {
            Ok(limit) => changes.push(limit.from(Source::Environment)),
            Err(problem) => return Err(Source::Environment.refuse(problem)),
        }
    }
    Ok(changes)
}

/// What `AXT_LIMIT` holds.
pub(crate) fn variable() -> Option<String> {
    axt_client::discover::process_environment(VARIABLE)
}

/// The limits of a command's help: name, default, meaning.
pub(crate) fn help() -> String {
    let mut text = String::from("Limits:\n");
    for key in KEYS {
        let (name, default, meaning) = (key.name, key.default_text(), key.meaning());
        let meaning = meaning.trim_end_matches('.');
        let _ = writeln!(text, "  {name:24}  {default:7}  {meaning}");
    }
    text
}

/// Every limit's name and default.
pub(crate) fn defaults() -> Map<String, Value> {
    match serde_json::to_value(Limits::default()) {
        Ok(Value::Object(all)) => all,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<LimitArg, String> {
        text.parse()
    }

    fn resolve_flags(flags: &[&str]) -> Result<Limits, String> {
        let flags: Vec<_> = flags
            .iter()
            .map(|text| parse(text).expect("a limit"))
            .collect();
        resolve(&flags, None, &LimitsTable::default())
            .map(|resolved| resolved.limits)
            .map_err(|failure| format!("{failure:?}"))
    }

    fn file(text: &str) -> LimitsTable {
        let path = std::path::Path::new("axt.toml");
        crate::settings::file::parse(path, text)
            .expect("a file")
            .limits
    }

    #[test]
    fn a_later_change_stands_over_an_earlier_one_and_the_default() {
        let limits = resolve_flags(&["idle_timeout_s=20", "idle_timeout_s=30"]).expect("in range");

        assert_eq!(limits.idle_timeout_s, 30);
        assert_eq!(limits.url_validity_s, 600);
    }

    #[test]
    fn a_flag_stands_over_the_environment_and_that_over_the_file_each_with_its_source() {
        let file = file("[limits]\nidle_timeout_s = 1\nburst_bytes = 2\nhistory_days = 3\n");
        let flags = [parse("idle_timeout_s=10").expect("a limit")];

        let resolved =
            resolve(&flags, Some("idle_timeout_s=7, burst_bytes=20"), &file).expect("in range");

        assert_eq!(resolved.limits.idle_timeout_s, 10);
        assert_eq!(resolved.limits.burst_bytes, 20);
        assert_eq!(resolved.limits.history_days, 3);
        assert_eq!(resolved.sources["idle_timeout_s"], "flag");
        assert_eq!(resolved.sources["burst_bytes"], "environment");
        assert_eq!(resolved.sources["history_days"], "axt.toml:4");
    }

    #[test]
    fn a_misspelt_limit_names_the_nearest() {
        let refusal = parse("idle_timeout=20").expect_err("unknown");

        assert_eq!(
            refusal,
            "there is no limit `idle_timeout`; did you mean `idle_timeout_s`?"
        );
    }

    #[test]
    fn a_bandwidth_that_would_crash_the_official_programs_is_refused() {
        let refusal = resolve_flags(&["bandwidth_bytes_per_s=100"]).expect_err("too low");

        assert!(refusal.contains("at least 2048"), "{refusal}");
    }

    #[test]
    fn a_value_beyond_the_type_names_its_limit() {
        let refusal = resolve_flags(&["burst_bytes=99999999999"]).expect_err("too high");

        assert!(refusal.contains("limit `burst_bytes`:"), "{refusal}");
    }
}
