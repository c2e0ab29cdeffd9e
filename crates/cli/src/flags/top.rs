//! `axt top`.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{clock::parse_span, target::AdminTarget};

/// Watch the relay in the terminal: instances, sessions, connections, rates, waits, idle time left
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Keys: q ends it; up, down, page up and page down move; s sorts the connections by the next
column, r turns the order round.

UP/s and DOWN/s are bytes a second of the last span, by the machine's clock. HELD is how long
payload had to wait for the bandwidth, both ways together, and IDLE LEFT how long the connection
may still be quiet; both are rule time.

Examples:
  axt top
  axt top --every 250ms --sort down
  axt top --once")]
pub(crate) struct TopFlags {
    /// Print one table, and end: for scripts
    #[arg(long)]
    pub(crate) once: bool,

    /// How often it looks [default: 1s]
    #[arg(long, value_name = "SPAN", value_parser = parse_span)]
    pub(crate) every: Option<Duration>,

    /// What the connections are sorted by: id, up, down, held or idle [default: id]
    #[arg(
        long,
        value_enum,
        value_name = "COLUMN",
        hide_default_value = true,
        hide_possible_values = true,
        default_value = "id"
    )]
    pub(crate) sort: Sort,

    #[command(flatten)]
    pub(crate) target: AdminTarget,
}

/// A column to sort by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sort {
    /// The connection's number
    #[default]
    Id,
    /// Bytes towards the agent, most first
    Up,
    /// Bytes towards the client, most first
    Down,
    /// How long it was held back, longest first
    Held,
    /// How long it may still be idle, least first
    Idle,
}

impl Sort {
    /// The next column.
    pub(crate) const fn next(self) -> Self {
        match self {
            Self::Id => Self::Up,
            Self::Up => Self::Down,
            Self::Down => Self::Held,
            Self::Held => Self::Idle,
            Self::Idle => Self::Id,
        }
    }

    /// Its name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Up => "up",
            Self::Down => "down",
            Self::Held => "held",
            Self::Idle => "idle",
        }
    }
}
