//! A journal that is cut off at any record: what the relay would know if it had been killed right
//! after that one was written (design, "Failure").
//!
//! Random histories run against a relay in memory; each of them is cut at each of its records.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use axt_journal::{Batch, Journal};
use axt_net::link;
use axt_proto::{Limits, Reason};
use axt_registry::{Phase, Registry, Row, RowChange, RowKey};
use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::{
    harness::{INSTANCE, START, Session, World},
    peers::{Agent, Channel, Client},
};

const SEEDS: u64 = 40;
const STEPS: usize = 40;

/// Low enough that the histories meet all of them.
fn limits() -> Limits {
    Limits {
        bandwidth_bytes_per_s: 0,
        sessions_per_region: 8,
        connections_per_instance: 5,
        history_records: 12,
        history_connections: 4,
        ..Limits::default()
    }
}

/// Everything that was written, record by record.
#[derive(Clone, Default)]
struct Records(Arc<Mutex<Vec<Batch>>>);

impl Records {
    fn all(&self) -> Vec<Batch> {
        let records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        records.clone()
    }

    fn len(&self) -> usize {
        self.all().len()
    }

    fn journal(&self) -> Journal {
        let records = self.0.clone();
        let journal = Journal::inline().expect("memory");
        journal.watched(move |batch| {
            let mut records = records.lock().unwrap_or_else(PoisonError::into_inner);
            records.push(batch.clone());
        })
    }
}

/// What was answered, and how many records there were by then.
#[derive(Default)]
struct Answered {
    started: BTreeMap<String, usize>,
    ended: BTreeMap<String, usize>,
}

/// A relay, an agent and clients that do as the seed says.
struct History {
    world: World,
    agent: Agent,
    records: Records,
    answered: Answered,
    open: Vec<Session>,
    live: Vec<(Client, Channel)>,
}

impl History {
    async fn new() -> Self {
        let records = Records::default();
        let world = World::on(limits(), records.journal()).await;
        Self {
            agent: world.our_agent().await,
            world,
            records,
            answered: Answered::default(),
            open: Vec::new(),
            live: Vec::new(),
        }
    }

    async fn step(&mut self, random: &mut StdRng) {
        match random.random_range(0..10) {
            0..=3 => self.start(random.random_range(0..6)).await,
            4..=6 if !self.open.is_empty() => {
                let at = random.random_range(0..self.open.len());
                self.connect(at).await;
            }
            7 if !self.live.is_empty() => {
                let at = random.random_range(0..self.live.len());
                drop(self.live.swap_remove(at));
                // The loss is noticed at once, or when nobody has dialled again.
                link::sleep(link::REDIAL_WINDOW).await;
            }
            8 if !self.open.is_empty() => {
                let at = random.random_range(0..self.open.len());
                self.end(at).await;
            }
            _ => {
                let by = [1, 1_000, 179_999, 180_000, 600_000, 86_400_000];
                let by = by[random.random_range(0..by.len())];
                let by = std::time::Duration::from_millis(by);
                self.world.clock.advance(by).await.expect("moved");
            }
        }
    }

    /// Some of them with a ClientToken that was used before.
    async fn start(&mut self, token: u32) {
        let mut parameters = format!("&InstanceId.1={INSTANCE}");
        if token < 3 {
            parameters.push_str(&format!("&ClientToken=t{token}"));
        }
        let (status, answer) = self.world.call("StartTerminalSession", &parameters).await;
        if status == 200 {
            let session = World::session(&answer);
            let records = self.records.len();
            self.answered
                .started
                .entry(session.id.clone())
                .or_insert(records);
            self.open.push(session);
        }
    }

    async fn connect(&mut self, at: usize) {
        let Ok(mut client) = self.world.connect(&self.open[at].url).await else {
            return;
        };
        // Kicks and stops come in an order of their own.
        let channel = loop {
            let command = self.agent.command().await;
            if let Some(channel) = command.strip_prefix("kick_vm session start ") {
                break channel.to_owned();
            }
        };
        let object = self.agent.list(&channel).await.session[0].clone();
        let mut channel = self.agent.dial(object).await.expect("let in");
        client.expect_speed().await;
        channel.expect_speed().await;
        self.live.push((client, channel));
    }

    async fn end(&mut self, at: usize) {
        let session = &self.open[at];
        let parameters = format!("&SessionId={}", session.id);
        let (status, _) = self.world.call("EndTerminalSession", &parameters).await;
        if status == 200 {
            let records = self.records.len();
            self.answered.ended.insert(session.id.clone(), records);
        }
    }
}

/// The registry that is restored when only the first `length` records were written.
fn restored(records: &[Batch], length: usize, limits: &Limits, world: &World) -> Registry {
    let mut rows: BTreeMap<RowKey, Row> = BTreeMap::new();
    for change in records[..length].iter().flat_map(|batch| &batch.rows) {
        match change {
            RowChange::Put(row) => {
                rows.insert(row.key(), row.clone());
            }
            RowChange::Delete(key) => {
                rows.remove(key);
            }
        }
    }
    let (registry, _) = Registry::restore(limits.clone(), rows.into_values(), world.clock.now());
    registry
}

fn check(history: &History, records: &[Batch], length: usize, limits: &Limits) {
    let registry = restored(records, length, limits, &history.world);
    registry.invariants().expect("the invariants hold");

    assert_eq!(registry.live_connections().count(), 0);
    for connection in registry
        .sessions()
        .iter()
        .flat_map(|one| registry.connections_of(&one.id))
    {
        let end = connection.end.as_ref().expect("nothing is open");
        let is_restart = end.reason == Some(Reason::RelayRestarted);
        assert!(
            !is_restart || end.at == history.world.clock.now(),
            "{connection:?}"
        );
    }
    let account = "1000000000000001".parse().expect("valid");
    let region = "cn-hangzhou".parse().expect("valid");
    let open = registry.sessions().into_iter();
    let open = open.filter(|one| one.phase == Phase::Open).count();
    let usage = registry.sessions_usage(&account, &region);
    assert_eq!(
        usage.used as usize, open,
        "what counts is what can be opened"
    );
    // What was answered as ended never opens again, and so never counts.
    for (session, at) in &history.answered.ended {
        let id = session.parse().expect("valid");
        let phase = registry.session(&id).map(|one| one.phase);
        assert!(
            *at > length || phase.is_none_or(|phase| phase == Phase::Ended),
            "{session} is back"
        );
    }
    // What was answered as started is there, unless history may have dropped it by then.
    let kept = limits.history_records as usize;
    if history.answered.started.len() <= kept {
        let month = std::time::Duration::from_secs(30 * 86_400);
        let is_young = history.world.clock.now().since(START) < month;
        for (session, at) in &history.answered.started {
            let id = session.parse().expect("valid");
            let is_there = registry.session(&id).is_some();
            assert!(*at > length || !is_young || is_there, "{session} is lost");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_is_cut_at_any_record_restores_what_was_answered_by_then() {
    let mut cuts = 0;
    for seed in 0..SEEDS {
        let mut random = StdRng::seed_from_u64(seed);
        let mut history = History::new().await;
        for _ in 0..STEPS {
            history.step(&mut random).await;
        }
        let limits = limits();
        let records = history.records.all();
        for length in 0..=records.len() {
            check(&history, &records, length, &limits);
            cuts += 1;
        }
    }

    assert!(cuts > 2_000, "{cuts} cuts");
}
