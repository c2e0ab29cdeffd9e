//! A session over memory, against a relay that does exactly what each test says. Its websocket is
//! tungstenite's own, so both ends of ours are held to what somebody else understands.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // helpers of tests
#![allow(clippy::result_large_err)] // tungstenite's own type

use std::{future::pending, time::Duration};

use axt_client::{
    Api,
    api::Credentials,
    session::{self, Announce, EndOfInput, Ended, Ends, Link, Network, OpenError, Started, Why},
    terminal::signals::{Sizes, Stop},
};
use axt_net::{
    clock::Clock,
    frames::Tap,
    http::HttpClient,
    link,
    tls::ClientTls,
    transport::{Dialer, Listener, MemoryNet, Stream},
    wall::Wall,
};
use axt_proto::{
    Extensions, Reason, Secret, Status,
    frame::{Framing, Message, Size, client::ClientFraming},
};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    sync::{oneshot, watch},
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        self,
        handshake::server::{ErrorResponse, Request, Response},
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};

/// Against hanging; no test needs more than a few milliseconds.
const GUARD: Duration = Duration::from_secs(20);

/// Where a client dials to reach the scripted relay.
struct Place {
    net: MemoryNet,
    listener: Listener,
}

/// The relay's end of a session.
struct Relay {
    socket: WebSocketStream<Stream>,
    framing: ClientFraming,
    /// What the client announced.
    announced: Option<String>,
    /// The path and the query that it dialled.
    dialled: String,
}

impl Place {
    fn new() -> Self {
        let net = MemoryNet::new();
        let listener = net.bind("relay", 80).expect("free");
        Self { net, listener }
    }

    /// Connects a client that announces `extensions`; the relay grants `granted`.
    async fn connect(&self, announce: Announce, granted: &'static str) -> (Link, Relay) {
        let (link, relay) = tokio::join!(self.dial(announce), self.accept(granted));
        (link.expect("connected"), relay)
    }

    async fn dial(&self, announce: Announce) -> Result<Link, OpenError> {
        let url = "ws://relay:80/session?sessionId=s-1&token=t";
        self.dial_with(url, announce).await
    }

    async fn dial_url(&self, url: &str) -> Result<Link, OpenError> {
        self.dial_with(url, Announce::default()).await
    }

    async fn dial_with(&self, url: &str, announce: Announce) -> Result<Link, OpenError> {
        let started = Started {
            id: "s-1".into(),
            url: Secret::new(url),
            token: Secret::new("t"),
        };
        let network = Network {
            dialer: Dialer::memory(&self.net),
            tls: ClientTls::system(),
            clock: Clock::from_wall(&Wall::system(), 0),
            tap: Tap::none(),
        };
        session::connect(&network, &started, announce).await
    }

    /// The API of the same place.
    fn api(&self) -> Api {
        Api::new(
            HttpClient::new(Dialer::memory(&self.net), ClientTls::system()),
            "http://relay:80",
            "cn-hangzhou".parse().expect("a region"),
            Credentials {
                access_key_id: "LTAI5tSandbox".into(),
                secret: Secret::new("secret"),
                security_token: None,
            },
            Wall::system(),
        )
        .expect("an endpoint")
    }

    async fn accept(&self, granted: &'static str) -> Relay {
        let stream = self.listener.accept().await.expect("a client");
        let (mut announced, mut dialled) = (None, String::new());
        let upgrade = |request: &Request, mut response: Response| {
            let header = request.headers().get("x-axt-ext");
            announced = header.map(|value| value.to_str().expect("text").to_owned());
            dialled = request.uri().to_string();
            if !granted.is_empty() {
                let granted = granted.parse().expect("a header");
                response.headers_mut().insert("x-axt-ext", granted);
            }
            Ok(response)
        };
        let socket = accept_hdr_async(stream, upgrade).await.expect("upgraded");
        Relay {
            socket,
            framing: ClientFraming::new(),
            announced,
            dialled,
        }
    }

    async fn refuse(&self, status: u16, body: &'static str) {
        let stream = self.listener.accept().await.expect("a client");
        let refuse = |_: &Request, _: Response| -> Result<Response, ErrorResponse> {
            let mut response = ErrorResponse::new(Some(body.to_owned()));
            *response.status_mut() = status.try_into().expect("a status");
            Err(response)
        };
        let refused = accept_hdr_async(stream, refuse).await;
        assert!(refused.is_err());
    }
}

impl Relay {
    async fn next(&mut self) -> Message {
        let message = self.socket.next().await.expect("more").expect("whole");
        assert!(message.is_binary(), "{message:?}");
        self.framing.decode(message.into_data()).expect("a frame")
    }

