//! `axt health`.

use std::process::ExitCode;

use super::{print, unless_stopped};
use crate::{failure::Failure, flags::target::AdminTarget, settings::Settings, target};

pub(super) async fn run(flags: AdminTarget, settings: &Settings) -> Result<ExitCode, Failure> {
    let admin = target::admin(flags, settings)?;
    match unless_stopped(admin.health()).await?? {
        Ok(()) => print("ok")?,
        Err(reason) => return Err(Failure::failed(reason)),
    }
    Ok(ExitCode::SUCCESS)
}
