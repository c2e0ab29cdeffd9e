//! The state folder: who holds it, and the ready file by which clients find the sandbox.
//!
//! A folder that is kept between runs is held through `lock`, so that two sandboxes never share a
//! journal. An ephemeral sandbox has a folder of its own, which goes when it ends. Both publish
//! `ready.json`; whoever wrote one keeps a lock on that very file for as long as it runs, so a file
//! that a killed sandbox left behind is told from a live one without asking any process.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError},
    io::{self, Read, Seek, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

use serde::Serialize;
use tempfile::TempDir;

/// The name of the ready file inside a state folder.
pub const READY_FILE: &str = "ready.json";

const LOCK_FILE: &str = "lock";

/// Why a state folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Another sandbox holds the folder.
    #[error("a sandbox is running on {} already{}", path.display(), pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default())]
    Held {
        /// The folder.
        path: PathBuf,
        /// The process that holds it, when its lock file says so.
        pid: Option<u32>,
    },
    /// The folder, or a file in it, cannot be made, read or written.
    #[error("cannot {what} {}: {source}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl StateError {
    fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { what, path, source }
    }
}

/// A state folder that this process holds, and the ready files that it has published.
///
/// Dropping it takes back the ready files, removes an ephemeral folder and lets go of the lock.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    published: Vec<Published>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Kept {
        _lock: File,
    },
    Ephemeral {
        _folder: TempDir,
        /// The folder in which clients look for a sandbox.
        home: Option<PathBuf>,
    },
}

impl StateDir {
    /// Holds the folder at `path`, which is made (0700) when missing and kept at the end.
    ///
    /// # Errors
    /// [`StateError::Held`] when another sandbox holds it, [`StateError::Io`] when it cannot be
    /// made or written.
    pub fn open(path: &Path) -> Result<Self, StateError> {
        make_folder(path)?;
        let lock_path = path.join(LOCK_FILE);
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&lock_path)
            .map_err(StateError::io("open", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StateError::Held {
                    path: path.to_owned(),
                    pid: read_pid(&mut lock),
                });
            }
            Err(TryLockError::Error(source)) => {
                return Err(StateError::io("lock", &lock_path)(source));
            }
        }
        write_pid(&mut lock).map_err(StateError::io("write", &lock_path))?;
        Ok(Self {
            path: path.to_owned(),
            published: Vec::new(),
            kind: Kind::Kept { _lock: lock },
        })
    }

    /// Makes a folder that goes when the sandbox ends. `home` is the state folder in which clients
    /// look: the ready file is left there too, unless it holds a live one.
    ///
    /// # Errors
    /// [`StateError::Io`] when no temporary folder can be made.
    pub fn ephemeral(home: Option<&Path>) -> Result<Self, StateError> {
        let folder = tempfile::Builder::new()
            .prefix("axt-")
            .tempdir()
            .map_err(StateError::io("make a folder in", &std::env::temp_dir()))?;
        Ok(Self {
            path: folder.path().to_owned(),
            published: Vec::new(),
            kind: Kind::Ephemeral {
                _folder: folder,
                home: home.map(Path::to_owned),
            },
        })
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Publishes the ready file in the folder, as `copy` when one is asked for, and for an ephemeral
    /// sandbox in its home. Each appears whole: it is written aside, then moved into place.
    ///
    /// # Errors
    /// [`StateError::Io`] when one that was asked for cannot be written.
    pub fn publish(
        &mut self,
        ready: &impl Serialize,
        copy: Option<&Path>,
    ) -> Result<(), StateError> {
        let own = self.path.join(READY_FILE);
        let mut text = serde_json::to_vec_pretty(ready)
            .map_err(|error| StateError::io("write", &own)(error.into()))?;
        text.push(b'\n');

        self.published.push(Published::replace(&own, &text)?);
        if let Some(copy) = copy {
            self.published.push(Published::replace(copy, &text)?);
        }
        if let Kind::Ephemeral {
            home: Some(home), ..
        } = &self.kind
        {
            match Published::unless_live(home, &text) {
                Ok(published) => self.published.extend(published),
                // A convenience that nobody asked for by name: the sandbox works without it.
                Err(error) => tracing::warn!(%error, "the ready file is not in the state folder"),
            }
        }
        Ok(())
    }

    /// Whether a client that looks in `home` will find this sandbox.
    #[must_use]
    pub fn is_published_in(&self, home: &Path) -> bool {
        let path = home.join(READY_FILE);
        self.published
            .iter()
            .any(|published| published.path == path)
    }
}

impl Drop for StateDir {
    fn drop(&mut self) {
        self.published.clear();
    }
}

/// A ready file that this process has written, removed when dropped if it is still this one.
#[derive(Debug)]
struct Published {
    path: PathBuf,
    /// Holds the lock that says "live".
    file: File,
}

impl Published {
    fn replace(path: &Path, text: &[u8]) -> Result<Self, StateError> {
        let (file, aside) = write_aside(path, text)?;
        fs::rename(&aside, path).map_err(StateError::io("write", path))?;
        Ok(Self {
            path: path.to_owned(),
            file,
        })
    }

    /// Publishes in `home` unless a live sandbox has done so; `None` means that one has.
    fn unless_live(home: &Path, text: &[u8]) -> Result<Option<Self>, StateError> {
        make_folder(home)?;
        let path = home.join(READY_FILE);
        if let Ok(there) = File::open(&path) {
            // Only who holds the lock of a file that was left behind may remove it, so nobody
            // removes the file that a faster one has put in its place.
            if there.try_lock().is_err() || !is_same(&there, &path) {
                return Ok(None);
            }
            let _ = fs::remove_file(&path);
        }
        let (file, aside) = write_aside(&path, text)?;
        // A link refuses to replace: of two that start at once one wins.
        let linked = fs::hard_link(&aside, &path);
        let _ = fs::remove_file(&aside);
        match linked {
            Ok(()) => Ok(Some(Self { path, file })),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
            Err(error) => Err(StateError::io("write", &path)(error)),
        }
    }
}

