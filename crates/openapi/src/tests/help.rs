//! The table as a person sees it: what help, completion and the probe are made from.

use std::fmt::Write as _;

use crate::{ActionName, ErrorCode, description::Kind};

fn kind(kind: Kind) -> String {
    match kind {
        Kind::Object(members) => {
            let names: Vec<&str> = members.iter().map(|member| member.name).collect();
            format!("Object({})", names.join(", "))
        }
        other => format!("{other:?}"),
    }
}

#[test]
fn the_table_of_actions() {
    let mut text = String::new();
    for name in ActionName::ALL {
        let description = name.description();
        writeln!(text, "{name}: {}", description.about).expect("a text");
        for parameter in description.every_parameter() {
            let star = if parameter.required { "*" } else { "" };
            let default = parameter
                .default
                .map(|it| format!(" = {it}"))
                .unwrap_or_default();
            let names = parameter.wire_names().join(", ");
            writeln!(text, "    {names}{star}: {}{default}", kind(parameter.kind)).expect("a text");
        }
        let own: Vec<&str> = description
            .every_error()
            .into_iter()
            .filter(|code| *code > ErrorCode::ForbiddenRam)
            .map(|code| code.entry().code)
            .collect();
        writeln!(text, "    -> {}", own.join(", ")).expect("a text");
    }

    insta::assert_snapshot!(text);
}

#[test]
fn every_code_is_some_actions() {
    for code in ErrorCode::ALL {
        let has = ActionName::ALL
            .iter()
            .any(|name| name.description().every_error().contains(code));
        assert!(has, "{code:?} is no action's");
    }
}

#[test]
fn the_page_of_the_start_has_29_codes_and_no_other() {
    let page: Vec<&str> = include_str!("page.tsv")
        .lines()
        .filter_map(|line| line.split('\t').nth(1))
        .collect();
    let description = ActionName::StartTerminalSession.description();

    let own: Vec<&str> = description
        .every_error()
        .into_iter()
        .filter(|code| *code > ErrorCode::ForbiddenRam)
        .map(|code| code.entry().code)
        .filter(|code| !["InvalidParameter", "MissingParameter.{0}"].contains(code))
        .collect();

    for code in &own {
        assert!(page.contains(code), "{code} is not on the page");
    }
    assert_eq!(own.len(), page.len());
}
