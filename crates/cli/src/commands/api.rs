//! `axt api`.

use std::process::ExitCode;

use super::print;
use crate::{failure::Failure, flags::api::ApiFlags, settings::Settings, target::Clients};

pub(super) async fn run(flags: ApiFlags, settings: &Settings) -> Result<ExitCode, Failure> {
    let api = Clients::find(flags.target, settings)?.api;
    let parameters: Vec<(&str, &str)> = flags
        .parameters
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let answer = api.call(&flags.action, &parameters).await?;
    print(&serde_json::to_string_pretty(&answer).map_err(Failure::failed)?)?;
    Ok(ExitCode::SUCCESS)
}
