//! Much at once through a forward: bytes, and connections.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // helpers of tests

mod harness;

use std::sync::atomic::{AtomicUsize, Ordering};

use axt_client::forward::EXTENSIONS;
use axt_net::tasks::Tasks;
use axt_proto::Limits;
use rustix::net::sockopt::{set_socket_recv_buffer_size, set_socket_send_buffer_size};
use sha2::{Digest, Sha256};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use harness::{
    memory::MemoryTunnel,
    settings,
    tunnel::{Tunnel, fill, noise, read, rest, soon},
    until,
};

const MIB: usize = 1024 * 1024;

/// Sends these bytes, and at the same time hashes all that comes.
async fn exchange(socket: &mut TcpStream, sent: &[u8]) -> [u8; 32] {
    let (mut from, mut to) = socket.split();
    let writing = async {
        to.write_all(sent).await.expect("written");
        to.shutdown().await.expect("half-closed");
    };
    let hashing = async {
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match from.read(&mut buffer).await.expect("read") {
                0 => return hash.finalize().into(),
                length => hash.update(&buffer[..length]),
            }
        }
    };
    tokio::join!(writing, hashing).1
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_megabytes_go_both_ways_at_once_and_none_is_altered() {
    let tunnel = Tunnel::open().await;
    let (mut client, mut target) = tunnel.connect().await;
    let (up, down) = (noise(1, 50_000_000), noise(2, 50_000_000));

    let both = async { tokio::join!(exchange(&mut client, &up), exchange(&mut target, &down)) };
    let (heard_down, heard_up) = soon("all of it", both).await;

    assert_eq!(heard_up, <[u8; 32]>::from(Sha256::digest(&up)));
    assert_eq!(heard_down, <[u8; 32]>::from(Sha256::digest(&down)));
    tunnel.shutdown().await;
}

/// What one hop may hold, and how many there are: application, client, relay, agent, target.
const HOP: usize = MIB;
const HOPS: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_holds_up_his_own_sender_alone_and_less_than_1_mib_a_hop() {
    const CONNECTIONS: u32 = 50;
    let tunnel = Tunnel::open_within(Limits {
        connections_per_instance: CONNECTIONS,
        ..settings().limits
    })
    .await;
    for deaf_is_target in [false, true] {
        let mut pairs = Vec::new();
        for _ in 0..CONNECTIONS {
            pairs.push(tunnel.connect().await);
        }
        let (client, target) = pairs.pop().expect("a pair");
        let (mut deaf, mut talker) = if deaf_is_target {
            (target, client)
        } else {
            (client, target)
        };
        // What the kernel holds for the two applications is theirs to say.
        set_socket_send_buffer_size(&talker, 128 * 1024).expect("set");
        set_socket_recv_buffer_size(&deaf, 128 * 1024).expect("set");
        let bytes = noise(3, 16 * MIB);

        let written = AtomicUsize::new(0);
        let talking = async {
            for piece in bytes.chunks(4 * 1024) {
                talker.write_all(piece).await.expect("written");
                written.fetch_add(piece.len(), Ordering::Relaxed);
            }
            drop(talker);
        };
        let others = async {
            all_exchange(pairs).await;
            let written = written.load(Ordering::Relaxed);
            assert!(written < HOPS * HOP, "{written} bytes are on the way");
            // And now it reads, and nothing is missing.
            let mut heard = Vec::new();
            deaf.read_to_end(&mut heard).await.expect("read");
            heard
        };
        let ((), heard) = soon("all", async { tokio::join!(talking, others) }).await;

        assert!(heard == bytes);
    }
    tunnel.shutdown().await;
}

/// Bytes both ways through all of them, at once.
async fn all_exchange(pairs: Vec<(TcpStream, TcpStream)>) {
    let tasks = Tasks::new();
    let mut hashes = Vec::new();
    for (number, (mut client, mut target)) in (0_u64..).zip(pairs) {
        let (told, hash) = tokio::sync::oneshot::channel();
        hashes.push((number, hash));
        tasks.spawn("exchange", async move {
            let (up, down) = (noise(number, 200_000), noise(number + 100, 200_000));
            let both = tokio::join!(exchange(&mut client, &up), exchange(&mut target, &down));
            let _ = told.send(both);
        });
    }
    for (number, hash) in hashes {
        let (down, up) = soon("the others", hash).await.expect("exchanged");
        assert_eq!(up, <[u8; 32]>::from(Sha256::digest(noise(number, 200_000))));
        let expected = Sha256::digest(noise(number + 100, 200_000));
        assert_eq!(down, <[u8; 32]>::from(expected));
    }
}

/// A TCP socket of this machine as the kernel shows it: its ports, and the bytes that it holds.
struct Queues {
    local: u16,
    remote: u16,
    /// Sent, and not taken by the other end's kernel yet.
    sending: usize,
    /// Come, and not read yet.
    received: usize,
}

