//! Frames that the relay sends wrong because it was asked to.

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use axt_control::admin::fault::FaultKind;
use axt_proto::{
    FrameError, Framing, Message, Status,
    frame::{
        agent::{self, AgentFraming},
        client::{self, ClientFraming},
        kind,
    },
};
use bytes::{BufMut, Bytes, BytesMut};
use rand::{SeedableRng, rngs::StdRng};

use super::{Armed, Strike, Used, hits};
use crate::desk::WeakDesk;

/// What is wrong with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameFault {
    Length(u32),
    Cut(usize),
    NoDate,
    Type(u32),
}

impl FrameFault {
    pub(super) fn of(kind: &FaultKind) -> Option<Self> {
        Some(match kind {
            FaultKind::WrongLength { length } => Self::Length(*length),
            FaultKind::CutHeader { bytes } => {
                Self::Cut(usize::try_from(*bytes).unwrap_or(usize::MAX))
            }
            FaultKind::ZeroDate => Self::NoDate,
            FaultKind::WrongType { number } => Self::Type(*number),
            _ => return None,
        })
    }
}

/// The payload of a status that nothing called for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Extra(Bytes);

impl Extra {
    pub(super) fn of(fault: &FaultKind) -> Option<Self> {
        let mut payload = BytesMut::new();
        match fault {
            FaultKind::SendStatus { code, reason } => {
                payload.put_u8(*code);
                payload.put_slice(reason.as_bytes());
            }
            FaultKind::SendSpeed { bits } => {
                payload.put_u8(7);
                payload.put_u32(*bits);
            }
            _ => return None,
        }
        Some(Self(payload.freeze()))
    }
}

/// A fault of frames, on one websocket.
pub(super) struct Rule {
    number: u64,
    what: FrameFault,
    toxicity: f64,
    used: Arc<Used>,
    random: StdRng,
    /// Told the first time.
    strike: Option<Strike>,
}

impl Rule {
    pub(super) fn new(armed: &Armed, what: FrameFault, strike: Strike, seed: u64) -> Self {
        Self {
            number: armed.number,
            what,
            toxicity: armed.fault.toxicity,
            used: Arc::clone(&armed.used),
            random: StdRng::seed_from_u64(seed),
            strike: Some(strike),
        }
    }
}

/// What is wrong with the frames that go out on one end of a connection: shared by the desk, which
/// says so, and the websocket's framing, which does it.
pub(crate) struct Mangling {
    is_any: AtomicBool,
    state: Mutex<State>,
    desk: WeakDesk,
}

#[derive(Default)]
struct State {
    rules: Vec<Rule>,
    extras: VecDeque<Extra>,
}

impl Mangling {
    /// Nothing is wrong. The desk is told of what strikes.
    pub(crate) fn none(desk: WeakDesk) -> Arc<Self> {
        Arc::new(Self {
            is_any: AtomicBool::new(false),
            state: Mutex::default(),
            desk,
        })
    }

    /// These are the faults from now on; those that were there go on as they are.
    pub(super) fn set(&self, rules: Vec<Rule>) {
        let mut state = self.state();
        let mut former = std::mem::take(&mut state.rules);
        state.rules = rules
            .into_iter()
            .map(|rule| {
                let at = former.iter().position(|one| one.number == rule.number);
                at.map_or(rule, |at| former.swap_remove(at))
            })
            .collect();
        self.note(&state);
    }

    /// A status is to be sent; [`Message::Status`] of [`CARRIER`] takes it along.
    pub(super) fn push(&self, extra: Extra) {
        let mut state = self.state();
        state.extras.push_back(extra);
        self.note(&state);
    }

    /// Whether a status is to be sent that nothing called for.
    pub(crate) fn has_extra(&self) -> bool {
        self.is_any() && !self.state().extras.is_empty()
    }

    fn note(&self, state: &State) {
        let is_any = !(state.rules.is_empty() && state.extras.is_empty());
        self.is_any.store(is_any, Ordering::Release);
    }

