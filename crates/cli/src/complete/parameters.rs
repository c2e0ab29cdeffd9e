//! The parameters of the action that stands on the line, as flags.

use axt_openapi::{
    ActionName,
    description::{Kind, Parameter},
};
use clap::Arg;

use super::{candidates, regions};
use crate::flags::api::flag_name;

/// The parameters of the action of an `axt api` line; none where there is no known action. Those that
/// are on the line already are known too, but not offered again.
pub(super) fn of(typed: &[&str], instances: &[(String, String)]) -> Vec<Arg> {
    let action = typed.iter().find_map(|word| ActionName::find(word));
    // The last word is the one to be completed.
    let before = typed.split_last().map_or(&[][..], |(_, before)| before);
    let given: Vec<&str> = before
        .iter()
        .filter_map(|word| word.strip_prefix("--"))
        .map(|word| word.split_once('=').map_or(word, |(name, _)| name))
        .filter(|word| word.starts_with(|first: char| first.is_ascii_uppercase()))
        .collect();
    let mut args: Vec<Arg> = Vec::new();
    if let Some(action) = action {
        for parameter in action.description().every_parameter() {
            let mut add = |name: &str, hide: bool| {
                args.push(arg(name, &parameter, instances).hide(hide));
            };
            let name = flag_name(parameter.name);
            for given in &given {
                if given.split('.').next() == Some(&name) {
                    add(given, true);
                }
            }
            for next in next_names(&name, parameter.kind, &given) {
                if !given.contains(&next.as_str()) {
                    add(&next, false);
                }
            }
        }
    }
    // The value of what is no parameter is no action either.
    for name in given {
        if !args.iter().any(|arg| arg.get_long() == Some(name)) {
            args.push(valued(name).hide(true));
        }
    }
    args
}

/// The names under which a parameter can be given next: behind `InstanceId.1` comes `.2`.
fn next_names(name: &str, kind: Kind, given: &[&str]) -> Vec<String> {
    let free = |rest: &str| {
        let taken = |number: usize| given.contains(&format!("{name}.{number}{rest}").as_str());
        (1..).find(|number| !taken(*number)).unwrap_or(1)
    };
    match kind {
        Kind::List { .. } => vec![format!("{name}.{}", free(""))],
        Kind::Tags { .. } => [".Key", ".Value"]
            .iter()
            .map(|rest| format!("{name}.{}{rest}", free(rest)))
            .collect(),
        _ => vec![name.to_owned()],
    }
}

fn arg(name: &str, parameter: &Parameter, instances: &[(String, String)]) -> Arg {
    let plain = |words: &[&str]| {
        let words = words.iter();
        words
            .map(|word| ((*word).to_owned(), String::new()))
            .collect()
    };
    let words = match (parameter.kind, parameter.name) {
        (_, "RegionId") => regions(),
        (_, "InstanceId") => instances.to_vec(),
        (_, "InstanceIds") => instances
            .iter()
            .map(|(id, name)| (format!("[\"{id}\"]"), name.clone()))
            .collect(),
        (Kind::Choice { words, .. }, _) => plain(words),
        (Kind::Boolean, _) => plain(&["true", "false"]),
        _ => Vec::new(),
    };
    valued(name).help(parameter.about).add(candidates(words))
}

fn valued(name: &str) -> Arg {
    Arg::new(name.to_owned())
        .long(name.to_owned())
        .num_args(1)
        // Before the flags of every action.
        .display_order(0)
        .allow_hyphen_values(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(line: &str) -> Vec<String> {
        let typed: Vec<&str> = line.split(' ').collect();
        let args = of(&typed, &[]);
        let shown = args.iter().filter(|arg| !arg.is_hide_set());
        shown
            .filter_map(|arg| arg.get_long().map(str::to_owned))
            .collect()
    }

    #[test]
    fn the_parameters_are_those_of_the_action() {
        assert_eq!(
            names("axt api EndTerminalSession --"),
            ["RegionId", "SessionId"]
        );
        assert!(names("axt api --").is_empty());
        assert!(names("axt api NoSuchAction --").is_empty());
    }

    #[test]
    fn a_list_goes_on_with_its_next_number() {
        let names =
            names("axt api DescribeInstanceStatus --InstanceId.1 i-1 --InstanceId.2=i-2 --");

        assert!(names.contains(&"InstanceId.3".to_owned()), "{names:?}");
        assert!(!names.contains(&"InstanceId.1".to_owned()), "{names:?}");
    }

    #[test]
    fn a_parameter_is_spelt_as_a_flag_and_offered_once() {
        let line = "axt api ModifyUserBusinessBehavior --RegionId cn-hangzhou --";

        assert_eq!(names(line), ["StatusKey", "StatusValue"]);
    }

    #[test]
    fn both_halves_of_a_tag_are_wanted() {
        let names = names("axt api DescribeInstances --Tag.1.Key a --");

        assert!(names.contains(&"Tag.1.Value".to_owned()), "{names:?}");
        assert!(names.contains(&"Tag.2.Key".to_owned()), "{names:?}");
    }
}
