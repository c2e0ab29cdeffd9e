//! What is read or made before a relay serves: its journal, its CA, its access key.

use std::path::Path;

use axt_net::{ca::DevCa, tasks::Tasks, tls::ClientTls, wall::Wall};
use axt_relay::Journal;

use crate::{
    config::{SandboxConfig, State, Transport},
    error::StartError,
    kept::{self, HandedOut},
    state::StateDir,
};

/// The journal's file, inside the state folder.
pub const JOURNAL: &str = "axt.redb";

/// The dev CA's folder, inside the state folder.
pub(crate) const CA: &str = "ca";

/// See the module.
#[derive(Debug)]
pub(crate) struct Ground {
    pub(crate) journal: Journal,
    pub(crate) clock_offset: i64,
    pub(crate) ca: DevCa,
    pub(crate) client_tls: ClientTls,
    pub(crate) handed_out: HandedOut,
}

impl Ground {
    /// Reads and makes it all at once, each on a thread that may block.
    pub(crate) async fn prepare(
        config: &SandboxConfig,
        state: &StateDir,
        tasks: &Tasks,
    ) -> Result<Self, StartError> {
        let folder = state.path().to_owned();
        let key = {
            let (folder, seed) = (folder.clone(), config.seed);
            tasks.blocking("access key", move || kept::access_key(&folder, seed))
        };
        let ca = {
            let (folder, wall) = (folder.join(CA), config.wall.clone());
            let names = config.names.clone();
            tasks.blocking("dev CA", move || open_ca(&folder, &names, &wall))
        };
        let journal = {
            let is_kept = matches!(config.state, State::Kept(_));
            let is_simulated = config.transport == Transport::Memory;
            let path = folder.join(JOURNAL);
            tasks.blocking("journal", move || match (is_kept, is_simulated) {
                (true, _) => Journal::open(&path),
                (false, false) => Journal::memory(),
                (false, true) => Journal::inline(),
            })
        };
        let (key, ca, journal) = tokio::join!(key, ca, journal);
        let handed_out = key??;
        let (ca, client_tls) = ca??;
        let journal = journal??;
        let clock_offset = journal
            .clock_offset()
            .map_err(|error| StartError::Unusable(error.to_string()))?;
        Ok(Self {
            journal,
            clock_offset,
            ca,
            client_tls,
            handed_out,
        })
    }
}

fn open_ca(folder: &Path, names: &[String], wall: &Wall) -> Result<(DevCa, ClientTls), StartError> {
    let ca = DevCa::open_or_create(folder, names, wall)?;
    let tls = ClientTls::with_ca_pem(ca.ca_pem())
        .map_err(|error| StartError::Unusable(error.to_string()))?;
    Ok((ca, tls))
}
