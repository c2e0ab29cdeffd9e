//! `--limit NAME=VALUE`, over the documented defaults.

use std::str::FromStr;

use axt_proto::Limits;
use serde_json::{Map, Value};

/// One changed limit, as typed. The name is checked; the value when all are put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LimitArg {
    name: String,
    value: u64,
}

impl LimitArg {
    /// Which limit.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl FromStr for LimitArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text
            .split_once('=')
            .ok_or("expected NAME=VALUE, for example `idle_timeout_s=20`")?;
        let known = defaults();
        if !known.contains_key(name) {
            return Err(match nearest(name, known.keys().map(String::as_str)) {
                Some(near) => format!("there is no limit `{name}`; did you mean `{near}`?"),
                None => format!(
                    "there is no limit `{name}`; there are {}",
                    known
                        .keys()
                        .map(String::as_str)
                        .collect::<Vec<_>>()
                        .join(", ")
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

/// The defaults with `changes` over them; of two changes to one limit the later stands.
///
/// # Errors
/// A value out of its limit's range.
pub(crate) fn resolve(changes: &[LimitArg]) -> Result<Limits, String> {
    let mut all = defaults();
    for change in changes {
        all.insert(change.name.clone(), change.value.into());
        // One at a time, so that the message can name the one that does not fit.
        serde_json::from_value::<Limits>(Value::Object(all.clone()))
            .map_err(|error| format!("limit `{}`: {error}", change.name))?;
    }
    let limits: Limits =
        serde_json::from_value(Value::Object(all)).map_err(|error| error.to_string())?;
    limits.check().map_err(|error| error.to_string())?;
    Ok(limits)
}

/// Every limit's name and default.
pub(crate) fn defaults() -> Map<String, Value> {
    match serde_json::to_value(Limits::default()) {
        Ok(Value::Object(all)) => all,
        _ => Map::new(),
    }
}

/// The word that `typed` was probably meant to be.
pub(crate) fn nearest<'a>(typed: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    words
        .map(|word| (strsim::jaro_winkler(typed, word), word))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<LimitArg, String> {
        text.parse()
    }

    #[test]
    fn a_later_change_stands_over_an_earlier_one_and_the_default() {
        let changes = [parse("idle_timeout_s=20"), parse("idle_timeout_s=30")].map(Result::unwrap);

        let limits = resolve(&changes).expect("in range");

        assert_eq!(limits.idle_timeout_s, 30);
        assert_eq!(limits.url_validity_s, 600);
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
        let refusal = resolve(&[parse("bandwidth_bytes_per_s=100").unwrap()]).expect_err("too low");

        assert!(refusal.contains("at least 2048"), "{refusal}");
    }

    #[test]
    fn a_value_beyond_the_type_names_its_limit() {
        let refusal = resolve(&[parse("burst_bytes=99999999999").unwrap()]).expect_err("too high");

        assert!(refusal.starts_with("limit `burst_bytes`:"), "{refusal}");
    }
}
