//! A peer that behaves as the official agent, with shells for real, for scripts: runs until SIGTERM or
//! SIGINT, and ends with 1 when it was sent anything that the official one would choke on.
//!
//! usage: `official_agent https://HOST:PORT CA.PEM INSTANCE`

#![allow(clippy::expect_used, clippy::print_stdout)] // a program of tests

use axt_net::{tls::ClientTls, transport::Dialer};
use axt_official::{AgentSetup, Network, OfficialAgent, agent::Who};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what| arguments.next().expect(what);
    let (server, ca, instance) = (
        next("the relay's URL"),
        next("a file with its CA"),
        next("an instance id"),
    );
    let ca = std::fs::read_to_string(ca).expect("a file that can be read");
    let tls = ClientTls::with_ca_pem(&ca).expect("certificates");
    let mut terminate = signal(SignalKind::terminate()).expect("a handler");
    let mut interrupt = signal(SignalKind::interrupt()).expect("a handler");
    let mut setup = AgentSetup::new(server, Who::Named(instance));
    setup.has_terminals = true;

    let mut agent = OfficialAgent::start(setup, Network::new(Dialer::tcp(), tls));
    agent.online().await;
    println!("online");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
