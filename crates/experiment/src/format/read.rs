//! Reading a scenario: whole, or with the first thing that is wrong.

use std::{fs, path::Path};

use super::{Problem, Scenario, check, place::Places, shares};

/// Reads a file.
///
/// # Errors
/// [`Problem`].
pub fn load(path: &Path) -> Result<Scenario, Problem> {
    let text = fs::read_to_string(path).map_err(|error| Problem::File {
        file: path.to_owned(),
        why: error.to_string(),
    })?;
    parse(path, &text)
}

/// The instances that a table declares.
fn several(one: super::Instance) -> Vec<super::Instance> {
    let Some(count) = one.count else {
        let behave = shares::deal(&one.behave, 1).concat();
        return vec![super::Instance { behave, ..one }];
    };
    let words = shares::deal(&one.behave, usize::try_from(count).unwrap_or_default());
    let numbered = |(number, behave)| super::Instance {
        name: format!("{}-{number}", one.name),
        behave,
        ..one.clone()
    };
    (1..=count).zip(words).map(numbered).collect()
}

/// Reads the text of a file.
///
/// # Errors
/// [`Problem::Text`].
pub fn parse(path: &Path, text: &str) -> Result<Scenario, Problem> {
    let mut scenario: Scenario =
        toml::from_str(text).map_err(|error| Problem::of(path, text, &error))?;
    path.clone_into(&mut scenario.file);
    if scenario.instances.is_empty() {
        scenario.instances.push(super::Instance {
            name: "web".to_owned(),
            ..super::Instance::default()
        });
    }
    let declared = std::mem::take(&mut scenario.instances);
    check::behaviours(&declared, &Places::of(text), path)?;
    scenario.instances = declared.into_iter().flat_map(several).collect();
    check::all(&scenario, &Places::of(text), path)?;
    Ok(scenario)
}
