//! Reading one table: unknown keys, and values that are not what their keys want.

use std::{collections::BTreeMap, ops::Range, path::Path, sync::Arc};

use serde::de::DeserializeOwned;
use toml::{
    Spanned,
    de::{DeTable, DeValue, ValueDeserializer},
};

use super::{
    key::{Description, Key},
    nearest,
    place::{FileError, Place, Set},
};

/// The longest text that is shown of a value that is not what it should be.
const SHOWN: usize = 40;

/// Endings of names that say a unit: what people write when they have another in mind.
const UNITS: [&str; 18] = [
    "ms",
    "s",
    "sec",
    "secs",
    "seconds",
    "m",
    "min",
    "mins",
    "minutes",
    "h",
    "hours",
    "d",
    "days",
    "bytes",
    "kb",
    "mb",
    "kbps",
    "bits_per_s",
];

/// A table of the settings file: see [`super::key::table`].
pub(crate) trait Table: Sized {
    /// What it is, and its keys.
    const DESCRIPTION: Description;

    /// Takes its keys.
    fn read(entries: &mut Entries<'_>) -> Result<Self, FileError>;
}

/// A file's text, for what is said about it.
#[derive(Clone, Debug)]
pub(crate) struct Source<'a> {
    pub(crate) file: Arc<Path>,
    pub(crate) text: &'a str,
}

impl Source<'_> {
    /// The line in which something begins.
    pub(crate) fn place(&self, span: Range<usize>) -> Place {
        let before = self.text.as_bytes().get(..span.start);
        let ends = before.map_or(0, |before| {
            before.iter().filter(|byte| **byte == b'\n').count()
        });
        Place {
            file: Arc::clone(&self.file),
            line: ends.saturating_add(1),
        }
    }

    /// A value as it is written, on one line and not too long; never a secret.
    fn shown(&self, key: &Key, span: Range<usize>) -> String {
        if key.is_secret {
            return "\"***\"".to_owned();
        }
        let text = self.text.get(span).unwrap_or_default();
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if line.chars().count() <= SHOWN {
            return line;
        }
        let start: String = line.chars().take(SHOWN).collect();
        format!("{start}…")
    }
}

/// A key that is set, as it is written.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) table: &'static str,
    pub(crate) key: &'static str,
    pub(crate) text: String,
    pub(crate) at: Place,
}

/// The entries of a table that are not taken yet; none of them is unknown.
pub(crate) struct Entries<'a> {
    source: &'a Source<'a>,
    description: Description,
    written: Vec<Written>,
    left: BTreeMap<String, Spanned<DeValue<'a>>>,
}

impl<'a> Entries<'a> {
    /// Checks the names; `others` are the tables in which a key that is out of place may belong.
    pub(crate) fn new(
        source: &'a Source<'a>,
        description: Description,
        table: DeTable<'a>,
        at: &Place,
        others: &[Description],
    ) -> Result<Self, FileError> {
        let mut left = BTreeMap::new();
        for (name, value) in table {
            if description.key(name.as_ref()).is_none() {
                let at = source.place(name.span());
                return Err(unknown(&at, name.as_ref(), description, others));
            }
            left.insert(name.into_inner().into_owned(), value);
        }
        let required = description.keys.iter().filter(|key| key.is_required);
        for key in required {
            if !left.contains_key(key.name) {
                let problem = format!("{} has no `{}`", description.header(), key.name);
                return Err(FileError::new(at, problem));
            }
        }
        Ok(Self {
            source,
            description,
            written: Vec::new(),
            left,
        })
    }

    /// Takes a key's value, if the table has it.
    pub(crate) fn take<T: DeserializeOwned>(
        &mut self,
        name: &str,
    ) -> Result<Option<Set<T>>, FileError> {
        let (Some(value), Some(key)) = (self.left.remove(name), self.description.key(name)) else {
            return Ok(None);
        };
        let span = value.span();
        let at = self.source.place(span.clone());
        match T::deserialize(ValueDeserializer::from(as_text(value))) {
            Ok(value) => {
                self.written.push(Written {
                    table: self.description.name,
                    key: key.name,
                    text: self.source.shown(key, span),
                    at: at.clone(),
                });
                Ok(Some(Set { value, at }))
            }
            Err(error) => Err(self.misfit(&at, key, span, error.message())),
        }
    }

    /// What was taken.
    pub(crate) fn into_written(self) -> Vec<Written> {
        self.written
    }

    fn misfit(&self, at: &Place, key: &Key, span: Range<usize>, why: &str) -> FileError {
        let name = key.name;
        let header = self.description.header();
        // What our own types say is better than what we could; what serde says is for programmers.
        let is_ours = !["invalid ", "failed "]
            .iter()
            .any(|start| why.starts_with(start));
        if is_ours && !key.is_secret {
            return FileError::new(at, format!("`{name}` in {header}: {why}"));
        }
        let written = self.source.shown(key, span);
        FileError::new(
            at,
            format!(
                "`{name}` in {header} cannot be {written}: expected {}",
                key.unit
            ),
        )
    }
}

/// TOML's own dates become texts, so that an instant can be written with quotes or without.
fn as_text(value: Spanned<DeValue<'_>>) -> Spanned<DeValue<'_>> {
    match value.get_ref() {
        DeValue::Datetime(date) => {
            let text = DeValue::String(date.to_string().into());
            Spanned::new(value.span(), text)
        }
        _ => value,
    }
}

/// A key that its table does not have, with the one that was probably meant.
pub(crate) fn unknown(
    at: &Place,
    name: &str,
    description: Description,
    others: &[Description],
) -> FileError {
    let header = description.header();
    let known = || description.keys.iter().map(|key| key.name);
    let guess = if let Some(key) = description.keys.iter().find(|key| is_other_unit(name, key)) {
        format!("it is given as `{}`, in {}", key.name, key.unit)
    } else if let Some(other) = others.iter().find(|other| other.key(name).is_some()) {
        format!("it belongs in {}", other.header())
    } else if let Some(near) = nearest(name, known()) {
        format!("did you mean `{near}`?")
    } else {
        format!("there are {}", known().collect::<Vec<_>>().join(", "))
    };
    FileError::new(at, format!("unknown key `{name}` in {header}; {guess}"))
}

/// Whether a name is a key's, but for the unit at its end.
fn is_other_unit(name: &str, key: &Key) -> bool {
    let Some((stem, _)) = UNITS
        .iter()
        .chain(&["bytes_per_s"])
        .filter_map(|unit| Some((key.name.strip_suffix(unit)?.strip_suffix('_')?, unit)))
        .min_by_key(|(stem, _)| stem.len())
    else {
        return false;
    };
    match name.strip_prefix(stem) {
        Some("") => true,
        Some(rest) => rest
            .strip_prefix('_')
            .is_some_and(|unit| UNITS.contains(&unit)),
        None => false,
    }
}
