//! Faults over real sockets and TLS, and as commands. What each kind does is in the simulation.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // helpers of tests

#[path = "harness/mod.rs"]
mod harness;
#[path = "harness/process.rs"]
mod process;

use axt_client::session::Why;
use axt_control::admin::fault::{Fault, Link, Stream};
use axt_proto::{EventKind, Reason};
use axt_sandbox::terminal::Terminal;

use harness::{sandbox, shell, until};
use process::{Home, stderr, stdout};

fn fault(kind: &str, pairs: &[(&str, &str)]) -> Fault {
    Fault::from_words(kind, pairs.iter().copied()).expect("a fault")
}

#[tokio::test]
async fn faults_come_and_go_in_the_middle_of_tls_and_no_byte_is_lost() {
    const BYTES: usize = 3_000_000;
    let sandbox = sandbox().await;
    let mut terminal = shell(&sandbox).await;
    let line = format!("head -c {BYTES} /dev/zero | tr '\\0' x; echo; echo do''ne");
    terminal.type_line(&line).await.expect("typed");
    let mut seen = 0;
    let mut printed = async |terminal: &mut Terminal, text: &str| {
        let before = terminal.expect(text).await.expect("it goes on");
        let count = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'x').count();
        seen += count(&before) + count(text.as_bytes());
    };

    printed(&mut terminal, "xxxx").await;
    for link in [Link::Client, Link::Agent] {
        for stream in [Stream::Downstream, Stream::Upstream] {
            let pieces = fault(
                "slicer",
                &[("average_size", "900"), ("size_variation", "800")],
            );
            let late = fault("latency", &[("latency", "5"), ("jitter", "5")]);
            for one in [pieces, late] {
                let one = one.on(link).going(stream);
                let name = sandbox.admin().add_fault(&one).await.expect("added");
                printed(&mut terminal, "xxxx").await;
                let removed = sandbox.admin().remove_fault(Some(&name)).await;
                removed.expect("it was there");
            }
        }
    }
    printed(&mut terminal, "done").await;

    // One of them is the line's own, as the terminal echoes it.
    assert_eq!(seen, BYTES + 1);
    terminal.type_line("exit").await.expect("typed");
    let (ended, _) = terminal.end().await.expect("an end");
    assert_eq!(ended.why, Why::Told(Reason::Exit));
    sandbox.shutdown().await;
}

#[tokio::test]
async fn a_client_is_reset_when_it_says_so() {
    let sandbox = sandbox().await;
    let mut terminal = shell(&sandbox).await;
    terminal.type_line("echo here").await.expect("typed");
    terminal.expect("\nhere").await.expect("an answer");

    let reset = fault("reset_peer", &[("timeout", "50")]);
    sandbox.admin().add_fault(&reset).await.expect("added");

    let (ended, _) = terminal.end().await.expect("an end");
    assert!(matches!(ended.why, Why::Lost(_)), "{:?}", ended.why);
    until("the connection's end", || async {
        let events = sandbox.events(0).await;
        let is_over = |kind: &EventKind| matches!(kind, EventKind::ConnectionClosed { .. });
        events
            .iter()
            .any(|event| is_over(&event.kind))
            .then_some(())
    })
    .await;
    sandbox.shutdown().await;
}

#[test]
fn faults_are_added_listed_and_removed_by_commands() {
    let home = Home::new();
    let up = home.up(&["--ephemeral"]);
    let axt = |arguments: &[&str]| {
        let ran = home.run(arguments);
        let told = format!("{}{}", stdout(&ran), stderr(&ran));
        (ran.status.code().expect("a code"), told)
    };

    let (code, name) = axt(&[
        "fault",
        "add",
        "api_error",
        "code=Throttling.User",
        "times=1",
    ]);
    assert_eq!((code, name.trim()), (0, "api_error-1"));
    let (code, told) = axt(&["api", "DescribeRegions"]);
    assert_eq!(code, 4, "{told}");
    assert!(told.contains("Throttling.User"), "{told}");
    assert_eq!(axt(&["api", "DescribeRegions"]).0, 0);
    let (_, table) = axt(&["fault", "list"]);
    let row = table.lines().nth(1).expect("a row");
    let row: Vec<_> = row.split_whitespace().collect();
    assert_eq!(
        row,
        ["api_error-1", "api_error", "code=Throttling.User", "1", "0"]
    );
    let (code, told) = axt(&["fault", "remove", "api_error-2"]);
    assert_eq!(code, 1, "{told}");
    assert!(told.contains("did you mean `api_error-1`?"), "{told}");
    assert_eq!(axt(&["fault", "remove", "api_error-1"]).0, 0);
    let (code, told) = axt(&["fault", "add", "api_error", "code=Throttling.Usr"]);
    assert_eq!(code, 1, "{told}");
    assert!(told.contains("did you mean `Throttling.User`?"), "{told}");
    assert_eq!(
        axt(&["fault", "list", "--json"]).1.trim(),
        "{\n  \"faults\": []\n}"
    );
    drop(up);
}
