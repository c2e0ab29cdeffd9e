//! The table and the types agree: a call with every parameter of the table loses none of them.

use serde_json::{Map, Value, json};

use super::call;
use crate::{
    Action, ActionName, ErrorCode,
    description::{Form, Kind, Parameter},
};

/// Values for a parameter that the table accepts, as the wire has them: names and texts.
fn samples(prefix: &str, parameter: &Parameter) -> Vec<Vec<(String, String)>> {
    let name = format!("{prefix}{}", parameter.name);
    let one = |text: &str| vec![vec![(name.clone(), text.to_owned())]];
    match parameter.kind {
        Kind::Text { min, max, form } => [min, max]
            .map(|length| {
                let unit = match form {
                    Form::AddressRange => return vec![(name.clone(), "10.0.0.0/8".to_owned())],
                    _ => "a",
                };
                vec![(name.clone(), unit.repeat(length))]
            })
            .to_vec(),
        Kind::Integer { min, max } => [min, max]
            .map(|number| vec![(name.clone(), number.to_string())])
            .to_vec(),
        Kind::Boolean => ["true", "False"]
            .map(|it| vec![(name.clone(), it.to_owned())])
            .to_vec(),
        Kind::Choice { words, .. } => words
            .iter()
            .map(|word| vec![(name.clone(), (*word).to_owned())])
            .collect(),
        Kind::List { max } => {
            vec![
                (1..=max.min(3))
                    .map(|n| (format!("{name}.{n}"), format!("i-{n}")))
                    .collect(),
            ]
        }
        Kind::JsonList { .. } => one(r#"["i-1"]"#),
        Kind::Tags { .. } => {
            vec![vec![
                (format!("{name}.1.Key"), "k".into()),
                (format!("{name}.1.Value"), "v".into()),
            ]]
        }
        Kind::Object(members) => {
            let prefix = format!("{name}.");
            members
                .iter()
                .flat_map(|member| samples(&prefix, member))
                .collect()
        }
        Kind::Map => one(r#"{"a":"b"}"#),
    }
}

/// What has to be there for a call to be about anything at all.
fn required(action: ActionName, but: &Parameter) -> Vec<(String, String)> {
    let description = action.description();
    let parameters = description.parameters.iter();
    let required = parameters.filter(|it| it.required && it.name != but.name);
    let mut pairs: Vec<(String, String)> = required
        .filter_map(|it| samples("", it).into_iter().next())
        .flatten()
        .collect();
    pairs.push(("RegionId".to_owned(), "cn-hangzhou".to_owned()));
    pairs
}

fn request(action: &Action) -> Map<String, Value> {
    let Value::Object(map) = action.to_json() else {
        panic!("a request is an object");
    };
    map
}

#[test]
fn every_parameter_of_the_table_arrives_in_the_type() {
    for name in ActionName::ALL.iter().copied() {
        for parameter in name.description().parameters {
            for sample in samples("", parameter) {
                let mut pairs = required(name, parameter);
                pairs.extend(sample.clone());
                let lent: Vec<(&str, &str)> = pairs
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_str()))
                    .collect();

                match call(name.as_str(), &lent) {
                    Ok(call) => {
                        let map = request(&call.action);
                        assert!(
                            map.contains_key(parameter.name),
                            "{name} {sample:?}: {map:?}"
                        );
                        assert_eq!(call.ignored, Vec::<String>::new(), "{name} {sample:?}");
                    }
                    // What only goes together with another parameter has a code of its own.
                    Err(failure) => {
                        let code = failure.error.code();
                        assert!(has_partner(code), "{name} {sample:?}: {}", failure.error);
                    }
                }
            }
        }
    }
}

/// Codes of parameters that may not stand alone.
fn has_partner(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::InvalidTargetServerMissingPortNumber
            | ErrorCode::InvalidEncryptionOptionsModeEncryptionDisabled
            | ErrorCode::InvalidParameterEncryptionOptionsKmsKeyId
    )
}

#[test]
fn the_names_of_the_table_are_the_names_of_the_actions() {
    for name in ActionName::ALL.iter().copied() {
        assert_eq!(name.description().name, name.as_str());
        for parameter in name.description().parameters {
            assert!(
                !parameter.about.is_empty(),
                "{name} {} has no help",
                parameter.name
            );
        }
    }
}

#[test]
fn defaults_and_lists_arrive_as_the_page_says() {
    let call = call(
        "StartTerminalSession",
        &[
            ("RegionId", "cn-hangzhou"),
            ("InstanceId", "i-1"),
            ("CommandLine", "ls"),
        ],
    )
    .expect("a call");

    assert_eq!(
        Value::Object(request(&call.action)),
        json!({
            "RegionId": "cn-hangzhou",
            "InstanceId": ["i-1"],
            "ConnectionType": "Internet",
            "CommandLine": "ls",
            "EncryptionOptions": {"Enabled": false},
        })
    );
}
