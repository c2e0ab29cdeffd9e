//! Reading a call: the gateway's checks in their documented order, then the action's.

mod authenticate;
mod authorize;
mod gateway;

use axt_proto::RegionId;

use self::gateway::Gateway;
use crate::{Action, ApiError, Caller, Idempotency, Now, Received, ReplyTo, World, action};

/// A call that passed every check which needs no knowledge of what exists.
#[derive(Clone, Debug)]
pub struct Call {
    /// Who calls.
    pub caller: Caller,
    /// What is to be done.
    pub action: Action,
    /// The region, for all actions but those that do without.
    pub region: Option<RegionId>,
    /// The ClientToken and what came with it, if the action takes one and it was given.
    pub idempotency: Option<Idempotency>,
    /// The names of parameters that mean nothing to the action: for the log, since the cloud ignores
    /// them in silence (field-reports-api 9). Names only; values may be secret.
    pub ignored: Vec<String>,
    /// What the answer has to know.
    pub reply_to: ReplyTo,
}

/// A call that was refused.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Why.
    pub error: ApiError,
    /// What the answer has to know.
    pub reply_to: ReplyTo,
    /// Who called, once the signature has proved it.
    pub caller: Option<Caller>,
}

/// Reads a call. The checks are those of ecs-api 2.5, rows 1 to 22, then limits-and-semantics 3,
/// steps 1 to 5; the first that fails is the answer.
///
/// # Errors
/// A documented error, always a 4xx, whatever the bytes are.
pub fn read(received: &Received<'_>, world: &dyn World, now: Now) -> Result<Call, Box<Failure>> {
    let mut gateway = Gateway::open(received, world, now);
    match gateway.run() {
        Ok(call) => Ok(call),
        Err(error) => Err(Box::new(gateway.refuse(error))),
    }
}

impl Gateway<'_> {
    /// The order. Each line is a row of ecs-api 2.5; what is marked with a letter is ours.
    fn run(&mut self) -> Result<Call, ApiError> {
        self.method()?; //                1
        self.path()?; //                  1a
        self.size()?; //                  2
        self.format()?; //                3
        self.ambiguity()?; //             3a
        let caller = match self.world.unsigned_caller() {
            Some(caller) => caller,
            None => {
                self.presence()?; //      4 to 7
                self.signature_form()?; // 8
                self.time()?; //          9, 10
                let key = self.key()?; // 11, 12
                self.token(&key)?; //     13, 14
                self.signature(&key)?; // 15
                self.nonce()?; //         16
                key.caller
            }
        };
        self.caller = Some(caller.clone());
        self.version()?; //               17
        let name = self.action()?; //     18, 19
        self.tls(name)?; //               20
        self.rate(&caller, name)?; //     21
        self.policy(&caller, name)?; //   22
        let read = action::read(name, &self.business, &caller, self.world)?;
        Ok(Call {
            idempotency: read.action.idempotency(),
            action: read.action,
            region: read.region,
            ignored: read.ignored,
            reply_to: self.reply_to.clone(),
            caller,
        })
    }
}
