//! `axt trace show`.

use std::process::ExitCode;

use axt_trace::show::{self, HEADS};

use super::{filter, read};
use crate::{commands::is_read, failure::Failure, flags::trace::ShowFlags, grid::Grid};

/// Rows that are laid out together: the columns of a long trace become no wider in the middle of what
/// can be seen at once.
const PART: usize = 500;

pub(super) fn run(flags: &ShowFlags) -> Result<ExitCode, Failure> {
    let traces = read(&flags.path)?;
    let records = show::merged(&traces, &filter(&flags.filter));
    if flags.json {
        for (_, record) in records {
            let line = serde_json::to_string(record).map_err(Failure::failed)?;
            if !is_read(&line)? {
                break;
            }
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut grid = Grid::new(HEADS.map(str::to_owned));
    for part in records.chunks(PART) {
        let rows: Vec<Vec<String>> = part
            .iter()
            .map(|(trace, record)| show::row(trace, record).to_vec())
            .collect();
        if !is_read(&grid.lines(&rows).join("\n"))? {
            break;
        }
    }
    Ok(ExitCode::SUCCESS)
}
