//! Where something stands in a scenario's text.

use toml::de::{DeTable, DeValue};

/// A step on the way to a value.
#[derive(Clone, Copy, Debug)]
pub(super) enum At<'a> {
    Key(&'a str),
    Item(usize),
}

/// The text of a scenario, with the places of its values.
pub(super) struct Places<'a> {
    text: &'a str,
    root: Option<DeTable<'a>>,
}

impl<'a> Places<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let root = DeTable::parse(text).ok();
        Self {
            text,
            root: root.map(toml::Spanned::into_inner),
        }
    }

    /// The line of the value at that path, or of what comes nearest above it.
    pub(super) fn line(&self, path: &[At<'_>]) -> usize {
        let mut start = 0;
        let mut table = self.root.as_ref();
        let mut array = None;
        for at in path {
            let value = match at {
                At::Key(key) => table.and_then(|table| table.get(*key)),
                At::Item(index) => {
                    array.and_then(|array: &toml::de::DeArray<'_>| array.get(*index))
                }
            };
            let Some(value) = value else { break };
            start = value.span().start;
            (table, array) = match value.get_ref() {
                DeValue::Table(inner) => (Some(inner), None),
                DeValue::Array(inner) => (None, Some(inner)),
                _ => (None, None),
            };
        }
        line_of(self.text, start)
    }
}

/// The line, from 1, in which the byte at `offset` stands.
pub(super) fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or_default();
    let ends = before.iter().filter(|byte| **byte == b'\n').count();
    ends.saturating_add(1)
}

/// The header under which a line stands, and the key that the line begins with: `[[steps]]` and
/// `connect`.
pub(super) fn around(text: &str, line: usize) -> (Option<String>, Option<String>) {
    let lines: Vec<&str> = text.lines().take(line).collect();
    let header = lines.iter().rev().find_map(|line| {
        let line = line.trim_start();
        let end = line.find(']')?;
        if !line.starts_with('[') {
            return None;
        }
        let end = if line.starts_with("[[") {
            end + 2
        } else {
            end + 1
        };
        line.get(..end).map(str::to_owned)
    });
    let key = lines.last().and_then(|line| line.split_once('='));
    let key = key.map(|(key, _)| key.trim().to_owned());
    let is_word = |key: &String| {
        key.chars()
            .all(|c| c.is_alphanumeric() || "_-.\"".contains(c))
    };
    (header, key.filter(|key| !key.is_empty() && is_word(key)))
}
