//! The end of a session whose person has left at once.
//!
//! Who types the escape may do so because the relay hangs, and is not kept for that: what cannot be
//! ended within a moment is left to a process of its own, which is this command again, with the same
//! flags and settings. It ends the session when the relay answers after all, or gives up.

use std::{
    env,
    os::unix::process::CommandExt,
    process::{Command, ExitCode, Stdio},
};

use axt_client::{
    Api,
    discover::process_environment,
    session::{self, LEAVING},
};
use axt_net::link;

use crate::failure::Failure;

/// Which session this process is to end, and nothing else.
const LEFT: &str = "AXT_SESSION_LEFT";

/// The session that this process was started to end.
pub(super) fn left() -> Option<String> {
    process_environment(LEFT)
}

/// Ends a session that was left; its person has gone, and is told nothing.
pub(super) async fn end(session: &str, api: &Api) -> Result<ExitCode, Failure> {
    session::end_within(api, session, link::HANDSHAKE).await;
    Ok(ExitCode::SUCCESS)
}

/// Ends a session at once, or leaves it to be ended.
pub(super) async fn leave(session: &str, api: &Api) {
    if session::end_within(api, session, LEAVING).await {
        return;
    }
    let again = env::current_exe().and_then(|axt| {
        Command::new(axt)
            .args(env::args_os().skip(1))
            .env(LEFT, session)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A terminal that goes away hangs up the group that is before it.
            .process_group(0)
            .spawn()
    });
    if let Err(error) = again {
        tracing::debug!(session, %error, "nobody is left to end the session");
    }
}
