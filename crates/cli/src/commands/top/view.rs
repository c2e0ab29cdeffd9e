//! What is drawn: plain lines, made of two looks at the relay.

use std::{collections::BTreeMap, time::Duration};

use axt_control::admin::{ConnectionState, InstanceState, SessionState, State};
use axt_proto::{ConnectionId, frame::Size};

use crate::{flags::top::Sort, grid::Grid};

/// The relay now, and what has passed since the last look.
#[derive(Clone, Debug)]
pub(super) struct Look {
    state: State,
    /// Bytes a second, up and down; absent on a first look.
    rates: Option<BTreeMap<ConnectionId, (u64, u64)>>,
}

impl Look {
    pub(super) const fn first(state: State) -> Self {
        Self { state, rates: None }
    }

    /// The next look, so much later.
    pub(super) fn next(&self, state: State, later: Duration) -> Self {
        let before: BTreeMap<_, _> = self
            .state
            .connections
            .iter()
            .map(|one| (one.id, one.carried))
            .collect();
        let rate = |now: u64, before: u64| {
            let bytes = u128::from(now.saturating_sub(before));
            let nanos = later.as_nanos().max(1);
            u64::try_from(bytes * 1_000_000_000 / nanos).unwrap_or(u64::MAX)
        };
        let rates = state.connections.iter().map(|one| {
            let before = before.get(&one.id).copied().unwrap_or_default();
            let up = rate(one.carried.bytes_up, before.bytes_up);
            let down = rate(one.carried.bytes_down, before.bytes_down);
            (one.id, (up, down))
        });
        Self {
            rates: Some(rates.collect()),
            state,
        }
    }

    fn rate(&self, connection: ConnectionId) -> Option<(u64, u64)> {
        self.rates.as_ref()?.get(&connection).copied()
    }

    /// Bytes a second of an instance's, or a session's, connections together.
    fn rates(&self, is_of: impl Fn(&ConnectionState) -> bool) -> Option<(u64, u64)> {
        self.rates.as_ref()?;
        let of = self.state.connections.iter().filter(|one| is_of(one));
        Some(of.filter_map(|one| self.rate(one.id)).fold(
            (0, 0),
            |(up, down): (u64, u64), (more_up, more_down)| {
                (up.saturating_add(more_up), down.saturating_add(more_down))
            },
        ))
    }
}

/// How it is looked at.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    pub(super) sort: Sort,
    pub(super) is_reversed: bool,
    /// Lines above the window.
    top: usize,
    /// Lines in the window, when it was last drawn.
    window: usize,
}

impl View {
    pub(super) fn scroll(&mut self, by: isize) {
        self.top = self.top.saturating_add_signed(by);
    }

    pub(super) fn page(&mut self, by: isize) {
        let page = isize::try_from(self.window.max(1)).unwrap_or(1);
        self.scroll(by.saturating_mul(page));
    }

    /// What a terminal of that size shows.
    pub(super) fn screen(
        &mut self,
        look: &Look,
        size: Option<Size>,
        trouble: Option<&str>,
    ) -> Vec<String> {
        let size = size.unwrap_or(Size { rows: 24, cols: 80 });
        let rows = usize::from(size.rows).max(2);
        let table = self.table(look);
        self.window = rows - 2;
        self.top = self.top.min(table.len().saturating_sub(self.window));
        let order = if self.is_reversed {
            ", turned round"
        } else {
            ""
        };
        let foot = match trouble {
            Some(trouble) => format!("the relay does not answer: {trouble}"),
            None => format!(
                "q quit  arrows move  s sort ({}{order})  r turn round",
                self.sort.name()
            ),
        };
        let mut lines: Vec<String> = table.into_iter().skip(self.top).take(self.window).collect();
        lines.resize(self.window, String::new());
        lines.push(String::new());
        lines.push(foot);
        let width = usize::from(size.cols);
        lines
            .into_iter()
            .map(|line| line.chars().take(width).collect())
            .collect()
    }

