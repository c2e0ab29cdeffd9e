//! Programs of somebody's own in the agent's or the client's place, and what they are told.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::Stdio,
};

use axt_agent::{
    helper::ShellSpec,
    shell::{HelperProgram, Shell, ShellEnd},
};
use axt_net::tasks::Tasks;
use axt_sandbox::Sandbox;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{Child, Command},
    sync::watch,
};

use super::terminal::{End, Terminal, WINDOW};
use crate::run::Trouble;

/// How much is moved at once between a program and its terminal.
const PIECE: usize = 16 * 1024;

/// What is the same for all programs of a run: the folder of its files, and where things are.
#[derive(Debug)]
pub(crate) struct Place {
    folder: tempfile::TempDir,
    values: BTreeMap<&'static str, String>,
}

impl Place {
    /// For a sandbox that runs; `axt` is the program that experiments are a command of, `proxy` the way to
    /// the sandbox by the cloud's names.
    pub(crate) fn of(
        sandbox: &Sandbox,
        axt: &Path,
        proxy: Option<String>,
    ) -> Result<Self, Trouble> {
        let folder = tempfile::Builder::new().prefix("axt-experiment-").tempdir();
        let folder =
            folder.map_err(|error| Trouble::plain(format!("cannot make a folder: {error}")))?;
        let ready = sandbox.ready();
        let server = ready.axt.replacen("ws", "http", 1);
        let host = server
            .split_once("://")
            .map_or("", |(_, host)| host)
            .to_owned();
        let values = BTreeMap::from([
            ("server", server),
            ("axt_url", ready.axt.clone()),
            ("host", host),
            ("endpoint", ready.api_https.clone()),
            ("endpoint_http", ready.api_http.clone()),
            ("region", ready.region.to_string()),
            ("ca", ready.ca_cert.clone()),
            ("access_key_id", ready.access_key_id.clone()),
            (
                "access_key_secret",
                ready.access_key_secret.expose().to_owned(),
            ),
            ("state_dir", sandbox.state().path().display().to_string()),
            ("axt", axt.display().to_string()),
            ("folder", folder.path().display().to_string()),
            ("proxy", proxy.unwrap_or_default()),
        ]);
        Ok(Self { folder, values })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn value(&self, name: &str) -> Option<String> {
        self.values.get(name).cloned()
    }

    /// A file that sets the environment, which nobody else can read: what the placeholders say, and
    /// what the official programs and SDKs look for.
    fn environment(&self, name: &str, own: &[(&str, String)]) -> Result<PathBuf, Trouble> {
        let path = self.path().join(name);
        let own = own.iter().map(|(name, value)| (*name, value.as_str()));
        let all = self
            .values
            .iter()
            .map(|(name, value)| (*name, value.as_str()));
        let mut text = String::new();
        for (name, value) in all.chain(own) {
            let name = name.to_uppercase();
            text.push_str(&format!("export AXT_EXPERIMENT_{name}={}\n", quoted(value)));
        }
        let known = [
            ("ALIBABA_CLOUD_ACCESS_KEY_ID", "access_key_id"),
            ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "access_key_secret"),
            ("ALIBABACLOUD_ACCESS_KEY_ID", "access_key_id"),
            ("ALIBABACLOUD_ACCESS_KEY_SECRET", "access_key_secret"),
            ("ALIBABA_CLOUD_REGION_ID", "region"),
            ("ALIBABACLOUD_REGION_ID", "region"),
            ("ALIBABA_CLOUD_ENDPOINT", "endpoint"),
            // The official agent's own (wire-protocol 10).
            ("ALIYUN_ASSIST_SERVER_HOST", "host"),
            ("ALIYUN_ASSIST_CERT_PATH", "ca"),
            ("SSL_CERT_FILE", "ca"),
            ("REQUESTS_CA_BUNDLE", "ca"),
            ("NODE_EXTRA_CA_CERTS", "ca"),
            ("AXT_STATE_DIR", "state_dir"),
        ];
        for (variable, name) in known {
            if let Some(value) = self.values.get(name) {
                text.push_str(&format!("export {variable}={}\n", quoted(value)));
            }
        }
        let mut options = OpenOptions::new();
        let file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path);
        file.and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| Trouble::plain(format!("cannot write {}: {error}", path.display())))?;
        Ok(path)
    }
}

