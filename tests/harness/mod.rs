//! What the end-to-end tests share: sandboxes with real shells, and waiting with a guard.

#![allow(dead_code)] // each test target uses some of it
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // helpers of tests

pub(crate) mod memory;
pub(crate) mod tunnel;

use std::{future::Future, path::Path, time::Duration};

use axt_agent::{Shells, shell::HelperProgram};
use axt_client::session::Started;
use axt_net::link;
use axt_proto::Limits;
use axt_sandbox::{Sandbox, SandboxConfig, State, terminal::Terminal};

/// The longest that a test waits for anything.
pub(crate) const GUARD: Duration = Duration::from_secs(30);

/// A sandbox on free ports and in a folder of its own, whose agents start real shells through the
/// program under test. Its bandwidth is not limited, so that frozen time stops nothing.
pub(crate) fn settings() -> SandboxConfig {
    SandboxConfig {
        shells: Shells::Real {
            helper: HelperProgram {
                path: env!("CARGO_BIN_EXE_axt").into(),
                args: vec!["__shell".to_owned()],
            },
            keep_background: false,
        },
        state: State::Ephemeral { home: None },
        limits: Limits {
            bandwidth_bytes_per_s: 0,
            ..Limits::default()
        },
        ..SandboxConfig::default()
    }
}

/// The same, for the program as well: it finds the sandbox by the state folder `home`.
pub(crate) fn settings_at(home: &Path) -> SandboxConfig {
    SandboxConfig {
        state: State::Ephemeral {
            home: Some(home.to_owned()),
        },
        ..settings()
    }
}

/// A sandbox that runs.
pub(crate) async fn sandbox() -> Sandbox {
    start(settings()).await
}

/// A sandbox with these settings that runs.
pub(crate) async fn start(settings: SandboxConfig) -> Sandbox {
    Sandbox::start(settings).await.expect("a sandbox")
}

/// A login shell's session on the sandbox's instance.
pub(crate) async fn session(sandbox: &Sandbox) -> Started {
    sandbox.start_session().await.expect("a session")
}

/// A session that runs one command line.
pub(crate) async fn command(sandbox: &Sandbox, line: &str) -> Started {
    sandbox
        .start_session_with(Some(line), None)
        .await
        .expect("a session")
}

/// A terminal on a new session, with plain `sh` at its prompt: the same on every machine.
pub(crate) async fn shell(sandbox: &Sandbox) -> Terminal {
    let session = command(sandbox, "PS1='$ ' exec sh").await;
    let mut terminal = sandbox.terminal(&session).await.expect("a terminal");
    terminal.expect("$ ").await.expect("a prompt");
    terminal
}

/// Waits until `question` is answered with something, and fails the test when it never is.
pub(crate) async fn until<T, F>(what: &str, mut question: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let asking = async {
        loop {
            if let Some(answer) = question().await {
                return answer;
            }
            tokio::task::yield_now().await;
            link::sleep(Duration::from_millis(5)).await;
        }
    };
    match link::timeout(GUARD, asking).await {
        Ok(answer) => answer,
        Err(_) => panic!("{what}: not within {GUARD:?}"),
    }
}
