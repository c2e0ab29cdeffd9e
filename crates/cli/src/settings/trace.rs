//! The settings of traces, for whoever writes them.

use std::path::PathBuf;

use axt_sandbox::TraceSettings;

use super::{over, place::Set};
use crate::{failure::Failure, flags::trace::TraceFlags};

/// Settles the flags over the file.
///
/// # Errors
/// Payload is wanted, and no trace.
pub(crate) fn resolve(
    flags: TraceFlags,
    folder: Option<Set<PathBuf>>,
    payload: Option<Set<bool>>,
) -> Result<Option<TraceSettings>, Failure> {
    let folder = flags.trace.or(folder.map(Set::path));
    let payload = over(flags.trace_payload, payload).unwrap_or_default();
    match folder {
        Some(folder) => Ok(Some(TraceSettings { folder, payload })),
        None if payload => Err(Failure::usage("--trace-payload needs --trace DIR")
            .hint("`axt trace start SESSION --payload` traces one session of a relay that runs")),
        None => Ok(None),
    }
}
