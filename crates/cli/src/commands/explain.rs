//! `axt explain`.

mod story;

use std::process::ExitCode;

use super::print;
use crate::{failure::Failure, flags::explain::ExplainFlags, settings::Settings, target};

pub(super) async fn run(flags: ExplainFlags, settings: &Settings) -> Result<ExitCode, Failure> {
    let admin = target::admin(flags.target, settings)?;
    let answer = admin.session(&flags.session).await?;
    let text = if flags.json {
        serde_json::to_string_pretty(&answer).map_err(Failure::failed)?
    } else {
        story::of(&answer)
    };
    print(text.trim_end())?;
    Ok(ExitCode::SUCCESS)
}
