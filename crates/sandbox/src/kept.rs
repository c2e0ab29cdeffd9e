//! What a sandbox keeps between runs beside the journal and the dev CA: the access key that it
//! hands out, and who its simulated instances are.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use axt_control::luban::AgentKey;
use axt_openapi::mint;
use axt_proto::{InstanceId, Secret};
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The access key, inside the state folder.
const ACCESS_KEY: &str = "access-key.json";

/// The simulated instances' identities, inside the state folder.
const LOCAL_AGENTS: &str = "agents/local/identity.json";

const KEY_ID_DIGITS: usize = 20;
const KEY_SECRET_DIGITS: usize = 30;
const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// What is kept, or could not be.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// A file cannot be read or written.
    #[error("cannot {what} {}: {source}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file's text is not what was written once.
    #[error("{} is damaged ({why}): remove it and new keys are made", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// In what way; never its text, which is secret.
        why: String,
    },
    /// No key could be made.
    #[error("cannot make a key for the agents: {0}")]
    Key(String),
}

/// The access key that a sandbox hands out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct HandedOut {
    pub(crate) access_key_id: String,
    pub(crate) access_key_secret: Secret,
}

/// Who the simulated instances are. They share one key, for it takes a while to make one.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LocalAgents {
    pub(crate) machine_id: String,
    pub(crate) private_key: Secret,
    pub(crate) instances: Vec<InstanceId>,
}

impl LocalAgents {
    /// The agents' key.
    pub(crate) fn key(&self) -> Result<AgentKey, KeptError> {
        AgentKey::from_pem(self.private_key.expose())
            .map_err(|error| KeptError::Key(error.to_string()))
    }
}

/// Reads the access key that the folder keeps, or makes and keeps one. Blocks.
pub(crate) fn access_key(folder: &Path, seed: Option<u64>) -> Result<HandedOut, KeptError> {
    let path = folder.join(ACCESS_KEY);
    if let Some(kept) = read(&path)? {
        return Ok(kept);
    }
    let mut random = random(seed);
    let made = HandedOut {
        access_key_id: format!("LTAI{}", word(&mut random, KEY_ID_DIGITS)),
        access_key_secret: Secret::new(word(&mut random, KEY_SECRET_DIGITS)),
    };
    write(&path, &made)?;
    Ok(made)
}

/// Reads who the simulated instances are; makes, and keeps, what is missing, so that there are
/// `instances` of them at least. Blocks, and a first run takes a fraction of a second of CPU for the
/// key, which is a light one when all is simulated in memory.
pub(crate) fn local_agents(
    folder: &Path,
    instances: usize,
    (seed, is_simulated): (Option<u64>, bool),
) -> Result<LocalAgents, KeptError> {
    let path = folder.join(LOCAL_AGENTS);
    let mut random = random(seed);
    let (mut agents, mut is_changed) = match read(&path)? {
        Some(kept) => (kept, false),
        None => (make_agents(&mut random, is_simulated)?, true),
    };
    while agents.instances.len() < instances {
        let id = mint::instance_id(bytes(&mut random));
        agents
            .instances
            .push(id.map_err(|error| KeptError::Key(error.to_string()))?);
        is_changed = true;
    }
    if is_changed {
        write(&path, &agents)?;
    }
    Ok(agents)
}

fn random(seed: Option<u64>) -> StdRng {
    match seed {
        Some(seed) => StdRng::seed_from_u64(seed),
        None => StdRng::from_rng(&mut rand::rng()),
    }
}

fn make_agents(random: &mut StdRng, is_simulated: bool) -> Result<LocalAgents, KeptError> {
    let failed = |error: axt_control::luban::MalformedKey| KeptError::Key(error.to_string());
    let key = match is_simulated {
        true => AgentKey::generate_light(random),
        false => AgentKey::generate(random),
    };
    let key = key.map_err(failed)?;
    Ok(LocalAgents {
        machine_id: bytes(random)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
        private_key: key.to_pem().map_err(failed)?,
        instances: Vec::new(),
    })
}

fn bytes(random: &mut impl Rng) -> [u8; 16] {
    let mut bytes = [0; 16];
    random.fill_bytes(&mut bytes);
    bytes
}

fn word(random: &mut impl Rng, length: usize) -> String {
    (0..length)
        .filter_map(|_| DIGITS.get(random.random_range(0..DIGITS.len())))
        .map(|digit| char::from(*digit))
        .collect()
}

/// What a file holds; `None` when there is none. Blocks.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, KeptError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(KeptError::Io {
                what: "read",
                path: path.to_owned(),
                source,
            });
        }
    };
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|error| KeptError::Damaged {
            path: path.to_owned(),
            why: format!("line {}", error.line()),
        })
}

/// Writes a file, which nobody else can read, and its folder. Blocks.
pub(crate) fn write(path: &Path, value: &impl Serialize) -> Result<(), KeptError> {
    let text = serde_json::to_string_pretty(value).map_err(|error| KeptError::Io {
        what: "write",
        path: path.to_owned(),
        source: io::Error::other(error),
    })?;
    write_text(path, &text)
}

/// The same with a text as it is.
pub(crate) fn write_text(path: &Path, text: &str) -> Result<(), KeptError> {
    let io = |source| KeptError::Io {
        what: "write",
        path: path.to_owned(),
        source,
    };
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(io)?;
    }
    // Written aside and moved into place: a half-written key would lock everybody out.
    let aside = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&aside)
        .map_err(io)?;
    file.write_all(text.as_bytes()).map_err(io)?;
    file.sync_all().map_err(io)?;
    fs::rename(&aside, path).map_err(io)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn keys_and_ids_are_kept_between_runs() {
        let folder = tempfile::tempdir().expect("a folder");

        let first = access_key(folder.path(), None).expect("made");
        let second = access_key(folder.path(), None).expect("read");
        let two = local_agents(folder.path(), 2, (None, false)).expect("made");
        let three = local_agents(folder.path(), 3, (None, false)).expect("read");

        assert_eq!(second.access_key_id, first.access_key_id);
        assert_eq!(second.access_key_secret, first.access_key_secret);
        assert_eq!(three.instances.len(), 3);
        assert_eq!(three.instances[..2], two.instances[..]);
        assert_eq!(three.private_key, two.private_key);
    }

    #[test]
    fn nobody_else_can_read_them() {
        let folder = tempfile::tempdir().expect("a folder");

        access_key(folder.path(), None).expect("made");
        local_agents(folder.path(), 1, (None, false)).expect("made");

        for file in [ACCESS_KEY, LOCAL_AGENTS] {
            let mode = fs::metadata(folder.path().join(file))
                .expect("there")
                .mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
    }

    #[test]
    fn a_damaged_file_is_named_without_its_text() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(
            folder.path().join(ACCESS_KEY),
            "{\"access_key_secret\": \"hunter2",
        )
        .expect("written");

        let error = access_key(folder.path(), None)
            .expect_err("damaged")
            .to_string();

        assert!(error.contains(ACCESS_KEY), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}
