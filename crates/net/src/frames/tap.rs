//! Looking at frames on their way.

use std::sync::Arc;

use axt_proto::{
    Tick,
    frame::{FrameError, Framing, Message},
};
use bytes::Bytes;
use tokio::sync::mpsc;

/// Where copies of frames go: nowhere, or to whoever writes a trace. A slow taker holds the
/// connection back, so that no trace has gaps.
#[derive(Clone, Debug, Default)]
pub struct Tap(Option<(mpsc::Sender<Tapped>, Arc<str>)>);

/// Whether a frame came in or went out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It was received.
    In,
    /// It is about to be sent.
    Out,
}

/// A copy of a frame.
#[derive(Clone, Debug)]
pub struct Tapped {
    /// When, in rule time.
    pub at: Tick,
    /// The tap's label: whose connection this is.
    pub label: Arc<str>,
    /// In or out, as seen from this program.
    pub way: Way,
    /// [`Framing::NAME`], which tells the side: clients speak one framing, agents the other.
    pub framing: &'static str,
    /// The whole websocket message.
    pub bytes: Bytes,
    /// What it says.
    pub message: Result<Message, FrameError>,
}

impl Tap {
    /// Nobody looks; this costs nothing.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    /// Every frame goes to `taker` under `label`. Nothing is copied any more once it is gone.
    #[must_use]
    pub const fn to(taker: mpsc::Sender<Tapped>, label: Arc<str>) -> Self {
        Self(Some((taker, label)))
    }

    pub(super) const fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// Waits for room; `None` when nobody looks.
    pub(super) async fn permit(&self) -> Option<mpsc::Permit<'_, Tapped>> {
        let (taker, _) = self.0.as_ref()?;
        taker.reserve().await.ok()
    }

    pub(super) fn note<F: Framing>(
        &self,
        way: Way,
        at: Tick,
        bytes: Bytes,
        message: Result<Message, FrameError>,
    ) -> Tapped {
        let label = self
            .0
            .as_ref()
            .map_or_else(|| Arc::from(""), |(_, label)| Arc::clone(label));
        Tapped {
            at,
            label,
            way,
            framing: F::NAME,
            bytes,
            message,
        }
    }
}
