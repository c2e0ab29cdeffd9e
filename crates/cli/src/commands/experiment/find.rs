//! Which scenarios are meant, read: files, folders, or names of those that ship.

use std::{
    fs,
    path::{Path, PathBuf},
};

use axt_experiment::{Problem, Scenario, format, gallery};

use crate::{failure::Failure, settings::nearest};

/// All that ship.
const ALL: &str = "all";

/// Reads all of them.
///
/// # Errors
/// The first that cannot be read, with its file and line.
pub(super) fn all(wanted: &[String]) -> Result<Vec<Scenario>, Failure> {
    let mut scenarios = Vec::new();
    for wanted in wanted {
        let path = Path::new(wanted);
        if path.is_dir() {
            for file in files(path)? {
                scenarios.push(format::load(&file).map_err(refused)?);
            }
        } else if path.is_file() {
            scenarios.push(format::load(path).map_err(refused)?);
        } else if wanted == ALL {
            for name in gallery::names() {
                let shipped = gallery::scenario(name).transpose().map_err(refused)?;
                scenarios.extend(shipped);
            }
        } else {
            let shipped = gallery::scenario(wanted).transpose().map_err(refused)?;
            scenarios.push(shipped.ok_or_else(|| unknown(wanted))?);
        }
    }
    Ok(scenarios)
}

/// The scenarios of a folder, by their names.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let cannot = |error| Failure::usage(format!("cannot read {}: {error}", folder.display()));
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        if path.extension().is_some_and(|ending| ending == "toml") {
            files.push(path);
        }
    }
    files.sort();
    match files.is_empty() {
        true => Err(Failure::usage(format!(
            "there is no scenario in {}",
            folder.display()
        ))),
        false => Ok(files),
    }
}

fn refused(problem: Problem) -> Failure {
    Failure::usage(problem)
        .hint("docs/experiments.md has every key; `axt experiment schema` is for editors")
}

/// Neither a file nor one that ships.
pub(super) fn unknown(name: &str) -> Failure {
    let failure = Failure::usage(format!("`{name}` is no file, and no scenario that ships"));
    match nearest(name, gallery::names()) {
        Some(near) => failure.hint(format!("did you mean `{near}`?")),
        None => failure.hint("`axt experiment list` lists those that ship"),
    }
}
