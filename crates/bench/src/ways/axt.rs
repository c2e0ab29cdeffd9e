//! axt, each part a process of its own as on three machines.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use axt_control::admin::ReadyFile;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use super::{AXT, Running, process::Process};

/// Limits that nothing here comes near; the bandwidth is off.
pub(crate) const NO_LIMITS: &[&str] = &[
    "bandwidth_bytes_per_s=0",
    "connections_per_instance=1000000",
    "sessions_per_region=1000000",
];

/// The program: $AXT, or the one beside this.
#[derive(Clone, Debug)]
pub(crate) struct Binary(PathBuf);

impl Binary {
    pub(crate) fn find() -> anyhow::Result<Self> {
        let path = match env::var_os("AXT") {
            Some(path) => PathBuf::from(path),
            None => env::current_exe()?.with_file_name("axt"),
        };
        anyhow::ensure!(
            path.is_file(),
            "there is no {}: build it (`cargo build --release`), or name it by AXT=PATH",
            path.display()
        );
        Ok(Self(path.canonicalize()?))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn command(&self) -> Command {
        Command::new(&self.0)
    }
}

/// Adds what any relay is started with: free ports, and its state in `folder`.
pub(crate) fn in_folder(command: &mut Command, folder: &Path) {
    for listener in ["--api-listen", "--axt-listen", "--admin-listen"] {
        command.args([listener, "127.0.0.1:0"]);
    }
    command.arg("--state-dir").arg(folder.join("state"));
    command.arg("--ready-file").arg(folder.join("ready.json"));
}

/// A relay and its agent.
#[derive(Debug)]
pub(crate) struct Parts {
    binary: Binary,
    relay: Process,
    agent: Process,
    pub(crate) ready: ReadyFile,
    /// The agent's.
    pub(crate) instance: String,
    folder: TempDir,
}

impl Parts {
    pub(crate) async fn start(binary: &Binary, limits: &[&str]) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let (key, settings) = (
            folder.path().join("agent.pem"),
            folder.path().join("axt.toml"),
        );
        let made = binary
            .command()
            .arg("agent")
            .arg("--new-key")
            .arg(&key)
            .output();
        let entry = String::from_utf8(made.await?.stdout)?;
        let instance = entry.lines().find_map(|line| line.strip_prefix("id = "));
        let instance = instance.context("`axt agent --new-key` names no instance")?;
        let instance = instance.trim_matches('"').to_owned();
        fs::write(&settings, &entry)?;

        let mut command = binary.command();
        command.arg("relay").arg("--config").arg(&settings);
        in_folder(&mut command, folder.path());
        for limit in limits {
            command.args(["--limit", limit]);
        }
        let mut relay = Process::start("relay", &mut command, folder.path())?;
        relay.said("ready").await?;
        let ready = fs::read(folder.path().join("ready.json"))?;
        let ready: ReadyFile = serde_json::from_slice(&ready)?;

        let mut command = binary.command();
        command.args(["agent", "-i", &instance, "--key"]).arg(&key);
        command.arg("--state-dir").arg(folder.path().join("state"));
        let mut agent = Process::start("agent", &mut command, folder.path())?;
        agent.said("is online").await?;
        Ok(Self {
            binary: binary.clone(),
            relay,
            agent,
            ready,
            instance,
            folder,
        })
    }

    /// A port that leads to `target` through them.
    pub(crate) async fn forward(self, target: u16) -> anyhow::Result<Running> {
        let mut command = self.binary.command();
        command.args(["portforward", "--json", "-i", &self.instance]);
        command
            .arg("--state-dir")
            .arg(self.folder.path().join("state"));
        command.arg(format!("127.0.0.1:0:{target}"));
        let mut client = Process::start("client", &mut command, self.folder.path())?;
        let line = client.said("\"listening\"").await?;
        let listening: Value = serde_json::from_str(&line)?;
        let at = listening.get("address").and_then(Value::as_str);
        Ok(Running {
            name: AXT,
            at: at.context("`axt portforward` tells no address")?.parse()?,
            processes: vec![client, self.relay, self.agent],
            _folder: self.folder,
        })
    }
}
