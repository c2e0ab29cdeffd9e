//! The table and the types agree: a call with every parameter of the table loses none of them.

use serde_json::{Map, Value, json};

use super::call;
use crate::{
    Action, ActionName, ErrorCode,
    description::{Form, Kind, Parameter, Rule},
};

/// Values for a parameter that the table accepts, as the wire has them: names and texts.
fn samples(prefix: &str, parameter: &Parameter) -> Vec<Vec<(String, String)>> {
    let name = format!("{prefix}{}", parameter.name);
    let one = |text: &str| vec![vec![(name.clone(), text.to_owned())]];
    match parameter.kind {
        Kind::Text { min, max, form } => [min, max]
            .map(|length| vec![(name.clone(), formed(form, length))])
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
        Kind::List {
            max,
            form: Form::Words(words),
        } => {
            assert!(max >= words.len());
            words
                .iter()
                .map(|word| vec![(format!("{name}.1"), (*word).to_owned())])
                .collect()
        }
        Kind::List { max, form } => {
            vec![
                (1..=max.min(3))
                    .map(|n| (format!("{name}.{n}"), formed(form, 4)))
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

/// A text of a form, of that length where the form leaves a choice.
fn formed(form: Form, length: usize) -> String {
    match form {
        Form::AddressRange => "10.0.0.0/8".to_owned(),
        Form::Megabytes(least, _) => format!("{least}MB"),
        Form::Window => "02:00-03:00".to_owned(),
        // The longest of all would be more than a call can have.
        _ => "a".repeat(length.min(4_096)),
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

/// What the rules of the table want beside what is there.
fn add_needed(action: ActionName, pairs: &mut Vec<(String, String)>) {
    let description = action.description();
    for rule in description.rules {
        let Rule::Needs(first, word, [needed, ..]) = rule else {
            continue;
        };
        let asks = pairs
            .iter()
            .any(|(name, value)| name == first && value == word);
        let parameter = description.parameter(needed).expect("in the table");
        if asks && !pairs.iter().any(|(name, _)| name.starts_with(needed)) {
            pairs.extend(samples("", parameter).swap_remove(0));
        }
    }
}

/// Where the sample of a parameter ends up in the request.
fn path<'a>(parameter: &Parameter, sample: &'a [(String, String)]) -> Vec<&'a str> {
    let (name, _) = &sample[0];
    match parameter.kind {
        Kind::Object(_) => name
            .split('.')
            .filter(|step| step.parse::<u32>().is_err())
            .collect(),
        Kind::List { .. } | Kind::Tags { .. } => name.split('.').take(1).collect(),
        _ => vec![name],
    }
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
                add_needed(name, &mut pairs);
                let lent: Vec<(&str, &str)> = pairs
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_str()))
                    .collect();

                match call(name.as_str(), &lent) {
                    Ok(call) => {
                        let json = call.action.to_json();
                        let steps = path(parameter, &sample);
                        let found = steps
                            .iter()
                            .try_fold(&json, |inside, step| inside.get(step));
                        assert!(found.is_some(), "{name} {sample:?}: {json}");
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
            | ErrorCode::CmdContentDecodeError
            | ErrorCode::ParameterDisabled
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
