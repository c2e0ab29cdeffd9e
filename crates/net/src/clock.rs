//! Rule time: what the documented limits are judged by. It can be frozen and moved.

use std::time::Duration;

use axt_proto::Tick;

use crate::wall::Wall;

/// The clock of rule time. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Clock;

/// What a clock says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockStatus {
    /// The instant it is now.
    pub now: Tick,
    /// Whether it stands still.
    pub frozen: bool,
}

/// A timer's owner that did not come back within 5 s of link time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the timer `{name}` is not back within 5 s")]
pub struct TimerNotBack {
    /// The timer's name.
    pub name: &'static str,
}

/// A deadline in rule time and its owner's way to wait for it.
#[derive(Debug)]
pub struct Timer;

/// A timer that has fired. Drop it after acting and arming the next deadline.
#[derive(Debug)]
pub struct Fired;

impl Drop for Fired {
    fn drop(&mut self) {}
}

#[allow(missing_docs, clippy::todo, unused_variables)]
impl Clock {
    pub fn running(at: Tick) -> Self {
        todo!()
    }
    pub fn frozen(at: Tick) -> Self {
        todo!()
    }
    pub fn from_wall(wall: &Wall, offset_nanos: i64) -> Self {
        todo!()
    }
    pub fn offset_from(&self, wall: &Wall) -> i64 {
        todo!()
    }
    pub fn now(&self) -> Tick {
        todo!()
    }
    pub fn status(&self) -> ClockStatus {
        todo!()
    }
    pub fn timer(&self, name: &'static str) -> Timer {
        todo!()
    }
    pub fn freeze(&self) -> ClockStatus {
        todo!()
    }
    pub fn release(&self) -> ClockStatus {
        todo!()
    }
    pub async fn advance(&self, by: Duration) -> Result<ClockStatus, TimerNotBack> {
        todo!()
    }
}

#[allow(missing_docs, clippy::todo, unused_variables)]
impl Timer {
    pub fn set(&mut self, at: Option<Tick>) {
        todo!()
    }
    pub async fn fired(&mut self) -> Fired {
        todo!()
    }
}
