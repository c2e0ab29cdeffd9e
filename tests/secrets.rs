//! No secret in any log: a sandbox is driven with every log on, and what it wrote is searched.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests

mod harness;

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use axt_client::session::{Announce, Started, connect};
use axt_proto::{Extensions, Secret};
use tracing_subscriber::fmt::MakeWriter;

use harness::{sandbox, session};

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panics in here").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_key_or_payload_is_ever_logged() {
    let log = Log::default();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .init();
    let sandbox = sandbox().await;
    let session = session(&sandbox).await;
    let mut terminal = sandbox
        .terminal_with(
            &session,
            Announce {
                extensions: Extensions {
                    exit: true,
                    ..Extensions::NONE
                },
                size: None,
            },
        )
        .await
        .expect("a terminal");

    terminal
        .type_line("echo typed-pass''word-9")
        .await
        .expect("typed");
    terminal.expect("typed-password-9").await.expect("printed");
    let wrong = Started {
        token: Secret::new("d86c2df2-d19c-4bd8-b817-a19ef1230000"),
        ..session.clone()
    };
    let network = sandbox.network();
    let refused = connect(network, &wrong, Announce::default()).await;
    assert!(refused.is_err());
    let unknown = [("Misspelt", "unknown-value")];
    let activation = sandbox.api().call("CreateActivation", &unknown).await;
    let activation = activation.expect("an activation");
    let code = activation["ActivationCode"].as_str().expect("a code");
    drop(terminal);
    let key = sandbox.ready().access_key_secret.clone();
    sandbox.shutdown().await;

    let log = log.0.lock().expect("nobody panics in here").clone();
    let log = String::from_utf8_lossy(&log);
    assert!(log.contains(&session.id), "the log is on");
    assert!(log.contains("Misspelt"), "an ignored parameter is named");
    for (what, secret) in [
        ("the session's token", session.token.expose()),
        ("the access key's secret", key.expose()),
        ("a wrong token", wrong.token.expose()),
        ("what was typed", "typed-pass"),
        ("what was printed", "typed-password-9"),
        ("a private key", "PRIVATE KEY"),
        ("an activation's code", code),
        ("an ignored parameter's value", "unknown-value"),
    ] {
        assert!(!log.contains(secret), "{what} was logged");
    }
}
