//! Traces: what passed on the wire, as files that people and programs read.
//!
//! What lives here: the format ([`record`]), what a websocket message says field by field
//! ([`fields`]), the thread that writes ([`recorder`]), what is kept out of a file ([`mask`]), and
//! what is made of files: rows of a table ([`show`]), other formats ([`export`]), the differences of
//! two runs ([`diff`]).
//!
//! What never does: who is traced when, and a socket. Copies come in by `axt_net::tap`.

mod call;
pub mod diff;
pub mod export;
pub mod fields;
pub mod mask;
pub mod read;
pub mod record;
pub mod recorder;
pub mod show;
