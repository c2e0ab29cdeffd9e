//! What writes traces of a sandbox: one recorder for its relay, and one for its agents.

use std::path::Path;

use axt_net::{tap::Taps, tasks::Tasks};
use axt_relay::{Detail, TraceConfig};
use axt_trace::recorder::{Recorder, Recording};

use crate::{
    config::{SandboxConfig, Transport},
    error::StartError,
};

/// Where traces go that were not told where.
const FOLDER: &str = "traces";

/// See the module.
#[derive(Debug)]
pub(crate) struct Recorders {
    relay: Recorder,
    agents: Option<Recorder>,
    everything: Option<Detail>,
}

impl Recorders {
    /// Starts their threads, which write nothing unless something is traced.
    pub(crate) fn start(
        config: &SandboxConfig,
        state: &Path,
        tasks: &Tasks,
    ) -> Result<Self, StartError> {
        let folder = match &config.trace {
            Some(trace) => trace.folder.clone(),
            None => state.join(FOLDER),
        };
        let start = |seen_by| {
            let recording = Recording {
                seen_by,
                folder: folder.clone(),
            };
            if config.transport == Transport::Memory {
                return Ok(Recorder::deferred(recording, config.wall.clone()));
            }
            Recorder::start(recording, config.wall.clone(), tasks)
                .map_err(|error| StartError::Unusable(format!("no thread for a trace: {error}")))
        };
        Ok(Self {
            relay: start("relay")?,
            agents: match config.trace {
                Some(_) => Some(start("agent")?),
                None => None,
            },
            everything: config.trace.as_ref().map(|trace| match trace.payload {
                false => Detail::Fields,
                true => Detail::Payload,
            }),
        })
    }

    /// What the relay needs to know.
    pub(crate) fn relay(&self) -> TraceConfig {
        TraceConfig {
            taps: self.relay.taps().clone(),
            everything: self.everything,
            folder: self.relay.folder().to_owned(),
        }
    }

    /// Where the agents' copies go, and whether payload is among them.
    pub(crate) fn agents(&self) -> (Taps, bool) {
        let taps = self.agents.as_ref().map(|agents| agents.taps().clone());
        (
            taps.unwrap_or_default(),
            self.everything == Some(Detail::Payload),
        )
    }

    /// Has all of it written, once relay and agents have ended.
    pub(crate) async fn finish(self) {
        self.relay.finish().await;
        if let Some(agents) = self.agents {
            agents.finish().await;
        }
    }
}
