//! ClientTokens at work: under way, remembered, forgotten (limits-and-semantics 4).

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use axt_proto::{AccountId, SessionId, Tick};

use crate::{
    Answer, Changes, Fingerprint, Registry, RememberedToken, Row, RowChange, RowKey, TokenKey,
    TokenRefusal, deadline::Deadline, registry::Step,
};

/// All ClientTokens.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    /// Calls that have not ended.
    under_way: BTreeMap<TokenKey, Fingerprint>,
    /// Sessions between admission and commit, with the tokens of their calls.
    committing: BTreeMap<SessionId, Option<TokenKey>>,
    /// Calls that succeeded.
    remembered: BTreeMap<TokenKey, RememberedToken>,
    /// The keys of `remembered`, oldest first.
    ages: BTreeMap<AccountId, BTreeSet<(Tick, TokenKey)>>,
}

impl Ledger {
    /// The answer of an earlier call, or `None` when this is the first.
    pub(crate) fn look_up(
        &self,
        key: &TokenKey,
        fingerprint: &Fingerprint,
    ) -> Result<Option<Answer>, TokenRefusal> {
        let remembered = self.remembered.get(key);
        let first = remembered
            .map(|token| &token.fingerprint)
            .or_else(|| self.under_way.get(key));
        match (first, remembered) {
            (None, _) => Ok(None),
            (Some(first), _) if first != fingerprint => Err(TokenRefusal::Mismatch),
            (Some(_), Some(token)) => Ok(Some(token.answer.clone())),
            (Some(_), None) => Err(TokenRefusal::Processing),
        }
    }

    /// A session was admitted and waits for its commit.
    pub(crate) fn admit(&mut self, session: &SessionId, token: Option<(TokenKey, Fingerprint)>) {
        let key = token.map(|(key, fingerprint)| {
            self.under_way.insert(key.clone(), fingerprint);
            key
        });
        self.committing.insert(session.clone(), key);
    }

    /// The session's commit is decided: its call is no longer under way.
    pub(crate) fn settle(&mut self, session: &SessionId) -> Option<(TokenKey, Fingerprint)> {
        let key = self.committing.remove(session)??;
        self.under_way.remove_entry(&key)
    }

    pub(crate) fn is_committing(&self, session: &SessionId) -> bool {
        self.committing.contains_key(session)
    }

    pub(crate) fn remembered(&self) -> impl Iterator<Item = &RememberedToken> {
        self.remembered.values()
    }

    /// How many ClientTokens each account has remembered.
    pub(crate) fn ages(&self) -> impl Iterator<Item = (&AccountId, usize)> {
        self.ages
            .iter()
            .map(|(account, ages)| (account, ages.len()))
    }

    pub(crate) fn insert(&mut self, token: RememberedToken) {
        let age = (token.at, token.key.clone());
        let account = token.key.account.clone();
        self.ages.entry(account).or_default().insert(age);
        self.remembered.insert(token.key.clone(), token);
    }

    fn remove(&mut self, key: &TokenKey) -> Option<RememberedToken> {
        let token = self.remembered.remove(key)?;
        if let Some(ages) = self.ages.get_mut(&key.account) {
            ages.remove(&(token.at, key.clone()));
            if ages.is_empty() {
                self.ages.remove(&key.account);
            }
        }
        Some(token)
    }

    fn oldest_beyond(&self, account: &AccountId, limit: usize) -> Option<TokenKey> {
        let ages = self.ages.get(account).filter(|ages| ages.len() > limit)?;
        ages.first().map(|(_, key)| key.clone())
    }
}

impl Registry {
    /// Looks a ClientToken up for an action other than StartTerminalSession (which does so
    /// itself). `None`: the call is the first one, and now under way until
    /// [`finish_call`](Self::finish_call) or [`abandon_call`](Self::abandon_call).
    ///
    /// # Errors
    /// See [`TokenRefusal`].
    pub fn begin_call(
        &mut self,
        now: Tick,
        key: &TokenKey,
        fingerprint: &Fingerprint,
    ) -> (Result<Option<Answer>, TokenRefusal>, Changes) {
        self.step(now, |registry, _| {
            let answer = registry.ledger.look_up(key, fingerprint)?;
            if answer.is_none() {
                let under_way = &mut registry.ledger.under_way;
                under_way.insert(key.clone(), fingerprint.clone());
            }
            Ok(answer)
        })
    }

    /// The row that [`finish_call`](Self::finish_call) writes, to be committed together with what the
    /// call has changed while it still counts as under way. `None` when none is.
    #[must_use]
    pub fn finishing_call(&self, now: Tick, key: &TokenKey, answer: Answer) -> Option<RowChange> {
        let fingerprint = self.ledger.under_way.get(key)?;
        let token = self.remembered(now, key, fingerprint, answer);
        Some(RowChange::Put(Row::Token(Box::new(token))))
    }

    /// The call succeeded: its answer is remembered. Nothing happens when none is under way.
    pub fn finish_call(&mut self, now: Tick, key: &TokenKey, answer: Answer) -> Changes {
        let finish = |registry: &mut Self, step: &mut Step| {
            if let Some(fingerprint) = registry.ledger.under_way.remove(key) {
                let token = registry.remembered(step.now, key, &fingerprint, answer);
                step.put(Row::Token(Box::new(token.clone())));
                registry.remember(step, token);
            }
        };
        self.step(now, finish).1
    }

    /// The call failed: its token is free again.
    pub fn abandon_call(&mut self, key: &TokenKey) {
        self.ledger.under_way.remove(key);
    }

    pub(crate) fn remembered(
        &self,
        at: Tick,
        key: &TokenKey,
        fingerprint: &Fingerprint,
        answer: Answer,
    ) -> RememberedToken {
        let kept = Duration::from_secs(3_600) * self.limits.client_token_hours;
        RememberedToken {
            key: key.clone(),
            fingerprint: fingerprint.clone(),
            answer,
            at,
            expires: at + kept,
        }
    }

    /// Keeps a token whose row is written already, and the account's tokens below their limit.
    pub(crate) fn remember(&mut self, step: &mut Step, token: RememberedToken) {
        let account = token.key.account.clone();
        let deadline = Deadline::Token(token.key.clone());
        self.index.deadlines.insert((token.expires, deadline));
        self.ledger.insert(token);
        let limit = usize::try_from(self.limits.client_tokens).unwrap_or(usize::MAX);
        while let Some(oldest) = self.ledger.oldest_beyond(&account, limit) {
            self.forget_token(step, &oldest);
        }
    }

    pub(crate) fn forget_token(&mut self, step: &mut Step, key: &TokenKey) {
        if let Some(token) = self.ledger.remove(key) {
            let deadline = Deadline::Token(key.clone());
            self.index.deadlines.remove(&(token.expires, deadline));
            step.delete(RowKey::Token(key.clone()));
        }
    }

    /// Forgets every remembered token.
    pub(crate) fn forget_tokens(&mut self, step: &mut Step) {
        let keys: Vec<_> = self.ledger.remembered.keys().cloned().collect();
        for key in keys {
            self.forget_token(step, &key);
        }
    }
}
