//! One way of a stream with all its toxics: what comes out of it, and when. No I/O, no clock.

use std::collections::VecDeque;

use axt_proto::Tick;
use bytes::Bytes;
use rand::rngs::StdRng;

use super::{
    Applied,
    stage::{Cut, Piece, Stage},
};

/// How many bytes may be on their way at once: a second of latency at 8 Mbit/s.
const UNDER_WAY: usize = 1024 * 1024;

/// What comes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// A piece, behind those before it.
    Piece(Piece),
    /// The connection ends now, and what has not come out never does.
    Cut(Cut),
}

/// See the module.
#[derive(Debug)]
pub(super) struct Line {
    stages: Vec<Stage>,
    queue: VecDeque<(Tick, Piece)>,
    queued: usize,
    random: StdRng,
    /// An end is in the queue, or out of it.
    is_over: bool,
}

impl Line {
    pub(super) fn new(random: StdRng) -> Self {
        Self {
            stages: Vec::new(),
            queue: VecDeque::new(),
            queued: 0,
            random,
            is_over: false,
        }
    }

    /// From now on these toxics are on it. Those that were stay as they are; what is under way comes
    /// out at once, for who held it back may be gone.
    pub(super) fn change(&mut self, now: Tick, toxics: impl Iterator<Item = Applied>) {
        let mut former = std::mem::take(&mut self.stages);
        self.stages = toxics
            .map(|applied| {
                let at = former.iter().position(|stage| stage.applied == applied);
                at.map_or_else(|| Stage::new(applied, now), |at| former.swap_remove(at))
            })
            .collect();
        for (at, _) in &mut self.queue {
            *at = now;
        }
    }

    /// Whether it takes more at `now`.
    pub(super) fn has_room(&self, now: Tick) -> bool {
        !self.is_over && self.queued < UNDER_WAY && self.takes_from().is_none_or(|from| from <= now)
    }

    fn takes_from(&self) -> Option<Tick> {
        self.stages.iter().map(Stage::takes_from).max()
    }

    /// Bytes go in at `now`.
    pub(super) fn push(&mut self, now: Tick, data: Bytes) {
        self.put(now, Piece::Data(data));
    }

    /// The sender has ended.
    pub(super) fn end(&mut self, now: Tick) {
        self.put(now, Piece::End);
        self.is_over = true;
    }

    fn put(&mut self, now: Tick, piece: Piece) {
        let mut pieces = vec![(now, piece)];
        for stage in &mut self.stages {
            let mut out = Vec::with_capacity(pieces.len());
            for (at, piece) in pieces {
                stage.pass((now, at), piece, &mut self.random, &mut out);
            }
            pieces = out;
        }
        let last = self.queue.back().map_or(now, |(at, _)| *at);
        for (at, piece) in pieces {
            if self.is_over {
                break;
            }
            match &piece {
                Piece::Data(data) => self.queued = self.queued.saturating_add(data.len()),
                Piece::End | Piece::Close => self.is_over = true,
            }
            self.queue.push_back((at.max(last), piece));
        }
    }

    /// What comes out at `now`, one after the other.
    pub(super) fn due(&mut self, now: Tick) -> Option<Due> {
        let cuts = self.stages.iter().filter_map(Stage::cut);
        let cut = cuts.filter(|(at, _)| *at <= now).min_by_key(|(at, _)| *at);
        let first = self.queue.front().filter(|(at, _)| *at <= now);
        match (cut, first) {
            // What had come out by then has.
            (Some((at, cut)), first) if first.is_none_or(|(first, _)| *first > at) => {
                self.queue.clear();
                self.is_over = true;
                self.stages.clear();
                Some(Due::Cut(cut))
            }
            (_, Some(_)) => {
                let (_, piece) = self.queue.pop_front()?;
                if let Piece::Data(data) = &piece {
                    self.queued = self.queued.saturating_sub(data.len());
                }
                Some(Due::Piece(piece))
            }
            _ => None,
        }
    }

    /// When something comes out next, or it takes more again.
    pub(super) fn deadline(&self, now: Tick) -> Option<Tick> {
        let cuts = self.stages.iter().filter_map(Stage::cut).map(|(at, _)| at);
        let first = self.queue.front().map(|(at, _)| *at);
        let room = self
            .takes_from()
            .filter(|from| *from > now && !self.is_over);
        cuts.chain(first).chain(room).min()
    }
}
