//! `axt fault`.

use std::process::ExitCode;

use axt_client::Admin;
use axt_control::admin::fault::{Fault, FaultState, FaultsAnswer, KindWords};
use serde_json::{Map, Value};

use super::print;
use crate::{
    failure::{Failure, say},
    flags::fault::{FaultAction, FaultFlags},
    grid::Grid,
    settings::Settings,
    target,
};

pub(super) async fn run(flags: FaultFlags, settings: &Settings) -> Result<ExitCode, Failure> {
    // Before anything is looked for: a typing error is one wherever the relay is.
    let fault = match &flags.action {
        FaultAction::Add { kind, attributes } => Some(read(kind, attributes)?),
        _ => None,
    };
    let admin = target::admin(flags.target, settings)?;
    match (flags.action, fault) {
        (FaultAction::Add { .. }, Some(fault)) => {
            print(&admin.add_fault(&fault).await?)?;
        }
        (FaultAction::Remove { names, all: false }, _) => remove(&admin, &names).await?,
        (FaultAction::Remove { .. }, _) => {
            admin.remove_fault(None).await?;
            say("no fault is left");
        }
        (FaultAction::List { json }, _) => list(&admin, json).await?,
        (FaultAction::Add { .. }, None) => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn read(kind: &str, attributes: &[(String, String)]) -> Result<Fault, Failure> {
    let pairs = attributes.iter();
    let pairs = pairs.map(|(key, value)| (key.as_str(), value.as_str()));
    Fault::from_words(kind, pairs).map_err(|bad| {
        Failure::usage(bad).hint("`axt fault add --help` lists the faults with their attributes")
    })
}

async fn remove(admin: &Admin, names: &[String]) -> Result<(), Failure> {
    for name in names {
        admin.remove_fault(Some(name)).await?;
        say(&format!("{name} is no more"));
    }
    Ok(())
}

async fn list(admin: &Admin, json: bool) -> Result<(), Failure> {
    let faults = admin.faults().await?;
    if json {
        let answer = FaultsAnswer { faults };
        return print(&serde_json::to_string_pretty(&answer).map_err(Failure::failed)?);
    }
    if faults.is_empty() {
        say("there are no faults; `axt fault add --help` says which there could be");
        return Ok(());
    }
    print(&table(&faults))
}

fn table(faults: &[FaultState]) -> String {
    let headers = ["NAME", "TYPE", "ATTRIBUTES", "WHERE", "STRUCK", "LEFT"];
    let mut grid = Grid::new(headers.map(str::to_owned));
    let rows: Vec<_> = faults.iter().map(row).collect();
    grid.lines(&rows).join("\n")
}

fn row(state: &FaultState) -> Vec<String> {
    let word = state.fault.kind.word();
    let members: Map<String, Value> = state.fault.clone().into();
    let own = KindWords::find(word).map_or(&[][..], |words| words.attributes);
    let is_own = |name: &str| own.iter().any(|key| key.name == name);
    let shown = |(name, value): (&String, &Value)| match value {
        Value::String(text) => format!("{name}={text}"),
        value => format!("{name}={value}"),
    };
    let of = |wanted: bool| {
        let members = members.iter();
        let members = members.filter(|(name, _)| {
            is_own(name) == wanted && !["type", "name", "times"].contains(&name.as_str())
        });
        members.map(shown).collect::<Vec<_>>().join(" ")
    };
    let left = state
        .left
        .map_or_else(|| "-".to_owned(), |left| left.to_string());
    vec![
        state.fault.name.clone().unwrap_or_default(),
        word.to_owned(),
        of(true),
        of(false),
        state.acted.to_string(),
        left,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_shown_with_what_it_does_where_and_how_often_it_did() {
        let state = |words: &str, acted, left| {
            let mut words = words.split(' ');
            let kind = words.next().expect("a type");
            let pairs = words.filter_map(|pair| pair.split_once('='));
            FaultState {
                acted,
                left,
                fault: Fault::from_words(kind, pairs).expect("a fault"),
            }
        };
        let faults = [
            state(
                "latency name=slow latency=500 jitter=100 toxicity=0.5",
                3,
                None,
            ),
            state("cut_data_channel name=cut times=1 instance=i-1", 1, Some(0)),
            state("api_error name=api code=Throttling.User", 0, None),
        ];

        insta::assert_snapshot!(table(&faults), @r"
        NAME  TYPE              ATTRIBUTES              WHERE                                       STRUCK  LEFT
        slow  latency           jitter=100 latency=500  link=client stream=downstream toxicity=0.5  3       -
        cut   cut_data_channel  delay=0                 instance=i-1                                1       0
        api   api_error         code=Throttling.User                                                0       -
        ");
    }
}
