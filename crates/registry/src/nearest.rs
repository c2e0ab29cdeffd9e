//! How near anyone is to each limit: for `axt limits`. Nothing is decided here.

use std::collections::BTreeMap;

use axt_proto::Tick;

use crate::{Phase, Registry};

const SECOND: u64 = 1_000_000_000;
const HOUR: u64 = 3_600 * SECOND;
const DAY: u64 = 24 * HOUR;

/// The one that is nearest to a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nearest {
    /// How much of the limit it has in use, in the limit's own unit.
    pub used: u64,
    /// Which one it is, in words; `None` when nobody uses any.
    pub who: Option<String>,
}

impl Nearest {
    /// The greatest of these uses.
    #[must_use]
    pub fn of(uses: impl IntoIterator<Item = (u64, String)>) -> Self {
        let greatest = uses.into_iter().max_by_key(|(used, _)| *used);
        match greatest.filter(|(used, _)| *used > 0) {
            Some((used, who)) => Self {
                used,
                who: Some(who),
            },
            None => Self { used: 0, who: None },
        }
    }
}

impl Registry {
    /// The nearest to each limit that is judged here, by the limit's name. It looks at everything
    /// that there is.
    #[must_use]
    pub fn nearest(&self, now: Tick) -> BTreeMap<&'static str, Nearest> {
        let units = |since: Tick, unit: u64| {
            let age = u64::try_from(now.since(since).as_nanos()).unwrap_or(u64::MAX);
            age / unit
        };
        let sizes = |name: &'static str, sizes: Vec<(usize, String)>| {
            let as_use = |(used, who)| (u64::try_from(used).unwrap_or(u64::MAX), who);
            (name, Nearest::of(sizes.into_iter().map(as_use)))
        };
        let index = &self.index;
        let open = self.sessions().into_iter();
        let open = open.filter(|session| session.phase == Phase::Open);
        let records = self.sessions().into_iter();
        let tokens = self.ledger.remembered();
        let calls = self.invocations().into_iter();
        BTreeMap::from([
            (
                "url_validity_s",
                Nearest::of(open.map(|one| (units(one.created, SECOND), one.id.to_string()))),
            ),
            sizes(
                "sessions_per_region",
                (index.active.iter())
                    .map(|(scope, active)| (active.len(), in_words(scope)))
                    .collect(),
            ),
            sizes(
                "connections_per_instance",
                (index.live_on.iter())
                    .map(|(instance, live)| (live.len(), instance.to_string()))
                    .collect(),
            ),
            (
                "history_days",
                Nearest::of(records.map(|one| (units(one.created, DAY), one.id.to_string()))),
            ),
            sizes("history_records", self.records()),
            sizes(
                "history_connections",
                (index.of_session.iter())
                    .map(|(session, all)| (all.len(), session.to_string()))
                    .collect(),
            ),
            (
                "client_token_hours",
                Nearest::of(tokens.map(|one| (units(one.at, HOUR), one.key.account.to_string()))),
            ),
            sizes(
                "client_tokens",
                (self.ledger.ages())
                    .map(|(account, tokens)| (tokens, account.to_string()))
                    .collect(),
            ),
            sizes("activations_per_region", self.live_activations(now)),
            (
                "command_days",
                Nearest::of(calls.map(|one| (units(one.created, DAY), one.id.to_string()))),
            ),
            sizes(
                "command_results",
                (index.runs.results.iter())
                    .map(|(scope, results)| (results.len(), in_words(scope)))
                    .collect(),
            ),
            sizes("kept_commands", self.kept_commands()),
            sizes(
                "tasks_per_instance",
                (index.runs.unfinished_on.iter())
                    .map(|(instance, tasks)| (tasks.len(), instance.to_string()))
                    .collect(),
            ),
        ])
    }

    /// Records that count together, as `trim_history` counts them.
    fn records(&self) -> Vec<(usize, String)> {
        let mut pools: BTreeMap<_, usize> = BTreeMap::new();
        for (pool, records) in &self.index.history {
            *pools.entry(pool.clone()).or_default() += records.len();
        }
        for (scope, unsettled) in &self.index.unsettled {
            *pools.entry((scope.clone(), false)).or_default() += unsettled.len();
        }
        let named = |((scope, failed), records)| {
            let kind = if failed { ", failed ones" } else { "" };
            (records, format!("{}{kind}", in_words(&scope)))
        };
        pools.into_iter().map(named).collect()
    }

    fn kept_commands(&self) -> Vec<(usize, String)> {
        let mut kept: BTreeMap<_, usize> = BTreeMap::new();
        for one in self.commands() {
            let scope = (one.account.clone(), one.region.clone());
            *kept.entry(scope).or_default() += 1;
        }
        let named = |(scope, count)| (count, in_words(&scope));
        kept.into_iter().map(named).collect()
    }

    fn live_activations(&self, now: Tick) -> Vec<(usize, String)> {
        let mut live: BTreeMap<_, usize> = BTreeMap::new();
        for one in self.activations.values().filter(|one| one.is_alive(now)) {
            let scope = (one.spec.account.clone(), one.spec.region.clone());
            *live.entry(scope).or_default() += 1;
        }
        let named = |(scope, count)| (count, in_words(&scope));
        live.into_iter().map(named).collect()
    }
}

fn in_words((account, region): &crate::index::Scope) -> String {
    format!("{region}, account {account}")
}
