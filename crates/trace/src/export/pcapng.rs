//! Traces as Wireshark and tshark read them (pcapng).
//!
//! Frames lie in websockets, these in TCP connections that are made up: from 10.0.0.1 (the client) or
//! 10.0.0.3 (the agent) to port 80 of 10.0.0.2 (the relay), each with its handshakes, so that
//! Wireshark knows by itself what it looks at. There is no TLS, and no masking. Each packet has the
//! record in words as its comment. Where payload was not kept, a packet ends behind the frame's header
//! as if no more of it had been captured.

use std::collections::HashMap;

use bytes::{BufMut, Bytes, BytesMut};

use super::wire::{ACK, End, FIN, PUSH, SEGMENT, SYN, packet, websocket_header};
use crate::{
    fields,
    read::Trace,
    record::{Call, Dir, Hop, Record, What},
    show,
};

const CLIENT: [u8; 4] = [10, 0, 0, 1];
const RELAY: End = End {
    address: [10, 0, 0, 2],
    port: 80,
};
const AGENT: [u8; 4] = [10, 0, 0, 3];
/// Raw IP (the registry of link types).
const LINKTYPE_RAW: u16 = 101;
const FIRST_PORT: u16 = 10_000;

/// Writes a capture of these records.
#[must_use]
pub fn write(records: &[(&Trace, &Record)]) -> Bytes {
    let mut capture = Capture::new();
    for (trace, record) in records {
        capture.record(trace, record);
    }
    capture.out.freeze()
}

/// A made-up TCP connection.
#[derive(Clone, Copy)]
struct Connection {
    peer: End,
    /// Bytes that each side has sent.
    from_peer: u32,
    from_relay: u32,
}

struct Capture {
    out: BytesMut,
    open: HashMap<String, Connection>,
    port: u16,
}

impl Capture {
    fn new() -> Self {
        let mut out = BytesMut::new();
        // The section header: byte order, version 1.0, length not told.
        block(&mut out, 0x0A0D_0D0A, |body| {
            body.put_u32_le(0x1A2B_3C4D);
            body.put_u16_le(1);
            body.put_u16_le(0);
            body.put_u64_le(u64::MAX);
            option(body, 4, b"axt trace export"); // shb_userappl
            end_of_options(body);
        });
        // One interface, with times in microseconds, as they are unless told otherwise.
        block(&mut out, 1, |body| {
            body.put_u16_le(LINKTYPE_RAW);
            body.put_u16_le(0);
            body.put_u32_le(0);
            option(body, 2, b"axt"); // if_name
            end_of_options(body);
        });
        Self {
            out,
            open: HashMap::new(),
            port: FIRST_PORT,
        }
    }

    fn record(&mut self, trace: &Trace, record: &Record) {
        let at = trace.wall_us(record);
        let is_from_relay = match record.hop {
            Hop::Client => record.dir == Dir::Down,
            Hop::Agent => record.dir == Dir::Up,
        };
        let says = format!("{} {}", record.what.word(), show::says(&record.what));
        match &record.what {
            What::Call(call) => self.call(at, record, call, &says),
            What::Open => {
                self.open.remove(&key(trace, record));
                self.websocket(at, trace, record);
            }
            What::Frame(frame) => {
                let mut connection = self.websocket(at, trace, record);
                let (bytes, len) = fields::message(record.hop, frame);
                self.frame((at, &says), &mut connection, is_from_relay, 2, &bytes, len);
                self.open.insert(key(trace, record), connection);
            }
            What::Notify { text } => {
                let mut connection = self.websocket(at, trace, record);
                let (bytes, len) = (text.as_bytes(), text.len());
                self.frame((at, &says), &mut connection, is_from_relay, 1, bytes, len);
                self.open.insert(key(trace, record), connection);
            }
            What::Close { code, reason } => {
                let mut connection = self.websocket(at, trace, record);
                let mut body = Vec::new();
                if *code != 1005 {
                    body.extend_from_slice(&code.to_be_bytes());
                    body.extend_from_slice(reason.as_bytes());
                }
                let len = body.len();
                self.frame((at, &says), &mut connection, is_from_relay, 8, &body, len);
                self.open.insert(key(trace, record), connection);
            }
            What::Lost { .. } => {
                let mut connection = self.websocket(at, trace, record);
                self.segment(
                    (at, &says),
                    &mut connection,
                    is_from_relay,
                    FIN | ACK,
                    &[],
                    0,
                );
                self.open.remove(&key(trace, record));
            }
        }
    }