    fn is_any(&self) -> bool {
        self.is_any.load(Ordering::Acquire)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_extra(&self) -> Option<Extra> {
        let mut state = self.state();
        let extra = state.extras.pop_front();
        self.note(&state);
        extra
    }

    /// What is wrong with the next frame with data.
    fn strike(&self) -> Option<FrameFault> {
        let mut state = self.state();
        let rule = state.rules.iter_mut();
        let hit = |rule: &mut &mut Rule| hits(rule.toxicity, &mut rule.random) && rule.used.take();
        let rule = rule
            .filter_map(|mut rule| hit(&mut rule).then_some(rule))
            .next()?;
        if let Some(strike) = rule.strike.take() {
            self.desk.tell(move |desk| desk.note(&[strike]));
        }
        Some(rule.what)
    }
}

impl fmt::Debug for Mangling {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Mangling")
            .field("is_any", &self.is_any())
            .finish_non_exhaustive()
    }
}

/// Stands for a status that nothing called for, until it is encoded. Any other of its kind, which is
/// sent for its own sake, may change places with it: it says nothing.
pub(crate) const CARRIER: Message = Message::Status(Status::KeepAlive);

/// A framing whose frames go wrong where they are to.
#[derive(Debug)]
pub(crate) struct Mangled<F> {
    pub(crate) inner: F,
    mangling: Option<Arc<Mangling>>,
}

impl<F> Mangled<F> {
    /// A framing to read with: nothing is wrong there.
    pub(crate) const fn reads(inner: F) -> Self {
        Self {
            inner,
            mangling: None,
        }
    }

    /// A framing to write with.
    pub(crate) const fn writes(inner: F, mangling: Arc<Mangling>) -> Self {
        Self {
            inner,
            mangling: Some(mangling),
        }
    }
}

/// A framing whose whole frames can be taken apart.
pub(crate) trait Raw: Framing {
    /// The frame with what is wrong.
    fn mangle(whole: Bytes, what: FrameFault) -> Bytes;
    /// A status with this payload, whatever it is.
    fn status(whole: Bytes, extra: Extra) -> Bytes;
}

macro_rules! raw {
    ($framing:ty, $frame:ty) => {
        impl Raw for $framing {
            fn mangle(whole: Bytes, what: FrameFault) -> Bytes {
                let Ok(mut frame) = <$frame>::decode(whole.clone()) else {
                    return whole;
                };
                match what {
                    FrameFault::Length(length) => frame.declared_length = length,
                    FrameFault::NoDate => frame.created_date = 0,
                    FrameFault::Type(number) => frame.kind = number,
                    FrameFault::Cut(bytes) => return whole.slice(..bytes.min(whole.len())),
                }
                frame.encode()
            }

            fn status(whole: Bytes, extra: Extra) -> Bytes {
                let Ok(mut frame) = <$frame>::decode(whole.clone()) else {
                    return whole;
                };
                frame.kind = kind::STATUS;
                frame.declared_length = u32::try_from(extra.0.len()).unwrap_or(u32::MAX);
                frame.payload = extra.0;
                frame.encode()
            }
        }
    };
}

raw!(ClientFraming, client::Frame);
raw!(AgentFraming, agent::Frame);

impl<F: Raw> Framing for Mangled<F> {
    const NAME: &'static str = F::NAME;

    fn decode(&mut self, message: Bytes) -> Result<Message, FrameError> {
        self.inner.decode(message)
    }

    fn encode(&mut self, created_ms: u64, message: &Message) -> Bytes {
        let whole = self.inner.encode(created_ms, message);
        let Some(mangling) = self.mangling.as_deref().filter(|it| it.is_any()) else {
            return whole;
        };
        if *message == CARRIER
            && let Some(extra) = mangling.take_extra()
        {
            return F::status(whole, extra);
        }
        let is_data = message.data_len() > 0;
        match is_data.then(|| mangling.strike()).flatten() {
            Some(what) => F::mangle(whole, what),
            None => whole,
        }
    }

    fn unsent(&mut self) {
        self.inner.unsent();
    }
}
