//! The schema for editors.

use axt_proto::Limits;
use schemars::{Schema, SchemaGenerator, json_schema, schema_for};
use serde_json::Value;

use super::Scenario;

/// The JSON schema of a scenario, as the file `experiments/schema.json` has it.
#[must_use]
pub fn schema() -> String {
    let mut schema = schema_for!(Scenario);
    schema.insert("$id".to_owned(), Value::from("axt-scenario"));
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

/// The limits by name: whole numbers, with their defaults.
pub(super) fn limits(_: &mut SchemaGenerator) -> Schema {
    let mut schema = json_schema!({ "type": "object", "additionalProperties": false });
    if let Ok(Value::Object(all)) = serde_json::to_value(Limits::default()) {
        let properties = all.into_iter().map(|(name, default)| {
            let one = serde_json::json!({ "type": "integer", "minimum": 0, "default": default });
            (name, one)
        });
        schema.insert("properties".to_owned(), Value::Object(properties.collect()));
    }
    schema
}