    /// The websocket that a record belongs to; a new one gets its handshakes first.
    fn websocket(&mut self, at: u64, trace: &Trace, record: &Record) -> Connection {
        let key = key(trace, record);
        if let Some(connection) = self.open.get(&key) {
            return *connection;
        }
        let mut connection = self.dial(at, record.hop);
        let path = match (record.hop, &record.what) {
            (Hop::Client, _) => "/session",
            (Hop::Agent, What::Notify { .. }) => "/luban/notify_server",
            (Hop::Agent, _) => "/luban/session/backend",
        };
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: relay\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        let answer = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
        self.text((at, "made up"), &mut connection, false, &request);
        self.text((at, "made up"), &mut connection, true, answer);
        self.open.insert(key, connection);
        connection
    }

    fn dial(&mut self, at: u64, hop: Hop) -> Connection {
        let address = match hop {
            Hop::Client => CLIENT,
            Hop::Agent => AGENT,
        };
        let peer = End {
            address,
            port: self.port,
        };
        self.port = self.port.checked_add(1).unwrap_or(FIRST_PORT);
        let mut connection = Connection {
            peer,
            from_peer: 0,
            from_relay: 0,
        };
        let about = (at, "made up");
        self.segment(about, &mut connection, false, SYN, &[], 0);
        connection.from_peer = 1;
        self.segment(about, &mut connection, true, SYN | ACK, &[], 0);
        connection.from_relay = 1;
        self.segment(about, &mut connection, false, ACK, &[], 0);
        connection
    }

