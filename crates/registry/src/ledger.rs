//! ClientTokens at work: under way, remembered, forgotten.

use axt_proto::Tick;

use crate::{Answer, Changes, Fingerprint, Registry, TokenKey, TokenRefusal};

impl Registry {
    /// Looks a ClientToken up for an action other than StartTerminalSession (which does so
    /// itself). `None`: the call is the first one, and now under way until
    /// [`finish_call`](Self::finish_call) or [`abandon_call`](Self::abandon_call).
    ///
    /// # Errors
    /// See [`TokenRefusal`].
    pub fn begin_call(
        &mut self,
        _now: Tick,
        _key: &TokenKey,
        _fingerprint: &Fingerprint,
    ) -> (Result<Option<Answer>, TokenRefusal>, Changes) {
        (Ok(None), Changes::default())
    }

    /// The call succeeded: its answer is remembered.
    pub fn finish_call(&mut self, _now: Tick, _key: &TokenKey, _answer: Answer) -> Changes {
        Changes::default()
    }

    /// The call failed: its token is free again.
    pub fn abandon_call(&mut self, _key: &TokenKey) {}
}
