//! What it was run on, and when.

use std::{fmt, fs};

use axt_net::wall::Wall;
use serde::Serialize;

/// A machine, in words that tell nobody whose it is.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    /// The day, in UTC.
    pub(crate) date: String,
    pub(crate) cores: usize,
    /// What the processor calls itself.
    pub(crate) processor: String,
    pub(crate) memory_gib: u64,
    /// The kernel's release, without what its builder added.
    pub(crate) kernel: String,
    /// Whether this program is built for speed.
    pub(crate) build: &'static str,
    pub(crate) version: &'static str,
}

impl Machine {
    pub(crate) fn here() -> Self {
        let file = |path| fs::read_to_string(path).unwrap_or_default();
        let after = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name));
            let value = line.and_then(|line| line.split_once(':'));
            value.map_or_else(String::new, |(_, value)| value.trim().to_owned())
        };
        let memory = after(&file("/proc/meminfo"), "MemTotal");
        let kib = memory
            .split(' ')
            .next()
            .and_then(|kib| kib.parse::<u64>().ok());
        let kernel = file("/proc/sys/kernel/osrelease");
        let kernel = kernel.trim().split(['-', '+']).next().unwrap_or_default();
        Self {
            date: Wall::system().now().strftime("%Y-%m-%d").to_string(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            processor: after(&file("/proc/cpuinfo"), "model name"),
            memory_gib: kib.unwrap_or(0).div_ceil(1024 * 1024),
            kernel: kernel.to_owned(),
            build: if cfg!(debug_assertions) {
                "debug"
            } else {
                "release"
            },
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} cores", self.cores)?;
        if !self.processor.is_empty() {
            write!(out, " of {}", self.processor)?;
        }
        write!(
            out,
            ", {} GiB, Linux {}, {} build",
            self.memory_gib, self.kernel, self.build
        )
    }
}