    /// A call, on a connection of its own.
    fn call(&mut self, at: u64, record: &Record, call: &Call, says: &str) {
        let begun = at.saturating_sub(call.took_us);
        let mut connection = self.dial(begun, record.hop);
        let query: Vec<_> = call
            .query
            .iter()
            .map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default()))
            .collect();
        let mark = if query.is_empty() { "" } else { "?" };
        let target = format!("{}{mark}{}", call.path, query.join("&").replace(' ', "+"));
        let body = call.request.as_ref().map(ToString::to_string);
        let body = body.unwrap_or_default();
        let headers: String = call
            .headers
            .iter()
            .filter(|(name, _)| !["content-length", "host"].contains(&name.as_str()))
            .map(|(name, value)| format!("{name}: {}\r\n", value.as_str().unwrap_or_default()))
            .collect();
        let request = format!(
            "{} {target} HTTP/1.1\r\nHost: relay\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            call.method,
            body.len()
        );
        self.text((begun, says), &mut connection, false, &request);
        if let Some(status) = call.status {
            let body = call.answer.as_ref().map(ToString::to_string);
            let body = body.unwrap_or_default();
            let kind = if body.is_empty() {
                ""
            } else {
                "Content-Type: application/json\r\n"
            };
            // The websocket of an upgrade has a connection of its own here.
            let answer = format!(
                "HTTP/1.1 {status} -\r\n{kind}Content-Length: {}\r\n\r\n{body}",
                body.len()
            );
            self.text((at, says), &mut connection, true, &answer);
        }
        self.segment((at, says), &mut connection, false, FIN | ACK, &[], 0);
    }

    fn text(
        &mut self,
        about: (u64, &str),
        connection: &mut Connection,
        is_from_relay: bool,
        text: &str,
    ) {
        let (bytes, len) = (text.as_bytes(), text.len());
        self.bytes(about, connection, is_from_relay, bytes, len);
    }

    fn frame(
        &mut self,
        about: (u64, &str),
        connection: &mut Connection,
        is_from_relay: bool,
        opcode: u8,
        bytes: &[u8],
        len: usize,
    ) {
        let mut whole = websocket_header(opcode, len).to_vec();
        let len = whole.len() + len;
        whole.extend_from_slice(bytes);
        self.bytes(about, connection, is_from_relay, &whole, len);
    }

    /// `bytes` are the first ones of `len`, as far as they are known.
    fn bytes(
        &mut self,
        about: (u64, &str),
        connection: &mut Connection,
        is_from_relay: bool,
        mut bytes: &[u8],
        mut len: usize,
    ) {
        while len > 0 {
            let part = len.min(SEGMENT);
            let (known, rest) = bytes.split_at(bytes.len().min(part));
            self.segment(about, connection, is_from_relay, PUSH | ACK, known, part);
            bytes = rest;
            len -= part;
        }
    }

    fn segment(
        &mut self,
        (at, says): (u64, &str),
        connection: &mut Connection,
        is_from_relay: bool,
        flags: u8,
        known: &[u8],
        len: usize,
    ) {
        let ends = (connection.peer, RELAY);
        let counts = (connection.from_peer, connection.from_relay);
        let (ends, counts) = match is_from_relay {
            true => ((ends.1, ends.0), (counts.1, counts.0)),
            false => (ends, counts),
        };
        let acknowledged = if flags & ACK == 0 { 0 } else { counts.1 };
        let (packet, total) = packet(ends, (counts.0, acknowledged), flags, known, len);
        let sent = u32::try_from(len).unwrap_or(u32::MAX);
        let count = match is_from_relay {
            true => &mut connection.from_relay,
            false => &mut connection.from_peer,
        };
        *count = count.wrapping_add(sent);
        // An enhanced packet block.
        block(&mut self.out, 6, |body| {
            body.put_u32_le(0);
            let [a, b, c, d, low @ ..] = at.to_be_bytes();
            body.put_u32_le(u32::from_be_bytes([a, b, c, d]));
            body.put_u32_le(u32::from_be_bytes(low));
            body.put_u32_le(u32::try_from(packet.len()).unwrap_or(u32::MAX));
            body.put_u32_le(u32::try_from(total).unwrap_or(u32::MAX));
            body.put_slice(&packet);
            pad(body, packet.len());
            option(body, 1, says.as_bytes()); // opt_comment
            end_of_options(body);
        });
    }
}

/// Which websocket a record belongs to.
fn key(trace: &Trace, record: &Record) -> String {
    let ids = &record.ids;
    let whose = match &record.what {
        What::Notify { .. } => ids.instance.as_ref(),
        _ => ids.channel.as_ref().or(ids.connection.as_ref()),
    };
    let kind = matches!(record.what, What::Notify { .. });
    let whose = whose.map_or("", String::as_str);
    format!("{} {} {kind} {whose}", trace.header.seen_by, record.hop)
}

fn block(out: &mut BytesMut, kind: u32, body: impl FnOnce(&mut BytesMut)) {
    let mut inner = BytesMut::new();
    body(&mut inner);
    let total = u32::try_from(inner.len() + 12).unwrap_or(u32::MAX);
    out.put_u32_le(kind);
    out.put_u32_le(total);
    out.put_slice(&inner);
    out.put_u32_le(total);
}

fn option(body: &mut BytesMut, code: u16, value: &[u8]) {
    let value = value.get(..value.len().min(4_000)).unwrap_or_default();
    body.put_u16_le(code);
    body.put_u16_le(u16::try_from(value.len()).unwrap_or(0));
    body.put_slice(value);
    pad(body, value.len());
}

fn end_of_options(body: &mut BytesMut) {
    body.put_u32_le(0);
}

fn pad(body: &mut BytesMut, len: usize) {
    body.put_bytes(0, len.next_multiple_of(4) - len);
}

#[cfg(test)]
mod tests;
