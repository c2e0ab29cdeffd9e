//! What people would use instead, where it is on the PATH.

use std::{
    env,
    fs::{self, Permissions},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::Context;
use tempfile::TempDir;
use tokio::process::Command;

use super::{Running, process::Process};

/// A program, and how it is set up here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// Its server in the middle, its client beside the target, Noise between them.
    Rathole,
    /// The same, unencrypted: it knows no other.
    Bore,
    /// A websocket between two of it, unencrypted.
    Websocat,
    /// One segment of TLS.
    Stunnel,
    /// `ssh -L` to a server of its own.
    Ssh,
}

impl Peer {
    const ALL: [Self; 5] = [
        Self::Rathole,
        Self::Bore,
        Self::Websocat,
        Self::Stunnel,
        Self::Ssh,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Rathole => "rathole (noise)",
            Self::Bore => "bore (plain)",
            Self::Websocat => "websocat (plain)",
            Self::Stunnel => "stunnel (one TLS segment)",
            Self::Ssh => "ssh -L",
        }
    }

    /// Those that are on the PATH.
    pub(crate) fn found() -> Vec<Self> {
        let is_there = |peer: &Self| match peer {
            Self::Rathole => find("rathole").is_some(),
            Self::Bore => find("bore").is_some(),
            Self::Websocat => find("websocat").is_some(),
            Self::Stunnel => find("stunnel").is_some() && find("openssl").is_some(),
            Self::Ssh => find("ssh").is_some() && find("sshd").is_some(),
        };
        Self::ALL.into_iter().filter(is_there).collect()
    }

    pub(super) async fn start(self, target: u16) -> anyhow::Result<Running> {
        let folder = tempfile::tempdir()?;
        let (processes, port) = match self {
            Self::Rathole => rathole(target, folder.path()).await?,
            Self::Bore => bore(target, folder.path()).await?,
            Self::Websocat => websocat(target, folder.path())?,
            Self::Stunnel => stunnel(target, folder.path()).await?,
            Self::Ssh => ssh(target, &folder).await?,
        };
        Ok(Running {
            name: self.name(),
            at: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            processes,
            _folder: folder,
        })
    }
}

type Started = anyhow::Result<(Vec<Process>, u16)>;

async fn rathole(target: u16, folder: &Path) -> Started {
    let [control, port] = [free_port()?, free_port()?];
    let keys = said_by(Command::new(program("rathole")?).arg("--genkey")).await?;
    let key = |name: &str| {
        let after = keys
            .lines()
            .skip_while(|line| !line.starts_with(name))
            .nth(1);
        after.with_context(|| format!("`rathole --genkey` says no {name}"))
    };
    let (private, public) = (key("Private")?, key("Public")?);
    let server = format!(
        "[server]\nbind_addr = \"127.0.0.1:{control}\"\ndefault_token = \"bench\"\n\
         [server.transport]\ntype = \"noise\"\n\
         [server.transport.noise]\nlocal_private_key = \"{private}\"\n\
         [server.services.bench]\nbind_addr = \"127.0.0.1:{port}\"\n"
    );
    let client = format!(
        "[client]\nremote_addr = \"127.0.0.1:{control}\"\ndefault_token = \"bench\"\n\
         [client.transport]\ntype = \"noise\"\n\
         [client.transport.noise]\nremote_public_key = \"{public}\"\n\
         [client.services.bench]\nlocal_addr = \"127.0.0.1:{target}\"\n"
    );
    let mut processes = Vec::new();
    for (role, flag, text) in [
        ("server", "--server", server),
        ("client", "--client", client),
    ] {
        let file = folder.join(format!("{role}.toml"));
        fs::write(&file, text)?;
        let mut command = Command::new(program("rathole")?);
        command.arg(flag).arg(&file);
        processes.push(Process::start(role, &mut command, folder)?);
    }
    Ok((processes, port))
}

async fn bore(target: u16, folder: &Path) -> Started {
    // It has a control port of its own that cannot be chosen.
    let port = free_port()?;
    let mut command = Command::new(program("bore")?);
    command.arg("server");
    let mut server = Process::start("server", &mut command, folder)?;
    server.said("listening").await?;
    let mut command = Command::new(program("bore")?);
    command.args(["local", &target.to_string(), "--to", "127.0.0.1"]);
    command.args(["--port", &port.to_string()]);
    let client = Process::start("client", &mut command, folder)?;
    Ok((vec![server, client], port))
}

