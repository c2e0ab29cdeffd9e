//! Whom a shell runs as.

use std::path::PathBuf;

use nix::unistd::{Gid, Uid, User};

use super::HelperError;

/// An account of this machine.
pub(super) struct Account {
    pub(super) name: String,
    pub(super) uid: Uid,
    pub(super) gid: Gid,
    pub(super) home: PathBuf,
    pub(super) shell: PathBuf,
    /// Whether it is the account that the agent runs as.
    pub(super) is_own: bool,
}

impl Account {
    /// Finds the account `wanted`, or the agent's own without a name.
    pub(super) fn find(wanted: Option<&str>) -> Result<Self, HelperError> {
        let own = Uid::current();
        let Some(name) = wanted else {
            let entry =
                User::from_uid(own).map_err(HelperError::at("look up the agent's own account"))?;
            return Ok(entry.map_or_else(|| Self::without_entry(own), |user| Self::of(user, own)));
        };
        let user = User::from_name(name)
            .map_err(HelperError::at(format!("look up the user `{name}`")))?
            .ok_or_else(|| HelperError::UnknownUser(name.to_owned()))?;
        let account = Self::of(user, own);
        if account.is_own || own.is_root() {
            return Ok(account);
        }
        Err(HelperError::NotRoot {
            own: Self::find(None)?.name,
            wanted: name.to_owned(),
        })
    }

    fn of(user: User, own: Uid) -> Self {
        Self {
            is_own: user.uid == own,
            name: user.name,
            uid: user.uid,
            gid: user.gid,
            home: user.dir,
            shell: user.shell,
        }
    }

    /// A container may run under a number that no account has.
    fn without_entry(own: Uid) -> Self {
        Self {
            name: own.to_string(),
            uid: own,
            gid: Gid::current(),
            home: PathBuf::from("/"),
            shell: PathBuf::new(),
            is_own: true,
        }
    }
}
