//! Lists, tags and objects, which stand in several parameters or in JSON text (ecs-api 1.2).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::{
    ApiError, ErrorCode,
    description::{Kind, Parameter},
};

type Flat = BTreeMap<String, String>;

/// A list's values in the order of their numbers, and the names that they stood under.
pub(super) struct Found<T> {
    pub(super) names: Vec<String>,
    pub(super) values: Vec<T>,
}

/// The parameters below `name.`, without that prefix.
pub(super) fn below<'a>(flat: &'a Flat, name: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let prefix = format!("{name}.");
    flat.range(prefix.clone()..)
        .map_while(move |(name, value)| Some((name.strip_prefix(&prefix)?, value.as_str())))
}

/// A number of a list: from 1 on, in plain decimal, so that no two names mean the same.
fn number(text: &str) -> Option<u32> {
    let number: u32 = text.parse().ok()?;
    (number > 0 && number.to_string() == text).then_some(number)
}

/// `Name.1`, `Name.2`, … in numeric order, gaps closed up; `Name` alone counts as `Name.1`.
pub(super) fn numbered(flat: &Flat, name: &str) -> Result<Found<String>, ApiError> {
    let mut items: BTreeMap<u32, (String, &str)> = below(flat, name)
        .filter_map(|(suffix, value)| Some((number(suffix)?, (format!("{name}.{suffix}"), value))))
        .collect();
    let mut names = Vec::new();
    if let Some(alone) = flat.get(name) {
        names.push(name.to_owned());
        let first = items.entry(1).or_insert_with(|| (name.to_owned(), alone));
        if first.1 != alone {
            return Err(ErrorCode::InvalidParameter.into());
        }
    }
    let mut values = Vec::with_capacity(items.len());
    for (name, value) in items.into_values() {
        names.push(name);
        values.push(value.to_owned());
    }
    Ok(Found { names, values })
}

/// `Tag.N.Key` and `Tag.N.Value` as `{"Key":…,"Value":…}` (ecs-api 3.6).
pub(super) fn tagged(flat: &Flat, parameter: &Parameter) -> Result<Found<Value>, ApiError> {
    let mut items: BTreeMap<u32, (Option<&str>, &str)> = BTreeMap::new();
    let mut names = Vec::new();
    for (suffix, value) in below(flat, parameter.name) {
        let Some((index, field)) = suffix.split_once('.') else {
            continue;
        };
        let Some(index) = number(index) else { continue };
        match field {
            "Key" => items.entry(index).or_default().0 = Some(value),
            "Value" => items.entry(index).or_default().1 = value,
            _ => continue,
        }
        names.push(format!("{}.{suffix}", parameter.name));
    }
    let mut values = Vec::with_capacity(items.len());
    for (key, value) in items.into_values() {
        let key = key.ok_or(ErrorCode::InvalidTagMismatch)?;
        if !is_tag(key, value) {
            return Err(parameter.fault());
        }
        values.push(json!({"Key": key, "Value": value}));
    }
    Ok(Found { names, values })
}

fn is_tag(key: &str, value: &str) -> bool {
    let has_link = |text: &str| text.contains("http://") || text.contains("https://");
    key.chars().count() <= 64
        && value.chars().count() <= 128
        && !key.starts_with("aliyun")
        && !key.starts_with("acs:")
        && !has_link(key)
        && !has_link(value)
}

/// An object with its members spread out as dotted names, whichever way it came.
pub(super) struct Expanded {
    pub(super) names: Vec<String>,
    pub(super) members: Flat,
}

/// An object from JSON text or from dotted names, never from both. `None` when there is neither and
/// no default.
pub(super) fn expand(
    flat: &Flat,
    parameter: &Parameter,
    table: &[Parameter],
) -> Result<Option<Expanded>, ApiError> {
    let dotted: Flat = below(flat, parameter.name)
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let names = dotted
        .keys()
        .map(|name| format!("{}.{name}", parameter.name))
        .collect();
    let given = flat.get(parameter.name).map(String::as_str);
    if !dotted.is_empty() {
        return match given {
            Some(_) => Err(ErrorCode::InvalidParameter.into()),
            None => Ok(Some(Expanded {
                names,
                members: dotted,
            })),
        };
    }
    let Some(text) = given.or(parameter.default) else {
        return Ok(None);
    };
    let object: Map<String, Value> =
        serde_json::from_str(text).map_err(|_| ErrorCode::InvalidParameter)?;
    let is_misplaced = |member: &Parameter| {
        let is_scalar = !matches!(member.kind, Kind::List { .. } | Kind::Object(_));
        is_scalar
            && object
                .get(member.name)
                .is_some_and(|it| it.is_array() || it.is_object())
    };
    if table.iter().any(is_misplaced) {
        return Err(ErrorCode::InvalidParameter.into());
    }
    let mut members = Flat::new();
    for (name, value) in &object {
        spread(name, value, &mut members);
    }
    Ok(Some(Expanded {
        names: vec![parameter.name.to_owned()],
        members,
    }))
}

/// Writes a JSON value under dotted names. Null and empty texts are absent, as everywhere.
fn spread(name: &str, value: &Value, members: &mut Flat) {
    match value {
        Value::Null => {}
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                spread(
                    &format!("{name}.{}", index.saturating_add(1)),
                    item,
                    members,
                );
            }
        }
        Value::Object(inner) => {
            for (member, value) in inner {
                spread(&format!("{name}.{member}"), value, members);
            }
        }
        scalar => {
            if let Some(text) = text_of(scalar).filter(|text| !text.is_empty()) {
                members.insert(name.to_owned(), text);
            }
        }
    }
}

/// A scalar as the text that the wire would have.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A JSON list of texts.
pub(super) fn texts_of_list(text: &str) -> Option<Vec<String>> {
    serde_json::from_str(text).ok()
}

/// A JSON object of scalars, each as its text.
pub(super) fn texts_of_map(text: &str) -> Option<Map<String, Value>> {
    let object: Map<String, Value> = serde_json::from_str(text).ok()?;
    let text = |(name, value)| Some((name, Value::from(text_of(&value)?)));
    object.into_iter().map(text).collect()
}