fn websocat(target: u16, folder: &Path) -> Started {
    let [between, port] = [free_port()?, free_port()?];
    let mut command = Command::new(program("websocat")?);
    command.args(["--binary", "--exit-on-eof"]);
    command.args([
        format!("ws-l:127.0.0.1:{between}"),
        format!("tcp:127.0.0.1:{target}"),
    ]);
    let server = Process::start("server", &mut command, folder)?;
    let mut command = Command::new(program("websocat")?);
    command.args(["--binary", "--exit-on-eof"]);
    command.args([
        format!("tcp-l:127.0.0.1:{port}"),
        format!("ws://127.0.0.1:{between}/"),
    ]);
    let client = Process::start("client", &mut command, folder)?;
    Ok((vec![client, server], port))
}

async fn stunnel(target: u16, folder: &Path) -> Started {
    let [between, port] = [free_port()?, free_port()?];
    let certificate = folder.join("server.pem");
    let mut command = Command::new(program("openssl")?);
    command.args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
    ]);
    command.args(["-nodes", "-subj", "/CN=localhost", "-days", "1", "-keyout"]);
    command
        .arg(&certificate)
        .arg("-out")
        .arg(folder.join("public.pem"));
    said_by(&mut command).await?;
    let both = fs::read_to_string(&certificate)? + &fs::read_to_string(folder.join("public.pem"))?;
    fs::write(&certificate, both)?;
    let common = "foreground = yes\npid =\nsocket = l:TCP_NODELAY=1\nsocket = r:TCP_NODELAY=1\n";
    let server = format!(
        "{common}cert = {}\n[bench]\naccept = 127.0.0.1:{between}\nconnect = 127.0.0.1:{target}\n",
        certificate.display()
    );
    let client = format!(
        "{common}client = yes\n[bench]\naccept = 127.0.0.1:{port}\nconnect = 127.0.0.1:{between}\n"
    );
    let mut processes = Vec::new();
    for (role, text) in [("client", client), ("server", server)] {
        let file = folder.join(format!("{role}.conf"));
        fs::write(&file, text)?;
        let mut command = Command::new(program("stunnel")?);
        command.arg(&file);
        processes.push(Process::start(role, &mut command, folder)?);
    }
    Ok((processes, port))
}

async fn ssh(target: u16, home: &TempDir) -> Started {
    let [between, port] = [free_port()?, free_port()?];
    let folder = home.path();
    for name in ["host", "user"] {
        let mut command = Command::new(program("ssh-keygen")?);
        command
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(folder.join(name));
        said_by(&mut command).await?;
    }
    let keys = folder.join("authorized_keys");
    fs::copy(folder.join("user.pub"), &keys)?;
    fs::set_permissions(&keys, Permissions::from_mode(0o600))?;
    let settings = folder.join("sshd_config");
    fs::write(
        &settings,
        format!(
            "ListenAddress 127.0.0.1\nPort {between}\nHostKey {}\nAuthorizedKeysFile {}\n\
             StrictModes no\nUsePAM no\nPidFile none\nMaxSessions 10000\n",
            folder.join("host").display(),
            keys.display()
        ),
    )?;
    // What a service manager makes for it, which root cannot do without; others may not, and need not.
    let _ = fs::create_dir_all("/run/sshd");
    // Run by its whole path, as it demands.
    let mut command = Command::new(program("sshd")?);
    command.args(["-D", "-e", "-f"]).arg(&settings);
    let mut server = Process::start("server", &mut command, folder)?;
    server.said("listening").await?;
    let user = said_by(Command::new("id").arg("-un")).await?;
    let mut command = Command::new(program("ssh")?);
    command.args(["-N", "-F", "none", "-o", "BatchMode=yes"]);
    command.args([
        "-o",
        "StrictHostKeyChecking=no",
        "-o",
        "UserKnownHostsFile=/dev/null",
    ]);
    command
        .args(["-o", "ExitOnForwardFailure=yes", "-i"])
        .arg(folder.join("user"));
    command.args(["-p", &between.to_string()]);
    command.args(["-L", &format!("127.0.0.1:{port}:127.0.0.1:{target}")]);
    command.arg(format!("{}@127.0.0.1", user.trim()));
    let client = Process::start("client", &mut command, folder)?;
    Ok((vec![client, server], port))
}

/// What a command that ends by itself says.
async fn said_by(command: &mut Command) -> anyhow::Result<String> {
    let program = command.as_std().get_program().to_owned();
    let output = command.output().await?;
    let told = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{}: {told}", program.display());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A port that is free just now: these programs cannot be told to choose one.
fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

fn program(name: &str) -> anyhow::Result<PathBuf> {
    find(name).with_context(|| format!("there is no {name}"))
}

/// Where a program is; daemons are often in folders that are not on a user's PATH.
fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    folders
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}
