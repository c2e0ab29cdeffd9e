//! The file that is there while an agent is online: what a container's health check looks at.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process,
};

use axt_proto::InstanceId;
use serde_json::json;

use crate::failure::Failure;

/// The file, where one is wanted. It goes when this is dropped.
#[derive(Debug)]
pub(super) struct ReadyFile(Option<PathBuf>);

impl ReadyFile {
    /// The file at `path`; one that is there is removed.
    pub(super) fn at(path: Option<PathBuf>) -> Result<Self, Failure> {
        let file = Self(path);
        file.remove()?;
        Ok(file)
    }

    /// The agent is online: says who it is, and whose.
    pub(super) fn write(&self, instance: &InstanceId, server: &str) -> Result<(), Failure> {
        let Some(path) = &self.0 else { return Ok(()) };
        let text = json!({ "instance": instance, "server": server, "pid": process::id() });
        // Written aside and moved into place, so that nobody reads a part of it.
        let aside = path.with_extension("new");
        fs::write(&aside, format!("{text:#}\n"))
            .and_then(|()| fs::rename(&aside, path))
            .map_err(|error| cannot("write", path, &error))
    }

    /// It no longer is.
    pub(super) fn remove(&self) -> Result<(), Failure> {
        let Some(path) = &self.0 else { return Ok(()) };
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(cannot("remove", path, &error))
            }
            _ => Ok(()),
        }
    }
}

impl Drop for ReadyFile {
    fn drop(&mut self) {
        let _ = self.remove();
    }
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::failed(format!("cannot {what} {}: {error}", path.display()))
        .hint("`--ready-file FILE` names another one")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_there_while_the_agent_is_online() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("agent.json");
        fs::write(&path, "of an agent that was killed").expect("written");
        let instance = "mi-1".parse().expect("valid");

        let file = ReadyFile::at(Some(path.clone())).expect("a file");
        let before = path.exists();
        file.write(&instance, "https://relay:7443")
            .expect("written");
        let text = fs::read_to_string(&path).expect("there");
        file.remove().expect("removed");
        let offline = path.exists();
        file.write(&instance, "https://relay:7443")
            .expect("written");
        drop(file);

        assert!(!before && !offline && !path.exists());
        assert!(
            text.contains("\"mi-1\"") && text.contains("https://relay:7443"),
            "{text}"
        );
    }
}
