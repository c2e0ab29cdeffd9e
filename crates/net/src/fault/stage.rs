//! One toxic at work on one way of a stream: pieces in, with instants, and pieces out, later or fewer.

use std::time::Duration;

use axt_proto::Tick;
use bytes::Bytes;
use rand::{RngExt, rngs::StdRng};

use super::{Applied, Toxic};

/// How far a bandwidth may run ahead of the clock before no more is read: what a link of that speed
/// would hold itself.
const AHEAD: Duration = Duration::from_millis(100);

/// Something on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Bytes.
    Data(Bytes),
    /// The sender's end: all before it has come.
    End,
    /// The connection is closed here, behind what came before.
    Close,
}

/// A connection that ends at an instant, whatever is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    Close,
    Reset,
}

#[derive(Debug)]
pub(super) struct Stage {
    pub(super) applied: Applied,
    since: Tick,
    /// When the last piece went out, so that none overtakes it.
    last: Tick,
    /// From when on it has room for another piece's time.
    free: Tick,
    /// How much later than they went in pieces come here: what the stages before it take.
    lag: Duration,
    passed: u64,
}

impl Stage {
    pub(super) fn new(applied: Applied, now: Tick) -> Self {
        Self {
            applied,
            since: now,
            last: now,
            free: now,
            lag: Duration::ZERO,
            passed: 0,
        }
    }

    /// When the connection ends by it, data or not.
    pub(super) fn cut(&self) -> Option<(Tick, Cut)> {
        match self.applied.toxic {
            Toxic::Timeout { after: Some(after) } | Toxic::Cut { after } => {
                Some((self.since + after, Cut::Close))
            }
            Toxic::ResetPeer { after } => Some((self.since + after, Cut::Reset)),
            _ => None,
        }
    }

    /// From when on it takes more.
    pub(super) fn takes_from(&self) -> Tick {
        let ahead = AHEAD + self.lag;
        match self.applied.toxic {
            Toxic::Bandwidth { .. } | Toxic::Slicer { .. }
                if self.free.since(self.since) > ahead =>
            {
                self.free - ahead
            }
            _ => self.since,
        }
    }

    /// What becomes of a piece that went in at `now` and is here at `at`.
    pub(super) fn pass(
        &mut self,
        (now, at): (Tick, Tick),
        piece: Piece,
        random: &mut StdRng,
        out: &mut Vec<(Tick, Piece)>,
    ) {
        self.lag = at.since(now);
        let data = match piece {
            Piece::Data(data) => data,
            end => {
                let later = match self.applied.toxic {
                    Toxic::SlowClose { delay } => at + delay,
                    _ => at,
                };
                return self.put(later, end, out);
            }
        };
        match self.applied.toxic {
            Toxic::Latency { latency, jitter } => {
                let spread = random.random_range(0..=nanos(jitter).saturating_mul(2));
                let late = nanos(latency)
                    .saturating_add(spread)
                    .saturating_sub(nanos(jitter));
                self.put(at + Duration::from_nanos(late), Piece::Data(data), out);
            }
            Toxic::Bandwidth { bytes_per_s } => self.meter(at, data, bytes_per_s.max(1), out),
            Toxic::Slicer {
                average,
                variation,
                delay,
            } => self.slice(at, data, (average, variation, delay), random, out),
            Toxic::LimitData { bytes } => self.limit(at, data, bytes, out),
            Toxic::Timeout { .. } => {}
            Toxic::SlowClose { .. } | Toxic::ResetPeer { .. } | Toxic::Cut { .. } => {
                self.put(at, Piece::Data(data), out);
            }
        }
    }

    fn put(&mut self, at: Tick, piece: Piece, out: &mut Vec<(Tick, Piece)>) {
        self.last = self.last.max(at);
        out.push((self.last, piece));
    }

    /// Pieces of a tenth of a second, each when its time on the line is over.
    fn meter(&mut self, at: Tick, mut data: Bytes, rate: u64, out: &mut Vec<(Tick, Piece)>) {
        let most = usize::try_from(rate / 10).unwrap_or(usize::MAX).max(1);
        while !data.is_empty() {
            let piece = data.split_to(most.min(data.len()));
            let length = u128::try_from(piece.len()).unwrap_or(u128::MAX);
            let takes = length
                .saturating_mul(1_000_000_000)
                .div_ceil(u128::from(rate));
            let takes = Duration::from_nanos(u64::try_from(takes).unwrap_or(u64::MAX));
            self.free = self.free.max(at) + takes;
            self.put(self.free, Piece::Data(piece), out);
        }
    }

    fn slice(
        &mut self,
        at: Tick,
        mut data: Bytes,
        (average, variation, delay): (usize, usize, Duration),
        random: &mut StdRng,
        out: &mut Vec<(Tick, Piece)>,
    ) {
        while !data.is_empty() {
            let spread = random.random_range(0..=variation.saturating_mul(2));
            let most = average
                .saturating_add(spread)
                .saturating_sub(variation)
                .max(1);
            let piece = data.split_to(most.min(data.len()));
            let goes = self.free.max(at);
            self.free = goes + delay;
            self.put(goes, Piece::Data(piece), out);
        }
    }

    fn limit(&mut self, at: Tick, mut data: Bytes, bytes: u64, out: &mut Vec<(Tick, Piece)>) {
        let left = usize::try_from(bytes.saturating_sub(self.passed)).unwrap_or(usize::MAX);
        data.truncate(left);
        self.passed = self
            .passed
            .saturating_add(u64::try_from(data.len()).unwrap_or(u64::MAX));
        if !data.is_empty() {
            self.put(at, Piece::Data(data), out);
        }
        if self.passed >= bytes {
            self.put(at, Piece::Close, out);
        }
    }
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}
