//! Calls that change something: answered once that is durable, and done once for a ClientToken.

use axt_proto::Secret;
use axt_registry::{Answer, Changes, Fingerprint, TokenKey, TokenRefusal};
use serde::{Serialize, de::DeserializeOwned};

use super::Desk;

/// Why a call was not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotDone<R: std::error::Error> {
    /// The registry's answer.
    #[error(transparent)]
    Refused(#[from] R),
    /// Its ClientToken is another call's, or this call is under way already.
    #[error("{0}")]
    Token(TokenRefusal),
    /// The journal did not take it: `InternalError.Dispatch`.
    #[error("the journal did not take it")]
    Journal,
}

/// A ClientToken, and what it was sent with.
pub(crate) type Token = (TokenKey, Fingerprint);

impl Desk {
    /// Answers a change once it is durable. There is no way back: when the journal fails, what was
    /// changed stays changed until the relay ends.
    pub(crate) fn change<T, R>(
        &mut self,
        (answer, changes): (Result<T, R>, Changes),
        reply: impl FnOnce(Result<T, NotDone<R>>) + Send + 'static,
    ) where
        T: Send + 'static,
        R: std::error::Error,
    {
        match answer {
            Err(refusal) => {
                self.apply(changes);
                reply(Err(refusal.into()));
            }
            Ok(answer) => self.apply_and(changes, |_, result| {
                reply(result.map(|()| answer).map_err(|_| NotDone::Journal));
            }),
        }
    }

    /// Carries `call` out, unless its ClientToken says that this was done: then the first answer is
    /// given again (limits-and-semantics 4). The answer is kept in the commit that has the changes.
    pub(crate) fn once<T, R>(
        &mut self,
        token: Option<Token>,
        call: impl FnOnce(&mut Self) -> (Result<T, R>, Changes),
        reply: impl FnOnce(Result<T, NotDone<R>>) + Send + 'static,
    ) where
        T: Serialize + DeserializeOwned + Send + 'static,
        R: std::error::Error,
    {
        let Some((key, fingerprint)) = token else {
            let called = call(self);
            return self.change(called, reply);
        };
        let (begun, changes) = self.registry.begin_call(self.now(), &key, &fingerprint);
        self.apply(changes);
        match begun {
            Err(refusal) => return reply(Err(NotDone::Token(refusal))),
            Ok(Some(first)) => {
                return reply(read(&first).ok_or(NotDone::Token(TokenRefusal::Mismatch)));
            }
            Ok(None) => {}
        }
        let (answer, mut changes) = call(self);
        let answer = match answer {
            Ok(answer) => answer,
            Err(refusal) => {
                self.registry.abandon_call(&key);
                self.apply(changes);
                return reply(Err(refusal.into()));
            }
        };
        let text = serde_json::to_string(&answer).unwrap_or_default();
        let kept = Answer::Text(Secret::new(text));
        let row = self.registry.finishing_call(self.now(), &key, kept.clone());
        changes.rows.extend(row);
        self.apply_and(changes, move |desk, result| {
            let region = key.region.clone();
            desk.unless_held(region, move |desk| {
                if result.is_err() {
                    desk.registry.abandon_call(&key);
                    return reply(Err(NotDone::Journal));
                }
                let changes = desk.registry.finish_call(desk.now(), &key, kept);
                desk.apply(changes);
                reply(Ok(answer));
            });
        });
    }
}

/// Always possible: the action that wrote the answer is a part of its token's key.
fn read<T: DeserializeOwned>(answer: &Answer) -> Option<T> {
    match answer {
        Answer::Text(text) => serde_json::from_str(text.expose()).ok(),
        Answer::Session { .. } => None,
    }
}
