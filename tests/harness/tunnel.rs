//! A forward from a local port, through relay and agent, to a listener of the test's own.

use std::net::{Ipv4Addr, SocketAddr};

use axt_client::forward::{Bound, EXTENSIONS, Forward, ForwardEvent, Route};
use axt_net::{link, tasks::Tasks};
use axt_proto::{Extensions, Limits};
use axt_sandbox::{Sandbox, SandboxConfig};
use rustix::net::sockopt::set_socket_linger;
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpSocket, TcpStream},
    sync::mpsc,
};
use tokio_util::sync::CancellationToken;

use super::{GUARD, settings, start};

/// How many events may wait for the test to look at them.
const EVENTS: usize = 1_024;

/// How long nothing more has fitted until it will not either: how long exactly decides nothing.
const STANDSTILL: std::time::Duration = std::time::Duration::from_millis(300);

/// A forward that runs.
pub(crate) struct Tunnel {
    pub(crate) sandbox: Sandbox,
    pub(crate) local: SocketAddr,
    target: TcpListener,
    events: mpsc::Receiver<ForwardEvent>,
    stop: CancellationToken,
    forwards: Tasks,
}

/// Who knows the extensions of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pairing {
    pub(crate) client: bool,
    pub(crate) agent: bool,
}

impl Pairing {
    pub(crate) const BOTH: Self = Self {
        client: true,
        agent: true,
    };

    /// All of them.
    pub(crate) const EVERY: [Self; 4] = [
        Self::BOTH,
        Self {
            client: true,
            agent: false,
        },
        Self {
            client: false,
            agent: true,
        },
        Self {
            client: false,
            agent: false,
        },
    ];

    /// Whether both ends know them, so that they are granted.
    pub(crate) fn grants(self) -> bool {
        self == Self::BOTH
    }

    /// A sandbox with such an agent.
    pub(crate) fn settings(self) -> SandboxConfig {
        SandboxConfig {
            extensions: if self.agent {
                Extensions::ALL
            } else {
                Extensions::NONE
            },
            ..settings()
        }
    }

    /// What such a client announces of what it could.
    pub(crate) fn announced(self, could: Extensions) -> Extensions {
        if self.client { could } else { Extensions::NONE }
    }
}

impl Tunnel {
    /// A forward between ends that know all extensions.
    pub(crate) async fn open() -> Self {
        Self::open_as(Pairing::BOTH, Pairing::BOTH.settings()).await
    }

    /// The same under these limits.
    pub(crate) async fn open_within(limits: Limits) -> Self {
        let settings = SandboxConfig {
            limits,
            ..settings()
        };
        Self::open_as(Pairing::BOTH, settings).await
    }

    /// A forward between such ends.
    pub(crate) async fn open_as(pairing: Pairing, settings: SandboxConfig) -> Self {
        Self::open_so(pairing, settings, |forward| forward).await
    }

    /// The same with a forward that has been told something more.
    pub(crate) async fn open_so(
        pairing: Pairing,
        settings: SandboxConfig,
        told: impl FnOnce(Forward) -> Forward,
    ) -> Self {
        Self::over(start(settings).await, pairing, told).await
    }

    /// The same to the first instance of a sandbox that runs.
    pub(crate) async fn over(
        sandbox: Sandbox,
        pairing: Pairing,
        told: impl FnOnce(Forward) -> Forward,
    ) -> Self {
        let target = listen("127.0.0.1:0").await;
        let port = target.local_addr().expect("bound").port();
        let route = Route {
            api: sandbox.api().clone(),
            network: sandbox.network().clone(),
            extensions: pairing.announced(EXTENSIONS),
        };
        let spec = format!("127.0.0.1:0:{port}").parse().expect("a forward");
        let bound = Bound::bind(&spec).await.expect("bound");
        let local = bound.addresses().expect("bound")[0];
        let (sender, events) = mpsc::channel(EVENTS);
        let forward = Forward::start(bound, route, sandbox.instance(), sender)
            .await
            .expect("a session");
        let (forwards, stop) = (Tasks::new(), CancellationToken::new());
        forwards.spawn("forward", told(forward).run(stop.clone()));
        Self {
            sandbox,
            local,
            target,
            events,
            stop,
            forwards,
        }
    }

    /// An application's connection to the local port.
    pub(crate) async fn dial(&self) -> TcpStream {
        soon("the local port", TcpStream::connect(self.local))
            .await
            .expect("connected")
    }

