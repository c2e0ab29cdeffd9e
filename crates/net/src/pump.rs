//! The pump: one direction of a connection, from one end's frames to the other's.
//!
//! What lives here: the one loop through which payload passes. It reads a message, has it judged,
//! waits for the bandwidth, and writes it. Whoever does not read slows his own sender and nobody
//! else: the pump reads on only when everything that it has read is written. It never sleeps; it
//! waits for a peer, or for the [`Pace`].
//!
//! What never does: what a message means. A judge is given to it.

mod framed;
mod pace;
mod traffic;

use std::{collections::VecDeque, future::Future, pin::pin, task::Poll};

use axt_proto::{Message, translate};

use crate::ws::GATHERED;

pub use self::{
    framed::FramesEnd,
    pace::{Exceeded, Pace},
    traffic::{Passed, Totals, Traffic},
};

/// The most payload bytes of one message that is sent (design, "Values": sizes).
pub const MESSAGE_MAX: usize = 8 * 1024;

/// How many payload bytes are read ahead while nobody is there yet to take them.
pub const HELD_MAX: usize = 64 * 1024;

/// How many messages are read ahead, for those without payload are not free either.
const HELD_MESSAGES: usize = 256;

/// Where messages come from.
pub trait Source: Send {
    /// How it ends or breaks.
    type End: Send;

    /// The next message. Cancel-safe.
    ///
    /// # Errors
    /// The end, orderly or not, after everything that came before it.
    fn next(&mut self) -> impl Future<Output = Result<Message, Self::End>> + Send;
}

/// Where messages go.
pub trait Sink: Sync {
    /// How it breaks.
    type Broken: Send;

    /// Sends one message; waits until there is room for it.
    ///
    /// # Errors
    /// The message, and all later ones, will not arrive.
    fn send(&self, message: &Message) -> impl Future<Output = Result<(), Self::Broken>> + Send;

    /// Whether messages that are there at the same time had better be sent together.
    fn gathers(&self) -> bool {
        false
    }

    /// Sends messages in a row, all or none as far as the sender knows.
    ///
    /// # Errors
    /// As [`Sink::send`].
    fn send_all(
        &self,
        messages: &[Message],
    ) -> impl Future<Output = Result<(), Self::Broken>> + Send {
        async move {
            for message in messages {
                self.send(message).await?;
            }
            Ok(())
        }
    }
}

/// What the judge says of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judged {
    /// It goes on, perhaps as another one.
    Pass(Message),
    /// It ends here.
    Ignore,
    /// It is the last one: the sender is done.
    Done,
}

/// Why a pump came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PumpEnd<E, B> {
    /// The judge said so; all before it is written.
    Done,
    /// The source ended; all before it is written.
    Source(E),
    /// The sink broke. What was not written is kept, for another sink.
    Sink(B),
    /// More came than the bandwidth allows, and the limits say that nobody waits for it.
    Exceeded,
}

/// One direction of a connection.
///
/// Its futures may be dropped at any await: what was read and not written stays, for the next
/// [`Pump::run`]. Only what was being written when that was cut off may then be written twice, so
/// drop them when the sink is given up, and not before.
#[derive(Debug)]
pub struct Pump<J, E> {
    judge: J,
    pace: Pace,
    held: VecDeque<Message>,
    held_bytes: usize,
    end: Option<Stopped<E>>,
}

#[derive(Debug)]
enum Stopped<E> {
    Done,
    Source(E),
}

