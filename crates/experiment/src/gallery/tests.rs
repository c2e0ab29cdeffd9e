use std::{fs, path::Path};

use super::*;
use crate::format::Class;

#[test]
fn every_file_in_the_folder_ships_and_none_else() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../experiments");
    let files = fs::read_dir(folder).expect("a folder");
    let mut files: Vec<String> = files
        .filter_map(|file| {
            let name = file
                .expect("a file")
                .file_name()
                .into_string()
                .expect("text");
            name.strip_suffix(".toml").map(str::to_owned)
        })
        .collect();
    files.sort();
    let mut shipped: Vec<&str> = names().collect();
    shipped.sort_unstable();

    assert_eq!(files, shipped);
}

#[test]
fn there_are_twenty_simulated_ones_of_twenty_five_and_each_is_described() {
    let all: Vec<Scenario> = names()
        .map(|name| {
            scenario(name)
                .expect("there")
                .unwrap_or_else(|problem| panic!("{problem}"))
        })
        .collect();

    let simulated = all.iter().filter(|one| one.class == Class::Simulated);
    assert!(simulated.count() >= 20);
    assert!(all.len() >= 25);
    for one in &all {
        assert!(one.description.len() > 40, "{}", one.name());
        assert!(one.title.len() < 100, "{}", one.name());
    }
}

#[test]
fn the_starter_is_a_scenario() {
    let starter =
        parse(Path::new("starter.toml"), STARTER).unwrap_or_else(|problem| panic!("{problem}"));

    assert!(starter.steps.len() > 3);
}
