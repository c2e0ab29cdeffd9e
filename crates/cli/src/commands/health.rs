//! `axt health`.

use std::process::ExitCode;

use super::print;
use crate::{failure::Failure, flags::target::AdminTarget, target};

pub(super) async fn run(flags: AdminTarget) -> Result<ExitCode, Failure> {
    let admin = target::admin(flags)?;
    match admin.health().await? {
        Ok(()) => print("ok")?,
        Err(reason) => return Err(Failure::failed(reason)),
    }
    Ok(ExitCode::SUCCESS)
}
