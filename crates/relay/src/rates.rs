//! How often the API may be called: row 21 of ecs-api 2.5, limits-and-semantics 6.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
};

use axt_openapi::{ActionName, RateState};
use axt_proto::{AccountId, Limits, Tick, meter::CallRate};
use axt_registry::Nearest;

/// The rates of everybody who has called. They begin anew with each start of the relay.
#[derive(Debug)]
pub(crate) struct Rates {
    user: Option<NonZeroU32>,
    api: Option<NonZeroU32>,
    all: Option<NonZeroU32>,
    used: Mutex<Used>,
}

#[derive(Debug, Default)]
struct Used {
    /// Only who has signed is counted, so there are no more than accounts times actions.
    users: HashMap<(AccountId, ActionName), CallRate>,
    apis: HashMap<ActionName, CallRate>,
    all: Option<CallRate>,
}

impl Rates {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            user: NonZeroU32::new(limits.user_calls_per_minute),
            api: NonZeroU32::new(limits.api_calls_per_minute),
            all: NonZeroU32::new(limits.all_calls_per_minute),
            used: Mutex::default(),
        }
    }

    /// Counts a call. One that is refused has been counted by the narrower limits.
    pub(crate) fn take(&self, account: &AccountId, action: ActionName, now: Tick) -> RateState {
        if self.user.or(self.api).or(self.all).is_none() {
            return RateState::Within;
        }
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = |calls| CallRate::per_minute(calls, now);
        if let Some(calls) = self.user {
            let rate = used.users.entry((account.clone(), action));
            if let Err(wait) = rate.or_insert_with(|| fresh(calls)).take(now) {
                return RateState::User(wait);
            }
        }
        if let Some(calls) = self.api {
            let rate = used.apis.entry(action);
            if let Err(wait) = rate.or_insert_with(|| fresh(calls)).take(now) {
                return RateState::Api(wait);
            }
        }
        if let Some(calls) = self.all
            && let Err(wait) = used.all.get_or_insert_with(|| fresh(calls)).take(now)
        {
            return RateState::Service(wait);
        }
        RateState::Within
    }

    /// Who is nearest to each of these limits, by its name.
    pub(crate) fn nearest(&self, now: Tick) -> [(&'static str, Nearest); 3] {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let users = used.users.iter();
        let users = users.map(|((account, action), rate)| {
            let who = format!("{}, account {account}", action.as_str());
            (rate.used(now), who)
        });
        let apis = used.apis.iter();
        let apis = apis.map(|(action, rate)| (rate.used(now), action.as_str().to_owned()));
        let all = used.all.iter();
        let all = all.map(|rate| (rate.used(now), "all calls".to_owned()));
        [
            ("user_calls_per_minute", Nearest::of(users)),
            ("api_calls_per_minute", Nearest::of(apis)),
            ("all_calls_per_minute", Nearest::of(all)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const START: ActionName = ActionName::StartTerminalSession;
    const END: ActionName = ActionName::EndTerminalSession;
    const NOW: Tick = Tick::from_millis(1_000);

    fn account(id: &str) -> AccountId {
        id.parse().expect("an account")
    }

    #[test]
    fn without_a_limit_nobody_waits_and_nothing_is_kept() {
        let rates = Rates::new(&Limits::default());

        for _ in 0..2_000 {
            let state = rates.take(&account("1000000000000001"), START, NOW);
            assert_eq!(state, RateState::Within);
        }
        assert!(rates.used.lock().expect("not poisoned").users.is_empty());
    }

    #[test]
    fn each_limit_counts_for_whom_it_is_and_names_itself() {
        let rates = Rates::new(&Limits {
            user_calls_per_minute: 1,
            api_calls_per_minute: 2,
            all_calls_per_minute: 4,
            ..Limits::default()
        });
        let (one, two, three) = (
            account("1000000000000001"),
            account("1000000000000002"),
            account("1000000000000003"),
        );
        let minute = Duration::from_secs(60);

        assert_eq!(rates.take(&one, START, NOW), RateState::Within);
        assert_eq!(rates.take(&one, START, NOW), RateState::User(minute));
        assert_eq!(rates.take(&two, START, NOW), RateState::Within);
        assert_eq!(rates.take(&three, START, NOW), RateState::Api(minute / 2));
        assert_eq!(rates.take(&one, END, NOW), RateState::Within);
        assert_eq!(rates.take(&two, END, NOW), RateState::Within);
        let regions = ActionName::DescribeRegions;
        assert_eq!(
            rates.take(&one, regions, NOW),
            RateState::Service(minute / 4)
        );
        let nearest = rates.nearest(NOW).map(|(_, nearest)| nearest.used);
        assert_eq!(nearest, [1, 2, 4]);
        assert_eq!(rates.take(&one, START, NOW + minute), RateState::Within);
    }
}
