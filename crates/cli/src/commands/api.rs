//! `axt api`.

mod table;

use std::process::ExitCode;

use super::print;
use crate::{failure::Failure, flags::api::ApiFlags, settings::Settings, target::Clients};

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
    let api = Clients::find(flags.target, settings)?.api;
    let parameters: Vec<(&str, &str)> = flags
        .parameters
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let answer = api.call(action.unwrap_or_default(), &parameters).await?;
    print(&serde_json::to_string_pretty(&answer).map_err(Failure::failed)?)?;
    Ok(ExitCode::SUCCESS)
}
