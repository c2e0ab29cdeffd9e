//! What is wrong with a scenario, and where.

use std::path::{Path, PathBuf};

use axt_control::words::instead;

use super::place::{around, line_of};

/// What is wrong with a scenario: one line, with its file, its line and its key, and the word that
/// was probably meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The file cannot be read.
    #[error("cannot read {}: {why}", file.display())]
    File {
        /// Which file.
        file: PathBuf,
        /// What the system says.
        why: String,
    },
    /// It says something that a scenario cannot say.
    #[error("{}:{line}: {what}", file.display())]
    Text {
        /// Which file.
        file: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong there.
        what: String,
    },
}

impl Problem {
    pub(super) fn text(file: &Path, line: usize, what: impl Into<String>) -> Self {
        Self::Text {
            file: file.to_owned(),
            line,
            what: what.into(),
        }
    }

    /// From what the parser says, with the key and the nearest word put in.
    pub(super) fn of(file: &Path, text: &str, error: &toml::de::Error) -> Self {
        let line = line_of(text, error.span().map_or(0, |span| span.start));
        let message = error
            .message()
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned();
        let (header, key) = around(text, line);
        let of_table = header.map_or_else(String::new, |header| format!(" in {header}"));
        let words = quoted(&message);
        let what = if message.starts_with("unknown field") {
            let (wrong, known) = words.split_first().unwrap_or((&"", &[]));
            let home = match key {
                Some(key) if key.trim_matches('"') != *wrong => format!(" in `{key}`{of_table}"),
                _ => of_table,
            };
            format!("unknown key `{wrong}`{home}; {}", guess(wrong, known))
        } else if message.starts_with("unknown variant") {
            let (wrong, known) = words.split_first().unwrap_or((&"", &[]));
            let key = key.map_or_else(String::new, |key| format!("`{key}`{of_table}: "));
            format!("{key}unknown word `{wrong}`; {}", guess(wrong, known))
        } else if message.starts_with("missing field") {
            let missing = words.first().unwrap_or(&"");
            let home = match key {
                Some(key) => format!("`{key}`{of_table}"),
                None if of_table.is_empty() => "the scenario".to_owned(),
                None => of_table.trim_start_matches(" in ").to_owned(),
            };
            format!("{home} has no `{missing}`")
        } else {
            match key {
                Some(key) => format!("`{key}`{of_table}: {message}"),
                None => message,
            }
        };
        Self::text(file, line, what)
    }
}

/// The words of a message that stand in backquotes.
fn quoted(message: &str) -> Vec<&str> {
    message.split('`').skip(1).step_by(2).collect()
}

/// What was probably meant, or what there is.
pub(super) fn guess(wrong: &str, known: &[&str]) -> String {
    match known {
        [] => "there is none".to_owned(),
        known => instead(wrong, known.iter().copied()),
    }
}
