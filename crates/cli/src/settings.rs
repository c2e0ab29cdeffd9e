//! What the program runs on, settled from layers: flags, the environment, the file, the defaults.
//!
//! The tables of the file are declared once ([`tables`]), with what people are told of each key; the
//! parser ([`mod@file`], [`entries`]), the example ([`example`]) and `axt config` all go by them. A flag
//! stands over a table's key where they are settled ([`relay`], [`agent`], [`client`]), and defaults
//! are applied there, once.

pub(crate) mod agent;
pub(crate) mod client;
pub(crate) mod declared;
pub(crate) mod entries;
pub(crate) mod example;
pub(crate) mod file;
pub(crate) mod in_force;
pub(crate) mod key;
pub(crate) mod limits;
pub(crate) mod misdeeds;
pub(crate) mod place;
pub(crate) mod relay;
pub(crate) mod tables;
pub(crate) mod trace;

pub(crate) use axt_control::words::nearest;
pub(crate) use file::Settings;

use self::place::Set;

/// What was typed, or stands in the environment, else what the file says.
pub(crate) fn over<T>(typed: Option<T>, file: Option<Set<T>>) -> Option<T> {
    typed.or_else(|| file.map(|set| set.value))
}
