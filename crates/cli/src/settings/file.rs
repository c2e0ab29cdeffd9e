//! The settings file: where it is, and what it says.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use axt_client::discover::Environment;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    entries::{Entries, Source, Table, Written},
    key::Description,
    limits::LimitsTable,
    nearest,
    place::{FileError, Place},
    tables::{
        AccessKeyTable, AccountTable, AgentTable, BehaviourTable, ClientTable, FaultTable,
        InstanceTable, RegionTable, RelayTable,
    },
};
use crate::failure::Failure;

/// Its name in the working folder, and below the configuration folder of a person.
const NAME: &str = "axt.toml";

/// Every table, in the order of the example.
pub(crate) const TABLES: [Description; 10] = [
    RelayTable::DESCRIPTION,
    AgentTable::DESCRIPTION,
    ClientTable::DESCRIPTION,
    LimitsTable::DESCRIPTION,
    AccountTable::DESCRIPTION,
    AccessKeyTable::DESCRIPTION,
    RegionTable::DESCRIPTION,
    InstanceTable::DESCRIPTION,
    BehaviourTable::DESCRIPTION,
    FaultTable::DESCRIPTION,
];

/// What a file says; all of it may be missing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// Which file it was.
    pub(crate) file: Option<Arc<Path>>,
    pub(crate) relay: RelayTable,
    pub(crate) agent: AgentTable,
    pub(crate) client: ClientTable,
    pub(crate) limits: LimitsTable,
    pub(crate) accounts: Vec<AccountTable>,
    pub(crate) access_keys: Vec<AccessKeyTable>,
    pub(crate) regions: Vec<RegionTable>,
    pub(crate) instances: Vec<InstanceTable>,
    pub(crate) behaviours: Vec<BehaviourTable>,
    pub(crate) faults: Vec<FaultTable>,
    /// Every key that is set, as it is written.
    pub(crate) written: Vec<Written>,
}

/// The file that is read: the one that is `named` (by `--config` or `AXT_CONFIG`), else `axt.toml`
/// here, else the one in the person's configuration folder. None is no error, unless one is named.
pub(crate) fn find(named: Option<PathBuf>, environment: &Environment) -> Option<PathBuf> {
    if let Some(named) = named.filter(|named| !named.as_os_str().is_empty()) {
        return Some(named);
    }
    let config = environment("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| environment("HOME").map(|home| Path::new(&home).join(".config")));
    let own = config.map(|folder| folder.join("axt").join(NAME));
    [Some(PathBuf::from(NAME)), own]
        .into_iter()
        .flatten()
        .find(|path| path.is_file())
}

/// Reads the file that [`find`] finds.
///
/// # Errors
/// It cannot be read, or says something that it cannot say.
pub(crate) fn load(named: Option<PathBuf>, environment: &Environment) -> Result<Settings, Failure> {
    match find(named, environment) {
        Some(path) => read(&path),
        None => Ok(Settings::default()),
    }
}

/// Reads one file.
///
/// # Errors
/// As [`load`].
pub(crate) fn read(path: &Path) -> Result<Settings, Failure> {
    let text = fs::read_to_string(path).map_err(|error| {
        let failure = Failure::usage(format!("cannot read {}: {error}", path.display()));
        match error.kind() {
            io::ErrorKind::NotFound => {
                failure.hint("`axt config --example > axt.toml` writes one to start from")
            }
            _ => failure,
        }
    })?;
    Ok(parse(path, &text)?)
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        Self::usage(error).hint("`axt config --example` prints every key")
    }
}

/// Reads a file's text.
///
/// # Errors
/// The first thing that is wrong with it.
pub(crate) fn parse(path: &Path, text: &str) -> Result<Settings, FileError> {
    let source = Source {
        file: Arc::from(path),
        text,
    };
    let root = DeTable::parse(text).map_err(|error| {
        let at = source.place(error.span().unwrap_or_default());
        FileError::new(&at, error.message())
    })?;
    let mut settings = Settings {
        file: Some(Arc::clone(&source.file)),
        ..Settings::default()
    };
    for (name, value) in root.into_inner() {
        let at = source.place(name.span());
        let mut found = Found {
            source: &source,
            at: &at,
            value,
            written: &mut settings.written,
        };
        match name.get_ref().as_ref() {
            "relay" => settings.relay = found.one()?,
            "agent" => settings.agent = found.one()?,
            "client" => settings.client = found.one()?,
            "limits" => settings.limits = found.one()?,
            "accounts" => settings.accounts = found.several()?,
            "access_keys" => settings.access_keys = found.several()?,
            "regions" => settings.regions = found.several()?,
            "instances" => settings.instances = found.several()?,
            "behaviours" => settings.behaviours = found.several()?,
            "faults" => settings.faults = found.several()?,
            other => return Err(no_table(&at, other, found.value.get_ref())),
        }
    }
    Ok(settings)
}

/// Something at the top of the file that is a table's name.
struct Found<'a, 'w> {
    source: &'a Source<'a>,
    at: &'a Place,
    value: Spanned<DeValue<'a>>,
    written: &'w mut Vec<Written>,
}

impl Found<'_, '_> {
    fn one<T: Table>(&mut self) -> Result<T, FileError> {
        match std::mem::replace(self.value.get_mut(), DeValue::Boolean(false)) {
            DeValue::Table(table) => self.read(table, self.at.clone()),
            _ => Err(self.misfit(T::DESCRIPTION)),
        }
    }

    fn several<T: Table>(&mut self) -> Result<Vec<T>, FileError> {
        let DeValue::Array(items) =
            std::mem::replace(self.value.get_mut(), DeValue::Boolean(false))
        else {
            return Err(self.misfit(T::DESCRIPTION));
        };
        let mut tables = Vec::new();
        for item in items {
            let at = self.source.place(item.span());
            match item.into_inner() {
                DeValue::Table(table) => tables.push(self.read(table, at)?),
                _ => return Err(self.misfit(T::DESCRIPTION)),
            }
        }
        Ok(tables)
    }

    fn read<T: Table>(&mut self, table: DeTable<'_>, at: Place) -> Result<T, FileError> {
        let mut entries = Entries::new(self.source, T::DESCRIPTION, table, &at, &TABLES)?;
        let read = T::read(&mut entries)?;
        self.written.extend(entries.into_written());
        Ok(read)
    }

    fn misfit(&self, description: Description) -> FileError {
        let what = if description.is_list {
            "there can be several of them"
        } else {
            "it is one table"
        };
        let header = description.header();
        FileError::new(self.at, format!("expected {header}: {what}"))
    }
}

/// Something at the top of the file that is no table's name.
fn no_table(at: &Place, name: &str, value: &DeValue<'_>) -> FileError {
    let headers = || TABLES.iter().map(Description::header);
    let is_table = matches!(value, DeValue::Table(_) | DeValue::Array(_));
    let home = TABLES.iter().find(|table| table.key(name).is_some());
    let guess = match (home, nearest(name, TABLES.iter().map(|table| table.name))) {
        (Some(home), _) if !is_table => format!("it belongs in {}", home.header()),
        (_, Some(near)) => {
            let near = TABLES.iter().find(|table| table.name == near);
            format!(
                "did you mean {}?",
                near.map(Description::header).unwrap_or_default()
            )
        }
        _ => format!("there are {}", headers().collect::<Vec<_>>().join(", ")),
    };
    let what = if is_table { "table" } else { "key" };
    FileError::new(at, format!("unknown {what} `{name}`; {guess}"))
}

#[cfg(test)]
mod tests;
