//! Random histories, on the registry and on the naive model, compared after each step; and at each
//! step the relay is killed and started again, on the side.

use std::time::Duration;

use axt_proto::{AccountId, ConnectionId, EventKind, InstanceId, Limits, Reason, SessionId};
use axt_registry::{ConnectionStatus, InstanceSpec, InstanceStatus, StartRequest, Started};
use proptest::prelude::*;

use crate::{
    naive::{Naive, NaiveInstance, NaiveStart},
    world::{REGION, World, id, shell, token_of, with_token},
};

const INSTANCES: [(&str, &str); 3] = [("i-1", "1"), ("i-2", "1"), ("i-3", "2")];
const ACCOUNTS: [&str; 2] = ["1", "2"];

#[derive(Clone, Debug)]
enum Op {
    Advance(u64),
    Tick,
    Start {
        instance: usize,
        account: usize,
        token: Option<(u8, u8)>,
    },
    Commit(usize),
    RollBack(usize),
    Connect {
        session: usize,
        has_token: bool,
    },
    Live(usize),
    Close(usize, Reason),
    Fail(usize, Reason),
    End {
        session: usize,
        account: usize,
    },
    SetRunning(usize, bool),
    Declare(usize),
    Remove(usize),
    Online(usize, bool),
    Offline(usize),
    Switch(usize, bool),
    Reset,
    Restart,
}

fn op() -> impl Strategy<Value = Op> {
    let any_of = || 0..64_usize;
    let instance = || 0..INSTANCES.len();
    let account = || 0..ACCOUNTS.len();
    let spans = [
        1,
        1_000,
        599_999,
        600_000,
        3_600_000,
        86_400_000,
        15 * 86_400_000,
    ];
    let end = prop::sample::select(vec![
        Reason::Exit,
        Reason::ClientClosed,
        Reason::IdleTimeout,
    ]);
    let failure = prop::sample::select(vec![Reason::AgentTimeout, Reason::OpenPtyFailed]);
    let token = prop::option::of((0..3_u8, 0..4_u8).prop_map(|(a, b)| (a, b / 3)));
    prop_oneof![
        6 => prop::sample::select(spans.to_vec()).prop_map(Op::Advance),
        1 => Just(Op::Tick),
        20 => (instance(), account(), token)
            .prop_map(|(instance, account, token)| Op::Start { instance, account, token }),
        16 => any_of().prop_map(Op::Commit),
        2 => any_of().prop_map(Op::RollBack),
        20 => (any_of(), prop::bool::weighted(0.95))
            .prop_map(|(session, has_token)| Op::Connect { session, has_token }),
        8 => any_of().prop_map(Op::Live),
        10 => (any_of(), end).prop_map(|(one, reason)| Op::Close(one, reason)),
        5 => (any_of(), failure).prop_map(|(one, reason)| Op::Fail(one, reason)),
        6 => (any_of(), account()).prop_map(|(session, account)| Op::End { session, account }),
        3 => (instance(), any::<bool>()).prop_map(|(one, is)| Op::SetRunning(one, is)),
        4 => instance().prop_map(Op::Declare),
        1 => instance().prop_map(Op::Remove),
        6 => (instance(), prop::bool::weighted(0.8)).prop_map(|(one, is)| Op::Online(one, is)),
        1 => instance().prop_map(Op::Offline),
        2 => (account(), prop::bool::weighted(0.7)).prop_map(|(one, is)| Op::Switch(one, is)),
        1 => Just(Op::Reset),
        1 => Just(Op::Restart),
    ]
}

#[derive(Clone)]
struct Pair {
    world: World,
    naive: Naive,
    pending: Vec<Started>,
    /// Every session that ever was.
    sessions: Vec<SessionId>,
}

impl Pair {
    fn new() -> Self {
        let limits = Limits {
            sessions_per_region: 4,
            connections_per_instance: 3,
            history_records: 4,
            history_connections: 4,
            client_tokens: 2,
            ..Limits::default()
        };
        let world = World::empty(limits.clone());
        let naive = Naive {
            limits,
            now: world.now,
            instances: Vec::new(),
            sessions: Vec::new(),
            connections: Vec::new(),
            tokens: Vec::new(),
            switched_off: Vec::new(),
            connections_ever: 0,
        };
        let mut pair = Self {
            world,
            naive,
            pending: Vec::new(),
            sessions: Vec::new(),
        };
        for instance in 0..INSTANCES.len() {
            pair.run(Op::Declare(instance));
            pair.run(Op::Online(instance, true));
        }
        pair
    }

    fn a_session(&self, pick: usize) -> Option<SessionId> {
        // The latest ones are those that something can still happen to.
        let recent = self.sessions.iter().rev().take(6).collect::<Vec<_>>();
        recent
            .get(pick % recent.len().max(1))
            .map(|id| (*id).clone())
    }

