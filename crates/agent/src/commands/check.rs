//! What a task has to be before anything is run (wire-protocol 10.7).

use std::{path::Path, time::Duration};

use axt_control::luban::{TaskNews, task::Task};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{config::Shells, helper};

/// What this agent can run.
const SHELL_SCRIPT: &str = "RunShellScript";
/// How long a command may run whose time-out is no number.
const TIME_OUT: Duration = Duration::from_secs(3_600);

/// A task that can be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) script: Vec<u8>,
    pub(super) time_out: Duration,
    pub(super) username: Option<String>,
    pub(super) directory: Option<String>,
}

/// Checks a task; the error is what the relay is told.
pub(super) fn check(task: &Task, shells: &Shells) -> Result<Wanted, TaskNews> {
    let invalid = |parameter: &str, value: &str| TaskNews::Invalid {
        parameter: parameter.to_owned(),
        value: value.to_owned(),
    };
    let info = &task.task;
    if info.kind != SHELL_SCRIPT {
        return Err(invalid("TypeInvalid", &info.kind));
    }
    let script = STANDARD
        .decode(&info.command_content)
        .map_err(|error| invalid("CommandContentInvalid", &error.to_string()))?;
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let wanted = Wanted {
        script,
        time_out: info.time_out.parse().map_or(TIME_OUT, Duration::from_secs),
        username: given(&info.username),
        directory: given(&info.working_directory),
    };
    // The simulation has neither users nor folders.
    if matches!(shells, Shells::Real { .. }) {
        if let Some(name) = &wanted.username {
            helper::owner(name)
                .map_err(|error| invalid("UsernameOrPasswordInvalid", &error.to_string()))?;
        }
        if let Some(directory) = &wanted.directory
            && !Path::new(directory).is_dir()
        {
            return Err(invalid("workingDirectory", directory));
        }
    }
    Ok(wanted)
}
