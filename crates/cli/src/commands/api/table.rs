//! The tables that the API is served from, as text: its actions, their parameters, its errors.

use std::fmt::Write as _;

use axt_openapi::{
    ActionName, ErrorCode,
    description::{Kind, Parameter},
};

use crate::{
    failure::Failure,
    flags::{api::flag_name, usage::UsageError},
};

/// The action of that name; a near miss is told.
pub(super) fn find(name: &str) -> Result<ActionName, Failure> {
    if let Some(action) = ActionName::find(name) {
        return Ok(action);
    }
    let likeness = |action: &&ActionName| {
        let likeness = strsim::jaro_winkler(&action.as_str().to_lowercase(), &name.to_lowercase());
        (likeness * 1_000.0).round() as u32
    };
    let nearest = ActionName::ALL.iter().max_by_key(likeness);
    let hint = nearest.map_or_else(
        || "`axt api --actions` lists them".to_owned(),
        |nearest| format!("did you mean {nearest}? `axt api --actions` lists them"),
    );
    Err(UsageError::new(format!("there is no action `{name}`"))
        .hint(hint)
        .into())
}

/// A line an action.
pub(super) fn actions() -> String {
    let width = ActionName::ALL.iter().map(|name| name.as_str().len()).max();
    let width = width.unwrap_or_default();
    let mut text = String::new();
    for name in ActionName::ALL {
        line(
            &mut text,
            format_args!("{:width$}  {}", name.as_str(), name.description().about),
        );
    }
    text
}

/// A line a parameter.
pub(super) fn parameters(action: ActionName) -> String {
    let description = action.description();
    let mut text = String::new();
    line(&mut text, format_args!("{action}: {}", description.about));
    for parameter in description.every_parameter() {
        let names = parameter.wire_names();
        let names: Vec<String> = names.iter().map(|name| flag_name(name)).collect();
        let names = names.join(", --");
        let notes = match notes(&parameter) {
            none if none.is_empty() => none,
            notes => format!(" ({notes})"),
        };
        line(
            &mut text,
            format_args!("  --{names}\n        {}{notes}", parameter.about),
        );
    }
    text
}

/// What the parameter takes that a code names, as `InvalidParameter.InstanceName` does.
pub(super) fn takes(action: &str, code: &str) -> Option<String> {
    let action = ActionName::find(action)?;
    let (_, name) = code.rsplit_once('.')?;
    let parameter = action.description().parameter(name)?;
    let what = match notes(parameter) {
        none if none.is_empty() => format!("--{name}: {}", parameter.about.trim_end_matches('.')),
        notes => format!("--{name} takes {notes}"),
    };
    Some(format!(
        "{what}; `axt api --actions {action}` lists the parameters"
    ))
}

fn notes(parameter: &Parameter) -> String {
    let mut notes = vec![range(parameter.kind)];
    if parameter.required {
        notes.push("required".to_owned());
    }
    if let Some(default) = parameter.default {
        notes.push(format!("default {default}"));
    }
    notes.retain(|note| !note.is_empty());
    notes.join("; ")
}

fn range(kind: Kind) -> String {
    match kind {
        Kind::Text { min, max, form } => {
            let form = form.to_string();
            let form = if form.is_empty() {
                form
            } else {
                format!(": {form}")
            };
            match (min, max) {
                (_, 4_096..) => format!("text{form}"),
                (0 | 1, max) => format!("at most {max} characters{form}"),
                (min, max) => format!("{min} to {max} characters{form}"),
            }
        }
        Kind::Integer { min, max: u32::MAX } => format!("from {min}"),
        Kind::Integer { min, max } => format!("{min} to {max}"),
        Kind::Boolean => "true or false".to_owned(),
        Kind::Choice { words, .. } => words.join(" or "),
        Kind::List { max, .. } | Kind::Tags { max } => format!("at most {max}"),
        Kind::JsonList { max } => format!("JSON list, at most {max}"),
        Kind::Object(members) => {
            let names: Vec<&str> = members.iter().map(|member| member.name).collect();
            format!("JSON object of {}", names.join(", "))
        }
        Kind::Map => "JSON object".to_owned(),
    }
}

/// Every code, or those that an action can be answered with: status, code, message, and when.
pub(super) fn errors(action: Option<ActionName>) -> String {
    let codes = match action {
        Some(action) => action.description().every_error(),
        None => ErrorCode::ALL.to_vec(),
    };
    let mut text = String::new();
    for code in codes {
        let entry = code.entry_for(action);
        let (name, message) = (entry.code.replace("{0}", "<Name>"), entry.message);
        line(
            &mut text,
            format_args!("{} {name}: {message}", entry.status),
        );
        line(
            &mut text,
            format_args!("    When {}. {}", entry.when, entry.hint),
        );
    }
    text
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a text never fails.
    let _ = writeln!(text, "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_miss_names_the_action_that_was_meant() {
        let refusal = find("startterminalsesion").expect_err("no action");

        assert!(
            format!("{refusal:?}").contains("StartTerminalSession"),
            "{refusal:?}"
        );
    }

    #[test]
    fn an_actions_errors_are_worded_as_its_page_does() {
        let all = errors(None);
        let own = errors(Some(ActionName::StartTerminalSession));

        assert!(
            all.contains("404 InvalidInstance.NotFound: The specified instance does not exist.")
        );
        assert!(own.contains("404 InvalidInstance.NotFound: The specified instances not found."));
        assert!(own.len() < all.len());
    }

    #[test]
    fn a_refused_parameter_is_told_with_what_it_takes() {
        let told = |code| takes("CreateActivation", code);

        assert_eq!(
            told("InvalidParameter.InstanceName").as_deref(),
            Some(
                "--InstanceName takes 2 to 50 characters: a letter, then letters, digits and . _ - :; \
                 `axt api --actions CreateActivation` lists the parameters"
            )
        );
        assert_eq!(told("InvalidInstance.NotFound"), None);
    }

    #[test]
    fn parameters_tell_their_ranges() {
        let text = parameters(ActionName::StartTerminalSession);

        assert!(text.contains(
            "--PortNumber\n        The port to forward to; a shell without it. (1 to 65535)"
        ));
    }
}
