//! Each test that `docs/field-reports.md` names is there, in the file that it names, and is a test.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests

use std::{
    fs,
    path::{Path, PathBuf},
};

/// All files of this repository with code in them, by their paths in it.
fn sources(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root.join("tests"), root.join("crates")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let is_code = path
                .extension()
                .is_some_and(|it| ["rs", "py", "js", "sh"].iter().any(|code| it == *code));
            if path.is_dir() {
                folders.push(path);
            } else if is_code {
                let path = path.strip_prefix(root).expect("below it");
                found.push(path.to_owned());
            }
        }
    }
    found
}

/// The files that the page means by `name`: `shell.rs` is of `tests`, `agent/shell.rs` of a crate; a crate and
/// a folder are all of theirs, and a file of tests is all of the folder beside it.
fn meant<'a>(name: &str, sources: &'a [PathBuf]) -> Vec<&'a PathBuf> {
    let name = name.trim_end_matches('/');
    let beside = name.trim_end_matches(".rs");
    let (of, rest) = name.split_once('/').unwrap_or((name, ""));
    let in_crate = Path::new("crates").join(of);
    let here = Path::new("tests").join(name);
    sources
        .iter()
        .filter(|path| {
            let is_here =
                path.starts_with(&here) || path.starts_with(Path::new("tests").join(beside));
            let is_of_crate = path.starts_with(&in_crate)
                && (path.ends_with(rest)
                    || has(path, beside.split_once('/').map_or("", |it| it.1)));
            is_here || is_of_crate
        })
        .collect()
}

/// Whether these folders are on the way to this file, whichever of them is first.
fn has(path: &Path, folders: &str) -> bool {
    let path = format!("/{}", path.display());
    path.contains(&format!("/{folders}/")) || folders.is_empty()
}

/// Whether a file has a test whose name begins so, or is so.
fn has_test(path: &Path, name: &str) -> bool {
    let text = fs::read_to_string(path).expect("a source");
    let wanted = name
        .strip_suffix('…')
        .map_or_else(|| format!("fn {name}("), |begins| format!("fn {begins}"));
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let functions = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| line.trim_start_matches("async ").starts_with(&wanted));
    functions.into_iter().any(|(at, _)| {
        let before = lines.iter().take(at).rev();
        let mut attributes = before.take_while(|line| line.starts_with("#["));
        attributes.any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"))
    })
}

/// Whether this is the name of a test, and not of a file.
fn names_test(token: &str) -> bool {
    token.matches('_').count() > 1 && !token.contains(['/', '.'])
}

#[test]
fn each_test_that_the_page_of_reports_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let root = root.canonicalize().expect("it is there");
    let sources = sources(&root);
    let page = fs::read_to_string(root.join("docs/field-reports.md")).expect("a page");
    let rows = page.lines().filter(|line| line.starts_with("| "));
    let mut wrong = Vec::new();
    let mut tests = 0;

    for row in rows {
        let column = row.split('|').nth(3).unwrap_or_default();
        let mut files = Vec::new();
        for token in column.split('`').skip(1).step_by(2) {
            if !names_test(token) {
                files = meant(token, &sources);
                if files.is_empty() {
                    wrong.push(format!("{token}: no such file"));
                }
                continue;
            }
            tests += 1;
            if !files.iter().any(|file| has_test(&root.join(file), token)) {
                wrong.push(format!("{token}: no such test in the file before it"));
            }
        }
    }

    assert!(tests > 50, "the page has {tests} tests");
    assert!(wrong.is_empty(), "{wrong:#?}");
}
