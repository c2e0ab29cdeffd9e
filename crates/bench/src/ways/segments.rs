//! The baselines: what one or two segments of TLS cost by themselves.
//!
//! Each hop is a process that runs [`hop`]: the same runtime, the same settings of TLS and the same dev CA
//! as axt, tokio-rustls and tokio's `copy_bidirectional` with 8 KiB each way, and nothing else.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use anyhow::Context;
use axt_net::{
    ca::DevCa,
    tasks::Tasks,
    tls::{ClientTls, ServerTls},
    wall::Wall,
};
use clap::Args;
use rustls_pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite, copy_bidirectional_with_sizes},
    net::{TcpListener, TcpStream},
    process::Command,
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::{ONE, Running, TWO, process::Process};

/// The buffer of each direction, in bytes.
const BUFFER: usize = 8 * 1024;
/// What a hop says once it listens.
const LISTENS: &str = "listening on ";

/// One hop.
#[derive(Args, Debug)]
pub(crate) struct Flags {
    /// Where it leads.
    to: SocketAddr,
    /// The folder of the CA.
    #[arg(long)]
    ca: PathBuf,
    /// Be a server of TLS.
    #[arg(long)]
    serves_tls: bool,
    /// Be a client of TLS.
    #[arg(long)]
    dials_tls: bool,
}

/// Two processes, with TLS between them.
pub(super) async fn one(target: u16) -> anyhow::Result<Running> {
    start(ONE, target, &["agent", "client"]).await
}

/// Three, with TLS between each and the next.
pub(super) async fn two(target: u16) -> anyhow::Result<Running> {
    start(TWO, target, &["agent", "relay", "client"]).await
}

/// Starts the hops, the last one first.
async fn start(name: &'static str, target: u16, roles: &[&'static str]) -> anyhow::Result<Running> {
    let folder = tempfile::tempdir()?;
    let ca = folder.path().join("ca");
    DevCa::open_or_create(&ca, &[], &Wall::system())?;
    let mut at = SocketAddr::from((Ipv4Addr::LOCALHOST, target));
    let mut processes = Vec::new();
    for (number, role) in roles.iter().enumerate() {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("hop").arg(at.to_string()).arg("--ca").arg(&ca);
        if number > 0 {
            command.arg("--dials-tls");
        }
        if number + 1 < roles.len() {
            command.arg("--serves-tls");
        }
        let mut process = Process::start(role, &mut command, folder.path())?;
        let line = process.said(LISTENS).await?;
        at = line.strip_prefix(LISTENS).context("no address")?.parse()?;
        processes.insert(0, process);
    }
    Ok(Running {
        name,
        at,
        processes,
        _folder: folder,
    })
}

/// A hop's process, until it is killed.
pub(crate) async fn hop(flags: Flags) -> anyhow::Result<()> {
    let ca = DevCa::open_or_create(&flags.ca, &[], &Wall::system())?;
    let server = flags.serves_tls.then(|| ca.server_tls()).transpose()?;
    let client = flags.dials_tls.then(|| trusting(&flags.ca)).transpose()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    anstream::println!("{LISTENS}{}", listener.local_addr()?);
    let tasks = Tasks::new();
    loop {
        let (near, _) = listener.accept().await?;
        let (server, client, to) = (server.clone(), client.clone(), flags.to);
        tasks.spawn("hop", async move {
            // However it ends, both ends see it.
            let _ = carry(near, server, client, to).await;
        });
    }
}

fn trusting(folder: &Path) -> anyhow::Result<ClientTls> {
    let pem = std::fs::read_to_string(folder.join("ca.pem"))?;
    Ok(ClientTls::with_ca_pem(&pem)?)
}

async fn carry(
    near: TcpStream,
    server: Option<ServerTls>,
    client: Option<ClientTls>,
    to: SocketAddr,
) -> anyhow::Result<()> {
    near.set_nodelay(true)?;
    match server {
        Some(tls) => {
            let near = TlsAcceptor::from(tls.config()).accept(near).await?;
            onwards(near, client, to).await
        }
        None => onwards(near, client, to).await,
    }
}

async fn onwards(
    near: impl AsyncRead + AsyncWrite + Unpin,
    client: Option<ClientTls>,
    to: SocketAddr,
) -> anyhow::Result<()> {
    let far = TcpStream::connect(to).await?;
    far.set_nodelay(true)?;
    match client {
        Some(tls) => {
            let name = ServerName::from(to.ip());
            let far = TlsConnector::from(tls.config()).connect(name, far).await?;
            copy(near, far).await
        }
        None => copy(near, far).await,
    }
}

async fn copy(
    mut near: impl AsyncRead + AsyncWrite + Unpin,
    mut far: impl AsyncRead + AsyncWrite + Unpin,
) -> anyhow::Result<()> {
    copy_bidirectional_with_sizes(&mut near, &mut far, BUFFER, BUFFER).await?;
    Ok(())
}