    fn a_connection(&self, pick: usize) -> u64 {
        let recent = self.naive.connections_ever.min(8);
        self.naive.connections_ever - (pick as u64 % recent.max(1)).min(recent)
    }

    fn a_pending(&mut self, pick: usize) -> Option<Started> {
        let count = self.pending.len();
        (count > 0).then(|| self.pending.remove(pick % count))
    }

    fn run(&mut self, op: Op) {
        match op {
            Op::Advance(millis) => {
                self.world.advance(Duration::from_millis(millis));
                self.naive.now = self.world.now;
            }
            Op::Tick => {
                self.world.tick();
                self.naive.tick();
            }
            Op::Start {
                instance,
                account,
                token,
            } => self.start(instance, account, token),
            Op::Commit(pick) => {
                if let Some(started) = self.a_pending(pick) {
                    self.naive.committed(&started.session);
                    self.world.commit(started);
                }
            }
            Op::RollBack(pick) => {
                if let Some(started) = self.a_pending(pick) {
                    self.naive.rolled_back(&started.session);
                    self.world.roll_back(&started);
                }
            }
            Op::Connect { session, has_token } => {
                if let Some(session) = self.a_session(session) {
                    let token = if has_token {
                        token_of(&session)
                    } else {
                        "none".to_owned()
                    };
                    let real = self.world.connect_with(&session, &token);
                    let naive = self.naive.connect(&session, has_token);
                    assert_eq!(real.map(|one| one.connection.0), naive);
                }
            }
            Op::Live(pick) => {
                let connection = self.a_connection(pick);
                self.world.live(ConnectionId(connection));
                self.naive.live_report(connection);
            }
            Op::Close(pick, reason) => {
                let connection = self.a_connection(pick);
                self.world.close(ConnectionId(connection), reason);
                self.naive
                    .end_report(connection, ConnectionStatus::Terminated, reason);
            }
            Op::Fail(pick, reason) => {
                let connection = self.a_connection(pick);
                self.world.fail(ConnectionId(connection), reason);
                self.naive
                    .end_report(connection, ConnectionStatus::Failed, reason);
            }
            Op::End { session, account } => {
                if let Some(session) = self.a_session(session) {
                    let account = ACCOUNTS[account];
                    let real = self.world.end_as(account, &session);
                    assert_eq!(real, self.naive.end(&id(account), &session));
                }
            }
            Op::SetRunning(instance, is_running) => {
                if let Some(instance) = self.an_instance(instance) {
                    let status = match is_running {
                        true => InstanceStatus::Running,
                        false => InstanceStatus::Stopped,
                    };
                    self.world.set_status(instance.as_str(), status);
                    self.naive.set_running(&instance, is_running);
                }
            }
            Op::Declare(instance) => self.declare(instance),
            Op::Remove(instance) => {
                if let Some(instance) = self.an_instance(instance) {
                    self.world.remove(instance.as_str());
                    self.naive.remove(&instance);
                }
            }
            Op::Online(instance, is_new) => {
                let instance: InstanceId = id(INSTANCES[instance].0);
                let version = if is_new { "2.2.4.1065" } else { "2.2.3.256" };
                self.world.online(instance.as_str(), version);
                self.naive.tick();
                for one in self
                    .naive
                    .instances
                    .iter_mut()
                    .filter(|one| one.id == instance)
                {
                    one.is_online = true;
                    one.is_new = Some(is_new);
                }
            }
            Op::Offline(instance) => {
                let instance: InstanceId = id(INSTANCES[instance].0);
                self.world.offline(instance.as_str());
                self.naive.tick();
                for one in self
                    .naive
                    .instances
                    .iter_mut()
                    .filter(|one| one.id == instance)
                {
                    one.is_online = false;
                }
            }
            Op::Switch(account, is_on) => {
                let account: AccountId = id(ACCOUNTS[account]);
                let registry = &mut self.world.registry;
                let changes = registry.set_session_manager(self.world.now, &account, is_on);
                self.world.take(changes);
                self.naive.tick();
                self.naive.switched_off.retain(|one| *one != account);
                if !is_on {
                    self.naive.switched_off.push(account);
                }
            }
            Op::Reset => {
                self.world.reset();
                self.naive.reset();
            }
            Op::Restart => self.restart(),
        }
    }

    fn an_instance(&self, index: usize) -> Option<InstanceId> {
        let instance: InstanceId = id(INSTANCES[index].0);
        let is_there = self.naive.instances.iter().any(|one| one.id == instance);
        is_there.then_some(instance)
    }

