//! A fault in a scenario: the words of `axt fault`, with instances and sessions by their names.

use std::borrow::Cow;

use axt_control::admin::fault::{COMMON, Fault, KINDS};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::{Map, Value, json};

/// A fault, as `axt fault add` has it: `{ type = "latency", latency = 500, link = "client" }`.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultText {
    /// For which instance, by its name; absent: for all.
    pub instance: Option<String>,
    /// For which session, by its name; absent: for all.
    pub session: Option<String>,
    members: Map<String, Value>,
}

impl FaultText {
    /// The fault, for those ids. Its words were checked when it was read.
    pub(crate) fn fault(
        &self,
        instance: Option<&str>,
        session: Option<&str>,
    ) -> Result<Fault, String> {
        let mut members = self.members.clone();
        for (name, id) in [("instance", instance), ("session", session)] {
            if let Some(id) = id {
                members.insert(name.to_owned(), Value::from(id));
            }
        }
        Fault::try_from(members).map_err(|error| error.to_string())
    }

    /// The name that it is given.
    pub(crate) fn name(&self) -> Option<&str> {
        self.members.get("name").and_then(Value::as_str)
    }

    /// What goes wrong, in the words that it was written in.
    pub(crate) fn words(&self) -> String {
        let member = |name: &str| {
            self.members
                .get(name)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        let mut words = member("type").unwrap_or_default();
        let names = [("instance", &self.instance), ("session", &self.session)];
        let own = self
            .members
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "type" | "name"));
        for (name, value) in own {
            let value = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            words.push_str(&format!(" {name}={value}"));
        }
        for (name, value) in names {
            if let Some(value) = value {
                words.push_str(&format!(" {name}={value}"));
            }
        }
        words
    }
}

impl<'de> Deserialize<'de> for FaultText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut members = Map::<String, Value>::deserialize(deserializer)?;
        let mut named = |name: &str| match members.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(D::Error::custom(format!(
                "`{name}` is a name from this scenario"
            ))),
        };
        let fault = Self {
            instance: named("instance")?,
            session: named("session")?,
            members,
        };
        fault.fault(None, None).map_err(D::Error::custom)?;
        Ok(fault)
    }
}

impl JsonSchema for FaultText {
    fn schema_name() -> Cow<'static, str> {
        "Fault".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words: Vec<&str> = KINDS.iter().map(|kind| kind.word).collect();
        let effects: Vec<String> = KINDS
            .iter()
            .map(|kind| format!("`{}`: {}", kind.word, kind.effect))
            .collect();
        let mut properties = Map::new();
        properties.insert(
            "type".to_owned(),
            json!({ "enum": words, "description": format!("What goes wrong. {}", effects.join(" ")) }),
        );
        let own = KINDS.iter().flat_map(|kind| kind.attributes);
        for attribute in own.chain(&COMMON) {
            let unit = match attribute.name {
                "instance" => "an instance's name",
                "session" => "a session's name",
                _ => attribute.unit,
            };
            let described = json!({ "description": format!("[{unit}]") });
            properties
                .entry(attribute.name.to_owned())
                .or_insert(described);
        }
        json_schema!({
            "type": "object",
            "description": "A fault, as `axt fault add` has it, with instances and sessions by their names (docs/faults.md).",
            "required": ["type"],
            "additionalProperties": false,
            "properties": properties,
        })
    }
}
