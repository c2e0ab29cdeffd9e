//! A process of a way: started, listened to, and read from /proc.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::Context;
use axt_net::link;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use super::STARTED_IN;

/// How often a log is looked at.
const LOOK: Duration = Duration::from_millis(1);

/// In how many ticks of /proc a second is counted: `USER_HZ`, 100 wherever axt is built for.
const TICKS: f64 = 100.0;

/// It is killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    /// What it does in its way.
    pub(crate) role: &'static str,
    child: Child,
    log: PathBuf,
}

/// What a process has in memory, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// Now.
    pub(crate) resident: f64,
    /// The most that it ever had.
    pub(crate) peak: f64,
}

impl Process {
    /// Starts one that says what it says to a file in `folder`. Settings of axt that happen to be in
    /// the environment do not reach it.
    pub(crate) fn start(
        role: &'static str,
        command: &mut Command,
        folder: &Path,
    ) -> anyhow::Result<Self> {
        let log = folder.join(format!("{role}.log"));
        let file = File::create(&log)?;
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("AXT_") {
                command.env_remove(name);
            }
        }
        let program = command.as_std().get_program().to_owned();
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Self { role, child, log })
    }

    /// The first line with these words in it, once it has said them.
    ///
    /// # Errors
    /// When it has ended, or has not said them in 30 s.
    pub(crate) async fn said(&mut self, words: &str) -> anyhow::Result<String> {
        let heard = async {
            loop {
                let ended = self.child.try_wait()?;
                let text = fs::read_to_string(&self.log).unwrap_or_default();
                // What is not whole yet has no end of line.
                let whole = text
                    .split_inclusive('\n')
                    .filter(|line| line.ends_with('\n'));
                if let Some(line) = whole.into_iter().find(|line| line.contains(words)) {
                    return Ok(line.trim().to_owned());
                }
                if let Some(status) = ended {
                    anyhow::bail!("{} ended with {status}: {}", self.role, self.last_words());
                }
                link::sleep(LOOK).await;
            }
        };
        match link::timeout(STARTED_IN, heard).await {
            Ok(line) => line,
            Err(late) => anyhow::bail!(
                "{} does not say `{words}`: {late}; {}",
                self.role,
                self.last_words()
            ),
        }
    }

    /// The end of what it has said.
    pub(crate) fn last_words(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = text.lines().rev().take(3).collect();
        let lines: Vec<_> = lines.into_iter().rev().collect();
        format!("{} said: {}", self.role, lines.join(" | "))
    }

    fn id(&self) -> anyhow::Result<u32> {
        let id = self.child.id();
        id.with_context(|| format!("it has ended: {}", self.last_words()))
    }

    /// It, and the processes that it has started: some servers work in one for each client.
    fn family(&self) -> anyhow::Result<Vec<u32>> {
        let mut family = vec![self.id()?];
        let mut next = 0;
        while let Some(id) = family.get(next) {
            for thread in fs::read_dir(format!("/proc/{id}/task"))? {
                let children = fs::read_to_string(thread?.path().join("children"));
                let children = children.unwrap_or_default();
                family.extend(children.split_whitespace().flat_map(str::parse::<u32>));
            }
            next += 1;
        }
        Ok(family)
    }

    /// What it has in memory, with its family.
    pub(crate) fn memory(&self) -> anyhow::Result<Memory> {
        let mut memory = Memory {
            resident: 0.0,
            peak: 0.0,
        };
        for id in self.family()? {
            let status = fs::read_to_string(format!("/proc/{id}/status"))?;
            memory.resident += bytes(&status, "VmRSS:")?;
            memory.peak += bytes(&status, "VmHWM:")?;
        }
        Ok(memory)
    }

    /// The processor time that it and its family have used, in user mode and in the kernel.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        let mut ticks = 0.0;
        for id in self.family()? {
            let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
            // The program's name, in brackets, may hold anything. After it the state is field 3, the
            // times are 14 and 15 (proc(5)).
            let (_, fields) = stat.rsplit_once(')').context("/proc/PID/stat")?;
            let fields = fields.split_whitespace().skip(11).take(2);
            ticks += fields
                .filter_map(|field| field.parse::<f64>().ok())
                .sum::<f64>();
        }
        Ok(Duration::from_secs_f64(ticks / TICKS))
    }

    /// How many descriptors it has open.
    pub(crate) fn descriptors(&self) -> anyhow::Result<usize> {
        Ok(fs::read_dir(format!("/proc/{}/fd", self.id()?))?.count())
    }

    /// Kills it.
    pub(crate) async fn kill(&mut self) {
        // One that has ended already is as good.
        let _ = self.child.kill().await;
    }

    /// Asks it to end, as a service manager does, and waits until it has.
    pub(crate) async fn terminate(mut self) -> anyhow::Result<ExitStatus> {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        let id = id.and_then(Pid::from_raw).context("it has ended")?;
        kill_process(id, Signal::TERM)?;
        Ok(link::timeout(STARTED_IN, self.child.wait()).await??)
    }
}

/// A row of /proc/PID/status, which is in KiB.
fn bytes(status: &str, name: &str) -> anyhow::Result<f64> {
    let row = status.lines().find_map(|line| line.strip_prefix(name));
    let number = row.and_then(|row| row.split_whitespace().next());
    let number = number.and_then(|number| number.parse::<f64>().ok());
    Ok(number.with_context(|| format!("no {name} in /proc"))? * 1024.0)
}
