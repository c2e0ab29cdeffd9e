//! A connection as a recording that `asciinema play` shows (asciicast, version 2).

use serde_json::json;

use super::ExportError;
use crate::{
    fields,
    read::Trace,
    record::{Dir, Hop, Record, What},
};

/// What a terminal has before its client tells its size.
const SIZE: (u16, u16) = (80, 24);

/// Writes what the client was sent, and its sizes; with `input` what it typed too. Times are link
/// time, as it felt to the person.
///
/// # Errors
/// [`ExportError`]: no payload, several connections, or none.
pub fn write(records: &[(&Trace, &Record)], input: bool) -> Result<String, ExportError> {
    let of_client: Vec<_> = records
        .iter()
        .filter(|(_, record)| record.hop == Hop::Client && matches!(record.what, What::Frame(_)))
        .collect();
    let mut connections: Vec<_> = of_client
        .iter()
        .map(|(_, record)| record.ids.connection.clone().unwrap_or_default())
        .collect();
    connections.sort();
    connections.dedup();
    if connections.len() > 1 {
        return Err(ExportError::Several(connections));
    }
    let (trace, first) = of_client.first().ok_or(ExportError::Nothing)?;
    let (mut width, mut height) = SIZE;
    let mut is_sized = false;
    let mut has_payload = false;
    let mut has_data = false;
    let mut lines = Vec::new();
    let mut pending = Pending::default();
    for (_, record) in &of_client {
        let What::Frame(frame) = &record.what else {
            continue;
        };
        let us = record.link_us.saturating_sub(first.link_us);
        let at = f64_seconds(us);
        has_data |= frame.is_data() && frame.size > 0;
        let payload = fields::payload(frame);
        has_payload |= payload.is_some();
        match (record.dir, frame.r#type.as_str(), payload) {
            (Dir::Down, "output", Some(bytes)) => {
                lines.push(json!([at, "o", pending.text(&bytes)]).to_string());
            }
            (Dir::Up, "input", Some(bytes)) if input => {
                lines.push(json!([at, "i", String::from_utf8_lossy(&bytes)]).to_string());
            }
            (Dir::Up, "resize", _) => {
                if let (Some(rows), Some(cols)) = (frame.rows, frame.cols) {
                    if !std::mem::replace(&mut is_sized, true) {
                        (width, height) = (cols, rows);
                    } else {
                        lines.push(json!([at, "r", format!("{cols}x{rows}")]).to_string());
                    }
                }
            }
            _ => {}
        }
    }
    if has_data && !has_payload {
        return Err(ExportError::NoPayload);
    }
    let title = first.ids.session.clone().unwrap_or_default();
    let header = json!({
        "version": 2,
        "width": width,
        "height": height,
        "timestamp": trace.wall_us(first) / 1_000_000,
        "title": title,
    });
    let mut text = header.to_string();
    for line in lines {
        text.push('\n');
        text.push_str(&line);
    }
    text.push('\n');
    Ok(text)
}

/// A character that a frame has cut in two, whose other half is still to come.
#[derive(Default)]
struct Pending(Vec<u8>);

impl Pending {
    fn text(&mut self, bytes: &[u8]) -> String {
        self.0.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&self.0) {
            Ok(_) => self.0.len(),
            // Cut at the end: kept. Anything else is no UTF-8, and is replaced.
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => self.0.len(),
        };
        let rest = self.0.split_off(whole);
        let text = String::from_utf8_lossy(&self.0).into_owned();
        self.0 = rest;
        text
    }
}

#[allow(clippy::cast_precision_loss)] // microseconds of centuries fit
fn f64_seconds(us: u64) -> f64 {
    us as f64 / 1_000_000.0
}