impl Drop for Published {
    fn drop(&mut self) {
        if is_same(&self.file, &self.path) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Whether `path` still leads to this very file.
fn is_same(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(ours), Ok(there)) => ours.dev() == there.dev() && ours.ino() == there.ino(),
        _ => false,
    }
}

fn write_aside(path: &Path, text: &[u8]) -> Result<(File, PathBuf), StateError> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let mut aside = path.as_os_str().to_owned();
    aside.push(format!(".{}-{number}", process::id()));
    let aside = PathBuf::from(aside);

    let written = || -> io::Result<File> {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&aside)?;
        file.write_all(text)?;
        match file.try_lock() {
            Ok(()) | Err(TryLockError::WouldBlock) => Ok(file),
            Err(TryLockError::Error(error)) => Err(error),
        }
    };
    match written() {
        Ok(file) => Ok((file, aside)),
        Err(error) => {
            let _ = fs::remove_file(&aside);
            Err(StateError::io("write", path)(error))
        }
    }
}

fn make_folder(path: &Path) -> Result<(), StateError> {
    if path.is_dir() {
        return Ok(());
    }
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .and_then(|()| fs::set_permissions(path, Permissions::from_mode(0o700)))
        .map_err(StateError::io("make the folder", path))
}

fn read_pid(lock: &mut File) -> Option<u32> {
    let mut text = String::new();
    lock.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn write_pid(lock: &mut File) -> io::Result<()> {
    lock.set_len(0)?;
    lock.rewind()?;
    writeln!(lock, "{}", process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(name: &str) -> serde_json::Value {
        serde_json::json!({ "region": name })
    }

    fn region_in(folder: &Path) -> String {
        let text = fs::read(folder.join(READY_FILE)).expect("a ready file");
        let json: serde_json::Value = serde_json::from_slice(&text).expect("json");
        json["region"].as_str().expect("text").to_owned()
    }

    #[test]
    fn a_second_sandbox_on_the_same_folder_is_refused_with_the_pid() {
        let home = TempDir::new().expect("folder");
        let _first = StateDir::open(home.path()).expect("free");

        let refusal = StateDir::open(home.path()).expect_err("held");

        assert!(matches!(refusal, StateError::Held { pid: Some(pid), .. } if pid == process::id()));
    }

    #[test]
    fn the_folder_is_free_again_when_its_holder_ends() {
        let home = TempDir::new().expect("folder");

        drop(StateDir::open(home.path()).expect("free"));

        assert!(StateDir::open(home.path()).is_ok());
    }

    #[test]
    fn a_folder_that_is_made_is_private_and_so_is_the_ready_file() {
        let home = TempDir::new().expect("folder");
        let path = home.path().join("a/b");

        let mut state = StateDir::open(&path).expect("made");
        state.publish(&ready("one"), None).expect("published");

        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o700);
        assert_eq!(mode(&path.join(READY_FILE)), 0o600);
    }

    #[test]
    fn the_ready_file_and_its_copy_go_with_the_sandbox() {
        let home = TempDir::new().expect("folder");
        let copy = home.path().join("copy.json");
        let mut state = StateDir::open(home.path()).expect("free");
        state
            .publish(&ready("one"), Some(&copy))
            .expect("published");
        assert!(copy.exists());

        drop(state);

        assert!(!copy.exists());
        assert!(!home.path().join(READY_FILE).exists());
    }

    #[test]
    fn an_ephemeral_folder_is_removed_at_the_end() {
        let state = StateDir::ephemeral(None).expect("made");
        let path = state.path().to_owned();
        assert!(path.is_dir());

        drop(state);

        assert!(!path.exists());
    }

    #[test]
    fn of_several_ephemeral_sandboxes_the_first_is_found_at_home() {
        let home = TempDir::new().expect("folder");
        let mut first = StateDir::ephemeral(Some(home.path())).expect("made");
        let mut second = StateDir::ephemeral(Some(home.path())).expect("made");

        first.publish(&ready("first"), None).expect("published");
        second.publish(&ready("second"), None).expect("published");

        assert_eq!(region_in(home.path()), "first");
        assert_eq!(region_in(second.path()), "second");
        assert!(first.is_published_in(home.path()));
        assert!(!second.is_published_in(home.path()));
    }

    #[test]
    fn a_ready_file_that_a_killed_sandbox_left_is_replaced() {
        let home = TempDir::new().expect("folder");
        fs::write(home.path().join(READY_FILE), br#"{"region":"dead"}"#).expect("written");
        let mut state = StateDir::ephemeral(Some(home.path())).expect("made");

        state.publish(&ready("alive"), None).expect("published");

        assert_eq!(region_in(home.path()), "alive");
    }

    #[test]
    fn a_kept_sandbox_takes_the_ready_file_over_and_keeps_it() {
        let home = TempDir::new().expect("folder");
        let mut guest = StateDir::ephemeral(Some(home.path())).expect("made");
        guest.publish(&ready("guest"), None).expect("published");
        let mut owner = StateDir::open(home.path()).expect("free");

        owner.publish(&ready("owner"), None).expect("published");
        drop(guest);

        assert_eq!(region_in(home.path()), "owner");
    }
}