    async fn send(&mut self, message: Message) {
        let frame = self.framing.encode(1, &message);
        self.send_raw(frame).await;
    }

    async fn send_raw(&mut self, message: Bytes) {
        let message = tungstenite::Message::Binary(message);
        self.socket.send(message).await.expect("sent");
    }

    async fn output(&mut self, text: &'static str) {
        self.send(Message::Output(text.into())).await;
    }

    async fn status(&mut self, word: &str) {
        self.send(Message::Status(Status::Ended(word.into()))).await;
    }

    async fn close(&mut self, code: u16, text: &'static str) {
        let frame = CloseFrame {
            code: CloseCode::from(code),
            reason: text.into(),
        };
        self.socket.close(Some(frame)).await.expect("closed");
    }

    /// Reads on until the client has closed too.
    async fn gone(mut self) {
        while let Some(Ok(_)) = self.socket.next().await {}
    }
}

/// The person's side of a session that runs.
struct Person {
    keyboard: DuplexStream,
    screen: DuplexStream,
}

impl Person {
    fn sit_down(
        at_end_of_input: EndOfInput,
        sizes: Sizes,
    ) -> (Self, Ends<DuplexStream, DuplexStream>) {
        let (keyboard, input) = duplex(1024);
        let (output, screen) = duplex(1024);
        let ends = Ends {
            input,
            at_end_of_input,
            output,
            sizes,
            tape: None,
        };
        (Self { keyboard, screen }, ends)
    }

    async fn types(&mut self, text: &str) {
        self.keyboard
            .write_all(text.as_bytes())
            .await
            .expect("typed");
    }

    async fn sees(&mut self, text: &str) {
        let mut seen = vec![0; text.len()];
        self.screen.read_exact(&mut seen).await.expect("shown");
        assert_eq!(String::from_utf8_lossy(&seen), text);
    }
}

/// Runs a session beside the script of its other two sides.
async fn run<T>(
    link: Link,
    ends: Ends<DuplexStream, DuplexStream>,
    script: impl Future<Output = T>,
) -> (Ended, T) {
    let session = session::run(link, ends, pending());
    let both = async { tokio::join!(session, script) };
    link::timeout(GUARD, both).await.expect("in time")
}

fn everything() -> Announce {
    Announce {
        extensions: Extensions::ALL,
        size: None,
    }
}

#[tokio::test]
async fn what_is_typed_goes_up_and_what_is_printed_comes_down() {
    let (link, mut relay) = Place::new().connect(Announce::default(), "").await;
    let (mut person, ends) = Person::sit_down(EndOfInput::Closes, Sizes::None);

    let (ended, ()) = run(link, ends, async {
        person.types("ls\r").await;
        assert_eq!(relay.next().await, Message::Input("ls\r".into()));
        relay.output("file\r\n").await;
        person.sees("file\r\n").await;
        relay.status("Exit").await;
        relay.close(1000, "Exit").await;
        relay.gone().await;
    })
    .await;

    assert_eq!(ended.why, Why::Told(Reason::Exit));
    assert_eq!(ended.exit_code(), 0);
}

#[tokio::test]
async fn the_size_goes_first_and_again_when_it_changes() {
    let (link, mut relay) = Place::new().connect(Announce::default(), "").await;
    let (window, sizes) = watch::channel(Size {
        rows: 30,
        cols: 100,
    });
    let (_person, ends) = Person::sit_down(EndOfInput::Closes, Sizes::Given(sizes));

    run(link, ends, async {
        let first = relay.next().await;
        window.send_replace(Size { rows: 24, cols: 80 });
        let second = relay.next().await;
        relay.close(1000, "Exit").await;
        relay.gone().await;

        assert_eq!(
            first,
            Message::Resize(Size {
                rows: 30,
                cols: 100
            })
        );
        assert_eq!(second, Message::Resize(Size { rows: 24, cols: 80 }));
    })
    .await;
}

/// Where nobody holds it back until there is a terminal, the first one may be lost (wire-protocol 6).
#[tokio::test]
async fn before_a_relay_that_is_not_ours_the_size_is_told_again_behind_the_first_output() {
    let (link, mut relay) = Place::new().connect(Announce::default(), "").await;
    let told = Size {
        rows: 30,
        cols: 100,
    };
    let (_window, sizes) = watch::channel(told);
    let (_person, ends) = Person::sit_down(EndOfInput::Closes, Sizes::Given(sizes));

    run(link, ends, async {
        assert_eq!(relay.next().await, Message::Resize(told));
        relay.output("$ ").await;
        assert_eq!(relay.next().await, Message::Resize(told));
        relay.output("more").await;
        relay.close(1000, "Exit").await;
        relay.gone().await;
    })
    .await;
}

