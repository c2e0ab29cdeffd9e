//! A command as a file: in a folder that nobody else can look into, and gone with the command.

use std::{
    fs, io,
    os::unix::fs::{OpenOptionsExt, PermissionsExt, chown},
    path::{Path, PathBuf},
};

use axt_control::luban::task::TaskInfo;
use tempfile::TempDir;

use crate::helper;

/// The longest name that a command's own name is made a part of.
const NAME_MAX: usize = 64;

/// A script that can be run. Its file is removed with it.
#[derive(Debug)]
pub(super) struct Script {
    /// What the command has put beside its script goes with it.
    _folder: TempDir,
    path: PathBuf,
}

impl Script {
    /// Writes it down, for the user who is to run it.
    pub(super) fn write(task: &TaskInfo, content: &[u8], user: Option<&str>) -> io::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("axt-task-")
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir()?;
        let path = folder.path().join(file_name(task));
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o700)
            .open(&path)?;
        io::Write::write_all(&mut file, content)?;
        drop(file);
        if let Some(user) = user {
            let owner = helper::owner(user).map_err(|error| io::Error::other(error.to_string()))?;
            for path in [path.as_path(), folder.path()] {
                chown(path, Some(owner.uid), Some(owner.gid))?;
            }
        }
        Ok(Self {
            _folder: folder,
            path,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// `[NAME-]TASK[.ivVERSION].sh`, as the official agent calls it. A name that would lead elsewhere is
/// left out.
fn file_name(task: &TaskInfo) -> String {
    let name = &task.command_name;
    let is_plain = name.len() <= NAME_MAX
        && !name.starts_with('.')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    let name = match name.as_str() {
        name if !name.is_empty() && is_plain => format!("{name}-"),
        _ => String::new(),
    };
    let version = match task.invoke_version {
        0 => String::new(),
        version => format!(".iv{version}"),
    };
    format!("{name}{}{version}.sh", task.task_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> String {
        file_name(&TaskInfo {
            task_id: "t-1".to_owned(),
            invoke_version: 1,
            command_name: name.to_owned(),
            ..TaskInfo::default()
        })
    }

    #[test]
    fn a_script_is_called_after_its_task_and_never_leads_out_of_its_folder() {
        assert_eq!(named(""), "t-1.iv1.sh");
        assert_eq!(named("check_disk.sh"), "check_disk.sh-t-1.iv1.sh");
        assert_eq!(named("../../x"), "t-1.iv1.sh");
        assert_eq!(named("a b"), "t-1.iv1.sh");
    }

    #[test]
    fn a_script_is_its_users_alone_and_goes_with_its_folder() {
        let task = TaskInfo {
            task_id: "t-1".to_owned(),
            ..TaskInfo::default()
        };

        let script = Script::write(&task, b"echo hi", None).expect("written");
        let path = script.path().to_owned();
        let folder = path.parent().expect("a folder").to_owned();
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;

        assert_eq!((mode(&path), mode(&folder)), (0o700, 0o700));
        assert_eq!(fs::read(&path).expect("readable"), b"echo hi");
        drop(script);
        assert!(!folder.exists());
    }
}
