//! The reference of the format, made from its schema: what docs/experiments.md shows.

use std::fmt::Write;

use serde_json::{Map, Value};

use super::schema;

/// Every table and key of a scenario, as Markdown.
#[must_use]
pub fn markdown() -> String {
    let root: Value = serde_json::from_str(&schema()).unwrap_or_default();
    let empty = Map::new();
    let definitions = root
        .get("$defs")
        .and_then(Value::as_object)
        .unwrap_or(&empty);
    let mut text = String::new();
    table(&mut text, "At the top of the file", &root, definitions);
    let tables = [
        ("`[[instances]]`", "Instance"),
        ("`[[ports]]`", "Port"),
        ("`[[faults]]`, `add_fault`", "Fault"),
        ("`[agent]`", "AgentProgram"),
        ("`[client]`", "ClientProgram"),
        ("`[[steps]]`", "Step"),
    ];
    for (title, name) in tables {
        if let Some(one) = definitions.get(name) {
            table(&mut text, title, one, definitions);
        }
    }
    let shown: Vec<&str> = tables.iter().map(|(_, name)| *name).collect();
    let keys = definitions
        .get("Step")
        .and_then(|step| step.get("properties"));
    for (key, value) in keys.and_then(Value::as_object).unwrap_or(&empty) {
        let Some(name) = refers(value).filter(|name| !shown.contains(name)) else {
            continue;
        };
        if let Some(one) = definitions
            .get(name)
            .filter(|one| one.get("properties").is_some())
        {
            table(&mut text, &format!("`{key} = {{ … }}`"), one, definitions);
        }
    }
    text
}

fn table(text: &mut String, title: &str, one: &Value, definitions: &Map<String, Value>) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "### {title}\n");
    let described = one
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let _ = writeln!(
        text,
        "{}\n\n| key | form | meaning |\n|---|---|---|",
        flat(described)
    );
    let required: Vec<&str> = one
        .get("required")
        .and_then(Value::as_array)
        .map(|all| all.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let empty = Map::new();
    let keys = one
        .get("properties")
        .and_then(Value::as_object)
        .unwrap_or(&empty);
    for (key, value) in keys {
        let form = form(value, definitions);
        let needed = if required.contains(&key.as_str()) {
            ", required"
        } else {
            ""
        };
        let meaning = value
            .get("description")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let _ = writeln!(text, "| `{key}` | {form}{needed} | {} |", flat(meaning));
    }
    text.push('\n');
}

/// What a value looks like, in a word or two.
fn form(value: &Value, definitions: &Map<String, Value>) -> String {
    if let Some(words) = value.get("enum").and_then(Value::as_array) {
        let words: Vec<String> = words
            .iter()
            .filter_map(Value::as_str)
            .map(|word| format!("`{word}`"))
            .collect();
        return if words.len() > 6 {
            "a word".to_owned()
        } else {
            words.join(", ")
        };
    }
    if let Some(several) = value
        .get("anyOf")
        .or_else(|| value.get("oneOf"))
        .and_then(Value::as_array)
    {
        let forms = several
            .iter()
            .filter(|one| one.get("type").and_then(Value::as_str) != Some("null"));
        let mut forms: Vec<String> = forms
            .map(|one| match one.get("const").and_then(Value::as_str) {
                Some(word) => format!("`{word}`"),
                None => form(one, definitions),
            })
            .collect();
        forms.dedup();
        return forms.join(" or ");
    }
    if let Some(name) = value.get("$ref").and_then(Value::as_str) {
        let name = name.trim_start_matches("#/$defs/");
        return match (name, definitions.get(name)) {
            ("Span", _) => "a span of time".to_owned(),
            (_, Some(one)) if one.get("properties").is_some() => "a table".to_owned(),
            (_, Some(one)) => form(one, definitions),
            (_, None) => name.to_owned(),
        };
    }
    let kind = match value.get("type") {
        Some(Value::String(kind)) => kind.as_str(),
        Some(Value::Array(kinds)) => kinds
            .iter()
            .filter_map(Value::as_str)
            .find(|kind| *kind != "null")
            .unwrap_or("text"),
        _ => "",
    };
    match kind {
        "string" => "a text",
        "integer" => "a whole number",
        "boolean" => "`true` or `false`",
        "array" => "a list",
        "object" => "a table",
        _ => "a text or a number",
    }
    .to_owned()
}

/// The definition that a key's value refers to, as it is or in brief.
fn refers(value: &Value) -> Option<&str> {
    let own = value.get("$ref").and_then(Value::as_str);
    let inner = || {
        let several = value.get("anyOf").and_then(Value::as_array)?;
        several.iter().find_map(refers)
    };
    own.map(|name| name.trim_start_matches("#/$defs/"))
        .or_else(inner)
}

/// On one line, with nothing in it that ends a table's cell.
fn flat(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").replace('|', "\\|")
}