impl<J, E> Pump<J, E>
where
    J: FnMut(Message) -> Judged + Send,
    E: Send,
{
    /// A pump at the pace of its session and direction.
    pub fn new(judge: J, pace: Pace) -> Self {
        Self {
            judge,
            pace,
            held: VecDeque::new(),
            held_bytes: 0,
            end: None,
        }
    }

    /// Whether nothing waits to be written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Whether the source has said its last.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        self.end.is_some()
    }

    /// The source's end, when it is one that the judge did not call for.
    #[must_use]
    pub const fn source_end(&self) -> Option<&E> {
        match &self.end {
            Some(Stopped::Source(end)) => Some(end),
            _ => None,
        }
    }

    /// Reads ahead, [`HELD_MAX`] bytes at most, until the source ends. It is what to do while the
    /// sink is not there yet: an end is noticed, and nothing that was sent early is lost. Once the
    /// room is full it waits for ever.
    pub async fn hold<S>(&mut self, source: &mut S)
    where
        S: Source<End = E>,
    {
        while self.end.is_none() {
            if self.held_bytes >= HELD_MAX || self.held.len() >= HELD_MESSAGES {
                std::future::pending::<()>().await;
            }
            self.read(source).await;
        }
    }

    /// Pumps until either end is over. `traffic` is told what passes.
    pub async fn run<S, K>(
        &mut self,
        source: &mut S,
        sink: &K,
        traffic: &Passed<'_>,
    ) -> PumpEnd<E, K::Broken>
    where
        S: Source<End = E>,
        K: Sink,
    {
        let pace = self.pace.clone();
        let _resting = Resting(&pace);
        let gathers = pace.is_unlimited() && sink.gathers();
        loop {
            if gathers && self.held.len() > 1 {
                if let Err(broken) = sink.send_all(self.held.make_contiguous()).await {
                    return PumpEnd::Sink(broken);
                }
                self.count(traffic);
            }
            while let Some(message) = self.held.front() {
                let (bytes, is_alive) = (message.data_len(), *message == Message::Alive);
                if let Err(Exceeded) = held(pace.pass(bytes), traffic).await {
                    return PumpEnd::Exceeded;
                }
                if let Err(broken) = eagerly(&pace, sink.send(message)).await {
                    return PumpEnd::Sink(broken);
                }
                self.held_bytes = self.held_bytes.saturating_sub(bytes);
                self.held.pop_front();
                traffic.count(bytes);
                if is_alive {
                    traffic.touch();
                }
            }
            match self.end.take() {
                Some(Stopped::Done) => return PumpEnd::Done,
                Some(Stopped::Source(end)) => return PumpEnd::Source(end),
                None => {
                    let _reading = traffic.reading();
                    eagerly(&pace, self.read(source)).await;
                    if gathers {
                        self.gather(source).await;
                    }
                }
            }
        }
    }

    /// Reads what is there already, some [`GATHERED`] bytes at most.
    async fn gather<S>(&mut self, source: &mut S)
    where
        S: Source<End = E>,
    {
        while self.end.is_none() && self.held_bytes < GATHERED && self.held.len() < HELD_MESSAGES {
            let read = pin!(self.read(source));
            if futures_util::poll!(read).is_pending() {
                return;
            }
        }
    }

    /// All that is held has been written.
    fn count(&mut self, traffic: &Passed<'_>) {
        for message in self.held.drain(..) {
            traffic.count(message.data_len());
            if message == Message::Alive {
                traffic.touch();
            }
        }
        self.held_bytes = 0;
    }

    /// Reads one message and queues what becomes of it.
    async fn read<S>(&mut self, source: &mut S)
    where
        S: Source<End = E>,
    {
        match source.next().await {
            Ok(message) => match (self.judge)(message) {
                Judged::Pass(message) => self.queue(message),
                Judged::Ignore => {}
                Judged::Done => self.end = Some(Stopped::Done),
            },
            Err(end) => self.end = Some(Stopped::Source(end)),
        }
    }

    fn queue(&mut self, message: Message) {
        self.held_bytes = self.held_bytes.saturating_add(message.data_len());
        let most = self.pace.turn().min(MESSAGE_MAX);
        match message {
            Message::Input(data) if data.len() > most => {
                self.held
                    .extend(translate::split(data, most).map(Message::Input));
            }
            Message::Output(data) if data.len() > most => {
                self.held
                    .extend(translate::split(data, most).map(Message::Output));
            }
            // Of sizes that nobody has seen yet only the last one matters.
            Message::Resize(_) if matches!(self.held.back(), Some(Message::Resize(_))) => {
                self.held.pop_back();
                self.held.push_back(message);
            }
            _ => self.held.push_back(message),
        }
    }
}

/// Waits for the bandwidth, and counts for how long.
async fn held<F: Future>(pass: F, traffic: &Passed<'_>) -> F::Output {
    let mut pass = pin!(pass);
    if let Poll::Ready(output) = futures_util::poll!(&mut pass) {
        return output;
    }
    let _held = traffic.holding();
    pass.await
}

/// Does something that may be done at once; where it has to wait for a peer, the pace rests.
async fn eagerly<F: Future>(pace: &Pace, future: F) -> F::Output {
    let mut future = pin!(future);
    if let Poll::Ready(output) = futures_util::poll!(&mut future) {
        return output;
    }
    pace.rest();
    future.await
}

/// Has the pace rest when the pump is over, or given up.
struct Resting<'a>(&'a Pace);

impl Drop for Resting<'_> {
    fn drop(&mut self) {
        self.0.rest();
    }
}

#[cfg(test)]
mod tests;