    /// An application's connection that comes to nothing: whether it is told by a reset.
    pub(crate) async fn is_refused(&self) -> bool {
        match soon("the local port", TcpStream::connect(self.local)).await {
            Ok(mut client) => is_reset(&mut client).await,
            // It was reset before it had connected.
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }

    /// The next connection that the target gets.
    pub(crate) async fn accept(&self) -> TcpStream {
        let (socket, _) = soon("a connection at the target", self.target.accept())
            .await
            .expect("accepted");
        socket
    }

    /// A connection from end to end: the application's socket and the target's.
    pub(crate) async fn connect(&self) -> (TcpStream, TcpStream) {
        let client = self.dial().await;
        (client, self.accept().await)
    }

    /// Where the target listens.
    pub(crate) fn target_port(&self) -> u16 {
        self.target.local_addr().expect("bound").port()
    }

    /// Nobody listens at the target from now on.
    pub(crate) fn stop_listening(&mut self) {
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        nobody.set_nonblocking(true).expect("set");
        self.target = TcpListener::from_std(nobody).expect("a listener");
    }

    /// What becomes of the next connection to end, as the forward says it.
    pub(crate) async fn end_of_connection(&mut self) -> ForwardEvent {
        loop {
            let event = soon("the end of a connection", self.events.recv()).await;
            let event = event.expect("a forward that runs");
            if matches!(
                event,
                ForwardEvent::Closed { .. } | ForwardEvent::Failed { .. }
            ) {
                return event;
            }
        }
    }

    /// Why the session was replaced by another one, once it is.
    pub(crate) async fn renewed(&mut self) -> String {
        loop {
            let event = soon("another session", self.events.recv()).await;
            if let ForwardEvent::Renewed { because, .. } = event.expect("a forward that runs") {
                return because;
            }
        }
    }

    /// Ends the forward, as Ctrl-C does.
    pub(crate) async fn stop(&self) {
        self.stop.cancel();
        self.forwards.shutdown(GUARD).await;
    }

    /// Ends the forward, then the sandbox.
    pub(crate) async fn shutdown(self) {
        self.stop().await;
        self.sandbox.shutdown().await;
    }
}

/// A listener on a free port of this address. On `::1` the port is kept on 127.0.0.1 too, where nobody
/// listens: what is for this one must not reach another test's that has the same number.
pub(crate) async fn listen(address: &str) -> TcpListener {
    loop {
        let listener = TcpListener::bind(address).await.expect("a port");
        let at = listener.local_addr().expect("bound");
        if at.is_ipv4() {
            return listener;
        }
        let other = TcpSocket::new_v4().expect("a socket");
        if other.bind((Ipv4Addr::LOCALHOST, at.port()).into()).is_ok() {
            // Until the process ends.
            std::mem::forget(other);
            return listener;
        }
    }
}

/// Waits for what is to happen soon.
pub(crate) async fn soon<F: Future>(what: &str, happening: F) -> F::Output {
    match link::timeout(GUARD, happening).await {
        Ok(happened) => happened,
        Err(_) => panic!("{what}: not within {GUARD:?}"),
    }
}

/// Everything until the other end's orderly end; the error of an end that is none.
pub(crate) async fn rest(socket: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut rest = Vec::new();
    soon("the end", socket.read_to_end(&mut rest)).await?;
    Ok(rest)
}

/// Exactly so many bytes.
pub(crate) async fn read(socket: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    soon("bytes", socket.read_exact(&mut bytes))
        .await
        .expect("all of them");
    bytes
}

/// Ends a connection by a reset.
pub(crate) fn reset(socket: TcpStream) {
    set_socket_linger(&socket, Some(std::time::Duration::ZERO)).expect("set");
}

/// Sends until nothing more fits on the way, for nobody reads at the other end; how many bytes did.
pub(crate) async fn fill(socket: &TcpStream) -> usize {
    let piece = [7; 16 * 1024];
    let mut written = 0;
    loop {
        match link::timeout(STANDSTILL, socket.writable()).await {
            Ok(writable) => writable.expect("a connection"),
            Err(_) => return written,
        }
        // It may not be so after all.
        written += socket.try_write(&piece).unwrap_or_default();
    }
}

/// Whether the other end was told by a reset.
pub(crate) async fn is_reset(socket: &mut TcpStream) -> bool {
    rest(socket)
        .await
        .is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset)
}

/// Bytes without a pattern, the same for the same seed.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    // xorshift64*: quick enough in a debug build that a test does not wait for it.
    let mut state = seed.wrapping_mul(2).wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        bytes.extend_from_slice(&state.wrapping_mul(0x2545_F491_4F6C_DD1D).to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}
