//! What the extensions give, and what there is without them: each pairing of a client and an agent
//! that know them with ones that do not, for shells, pipes and ports.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // helpers of tests

mod harness;

use std::{path::Path, process::Stdio};

use axt_client::{
    forward::ForwardEvent,
    session::{self, Announce, EndOfInput, Ended, Ends, Why},
    terminal::signals::Sizes,
};
use axt_net::{
    frames::{Tap, framed},
    ws,
};
use axt_proto::{
    Message, Reason,
    frame::{Size, client::ClientFraming},
};
use axt_sandbox::Sandbox;
use bytes::Bytes;
use http::HeaderMap;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::{Child, Command},
};

use harness::{
    command, settings, settings_at, start,
    tunnel::{Pairing, Tunnel, is_reset, listen, noise, read, reset, rest, soon},
};

const WINDOW: Size = Size {
    rows: 43,
    cols: 132,
};

/// Runs a command line for a client of that pairing, which never sends a resize.
async fn run(
    sandbox: &Sandbox,
    pairing: Pairing,
    line: &str,
    input: impl AsyncRead + Unpin,
    at_end_of_input: EndOfInput,
) -> (Ended, String) {
    let session = command(sandbox, line).await;
    let announce = Announce {
        extensions: pairing.announced(at_end_of_input.extensions()),
        size: Some(WINDOW),
    };
    let link = session::connect(sandbox.network(), &session, announce)
        .await
        .expect("connected");
    let mut output = Vec::new();
    let ends = Ends {
        input,
        at_end_of_input,
        output: &mut output,
        sizes: Sizes::None,
        tape: None,
    };
    let ended = soon("the end", session::run(link, ends, std::future::pending())).await;
    (ended, String::from_utf8(output).expect("text"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_starts_with_its_size_and_tells_its_exit_code_where_both_ends_know_how() {
    for pairing in Pairing::EVERY {
        let sandbox = start(pairing.settings()).await;
        let (_keyboard, input) = tokio::io::duplex(1);

        let line = "stty size; exit 42";
        let (ended, screen) = run(&sandbox, pairing, line, input, EndOfInput::Closes).await;

        assert_eq!(ended.why, Why::Told(Reason::Exit), "{pairing:?}");
        if pairing.grants() {
            assert_eq!(screen, "43 132\r\n");
            assert_eq!(ended.exit_code, Some(42));
        } else {
            // The base protocol tells a size once the terminal is there, and no exit code at all.
            assert_eq!(screen, "0 0\r\n", "{pairing:?}");
            assert_eq!((ended.exit_code, ended.exit_code()), (None, 0));
        }
        sandbox.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_is_exact_where_both_ends_know_how_and_typed_on_a_terminal_where_not() {
    for pairing in Pairing::EVERY {
        let sandbox = start(pairing.settings()).await;

        let line = "tr a-z A-Z; test -t 0; exit $((40 + $?))";
        let input = "one\r\ntwo".as_bytes();
        let (ended, output) = run(&sandbox, pairing, line, input, EndOfInput::IsTyped).await;

        assert_eq!(ended.why, Why::Told(Reason::Exit), "{pairing:?}");
        if pairing.grants() {
            assert_eq!(output, "ONE\r\nTWO");
            assert_eq!(ended.exit_code, Some(41), "no terminal");
        } else {
            // A terminal turns each CR and LF that is typed into the end of a line, and shows what
            // is typed; its EOT ends the input.
            assert!(output.contains("ONE\r\n\r\nTWO"), "{pairing:?}: {output:?}");
            assert_eq!((ended.exit_code, ended.exit_code()), (None, 0));
        }
        sandbox.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_carries_everything_for_every_pairing_and_half_ends_where_both_ends_know_how() {
    let bytes = noise(1, 2_000_000);
    for pairing in Pairing::EVERY {
        let mut tunnel = Tunnel::open_as(pairing, pairing.settings()).await;

        // The application writes, closes its half and hears the answer; then the target is done.
        let (mut client, mut target) = tunnel.connect().await;
        let writing = async {
            client.write_all(&bytes).await.expect("written");
            client.shutdown().await.expect("half-closed");
        };
        let ((), asked) = tokio::join!(writing, read(&mut target, bytes.len()));
        assert!(asked == bytes, "{pairing:?}");
        if pairing.grants() {
            assert_eq!(rest(&mut target).await.expect("an orderly end"), b"");
        }
        let answering = async {
            target.write_all(&bytes).await.expect("written");
            drop(target);
        };
        let ((), answered) = tokio::join!(answering, rest(&mut client));
        assert!(answered.expect("an orderly end") == bytes, "{pairing:?}");
        let end = tunnel.end_of_connection().await;
        assert!(matches!(end, ForwardEvent::Closed { .. }), "{end}");
        drop(client);

        // The target ends its half. Where that cannot be told, it ends the connection.
        let (mut client, mut target) = tunnel.connect().await;
        target.write_all(b"no more").await.expect("written");
        target.shutdown().await.expect("half-closed");
        assert_eq!(rest(&mut client).await.expect("an orderly end"), b"no more");
        if pairing.grants() {
            client.write_all(b"but you listen").await.expect("written");
            drop(client);
            let heard = rest(&mut target).await.expect("an orderly end");
            assert_eq!(heard, b"but you listen");
        } else {
            assert_eq!(rest(&mut target).await.expect("an orderly end"), b"");
            drop(client);
        }
        tunnel.end_of_connection().await;

        tunnel.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_of_a_port_is_passed_on_where_both_ends_know_how_and_ends_it_where_not() {
    for pairing in Pairing::EVERY {
        let mut tunnel = Tunnel::open_as(pairing, pairing.settings()).await;

        // That the target broke, an agent reports in any case.
        let (mut client, target) = tunnel.connect().await;
        reset(target);
        assert!(is_reset(&mut client).await, "{pairing:?}");
        tunnel.end_of_connection().await;

        let (client, mut target) = tunnel.connect().await;
        reset(client);
        if pairing.grants() {
            assert!(is_reset(&mut target).await);
        } else {
            assert_eq!(rest(&mut target).await.expect("an orderly end"), b"");
        }
        tunnel.end_of_connection().await;

        tunnel.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_that_knows_no_half_close_sent_before_it_left_arrives() {
    let sandbox = start(settings()).await;
    let listener = listen("127.0.0.1:0").await;
    let port = listener.local_addr().expect("bound").port().to_string();
    let network = sandbox.network();
    let bytes = noise(2, 3_000_000);

    // As the official client does it: type 3, and the websocket stays open.
    let parameters = [
        ("InstanceId.1", sandbox.instance().as_str()),
        ("PortNumber", &port),
    ];
    let answer = sandbox
        .api()
        .call("StartTerminalSession", &parameters)
        .await;
    let url = answer.expect("a session")["WebSocketUrl"]
        .as_str()
        .expect("a URL")
        .to_owned();
    let (socket, _) = ws::connect(&network.dialer, &network.tls, &url, HeaderMap::new())
        .await
        .expect("connected");
    let (reads, writes) = (ClientFraming::new(), ClientFraming::new());
    let (_reader, writer) = framed(socket, reads, writes, network.clock.clone(), Tap::none());
    let leaving = async {
        for piece in bytes.chunks(2_048) {
            let input = Message::Input(Bytes::copy_from_slice(piece));
            writer.send(&input).await.expect("sent");
        }
        writer.send(&Message::Close).await.expect("sent");
    };
    let (mut target, _) = soon("a connection", listener.accept())
        .await
        .expect("accepted");
    let ((), heard) = tokio::join!(leaving, rest(&mut target));

    assert!(heard.expect("an orderly end") == bytes);
    sandbox.shutdown().await;
}

/// A machine on which `axt session` finds the sandbox.
struct Machine {
    sandbox: Sandbox,
    home: tempfile::TempDir,
}

impl Machine {
    async fn start() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let sandbox = start(settings_at(home.path())).await;
        Self { sandbox, home }
    }

    fn session(&self, arguments: &[&str], stdin: Stdio) -> Child {
        spawn(self.home.path(), arguments, stdin)
    }

    /// Runs `axt session` with this on its stdin. Answers its stdout and its exit code.
    async fn piped(&self, arguments: &[&str], input: &[u8]) -> (Vec<u8>, Option<i32>) {
        let mut child = self.session(arguments, Stdio::piped());
        let mut stdin = child.stdin.take().expect("piped");
        let writing = async {
            // A command that has heard enough closes it.
            let _ = stdin.write_all(input).await;
            drop(stdin);
        };
        let ((), output) = tokio::join!(writing, soon("its end", child.wait_with_output()));
        let output = output.expect("its output");
        (output.stdout, output.status.code())
    }
}

fn spawn(home: &Path, arguments: &[&str], stdin: Stdio) -> Child {
    Command::new(env!("CARGO_BIN_EXE_axt"))
        .arg("session")
        .args(arguments)
        .env_clear()
        .env("HOME", home)
        .env("PATH", "/usr/bin:/bin")
        .env("AXT_STATE_DIR", home)
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .expect("axt starts")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_runs_through_a_session_as_it_would_without_one() {
    let machine = Machine::start().await;

    let shell = machine.piped(&[], b"echo $((6*7))\n").await;
    let code = machine.piped(&["--command", "exit 42"], b"").await;
    let enough = machine
        .piped(&["--command", "head -c 3; exit 5"], &[b'x'; 1_000_000])
        .await;
    let every_byte: Vec<u8> = (0..=u8::MAX).cycle().take(70_000).collect();
    let exact = machine.piped(&["--command", "cat"], &every_byte).await;

    assert_eq!(shell, (b"42\n".to_vec(), Some(0)));
    assert_eq!(code, (Vec::new(), Some(42)));
    assert_eq!(enough, (b"xxx".to_vec(), Some(5)));
    assert!(exact == (every_byte, Some(0)));
    machine.sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn input_that_comes_late_is_waited_for() {
    let machine = Machine::start().await;

    let line = "echo ready; cat; echo done";
    let mut child = machine.session(&["--command", line], Stdio::piped());
    let mut stdout = child.stdout.take().expect("piped");
    let mut ready = [0; 6];
    soon("ready", stdout.read_exact(&mut ready))
        .await
        .expect("output");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(b"a\n").await.expect("written");
    drop(stdin);
    let mut output = String::new();
    soon("the rest", stdout.read_to_string(&mut output))
        .await
        .expect("output");

    assert_eq!(output, "a\ndone\n");
    let ended = soon("its end", child.wait()).await.expect("a status");
    assert_eq!(ended.code(), Some(0));
    machine.sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_goes_through_a_command_in_both_directions() {
    let machine = Machine::start().await;
    let bytes = noise(3, 20_000_000);
    let file = machine.home.path().join("large");
    std::fs::write(&file, &bytes).expect("written");

    let file = std::fs::File::open(&file).expect("opened");
    let child = machine.session(&["--command", "cat; exit 3"], Stdio::from(file));
    let output = soon("its end", child.wait_with_output())
        .await
        .expect("its output");

    assert!(output.stdout == bytes, "{} bytes", output.stdout.len());
    assert_eq!(output.status.code(), Some(3));
    machine.sandbox.shutdown().await;
}
