//! `agents/NAME` in a state folder: who an agent is, once it has registered.
//!
//! ```text
//! agents/NAME/key.pem         its private key, 0600, made before it registers
//! agents/NAME/identity.json   the instance, what it signs, and its relay, 0600
//! agents/NAME/ca.pem          whom it trusts beside the system's roots, where it was told
//! agents/NAME/boot            the boot of its machine in which it last ran
//! ```

use std::{
    collections::VecDeque,
    fs, io,
    path::{Path, PathBuf},
};

use axt_control::luban::AgentKey;
use axt_proto::{InstanceId, RegionId};
use rand::{SeedableRng, rngs::StdRng};
use serde::{Deserialize, Serialize};

use super::LoneAgentError;
use crate::kept::{self, KeptError};

const IDENTITY: &str = "identity.json";
const KEY: &str = "key.pem";
const CA: &str = "ca.pem";
const BOOT: &str = "boot";

/// The longest name of an agent's folder, in bytes.
const NAME_MAX: usize = 64;

/// A name of no folder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no name of an agent: expected 1 to 64 of `A-Z a-z 0-9 . _ -`, no `.` in front, and not `local`"
)]
pub struct BadName(String);

/// The folder of one agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentFolder(PathBuf);

/// Who a registered agent is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    /// The instance that the relay made of it.
    pub instance: InstanceId,
    /// The other ones, where it registered as several: they share the key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<InstanceId>,
    /// What it signs beside that.
    pub machine_id: String,
    /// Where.
    pub region: RegionId,
    /// The relay that it has registered with; `None` for whichever runs on this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
}

impl Registered {
    /// All instances that the relay made of it, in their order.
    pub fn instances(&self) -> impl Iterator<Item = &InstanceId> {
        std::iter::once(&self.instance).chain(&self.others)
    }
}

impl AgentFolder {
    /// The folder of the agent `name`. Nothing is made yet.
    ///
    /// # Errors
    /// [`BadName`]; `local` is where the simulated instances are kept.
    pub fn new(state_dir: &Path, name: &str) -> Result<Self, BadName> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let is_good = (1..=NAME_MAX).contains(&name.len())
            && name.bytes().all(is_plain)
            && !name.starts_with('.')
            && name != "local";
        if is_good {
            return Ok(Self(state_dir.join("agents").join(name)));
        }
        Err(BadName(name.chars().take(80).collect()))
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The file of its private key.
    #[must_use]
    pub fn key_path(&self) -> PathBuf {
        self.0.join(KEY)
    }

    /// Where it notes in which boot of its machine it last ran.
    #[must_use]
    pub fn boot_path(&self) -> PathBuf {
        self.0.join(BOOT)
    }

    /// The file of the certificates that it trusts, where there is one.
    #[must_use]
    pub fn ca_path(&self) -> Option<PathBuf> {
        Some(self.0.join(CA)).filter(|path| path.is_file())
    }

    /// Who it is; `None` when it has not registered. Blocks.
    ///
    /// # Errors
    /// [`KeptError`].
    pub fn read(&self) -> Result<Option<Registered>, KeptError> {
        kept::read(&self.0.join(IDENTITY))
    }

    /// Its key; one that a registration which came to nothing has left is used again. Blocks, and
    /// making one takes a fraction of a second.
    pub(super) fn key(&self) -> Result<AgentKey, LoneAgentError> {
        let path = self.key_path();
        match fs::read_to_string(&path) {
            Ok(pem) => {
                AgentKey::from_pem(&pem).map_err(|source| LoneAgentError::Key { path, source })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut random = StdRng::from_rng(&mut rand::rng());
                let made = |source| LoneAgentError::Key {
                    path: path.clone(),
                    source,
                };
                let key = AgentKey::generate(&mut random).map_err(made)?;
                kept::write_text(&path, key.to_pem().map_err(made)?.expose())?;
                Ok(key)
            }
            Err(source) => Err(LoneAgentError::File { path, source }),
        }
    }

    /// Keeps whom it trusts. Blocks.
    pub(super) fn trust(&self, ca: &str) -> Result<(), KeptError> {
        kept::write_text(&self.0.join(CA), ca)
    }