/// A text for a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A program in an agent's place. Dropping it kills it, with all that it has started in its group.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    group: Option<Pid>,
    log: PathBuf,
}

impl Program {
    /// Starts a command line, with an environment of its own; its output goes to a file.
    pub(crate) fn start(
        line: &str,
        name: &str,
        place: &Place,
        own: &[(&str, String)],
    ) -> Result<Self, Trouble> {
        let environment = place.environment(&format!("{name}.env"), own)?;
        let log = place.path().join(format!("{name}.log"));
        let failed =
            |what: &str, error: std::io::Error| Trouble::plain(format!("cannot {what}: {error}"));
        let out = File::options().create(true).append(true).open(&log);
        let out = out.map_err(|error| failed("write the program's log", error))?;
        let err = out
            .try_clone()
            .map_err(|error| failed("write the program's log", error))?;
        let child = Command::new("sh")
            .arg("-c")
            .arg(format!(
                ". {}; {line}",
                quoted(&environment.display().to_string())
            ))
            .current_dir(place.path())
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| failed("start the program", error))?;
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Ok(Self {
            group: id.and_then(Pid::from_raw),
            child,
            log,
        })
    }

    /// Waits for its end, which has to be a success.
    pub(crate) async fn done(mut self) -> Result<(), Trouble> {
        let status = self.child.wait().await;
        match status {
            Ok(status) if status.success() => {
                self.group = None;
                Ok(())
            }
            Ok(status) => Err(Trouble::plain(format!(
                "the program ended with {status}: {}",
                self.words()
            ))),
            Err(error) => Err(Trouble::plain(error.to_string())),
        }
    }

    /// The last lines of what it said.
    pub(crate) fn words(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().rev().take(3).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join(" / ")
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            // One that has ended needs no telling.
            let _ = kill_process_group(group, signal);
        }
    }

    /// Stops it where it is, or lets it go on.
    pub(crate) fn pause(&self, is_paused: bool) {
        self.signal(if is_paused {
            Signal::STOP
        } else {
            Signal::CONT
        });
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

/// Starts a program in a client's place, on a terminal or on pipes.
pub(crate) fn client(
    line: &str,
    (helper, is_piped): (&HelperProgram, bool),
    (place, number): (&Place, usize),
    own: &[(&str, String)],
) -> Result<Terminal, Trouble> {
    let environment = place.environment(&format!("client-{number}.env"), own)?;
    let spec = ShellSpec {
        command: Some(format!(
            ". {}; {line}",
            quoted(&environment.display().to_string())
        )),
        terminal: !is_piped,
        directory: Some(place.path().to_owned()),
        ..ShellSpec::default()
    };
    let shell = Shell::start(helper, &spec, WINDOW);
    let Shell {
        mut input,
        mut output,
        mut control,
    } = shell.map_err(|error| Trouble::plain(error.to_string()))?;

    let tasks = Tasks::new();
    let (keyboard, mut typed) = tokio::io::duplex(PIECE);
    let (mut shown, screen) = tokio::io::duplex(PIECE);
    let (window, mut sizes) = watch::channel(WINDOW);
    tasks.spawn("client's input", async move {
        let mut buffer = vec![0; PIECE];
        loop {
            let length = tokio::select! {
                biased;
                changed = sizes.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let size = *sizes.borrow_and_update();
                    let _ = input.resize(size);
                    continue;
                }
                read = typed.read(&mut buffer) => read.unwrap_or(0),
            };
            let mut rest = buffer.get(..length).unwrap_or_default();
            if rest.is_empty() {
                input.finish();
                return;
            }
            while !rest.is_empty() {
                match input.write(rest).await {
                    Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                    Err(_) => return,
                }
            }
        }
    });
    let end = async move {
        loop {
            match output.read(PIECE).await {
                Ok(bytes) if !bytes.is_empty() => {
                    if shown.write_all(&bytes).await.is_err() {
                        break;
                    }
                }
                _ => break,
            }
        }
        let end = match control.ended().await {
            ShellEnd::Exited(code) => End {
                word: "Exit".to_owned(),
                detail: None,
                exit_code: Some(code),
            },
            ShellEnd::Failed(why) => End {
                word: "Lost".to_owned(),
                detail: Some(why),
                exit_code: None,
            },
        };
        drop(tasks);
        end
    };
    Ok(Terminal::program(keyboard, screen, end, window))
}
