//! Where a forward may lead, and how many connections it carries.

use axt_client::forward::{Bound, EXTENSIONS, Forward, Route};
use axt_net::tasks::Tasks;
use axt_proto::Limits;
use axt_sandbox::Sandbox;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

use crate::harness::{
    sandbox, settings,
    tunnel::{Tunnel, listen, read, soon},
};

/// Forwards a local port to `host` and `listener`'s port, and says what the listener hears.
async fn says_hello_through(sandbox: &Sandbox, host: Option<&str>, listener: &TcpListener) {
    let port = listener.local_addr().expect("bound").port();
    let target = host.map_or_else(String::new, |host| format!("{host}:"));
    let spec = format!("127.0.0.1:0:{target}{port}");
    let local = Bound::bind(&spec.parse().expect("a forward"))
        .await
        .expect("bound");
    let address = local.addresses().expect("bound")[0];
    let (events, _unread) = mpsc::channel(64);
    let forward = Forward::start(local, route(sandbox), sandbox.instance(), events)
        .await
        .expect("a session");
    let tasks = Tasks::new();
    tasks.spawn("forward", forward.run(tasks.token().clone()));

    let mut client = TcpStream::connect(address).await.expect("connected");
    let (mut target, _) = soon("a connection", listener.accept())
        .await
        .expect("accepted");
    client.write_all(b"hello").await.expect("written");
    assert_eq!(read(&mut target, 5).await, b"hello");
    target.write_all(b"and back").await.expect("written");
    assert_eq!(read(&mut client, 8).await, b"and back");
}

fn route(sandbox: &Sandbox) -> Route {
    Route {
        api: sandbox.api().clone(),
        network: sandbox.network().clone(),
        extensions: EXTENSIONS,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_instance_itself_is_reached_on_whichever_family_listens() {
    let sandbox = sandbox().await;

    says_hello_through(&sandbox, None, &listen("127.0.0.1:0").await).await;
    says_hello_through(&sandbox, None, &listen("[::1]:0").await).await;

    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_server_is_a_name_or_an_address_of_either_family() {
    let sandbox = sandbox().await;

    says_hello_through(&sandbox, Some("localhost"), &listen("[::1]:0").await).await;
    says_hello_through(&sandbox, Some("localhost"), &listen("127.0.0.1:0").await).await;
    says_hello_through(&sandbox, Some("127.0.0.2"), &listen("127.0.0.2:0").await).await;
    says_hello_through(&sandbox, Some("[::1]"), &listen("[::1]:0").await).await;

    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_url_serves_many_at_once_and_keeps_them_apart() {
    // One session is all that there may be.
    let tunnel = Tunnel::open_within(Limits {
        sessions_per_region: 1,
        connections_per_instance: 40,
        ..settings().limits
    })
    .await;
    let mut pairs = Vec::new();
    for _ in 0..40 {
        pairs.push(tunnel.connect().await);
    }

    for (number, (client, target)) in pairs.iter_mut().enumerate() {
        let (ask, answer) = (format!("<{number:02}>"), format!("[{number:02}]"));
        client.write_all(ask.as_bytes()).await.expect("written");
        target.write_all(answer.as_bytes()).await.expect("written");
    }
    for (number, (client, target)) in pairs.iter_mut().enumerate() {
        let heard = read(target, 4).await;
        assert_eq!(heard, format!("<{number:02}>").as_bytes());
        let answered = read(client, 4).await;
        assert_eq!(answered, format!("[{number:02}]").as_bytes());
    }

    drop(pairs);
    tunnel.shutdown().await;
}
