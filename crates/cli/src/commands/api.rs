//! `axt api`.

mod rows;
mod table;

use std::process::ExitCode;

use axt_client::{
    Api,
    api::{CallError, Pages},
};
use serde_json::Value;

use self::rows::Rows;
use super::{is_read, print, unless_stopped};
use crate::{
    failure::Failure,
    flags::api::{ApiFlags, OutputFormat},
    settings::Settings,
    target::Clients,
};

pub(super) async fn run(flags: ApiFlags, settings: &Settings) -> Result<ExitCode, Failure> {
    let action = flags.action.as_deref();
    if flags.actions || flags.errors {
        let known = action.map(table::find).transpose()?;
        let text = match known {
            _ if flags.errors => table::errors(known),
            Some(action) => table::parameters(action),
            None => table::actions(),
        };
        print(text.trim_end())?;
        return Ok(ExitCode::SUCCESS);
    }
    let action = action.unwrap_or_default();
    let by_default = if flags.columns.is_empty() {
        OutputFormat::Json
    } else {
        OutputFormat::Table
    };
    let mut shape = match flags.output.unwrap_or(by_default) {
        OutputFormat::Json => Shape::Json,
        OutputFormat::Table => Shape::Rows(Rows::new(action, &flags.columns)),
    };
    let api = Clients::find(flags.target, settings)?.api;
    if flags.all {
        unless_stopped(every_page(&api, action, flags.parameters, &mut shape)).await??;
    } else {
        let parameters: Vec<(&str, &str)> = flags
            .parameters
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let answer = unless_stopped(api.call(action, &parameters)).await?;
        let answer = answer.map_err(|error| refused(action, error))?;
        print(&shape.text(&answer)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints each page before the next is asked for, as long as somebody reads.
async fn every_page(
    api: &Api,
    action: &str,
    parameters: Vec<(String, String)>,
    shape: &mut Shape,
) -> Result<(), Failure> {
    let mut pages = Pages::new(api, action, parameters);
    while let Some(answer) = pages.next().await.map_err(|error| refused(action, error))? {
        if !is_read(&shape.text(&answer)?)? {
            break;
        }
    }
    Ok(())
}

/// The failure of a call; of a parameter that was refused, with what it takes.
fn refused(action: &str, error: CallError) -> Failure {
    let takes = match &error {
        CallError::Api(refusal) => table::takes(action, &refusal.code),
        _ => None,
    };
    let failure = Failure::from(error);
    match takes {
        Some(takes) => failure.hint(takes),
        None => failure,
    }
}

/// What answers look like.
enum Shape {
    Json,
    Rows(Rows),
}

impl Shape {
    fn text(&mut self, answer: &Value) -> Result<String, Failure> {
        match self {
            Self::Json => serde_json::to_string_pretty(answer).map_err(Failure::failed),
            Self::Rows(rows) => Ok(rows.lines(answer).join("\n")),
        }
    }
}