#[tokio::test]
async fn the_spelling_of_an_old_url_is_mended() {
    let place = Place::new();
    let dialling = place.dial_url("ws://relay:80/session?sessionid=s-1&token=t");

    let (link, relay) = tokio::join!(dialling, place.accept(""));

    assert!(link.is_ok());
    assert_eq!(relay.dialled, "/session?sessionId=s-1&token=t");
}

#[tokio::test]
async fn the_exit_code_is_handed_on_where_it_was_granted() {
    let (link, mut relay) = Place::new().connect(everything(), "exit").await;
    assert_eq!(
        relay.announced.as_deref(),
        Some("exit, eof, reset, pipe, alive")
    );
    let (_person, ends) = Person::sit_down(EndOfInput::Closes, Sizes::None);

    let (ended, ()) = run(link, ends, async {
        relay.send(Message::Exit(7)).await;
        relay.status("Exit").await;
        relay.close(1000, "Exit").await;
        relay.gone().await;
    })
    .await;

    assert_eq!(ended.exit_code(), 7);
}

#[tokio::test]
async fn without_extensions_nothing_is_announced() {
    let (link, relay) = Place::new().connect(Announce::default(), "exit, eof").await;

    assert_eq!(relay.announced, None);
    assert!(link.granted().is_empty());
}

#[tokio::test]
async fn the_close_frame_has_a_more_exact_word_than_the_status() {
    let (link, mut relay) = Place::new().connect(Announce::default(), "").await;
    let (_person, ends) = Person::sit_down(EndOfInput::Closes, Sizes::None);

    let (ended, ()) = run(link, ends, async {
        relay.status("AgentTimeout").await;
        relay.close(1000, "IdleTimeout").await;
        relay.gone().await;
    })
    .await;

    assert_eq!(ended.why, Why::Told(Reason::IdleTimeout));
    assert_eq!(ended.exit_code(), 255);
}

#[tokio::test]
async fn a_pipe_that_runs_out_is_typed_as_eot_and_the_output_goes_on() {
    let (link, mut relay) = Place::new().connect(Announce::default(), "").await;
    let (mut person, ends) = Person::sit_down(EndOfInput::IsTyped, Sizes::None);

    let (ended, ()) = run(link, ends, async {
        person.types("half a line").await;
        assert_eq!(relay.next().await, Message::Input("half a line".into()));
        person.keyboard.shutdown().await.expect("shut");
        assert_eq!(relay.next().await, Message::Input("\x04\x04".into()));
        relay.output("late").await;
        person.sees("late").await;
        relay.close(1000, "Exit").await;
        relay.gone().await;
    })
    .await;

    assert_eq!(ended.exit_code(), 0);
}

#[tokio::test]
async fn a_pipe_that_runs_out_is_told_by_eof_where_that_was_granted() {
    let (link, mut relay) = Place::new().connect(everything(), "eof, pipe").await;
    let (mut person, ends) = Person::sit_down(EndOfInput::IsTyped, Sizes::None);

    run(link, ends, async {
        person.keyboard.shutdown().await.expect("shut");
        assert_eq!(relay.next().await, Message::Eof);
        relay.close(1000, "Exit").await;
        relay.gone().await;
    })
    .await;
}

#[tokio::test]
async fn a_terminal_that_is_gone_closes_the_session() {
    let (link, mut relay) = Place::new().connect(Announce::default(), "").await;
    let (mut person, ends) = Person::sit_down(EndOfInput::Closes, Sizes::None);

    let (ended, ()) = run(link, ends, async {
        person.keyboard.shutdown().await.expect("shut");
        assert_eq!(relay.next().await, Message::Close);
        let last = relay.socket.next().await.expect("more").expect("whole");
        assert!(last.is_close(), "{last:?}");
        relay.gone().await;
    })
    .await;

    assert_eq!(ended.why, Why::InputClosed);
}

#[tokio::test]
async fn a_signal_closes_the_session_in_order() {
    let (link, mut relay) = Place::new().connect(Announce::default(), "").await;
    let (_person, ends) = Person::sit_down(EndOfInput::Closes, Sizes::None);

    let session = session::run(link, ends, async { Stop::Terminate });
    let script = async {
        assert_eq!(relay.next().await, Message::Close);
        relay.gone().await;
    };
    let both = async { tokio::join!(session, script) };
    let (ended, ()) = link::timeout(GUARD, both).await.expect("in time");

    assert_eq!(ended.why, Why::Stopped(Stop::Terminate));
    assert_eq!(ended.exit_code(), 255);
}

