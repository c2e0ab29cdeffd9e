//! The files of one folder.

use std::{
    collections::HashMap,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, BufWriter, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use axt_net::link;
use serde::Serialize;

use crate::record::Header;

/// How many files are open at once; the one that was written to longest ago is closed for another.
const OPEN: usize = 64;

/// All files, those that are closed included: their records are counted on.
#[derive(Debug)]
pub(super) struct Files {
    folder: PathBuf,
    by_name: HashMap<String, OneFile>,
    open: usize,
    turn: u64,
}

/// One of them.
#[derive(Debug)]
pub(super) struct OneFile {
    path: PathBuf,
    writer: Option<BufWriter<File>>,
    /// When its first record was.
    pub(super) since: link::Instant,
    records: u64,
    used: u64,
}

impl Files {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            by_name: HashMap::new(),
            open: 0,
            turn: 0,
        }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file of that name, which begins with `header` when it is new.
    pub(super) fn of(
        &mut self,
        name: &str,
        when: link::Instant,
        header: impl FnOnce() -> Header,
    ) -> io::Result<&mut OneFile> {
        self.turn += 1;
        let is_closed = self
            .by_name
            .get(name)
            .is_none_or(|file| file.writer.is_none());
        if is_closed {
            if self.open >= OPEN {
                self.close_one()?;
            }
            self.open += 1;
        }
        if !self.by_name.contains_key(name) {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&self.folder)?;
            let (path, file) = create(&self.folder, name)?;
            let mut new = OneFile {
                path,
                writer: Some(BufWriter::new(file)),
                since: when,
                records: 0,
                used: self.turn,
            };
            new.line(&header())?;
            self.by_name.insert(name.to_owned(), new);
        }
        let turn = self.turn;
        let file = self
            .by_name
            .get_mut(name)
            .ok_or_else(|| io::Error::other("a file that was just made is there"))?;
        file.used = turn;
        if file.writer.is_none() {
            let again = OpenOptions::new().append(true).open(&file.path)?;
            file.writer = Some(BufWriter::new(again));
        }
        Ok(file)
    }

    /// Hands all of it to the system.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        for file in self.by_name.values_mut() {
            if let Some(writer) = &mut file.writer {
                writer.flush()?;
            }
        }
        Ok(())
    }

    fn close_one(&mut self) -> io::Result<()> {
        let open = self.by_name.values_mut();
        let oldest = open
            .filter(|file| file.writer.is_some())
            .min_by_key(|file| file.used);
        if let Some(mut writer) = oldest.and_then(|file| file.writer.take()) {
            writer.flush()?;
            self.open -= 1;
        }
        Ok(())
    }
}

impl OneFile {
    /// The number of its next record.
    pub(super) const fn count(&self) -> u64 {
        self.records
    }

    pub(super) fn write(&mut self, record: &impl Serialize) -> io::Result<()> {
        self.records += 1;
        self.line(record)
    }

    fn line(&mut self, line: &impl Serialize) -> io::Result<()> {
        let Some(writer) = &mut self.writer else {
            return Err(io::Error::other("a file that is written to is open"));
        };
        serde_json::to_writer(&mut *writer, line)?;
        writer.write_all(b"\n")
    }
}

/// A new file; where a former run has left one of that name, one with a number.
fn create(folder: &Path, name: &str) -> io::Result<(PathBuf, File)> {
    let name: String = name
        .chars()
        .map(|letter| match letter {
            letter if letter.is_ascii_alphanumeric() || "-._".contains(letter) => letter,
            _ => '_',
        })
        .take(200)
        .collect();
    fs::create_dir_all(folder)?;
    let mut number = 1;
    loop {
        let path = match number {
            1 => folder.join(format!("{name}.jsonl")),
            number => folder.join(format!("{name}.{number}.jsonl")),
        };
        let made = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        match made {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 100_000 => {
                number += 1;
            }
            Err(error) => return Err(error),
        }
    }
}
