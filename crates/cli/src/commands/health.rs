//! `axt health`.

use std::process::ExitCode;

use super::print;
use crate::{failure::Failure, flags::target::AdminTarget, settings::Settings, target};

pub(super) async fn run(flags: AdminTarget, settings: &Settings) -> Result<ExitCode, Failure> {
    let admin = target::admin(flags, settings)?;
    match admin.health().await? {
        Ok(()) => print("ok")?,
        Err(reason) => return Err(Failure::failed(reason)),
    }
    Ok(ExitCode::SUCCESS)
}
