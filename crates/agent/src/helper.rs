//! The helper: one small process for each shell.
//!
//! The agent never starts a shell itself. It starts the helper (`axt __shell`), which is
//! single-threaded and knows no tokio, and which makes the shell a matter of one process that can be
//! waited for and ended:
//!
//! ```text
//!  agent ──starts──▶ supervisor ──starts──▶ program ──becomes──▶ the shell
//!    │               subreaper,             sets terminal,        │
//!    │               reaps all              limits, groups, uid   └──▶ whatever it starts
//!    └── control: failures and the exit status come up; its end, or the agent's, goes down
//! ```
//!
//! Three descriptors are all that the helper is given, so none can leak into a shell: 0 is the
//! shell's input, 1 its output (both are the terminal's when there is one), and 2 is the control
//! socket. A loader's or a panic's text on 2 is therefore a report as well. What to start stands in
//! the environment, where other users cannot read it.
//!
//! Everything that a shell started ends with it: `setsid`, a double fork and an ignored hang-up do
//! not help, since orphans come to the supervisor, which kills and reaps until nobody is left. If the
//! supervisor itself is killed, they come to the agent, which does the same (`shell/orphans.rs`):
//! only who kills both at once leaves somebody behind. The official agent leaves background jobs
//! alive (wire-protocol 9.1); [`ShellSpec::keep_background`] does the same.
//!
//! What never happens here: threads, async, or a decision about who may have a shell.

mod account;
pub(crate) mod family;
mod limits;
mod program;
mod supervisor;

use std::{
    env,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use serde::{Deserialize, Serialize};

/// The environment variable that holds the [`ShellSpec`] for the supervisor.
pub(crate) const SUPERVISE: &str = "AXT_SHELL_SUPERVISE";
/// The environment variable that holds the [`ShellSpec`] for the second stage.
const BECOME: &str = "AXT_SHELL_BECOME";

/// What a helper is to start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShellSpec {
    /// The account that the shell runs as; the agent's own without one. Only an agent that is root
    /// can start a shell for another account, and none is ever created.
    pub username: Option<String>,
    /// Run as `SHELL -c COMMAND` with the account's shell; a login shell without one. (The official
    /// agent splits words and starts no shell around them, wire-protocol 10.4.)
    pub command: Option<String>,
    /// Whether input and output are a terminal; pipes otherwise.
    pub terminal: bool,
    /// Whether background jobs outlive the shell, as with the official agent. Those of a script that
    /// is made to end never do.
    pub keep_background: bool,
    /// A file to run by `sh` instead of all that (wire-protocol 10.7).
    pub script: Option<PathBuf>,
    /// Where to start; the account's home without it.
    pub directory: Option<PathBuf>,
}

/// What a helper reports on its control socket, a line of JSON each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Report {
    /// The shell could not be started, in words.
    Failed(String),
    /// The shell has ended: its exit status, or 128 and the number of the signal that ended it.
    Exited(i32),
}

/// A step that failed on the way to a shell.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HelperError {
    #[error("the helper's settings cannot be read: {0}")]
    Spec(#[from] serde_json::Error),
    #[error("no user named `{0}` on this machine")]
    UnknownUser(String),
    #[error("the agent runs as `{own}` and cannot start a shell for `{wanted}`: only root can")]
    NotRoot { own: String, wanted: String },
    #[error("cannot {step}: {errno}")]
    Step { step: String, errno: io::Error },
}

impl HelperError {
    /// `step` completes the sentence "cannot …".
    fn at<E: Into<io::Error>>(step: impl Into<String>) -> impl FnOnce(E) -> Self {
        move |errno| Self::Step {
            step: step.into(),
            errno: errno.into(),
        }
    }
}

/// Whose files a user's are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// Finds out whether this agent can start anything for a user, and whose the user's files are.
pub(crate) fn owner(user: &str) -> Result<Owner, HelperError> {
    let account = account::Account::find(Some(user))?;
    Ok(Owner {
        uid: account.uid.as_raw(),
        gid: account.gid.as_raw(),
    })
}

/// Writes a report to the control socket. Nobody is told when that fails: the agent has gone.
fn report(control: &mut impl Write, report: &Report) {
    if let Ok(mut line) = serde_json::to_vec(report) {
        line.push(b'\n');
        let _ = control.write_all(&line);
    }
}

/// The whole helper: what `axt __shell` runs, before anything else of the program is set up.
///
/// Must be called while the process has one thread. The exit status means nothing to anyone; what
/// happened is told on the control socket.
#[must_use]
pub fn main() -> ExitCode {
    let outcome = if let Ok(spec) = env::var(BECOME) {
        program::become_shell(&spec)
    } else if let Ok(spec) = env::var(SUPERVISE) {
        supervisor::supervise(&spec)
    } else {
        let _ = writeln!(
            io::stderr(),
            "this is the agent's helper for shells; the agent starts it, people do not"
        );
        return ExitCode::from(2);
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            report(&mut io::stderr(), &Report::Failed(failure.to_string()));
            ExitCode::FAILURE
        }
    }
}