fn queues() -> Vec<Queues> {
    let table = std::fs::read_to_string("/proc/net/tcp").expect("Linux");
    let hex = |text: &str| usize::from_str_radix(text, 16).expect("a number");
    let port = |address: &str| {
        let (_, port) = address.split_once(':').expect("an address");
        u16::try_from(hex(port)).expect("a port")
    };
    let row = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        let (sending, received) = words[4].split_once(':').expect("two queues");
        Queues {
            local: port(words[1]),
            remote: port(words[2]),
            sending: hex(sending),
            received: hex(received),
        }
    };
    table.lines().skip(1).map(row).collect()
}

/// What the kernel holds on the way to whoever listens at that port, and on the way from there.
fn held(listens_at: u16) -> (usize, usize) {
    let (mut to, mut from) = (0, 0);
    for queues in queues() {
        if queues.local == listens_at && queues.remote != 0 {
            to += queues.received;
            from += queues.sending;
        }
        if queues.remote == listens_at {
            to += queues.sending;
            from += queues.received;
        }
    }
    (to, from)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_holds_less_than_a_mebibyte_at_each_hop() {
    let tunnel = Tunnel::open().await;
    let axt = tunnel.sandbox.ready().axt.clone();
    let relay = axt.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    let relay: u16 = relay.expect("a port");

    for target_sends in [false, true] {
        let (client, target) = tunnel.connect().await;
        let sender = if target_sends { &target } else { &client };
        let deaf = if target_sends { &client } else { &target };
        // What the kernel holds for the two applications is theirs to say.
        set_socket_send_buffer_size(sender, 128 * 1024).expect("set");
        set_socket_recv_buffer_size(deaf, 128 * 1024).expect("set");

        let sent = fill(sender).await;

        let (near, far) = (held(tunnel.local.port()), held(tunnel.target_port()));
        // Both the client and the agent dial the relay.
        let (to_relay, from_relay) = held(relay);
        let hops = match target_sends {
            false => [near.0, to_relay, from_relay, far.0],
            true => [far.1, to_relay, from_relay, near.1],
        };
        // The rest is in the memory of the client, the relay and the agent together.
        let in_programs = sent.saturating_sub(hops.iter().sum());
        for hop in hops {
            assert!(hop + in_programs < HOP, "{hops:?} of {sent} bytes");
        }
    }

    tunnel.shutdown().await;
}

/// Descriptors and tasks of this process, in which everything runs.
fn counts() -> (usize, usize) {
    let descriptors = std::fs::read_dir("/proc/self/fd").expect("Linux").count();
    let metrics = tokio::runtime::Handle::current().metrics();
    (descriptors, metrics.num_alive_tasks())
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_connections_on_sockets_one_after_another_leave_nothing_behind() {
    let mut tunnel = Tunnel::open().await;
    let one_after_another = async |tunnel: &mut Tunnel, number: usize| {
        for _ in 0..number {
            let (mut client, mut target) = tunnel.connect().await;
            client.write_all(b"ping").await.expect("written");
            assert_eq!(read(&mut target, 4).await, b"ping");
            drop(target);
            assert_eq!(rest(&mut client).await.expect("an orderly end"), b"");
            drop(client);
            tunnel.end_of_connection().await;
        }
    };
    // What is kept for later, such as connections for calls, is there after the first few.
    one_after_another(&mut tunnel, 20).await;
    let before = until("the first few are gone", async || {
        let answer = tunnel.sandbox.api().call("DescribeTerminalSessions", &[]);
        let answer = answer.await.expect("sessions").to_string();
        (!answer.contains("\"Connected\"")).then(counts)
    })
    .await;

    one_after_another(&mut tunnel, 300).await;

    until("all of them are gone", async || {
        let after = counts();
        (after.0 <= before.0 && after.1 <= before.1).then_some(())
    })
    .await;
    tunnel.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn as_many_connections_as_one_likes_in_memory_one_after_another_leave_nothing_behind() {
    let tunnel = MemoryTunnel::open(EXTENSIONS).await;
    let one_after_another = async |number: usize| {
        for _ in 0..number {
            let (mut client, mut target) = tunnel.connect().await;
            client.write_all(b"ping").await.expect("written");
            let mut heard = [0; 4];
            target.read_exact(&mut heard).await.expect("read");
            assert_eq!(&heard, b"ping");
            drop(target);
            let mut rest = Vec::new();
            client.read_to_end(&mut rest).await.expect("read");
            assert_eq!(rest, b"");
        }
    };
    let until_over = async || {
        until("the end of all connections", async || {
            let state = tunnel.sandbox.admin().limits().await.expect("an answer");
            (state["connections_per_instance"].used == Some(0)).then_some(())
        })
        .await;
    };
    one_after_another(20).await;
    until_over().await;
    let before = counts().1;

    // More than a person waits for are the checks' business.
    let more = std::env::var("AXT_CONNECTIONS").ok();
    let number = more.and_then(|more| more.parse().ok());
    one_after_another(number.unwrap_or(1_000)).await;

    until_over().await;
    until("the end of all tasks", async || {
        (counts().1 <= before).then_some(())
    })
    .await;
    tunnel.sandbox.check().await.expect("the invariants hold");
    tunnel.shutdown().await;
}