    fn declare(&mut self, index: usize) {
        let (instance, account) = INSTANCES[index];
        let spec = InstanceSpec::new(id(instance), id(account), id(REGION));
        self.world.declare_as(spec);
        match self.an_instance(index) {
            Some(instance) => self.naive.set_running(&instance, true),
            None => {
                self.naive.tick();
                self.naive.instances.push(NaiveInstance {
                    id: id(instance),
                    account: id(account),
                    is_running: true,
                    is_online: false,
                    is_new: None,
                });
            }
        }
    }

    fn start(&mut self, instance: usize, account: usize, token: Option<(u8, u8)>) {
        let account: AccountId = id(ACCOUNTS[account]);
        let instance: InstanceId = id(INSTANCES[instance].0);
        let mut request = StartRequest {
            account: account.clone(),
            ..shell(instance.as_str())
        };
        let token = token.map(|(token, fingerprint)| (format!("t{token}"), fingerprint));
        if let Some((token, fingerprint)) = &token {
            request = with_token(request, token, *fingerprint);
        }
        let fresh = self.world.next_session();
        let call = NaiveStart {
            account,
            instance,
            token,
            fresh: fresh.clone(),
        };

        let real = self.world.admit(&request);
        let naive = self.naive.start(&call);

        assert_eq!(
            real.as_ref().map(|one| one.session.clone()).map_err(|e| *e),
            naive
        );
        if let Ok(started) = real {
            assert_eq!(started.commit.is_some(), started.session == fresh);
            if started.commit.is_some() {
                self.sessions.push(fresh);
                self.pending.push(started);
            }
        }
    }

    fn restart(&mut self) {
        self.pending.clear();
        self.world.restart();
        self.naive.restart();
    }

    fn compare(&self) {
        let registry = &self.world.registry;
        let mut naive = self.naive.clone();
        // The real one need not have looked at its deadlines yet.
        let mut real = registry.clone();
        let _ = real.tick(self.world.now);
        naive.tick();

        for account in ACCOUNTS {
            let usage = real.sessions_usage(&id(account), &id(REGION));
            assert_eq!(
                usage.used as usize,
                naive.active(&id(account)),
                "account {account}"
            );
        }
        for (instance, _) in INSTANCES {
            let usage = real.connections_usage(&id(instance));
            assert_eq!(
                usage.used as usize,
                naive.connected(&id(instance)),
                "{instance}"
            );
        }
        let mut sessions: Vec<_> = naive
            .sessions
            .iter()
            .filter(|one| one.is_committed)
            .collect();
        sessions.sort_by(|a, b| (b.created, &b.id).cmp(&(a.created, &a.id)));
        let expected: Vec<_> = sessions
            .iter()
            .map(|one| (one.id.clone(), one.phase))
            .collect();
        let found = real.sessions();
        let found: Vec<_> = found
            .iter()
            .map(|one| (one.id.clone(), one.phase))
            .collect();
        assert_eq!(found, expected);
        for session in sessions {
            let found: Vec<_> = real
                .connections_of(&session.id)
                .map(|one| {
                    (
                        one.id.0,
                        one.status,
                        one.end.as_ref().and_then(|end| end.reason),
                    )
                })
                .collect();
            let of_it = naive
                .connections
                .iter()
                .filter(|one| one.session == session.id);
            let expected: Vec<_> = of_it.map(|one| (one.id, one.status, one.reason)).collect();
            assert_eq!(found, expected);
        }
        assert_eq!(real.next_deadline(), naive.next_deadline());
        for session in &self.sessions {
            let of_it = self
                .world
                .events
                .iter()
                .filter(|one| one.session.as_ref() == Some(session));
            let is_release = |one: &&_| {
                matches!(
                    one,
                    axt_proto::Event {
                        kind: EventKind::SessionReleased,
                        ..
                    }
                )
            };
            assert!(
                of_it.filter(is_release).count() <= 1,
                "{session} was released twice"
            );
        }
        assert!(
            self.world
                .events
                .is_sorted_by(|a, b| a.seq < b.seq || !in_order(a, b))
        );
    }
}

/// A session's own events travel with its commit, and so arrive later than others.
fn in_order(a: &axt_proto::Event, b: &axt_proto::Event) -> bool {
    let is_start = |one: &axt_proto::Event| matches!(one.kind, EventKind::SessionStarted { .. });
    !is_start(a) && !is_start(b)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..Default::default() })]

    #[test]
    fn every_history_is_the_naive_models_history_and_survives_a_restart_at_each_step(
        ops in prop::collection::vec(op(), 1..120),
    ) {
        let mut pair = Pair::new();
        for op in ops {
            pair.run(op);
            pair.compare();
            let mut killed = pair.clone();
            killed.restart();
            killed.compare();
        }
    }
}
