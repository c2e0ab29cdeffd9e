//! Reading traces: one file, or all of a folder.

use std::{
    fs,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use crate::record::{Header, Record, VERSION};

/// The ending of the files' names.
const ENDING: &str = "jsonl";

/// A file, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// Which file.
    pub path: PathBuf,
    /// Its first line.
    pub header: Header,
    /// The others, with the header's ids where they have none.
    pub records: Vec<Record>,
}

/// Why a trace cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The system's own.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A line is not what it should be.
    #[error("{}, line {line}: {problem}", path.display())]
    Line {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// The folder holds none.
    #[error("there is no trace in {}", .0.display())]
    Nothing(PathBuf),
}

/// Reads a file, or each file of a folder whose name ends in `.jsonl`, by the time of their first
/// records.
///
/// # Errors
/// [`ReadError`]. A last line that is cut, as in a file that is still written, is left out.
pub fn read(path: &Path) -> Result<Vec<Trace>, ReadError> {
    let failed = |source| ReadError::Io {
        path: path.to_owned(),
        source,
    };
    if !fs::metadata(path).map_err(failed)?.is_dir() {
        return Ok(vec![file(path)?]);
    }
    let mut traces = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?.path();
        if entry.extension().is_some_and(|ending| ending == ENDING) {
            traces.push(file(&entry)?);
        }
    }
    if traces.is_empty() {
        return Err(ReadError::Nothing(path.to_owned()));
    }
    traces.sort_by_cached_key(|trace| (trace.started_us(), trace.path.clone()));
    Ok(traces)
}

fn file(path: &Path) -> Result<Trace, ReadError> {
    let failed = |source| ReadError::Io {
        path: path.to_owned(),
        source,
    };
    let wrong = |line: usize, problem: String| ReadError::Line {
        path: path.to_owned(),
        line,
        problem,
    };
    let mut reader = BufReader::new(fs::File::open(path).map_err(failed)?);
    let mut header: Option<Header> = None;
    let mut records: Vec<Record> = Vec::new();
    let mut line = Vec::new();
    let mut number = 0;
    while reader.read_until(b'\n', &mut line).map_err(failed)? > 0 {
        number += 1;
        if !line.ends_with(b"\n") {
            break;
        }
        match &header {
            None => {
                let read: Header = serde_json::from_slice(&line)
                    .map_err(|error| wrong(number, format!("this is no trace: {error}")))?;
                if read.axt_trace > VERSION {
                    let problem = format!(
                        "version {} of the format is newer than this program, which knows {VERSION}",
                        read.axt_trace
                    );
                    return Err(wrong(number, problem));
                }
                header = Some(read);
            }
            Some(header) => {
                let mut record: Record = serde_json::from_slice(&line)
                    .map_err(|error| wrong(number, format!("this is no record: {error}")))?;
                record.ids = record.ids.or(&header.ids);
                records.push(record);
            }
        }
        line.clear();
    }
    let header = header.ok_or_else(|| wrong(1, "the file is empty".to_owned()))?;
    Ok(Trace {
        path: path.to_owned(),
        header,
        records,
    })
}

impl Trace {
    /// Wall time of the first record, microseconds since the Unix epoch; 0 where the header's is no
    /// time.
    #[must_use]
    pub fn started_us(&self) -> u64 {
        let started = self.header.started.parse::<Timestamp>();
        started.map_or(0, |at| u64::try_from(at.as_microsecond()).unwrap_or(0))
    }

    /// Wall time of a record, as link time has gone on since the first.
    #[must_use]
    pub fn wall_us(&self, record: &Record) -> u64 {
        self.started_us().saturating_add(record.link_us)
    }
}