/// What somebody who leaves at once waits for at most.
const AT_ONCE: Duration = Duration::from_millis(100);

#[tokio::test(start_paused = true)]
async fn an_escape_waits_for_no_relay_that_hangs() {
    let place = Place::new();
    let (link, relay) = place.connect(Announce::default(), "").await;
    let (mut person, ends) = Person::sit_down(EndOfInput::Closes, Sizes::None);
    let (escape, escaped) = oneshot::channel();
    let session = session::run(link, ends, async {
        escaped.await.expect("typed");
        Stop::Escape
    });
    let typing = async {
        // Until it takes no more: the relay reads nothing.
        let typed = async { while person.keyboard.write_all(&[b'x'; 512]).await.is_ok() {} };
        let is_full = link::timeout(Duration::from_secs(5), typed).await.is_err();
        assert!(is_full);
        escape.send(()).expect("the session goes on");
        link::now()
    };

    let (ended, left_at) = tokio::join!(session, typing);
    // Nor does its API answer, though it accepts.
    let is_ended = session::end_within(&place.api(), "s-1", session::LEAVING).await;

    assert_eq!(ended.why, Why::Stopped(Stop::Escape));
    assert!(!is_ended);
    let waited = link::now() - left_at;
    assert!(waited > session::LEAVING && waited <= AT_ONCE, "{waited:?}");
    drop(relay);
}

#[tokio::test(start_paused = true)]
async fn an_escape_does_not_wait_for_the_answer_to_its_goodbye() {
    let (link, mut relay) = Place::new().connect(Announce::default(), "").await;
    let (_person, ends) = Person::sit_down(EndOfInput::Closes, Sizes::None);
    let began = link::now();

    let ended = session::run(link, ends, async { Stop::Escape }).await;

    assert_eq!(ended.why, Why::Stopped(Stop::Escape));
    assert_eq!(link::now(), began);
    assert_eq!(relay.next().await, Message::Close);
}

#[tokio::test]
async fn a_message_that_is_no_frame_ends_the_session_with_a_reason() {
    let (link, mut relay) = Place::new().connect(Announce::default(), "").await;
    let (_person, ends) = Person::sit_down(EndOfInput::Closes, Sizes::None);

    let (ended, ()) = run(link, ends, async {
        relay.send_raw(Bytes::from_static(&[1; 29])).await;
        relay.gone().await;
    })
    .await;

    assert!(matches!(ended.why, Why::Malformed(_)), "{ended:?}");
}

#[tokio::test]
async fn a_relay_that_vanishes_is_said_to_be_lost() {
    let (link, relay) = Place::new().connect(Announce::default(), "").await;
    let (_person, ends) = Person::sit_down(EndOfInput::Closes, Sizes::None);

    let (ended, ()) = run(link, ends, async { drop(relay) }).await;

    assert!(matches!(ended.why, Why::Lost(_)), "{ended:?}");
}

#[tokio::test]
async fn a_megabyte_into_a_screen_that_starts_to_read_late_is_whole() {
    let (link, mut relay) = Place::new().connect(Announce::default(), "").await;
    let (mut person, ends) = Person::sit_down(EndOfInput::Closes, Sizes::None);
    let sent: Vec<u8> = (0..1_048_576_u32).map(|n| (n % 251) as u8).collect();

    let (_, seen) = run(link, ends, async {
        let flood = async {
            for chunk in sent.chunks(8192) {
                let data = Bytes::copy_from_slice(chunk);
                relay.send(Message::Output(data)).await;
            }
            relay.close(1000, "Exit").await;
            relay.gone().await;
        };
        let watch = async {
            let mut seen = Vec::new();
            person.screen.read_to_end(&mut seen).await.expect("read");
            seen
        };
        tokio::join!(flood, watch).1
    })
    .await;

    assert!(seen == sent);
}

#[tokio::test]
async fn a_refused_upgrade_tells_the_relays_code() {
    let place = Place::new();
    let body = r#"{"Code":"SessionUrl.Expired","Message":"The URL has expired."}"#;

    let (refused, ()) = tokio::join!(place.dial(Announce::default()), place.refuse(403, body));

    let refused = refused.expect_err("refused");
    assert!(
        matches!(&refused, OpenError::Refused { code, .. } if code == "SessionUrl.Expired"),
        "{refused}"
    );
}