    /// Keeps who it is now. Blocks.
    pub(super) fn write(&self, who: &Registered) -> Result<(), KeptError> {
        kept::write(&self.0.join(IDENTITY), who)
    }

    /// Forgets one of the instances that it is: once the relay has. The last one takes the key with it.
    /// Blocks.
    ///
    /// # Errors
    /// [`KeptError`]. That there is nothing is none.
    pub fn forget(&self, instance: &InstanceId) -> Result<(), KeptError> {
        let Some(mut who) = self.read()? else {
            return Ok(());
        };
        let mut left: VecDeque<_> = who
            .instances()
            .filter(|id| *id != instance)
            .cloned()
            .collect();
        let Some(first) = left.pop_front() else {
            return self.remove();
        };
        who.instance = first;
        who.others = left.into();
        kept::write(&self.0.join(IDENTITY), &who)
    }

    /// Forgets who it is, key included: once the relay has. Blocks.
    ///
    /// # Errors
    /// [`KeptError`]. That there is nothing is none.
    pub fn remove(&self) -> Result<(), KeptError> {
        // The identity first: what is left without it counts as not registered.
        for name in [IDENTITY, CA, KEY, BOOT] {
            let path = self.0.join(name);
            match fs::remove_file(&path) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(KeptError::Io {
                        what: "remove",
                        path,
                        source,
                    });
                }
                _ => {}
            }
        }
        // Somebody may have put something of his own there.
        let _ = fs::remove_dir(&self.0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    fn registered() -> Registered {
        Registered {
            instance: "mi-hz01test".parse().expect("valid"),
            others: Vec::new(),
            machine_id: "m".to_owned(),
            region: "cn-hangzhou".parse().expect("valid"),
            server: Some("https://localhost:7443".to_owned()),
        }
    }

    #[test]
    fn an_identity_is_kept_private_and_goes_with_its_key() {
        let state = tempfile::tempdir().expect("a folder");
        let folder = AgentFolder::new(state.path(), "default").expect("a name");

        let key = folder.key().expect("made");
        folder.trust("PEM").expect("kept");
        folder.write(&registered()).expect("kept");
        let again = folder.key().expect("read");

        assert_eq!(folder.read().expect("read"), Some(registered()));
        assert_eq!(
            key.public().to_pem().expect("a PEM"),
            again.public().to_pem().expect("a PEM")
        );
        for name in [IDENTITY, KEY, CA] {
            let file = fs::metadata(folder.path().join(name)).expect("there");
            assert_eq!(file.mode() & 0o777, 0o600, "{name}");
        }
        let mode = fs::metadata(folder.path()).expect("there").mode();
        assert_eq!(mode & 0o777, 0o700);
        folder.remove().expect("removed");
        assert_eq!(folder.read().expect("read"), None);
        assert!(!folder.path().exists());
    }

    #[test]
    fn of_several_instances_the_last_takes_the_key_with_it() {
        let state = tempfile::tempdir().expect("a folder");
        let folder = AgentFolder::new(state.path(), "default").expect("a name");
        let other: InstanceId = "mi-hz02test".parse().expect("valid");
        let both = Registered {
            others: vec![other.clone()],
            ..registered()
        };
        folder.key().expect("made");
        folder.write(&both).expect("kept");

        folder.forget(&both.instance).expect("forgotten");
        let left = folder.read().expect("read").expect("one is left");
        let has_key = folder.key_path().exists();
        folder.forget(&other).expect("forgotten");

        assert_eq!(left.instances().collect::<Vec<_>>(), [&other]);
        assert!(has_key && !folder.path().exists());
    }

    #[test]
    fn a_name_is_one_plain_word() {
        let state = Path::new("/state");

        for name in ["default", "web-1", "a.b_c"] {
            assert!(AgentFolder::new(state, name).is_ok(), "{name}");
        }
        for name in ["", "..", ".hidden", "a/b", "local", "ä"] {
            assert!(AgentFolder::new(state, name).is_err(), "{name}");
        }
    }
}