    /// All of it.
    pub(super) fn table(&self, look: &Look) -> Vec<String> {
        let state = &look.state;
        let mut lines = vec![head(look), String::new()];
        let mut add = |heads: &[&str], rows: Vec<Vec<String>>, none: &str| {
            let mut grid = Grid::new(heads.iter().map(|head| (*head).to_owned()));
            if rows.is_empty() {
                lines.push(none.to_owned());
            } else {
                lines.extend(grid.lines(&rows));
            }
            lines.push(String::new());
        };
        let instances = state.instances.iter().map(|one| instance(look, one));
        add(
            &[
                "INSTANCE",
                "NAME",
                "STATUS",
                "AGENT",
                "VERSION",
                "CONNECTIONS",
                "UP/s",
                "DOWN/s",
            ],
            instances.collect(),
            "no instance",
        );
        // Those that are over are history.
        let sessions = state
            .sessions
            .iter()
            .filter(|one| one.connections > 0 || one.state == "issued" || one.state == "in_use");
        add(
            &[
                "SESSION",
                "INSTANCE",
                "STATE",
                "PORT",
                "CONNECTIONS",
                "URL LEFT",
                "UP/s",
                "DOWN/s",
            ],
            sessions.map(|one| session(look, one)).collect(),
            "no session",
        );
        let mut connections: Vec<_> = state.connections.iter().collect();
        let now = state.now_ms;
        connections.sort_by_key(|one| {
            let rate = look.rate(one.id).unwrap_or_default();
            let carried = one.carried;
            // Most first, but for what is left.
            match self.sort {
                Sort::Id => (0, 0, one.id),
                Sort::Up => (u64::MAX - rate.0, u64::MAX - carried.bytes_up, one.id),
                Sort::Down => (u64::MAX - rate.1, u64::MAX - carried.bytes_down, one.id),
                Sort::Held => (u64::MAX - held(one), 0, one.id),
                Sort::Idle => (idle_left(one, now).unwrap_or(u64::MAX), 0, one.id),
            }
        });
        if self.is_reversed {
            connections.reverse();
        }
        add(
            &[
                "CONNECTION",
                "SESSION",
                "STATE",
                "UP/s",
                "DOWN/s",
                "UP",
                "DOWN",
                "HELD",
                "IDLE LEFT",
                "CLIENT",
            ],
            connections
                .into_iter()
                .map(|one| connection(look, one))
                .collect(),
            "no connection",
        );
        lines.pop();
        lines
    }
}

fn head(look: &Look) -> String {
    let state = &look.state;
    let at = i64::try_from(state.now_ms)
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    let at = at.map_or_else(|| state.now_ms.to_string(), |at| format!("{at:.3}"));
    let frozen = if state.frozen { " (frozen)" } else { "" };
    let usage: Vec<_> = state
        .usage
        .iter()
        .map(|one| format!("{} {}/{}", one.region, one.sessions, one.sessions_limit))
        .collect();
    let usage = match usage.is_empty() {
        true => String::new(),
        false => format!("   sessions that count: {}", usage.join(", ")),
    };
    format!("rule time {at}{frozen}{usage}")
}

fn instance(look: &Look, one: &InstanceState) -> Vec<String> {
    let (up, down) = cells(look.rates(|connection| connection.instance == one.id));
    vec![
        one.id.to_string(),
        one.name.clone(),
        format!("{:?}", one.status),
        if one.agent_online {
            "online"
        } else {
            "offline"
        }
        .to_owned(),
        one.agent_version.clone().unwrap_or_default(),
        format!("{}/{}", one.connections, one.connections_limit),
        up,
        down,
    ]
}

fn session(look: &Look, one: &SessionState) -> Vec<String> {
    let left = one.url_expires_ms.saturating_sub(look.state.now_ms);
    let (up, down) = cells(look.rates(|connection| connection.session == one.id));
    vec![
        one.id.to_string(),
        one.instance.to_string(),
        one.state.clone(),
        one.port
            .map_or_else(|| "-".to_owned(), |port| port.to_string()),
        one.connections.to_string(),
        span(left),
        up,
        down,
    ]
}

fn connection(look: &Look, one: &ConnectionState) -> Vec<String> {
    let (up, down) = cells(look.rate(one.id));
    vec![
        one.id.to_string(),
        one.session.to_string(),
        one.state.clone(),
        up,
        down,
        bytes(one.carried.bytes_up),
        bytes(one.carried.bytes_down),
        span(held(one)),
        idle_left(one, look.state.now_ms).map_or_else(|| "-".to_owned(), span),
        one.client_ip.clone(),
    ]
}

const fn held(one: &ConnectionState) -> u64 {
    one.carried
        .held_up_ms
        .saturating_add(one.carried.held_down_ms)
}

fn idle_left(one: &ConnectionState, now_ms: u64) -> Option<u64> {
    Some(one.idle_deadline_ms?.saturating_sub(now_ms))
}

fn cells(rates: Option<(u64, u64)>) -> (String, String) {
    rates.map_or_else(
        || ("-".to_owned(), "-".to_owned()),
        |(up, down)| (bytes(up), bytes(down)),
    )
}

/// Bytes in at most four digits and a unit.
fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["", "K", "M", "G"];
    let mut value = bytes;
    let mut unit = 0;
    while value >= 10_000 && unit + 1 < UNITS.len() {
        value /= 1_000;
        unit += 1;
    }
    format!("{value}{}", UNITS.get(unit).copied().unwrap_or_default())
}

/// A span of milliseconds, to the second above ten.
fn span(ms: u64) -> String {
    let seconds = ms / 1_000;
    match seconds {
        0..10 => format!("{}.{}s", seconds, ms % 1_000 / 100),
        10..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3_600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests;
