//! A shell over a session URL, through the real parts: signed call, TLS, relay, agent, PTY.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests

mod harness;

use std::path::Path;

use axt_client::session::Why;
use axt_proto::Reason;

use harness::{command, sandbox, session, shell, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_login_shell_answers_and_ends_by_exit() {
    let sandbox = sandbox().await;
    let mut terminal = sandbox
        .terminal(&session(&sandbox).await)
        .await
        .expect("a terminal");

    terminal
        .type_line("echo $((6*7)) is it")
        .await
        .expect("typed");
    terminal.expect("42 is it").await.expect("the answer");
    terminal.type_line("exit 3").await.expect("typed");
    let (ended, _) = terminal.end().await.expect("an end");

    assert_eq!(ended.why, Why::Told(Reason::Exit));
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_line_runs_with_its_quotes_and_ends_with_its_last_byte() {
    let sandbox = sandbox().await;
    let session = command(&sandbox, "printf '%s|' 'a b' \"c;d\"; exit 7").await;
    let terminal = sandbox.terminal(&session).await.expect("a terminal");

    let (ended, screen) = terminal.end().await.expect("an end");

    assert_eq!(String::from_utf8_lossy(&screen), "a b|c;d|");
    assert_eq!(ended.why, Why::Told(Reason::Exit));
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_window_has_its_size_before_the_shell_asks_and_after_each_change() {
    let sandbox = sandbox().await;
    let session = command(&sandbox, "read -r _; stty size; read -r _; stty size").await;
    let mut terminal = sandbox.terminal(&session).await.expect("a terminal");

    terminal.type_line("").await.expect("typed");
    terminal.expect("24 80").await.expect("the first size");
    for rows in 25..=43 {
        terminal.resize(rows, 132);
    }
    // The size goes before what is typed after it.
    terminal.type_line("").await.expect("typed");

    terminal.expect("43 132").await.expect("the last size");
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_clients_on_one_url_have_a_shell_each() {
    let sandbox = sandbox().await;
    let session = command(&sandbox, "PS1='$ ' exec sh").await;
    let mut one = sandbox.terminal(&session).await.expect("a terminal");
    let mut other = sandbox.terminal(&session).await.expect("a terminal");

    one.type_line("x=one; echo \"<$x>\"").await.expect("typed");
    one.expect("<one>").await.expect("its own variable");
    other.resize(10, 20);
    other
        .type_line("echo \"<$x>\"; stty size")
        .await
        .expect("typed");
    other.expect("<>").await.expect("no variable of the other");
    other.expect("10 20").await.expect("its own size");
    one.type_line("stty size").await.expect("typed");

    one.expect("24 80").await.expect("its own size");
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_reaches_the_foreground_job_and_the_shell_goes_on() {
    let sandbox = sandbox().await;
    let mut terminal = shell(&sandbox).await;

    terminal
        .type_line("sh -c 'echo be\"\"gun; exec sleep 1000'")
        .await
        .expect("typed");
    terminal.expect("begun").await.expect("the job");
    terminal.type_bytes(&[3]).await.expect("typed");
    terminal.expect("$ ").await.expect("a prompt");
    terminal.type_line("echo status $?").await.expect("typed");

    terminal.expect("\nstatus 130").await.expect("interrupted");
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_byte_is_altered_on_the_way() {
    let sandbox = sandbox().await;
    let session = command(&sandbox, "stty raw -echo; echo ready; exec cat").await;
    let mut terminal = sandbox.terminal(&session).await.expect("a terminal");
    terminal.expect("ready").await.expect("a raw terminal");
    let every_byte: Vec<u8> = (0..=u8::MAX).cycle().take(64 * 1024).collect();

    terminal.type_bytes(&every_byte).await.expect("typed");
    terminal.type_bytes(b"<the end>").await.expect("typed");
    let echoed = terminal.expect("<the end>").await.expect("all of it");

    let echoed = echoed.strip_prefix(b"\n").unwrap_or(&echoed);
    assert!(
        echoed == every_byte,
        "{} bytes came back changed",
        echoed.len()
    );
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_session_started_ends_with_it() {
    let sandbox = sandbox().await;
    let mut terminal = shell(&sandbox).await;
    // Each prints its process id from inside; none of them wants to end.
    terminal
        .type_line("setsid sh -c 'echo p\"\"=$$. ; exec sleep 1000' &")
        .await
        .expect("typed");
    let _ = terminal.expect("p=").await.expect("its id");
    let first = terminal.expect(".").await.expect("its id");
    terminal
        .type_line("(trap '' HUP TERM; sh -c 'echo q\"\"=$$. ; sleep 1000' &)")
        .await
        .expect("typed");
    let _ = terminal.expect("q=").await.expect("its id");
    let second = terminal.expect(".").await.expect("its id");

    drop(terminal);

    for id in [first, second] {
        let process = format!("/proc/{}", String::from_utf8_lossy(&id));
        until(&process, || async {
            (!Path::new(&process).exists()).then_some(())
        })
        .await;
    }
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn end_terminal_session_ends_the_shell_and_the_client_hears_why() {
    let sandbox = sandbox().await;
    let session = command(&sandbox, "PS1='$ ' exec sh").await;
    let mut terminal = sandbox.terminal(&session).await.expect("a terminal");
    terminal.expect("$ ").await.expect("a prompt");

    axt_client::session::end(sandbox.api(), &session.id).await;
    let (ended, _) = terminal.end().await.expect("an end");

    assert_eq!(ended.why, Why::Told(Reason::EndTerminalSession));
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_that_is_not_there_fails_the_connection_with_its_name_in_history() {
    let sandbox = sandbox().await;
    let session = sandbox
        .start_session_with(None, Some("no-such-user"))
        .await
        .expect("a session");
    let terminal = sandbox.terminal(&session).await.expect("a terminal");

    let (ended, _) = terminal.end().await.expect("an end");

    assert_eq!(ended.why, Why::Told(Reason::OpenPtyFailed));
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_runs_as_another_user_where_the_agent_may_change_to_it() {
    let sandbox = sandbox().await;
    let session = sandbox
        .start_session_with(Some("id -un"), Some("nobody"))
        .await
        .expect("a session");
    let terminal = sandbox.terminal(&session).await.expect("a terminal");

    let (ended, screen) = terminal.end().await.expect("an end");

    if rustix::process::geteuid().is_root() {
        // On many machines the shell of `nobody` only says that there is none.
        let screen = String::from_utf8_lossy(&screen);
        assert!(!screen.contains("root"), "{screen}");
        assert_eq!(ended.why, Why::Told(Reason::Exit));
    } else {
        assert_eq!(ended.why, Why::Told(Reason::OpenPtyFailed));
    }
    sandbox.shutdown().await;
}
