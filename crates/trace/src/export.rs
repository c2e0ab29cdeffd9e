//! Traces as other programs read them.

pub mod asciicast;
pub mod pcapng;
mod wire;

use serde_json::{Map, Value};

use crate::{
    read::{ReadError, Trace},
    record::Record,
};

/// Why a trace has no such form.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A recording is of what was printed, and that was not kept.
    #[error("the trace has no payload: it was written without --trace-payload")]
    NoPayload,
    /// A recording is of one connection.
    #[error("there are {} connections in it: {}", .0.len(), .0.join(", "))]
    Several(Vec<String>),
    /// Nothing of what is wanted is in it.
    #[error("there is no frame between client and relay in it")]
    Nothing,
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// One JSON array of all records, each whole: with the ids of its file's header, who has seen it, and
/// wall time as link time has gone on since the first.
#[must_use]
pub fn json(records: &[(&Trace, &Record)]) -> Value {
    records
        .iter()
        .map(|(trace, record)| {
            let mut members = match serde_json::to_value(record) {
                Ok(Value::Object(members)) => members,
                _ => Map::new(),
            };
            let seen_by = trace.header.seen_by.clone();
            members.insert("seen_by".to_owned(), seen_by.into());
            members.insert("wall_us".to_owned(), trace.wall_us(record).into());
            Value::Object(members)
        })
        .collect()
}
