//! Looking at what passes: copies of frames, of a websocket's texts and ends, and of HTTP calls.
//!
//! A [`Tap`] is off until somebody turns it on, and costs the look at one flag until then. What it
//! takes goes into a bounded queue, which holds back whoever fills it: a trace has no gaps.
//!
//! What is never here: what a copy means, where it is written, and what of it is a secret.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axt_proto::{Tick, frame::FrameError};
use bytes::Bytes;
use tokio::sync::mpsc;

use crate::link;

/// How many copies may wait for whoever takes them; beyond it, what is looked at waits too.
pub const QUEUE: usize = 256;

/// Whose copies these are: the name that they are kept under, and ids by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Label {
    /// The name that belongs to this connection alone.
    pub name: String,
    /// Such as `session` and its id.
    pub ids: Vec<(&'static str, String)>,
    /// Whether copies with other ids are kept under the same name.
    pub is_shared: bool,
}

/// Where copies go: nowhere, or to one taker.
#[derive(Clone, Debug, Default)]
pub struct Taps(Option<mpsc::Sender<Tapped>>);

/// Where the copies of one connection go, if anywhere. Clones are turned on and off together.
#[derive(Clone, Debug, Default)]
pub struct Tap(Option<Arc<Switch>>);

#[derive(Debug)]
struct Switch {
    label: Arc<Label>,
    is_on: AtomicBool,
    taker: Mutex<Option<(mpsc::Sender<Tapped>, bool)>>,
}

/// Whether something came in or went out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It was received.
    In,
    /// It was sent, or is about to be.
    Out,
}

/// Who is at the other end, as seen from the relay: clients speak one framing, agents the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Between client and relay.
    Client,
    /// Between relay and agent.
    Agent,
}

/// A copy.
#[derive(Clone, Debug)]
pub struct Tapped {
    /// When, in rule time.
    pub at: Tick,
    /// When, in link time.
    pub when: link::Instant,
    /// Whose it is.
    pub label: Arc<Label>,
    /// Whether what people type and read may be kept.
    pub with_payload: bool,
    /// In or out, as seen from this program.
    pub way: Way,
    /// Between whom.
    pub side: Side,
    /// What it was.
    pub seen: Seen,
}

/// What was seen.
#[derive(Clone, Debug)]
pub enum Seen {
    /// A websocket is there to carry frames.
    Opened,
    /// A frame: the whole websocket message, and why it is none, if it is not.
    Frame(Bytes, Option<FrameError>),
    /// A message that is text by its nature: a notify command, or the answer to one.
    Text(String),
    /// A close frame.
    Closed {
        /// Its code.
        code: u16,
        /// Its text.
        reason: String,
    },
    /// The websocket broke; how.
    Lost(String),
    /// An HTTP request with its answer.
    Call(Box<Call>),
    /// Nothing more will be seen: [`Taps::end`].
    End,
}

/// An HTTP request with its answer.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The query, with whatever secrets it holds.
    pub query: String,
    /// Headers that say something, by names in lower case.
    pub headers: Vec<(String, String)>,
    /// The request's body, as far as it was looked at.
    pub request: Bytes,
    /// The answer's status; absent when there was none.
    pub status: Option<u16>,
    /// The answer's body, as far as it was looked at; or why there is none.
    pub answer: Bytes,
    /// What the answerer says of it, by name: an action for instance.
    pub said: Vec<(&'static str, String)>,
    /// How long it took.
    pub took: Duration,
}

/// Room for one copy.
pub(crate) struct Permit {
    room: mpsc::OwnedPermit<Tapped>,
    label: Arc<Label>,
    with_payload: bool,
}

impl Side {
    /// The side of a framing by its [`axt_proto::Framing::NAME`].
    pub(crate) fn of(framing: &str) -> Self {
        match framing {
            "client" => Self::Client,
            _ => Self::Agent,
        }
    }
}

impl Taps {
    /// Nobody looks.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    /// Copies go to `taker`.
    #[must_use]
    pub const fn to(taker: mpsc::Sender<Tapped>) -> Self {
        Self(Some(taker))
    }

    /// Whether nobody looks.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// Tells the taker that nothing more will come, behind all that was seen.
    pub async fn end(self) {
        if let Some(taker) = self.0 {
            let end = Tapped {
                at: Tick::EPOCH,
                when: link::now(),
                label: Arc::default(),
                with_payload: false,
                way: Way::In,
                side: Side::Client,
                seen: Seen::End,
            };
            // A taker that is gone needs not be told.
            let _ = taker.send(end).await;
        }
    }

    /// A tap that leads there and is on.
    #[must_use]
    pub fn tap(&self, label: Label, with_payload: bool) -> Tap {
        if self.is_none() {
            return Tap::none();
        }
        let tap = Tap::off(label);
        tap.turn_on(self, with_payload);
        tap
    }
}

impl Tap {
    /// Nobody looks, or ever will.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    /// Nobody looks yet.
    #[must_use]
    pub fn off(label: Label) -> Self {
        Self(Some(Arc::new(Switch {
            label: Arc::new(label),
            is_on: AtomicBool::new(false),
            taker: Mutex::default(),
        })))
    }

    /// From now on copies go there, until that is gone. Nothing happens for [`Tap::none`].
    pub fn turn_on(&self, to: &Taps, with_payload: bool) {
        if let (Some(switch), Some(taker)) = (&self.0, &to.0) {
            *switch.taker() = Some((taker.clone(), with_payload));
            switch.is_on.store(true, Ordering::Release);
        }
    }

    /// From now on nobody looks.
    pub fn turn_off(&self) {
        if let Some(switch) = &self.0 {
            switch.is_on.store(false, Ordering::Release);
            *switch.taker() = None;
        }
    }

    /// Whether anybody looks.
    #[must_use]
    pub fn is_on(&self) -> bool {
        let switch = self.0.as_ref();
        switch.is_some_and(|switch| switch.is_on.load(Ordering::Acquire))
    }

    /// The same tap for copies with one more id; it is turned on and off no more.
    #[must_use]
    pub fn labelled(&self, name: &'static str, id: &str) -> Self {
        let Some(switch) = &self.0 else {
            return Self::none();
        };
        let mut label = Label::clone(&switch.label);
        label.ids.push((name, id.to_owned()));
        let tap = Self::off(label);
        if let (Some((taker, with_payload)), Some(other)) = (switch.taker().clone(), &tap.0) {
            *other.taker() = Some((taker, with_payload));
            other.is_on.store(true, Ordering::Release);
        }
        tap
    }

    /// Hands over a copy, as soon as there is room; nothing where nobody looks.
    pub async fn note(&self, at: Tick, side: Side, way: Way, seen: Seen) {
        if let Some(permit) = self.permit().await {
            permit.send(at, side, way, seen);
        }
    }

    /// Waits for room; `None` when nobody looks.
    pub(crate) async fn permit(&self) -> Option<Permit> {
        if !self.is_on() {
            return None;
        }
        let switch = self.0.as_ref()?;
        let (taker, with_payload) = switch.taker().clone()?;
        Some(Permit {
            room: taker.reserve_owned().await.ok()?,
            label: Arc::clone(&switch.label),
            with_payload,
        })
    }
}

impl Permit {
    pub(crate) fn send(self, at: Tick, side: Side, way: Way, seen: Seen) {
        self.room.send(Tapped {
            at,
            when: link::now(),
            label: self.label,
            with_payload: self.with_payload,
            way,
            side,
            seen,
        });
    }
}

impl Switch {
    fn taker(&self) -> std::sync::MutexGuard<'_, Option<(mpsc::Sender<Tapped>, bool)>> {
        self.taker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
