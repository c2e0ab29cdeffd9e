//! Playing one side of a connection, message by message.
//!
//! What is sent next waits until the other side has said as much as it had said by then in the trace,
//! or has been silent for a while: so a shell is not typed to before its prompt, and a side that says
//! less than then is not waited for without end.

use std::time::Duration;

use axt_net::{
    link,
    ws::{Incoming, WebSocket, WsReader, WsWriter},
};
use axt_trace::{
    fields,
    record::{Dir, Hop, Ids, Record, What},
};

/// How long the other side may be silent before the play goes on without it.
const SILENCE: Duration = Duration::from_secs(2);

/// What is played, and what the other side said to it.
pub(super) struct Script {
    records: Vec<Record>,
    hop: Hop,
    mine: Dir,
}

/// A trace of which nothing can be played.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotPlayable {
    #[error("the trace has no payload: it was written without --trace-payload")]
    NoPayload,
}

/// How far one side has come: bytes of data, and messages that are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Progress {
    bytes: u64,
    messages: u64,
}

impl Progress {
    fn count(&mut self, what: &What) {
        match what {
            What::Frame(frame) if frame.is_data() => {
                self.bytes = self.bytes.saturating_add(frame.size)
            }
            What::Frame(_) | What::Close { .. } | What::Lost { .. } => self.messages += 1,
            _ => {}
        }
    }

    const fn is_at(self, other: Self) -> bool {
        self.bytes >= other.bytes && self.messages >= other.messages
    }
}

impl Script {
    pub(super) fn new(records: Vec<Record>, hop: Hop, mine: Dir) -> Result<Self, NotPlayable> {
        let is_cut = records.iter().any(|record| match &record.what {
            What::Frame(frame) => record.dir == mine && frame.size > 0 && frame.payload.is_none(),
            _ => false,
        });
        if is_cut {
            return Err(NotPlayable::NoPayload);
        }
        Ok(Self { records, hop, mine })
    }

    /// What the other side did.
    pub(super) fn theirs(&self) -> impl Iterator<Item = &Record> {
        self.records.iter().filter(|record| record.dir != self.mine)
    }

    /// Plays it; gives what the other side did. `before_end` is done before this side closes. `channel` stands in the agent framing's headers, and
    /// `now_ms` in those of both, but for dates that were 0.
    pub(super) async fn play(
        &self,
        socket: WebSocket,
        channel: Option<&str>,
        now_ms: impl Fn() -> u64,
        before_end: impl Future<Output = ()>,
    ) -> Vec<Record> {
        let (reader, writer) = socket.split();
        let mut stage = Stage {
            reader,
            hop: self.hop,
            theirs: match self.mine {
                Dir::Up => Dir::Down,
                Dir::Down => Dir::Up,
            },
            seen: Vec::new(),
            progress: Progress::default(),
            is_over: false,
        };
        let mut before_end = Some(before_end);
        let mut then = Progress::default();
        let mut has_closed = false;
        for record in &self.records {
            if record.dir != self.mine {
                then.count(&record.what);
                continue;
            }
            if has_closed || stage.is_over {
                continue;
            }
            stage.hear(then).await;
            let is_last = !matches!(record.what, What::Frame(_));
            if let Some(before_end) = before_end.take_if(|_| is_last) {
                before_end.await;
            }
            has_closed = !self.say(&record.what, &writer, channel, now_ms()).await;
        }
        if let Some(before_end) = before_end {
            before_end.await;
        }
        stage.hear(then).await;
        if !has_closed {
            // It has got all that there was.
            let _ = writer.close(1000, "").await;
        }
        stage.seen
    }

    /// Says one thing; whether there can be more.
    async fn say(
        &self,
        what: &What,
        writer: &WsWriter,
        channel: Option<&str>,
        now_ms: u64,
    ) -> bool {
        match what {
            What::Frame(frame) => {
                let mut frame = (**frame).clone();
                if frame.date_ms != Some(0) {
                    frame.date_ms = frame.date_ms.map(|_| now_ms);
                }
                if let (Some(field), Some(channel)) = (&mut frame.channel_field, channel) {
                    channel.clone_into(field);
                }
                let (message, _) = fields::message(self.hop, &frame);
                writer.send_binary(message).await.is_ok()
            }
            What::Close { code, reason } => {
                // 1005 stands for a close frame without a code.
                let code = if *code == 1005 { 1000 } else { *code };
                let _ = writer.close_last(code, reason).await;
                false
            }
            _ => false,
        }
    }
}

/// The other side, as it is heard.
struct Stage {
    reader: WsReader,
    hop: Hop,
    theirs: Dir,
    seen: Vec<Record>,
    progress: Progress,
    is_over: bool,
}

impl Stage {
    /// Listens until the other side has come as far, or is silent.
    async fn hear(&mut self, then: Progress) {
        while !self.is_over && !self.progress.is_at(then) {
            let Ok(heard) = link::timeout(SILENCE, self.reader.next()).await else {
                return;
            };
            let what = match heard {
                Ok(Incoming::Data(message)) => {
                    What::Frame(Box::new(fields::read(self.hop, &message, true)))
                }
                Ok(Incoming::Closed { code, reason }) => {
                    self.is_over = true;
                    What::Close { code, reason }
                }
                Err(error) => {
                    self.is_over = true;
                    What::Lost {
                        why: error.to_string(),
                    }
                }
            };
            self.progress.count(&what);
            self.seen.push(Record {
                n: u64::try_from(self.seen.len()).unwrap_or(u64::MAX),
                rule_us: 0,
                link_us: 0,
                hop: self.hop,
                dir: self.theirs,
                ids: Ids::default(),
                what,
            });
        }
    }
}
