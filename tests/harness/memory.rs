//! A forward in memory, where no socket and no second is spent.

use axt_client::forward::{Bound, Forward, Remote, Route};
use axt_net::{
    link,
    tasks::Tasks,
    transport::{Dialer, Listener, Stream},
};
use axt_proto::{Extensions, Tick};
use axt_sandbox::{ClockStart, Sandbox, SandboxConfig, Transport};
use tokio::sync::mpsc;

use super::{settings, start};

const START: Tick = Tick::from_millis(1_795_587_061_027);

/// A forward that runs; its events are read by nobody.
pub(crate) struct MemoryTunnel {
    pub(crate) sandbox: Sandbox,
    /// For what a test wants to have done beside.
    pub(crate) tasks: Tasks,
    dialer: Dialer,
    target: Listener,
}

impl MemoryTunnel {
    /// A forward of a client that announces these extensions.
    pub(crate) async fn open(extensions: Extensions) -> Self {
        let sandbox = start(SandboxConfig {
            transport: Transport::Memory,
            clock: ClockStart::Frozen(START),
            seed: Some(1),
            ..settings()
        })
        .await;
        let dialer = sandbox.network().dialer.clone();
        let Dialer::Memory(net) = &dialer else {
            panic!("not in memory");
        };
        let target = net.bind("localhost", 9_000).expect("bound");
        let local = net.bind("application", 9_001).expect("bound");
        let route = Route {
            api: sandbox.api().clone(),
            network: sandbox.network().clone(),
            extensions,
        };
        let remote = Remote {
            host: None,
            port: 9_000,
        };
        let (events, mut unread) = mpsc::channel(64);
        let bound = Bound::on(vec![local], remote);
        let forward = Forward::start(bound, route, sandbox.instance(), events)
            .await
            .expect("a session");
        let tasks = Tasks::new();
        tasks.spawn("forward", forward.run(tasks.token().clone()));
        tasks.spawn(
            "events",
            async move { while unread.recv().await.is_some() {} },
        );
        Self {
            sandbox,
            tasks,
            dialer,
            target,
        }
    }

    /// A connection from end to end: the application's and the target's.
    pub(crate) async fn connect(&self) -> (Stream, Stream) {
        let client = self.dialer.dial("application", 9_001).await;
        let target = self.target.accept().await;
        (client.expect("dialled"), target.expect("accepted"))
    }

    pub(crate) async fn shutdown(self) {
        self.tasks.shutdown(link::SHUTDOWN).await;
        self.sandbox.shutdown().await;
    }
}
