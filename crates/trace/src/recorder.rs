//! The thread that writes traces.
//!
//! One file a connection, and one for the control plane, in one folder; all of them readable by
//! their owner alone. Whoever is traced waits for room in the queue (`axt_net::tap`), so nothing is
//! left out: a disk that fails ends the trace, and the log says so.

mod files;

use std::{
    io,
    path::{Path, PathBuf},
};

use axt_net::{
    link,
    tap::{QUEUE, Seen, Side, Tapped, Taps, Way},
    tasks::Tasks,
    wall::Wall,
};
use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

use self::files::Files;
use crate::{
    call, fields,
    record::{Dir, Header, Hop, Ids, Record, VERSION, What},
};

/// Who looks, and where what it sees is written.
#[derive(Clone, Debug)]
pub struct Recording {
    /// `relay` or `agent`.
    pub seen_by: &'static str,
    /// The folder; made when there is something to write.
    pub folder: PathBuf,
}

/// How many copies wait at most until a simulation is over.
const DEFERRED: usize = 1024 * 1024;

/// Writes what its [`Taps`] take. Dropping it, and every tap, ends the thread.
#[derive(Debug)]
pub struct Recorder {
    taps: Taps,
    folder: PathBuf,
    work: Work,
}

#[derive(Debug)]
enum Work {
    /// A thread does it, and says when it is done.
    Thread(oneshot::Receiver<()>),
    /// It is done at the end.
    Deferred(Box<(Writer, mpsc::Receiver<Tapped>)>),
}

impl Recorder {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn start(recording: Recording, wall: Wall, tasks: &Tasks) -> io::Result<Self> {
        let (taker, taken) = mpsc::channel(QUEUE);
        let (done, is_done) = oneshot::channel();
        let folder = recording.folder.clone();
        let writer = Writer::new(recording, wall);
        tasks.thread("trace", move |_| writer.run(taken, done))?;
        Ok(Self {
            taps: Taps::to(taker),
            folder,
            work: Work::Thread(is_done),
        })
    }

    /// One without a thread, which keeps up to 1,048,576 copies in memory and writes them when it ends: for
    /// simulations, whose time would jump on while a thread is waited for.
    #[must_use]
    pub fn deferred(recording: Recording, wall: Wall) -> Self {
        let (taker, taken) = mpsc::channel(DEFERRED);
        let folder = recording.folder.clone();
        let mut writer = Writer::new(recording, wall);
        writer.origin = Some((writer.wall.now(), link::now()));
        Self {
            taps: Taps::to(taker),
            folder,
            work: Work::Deferred(Box::new((writer, taken))),
        }
    }

    /// Where copies are to go.
    #[must_use]
    pub const fn taps(&self) -> &Taps {
        &self.taps
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Waits until all that was taken is in its files, and ends. To be called when whoever is traced
    /// has ended; what it sees from here on is not written.
    pub async fn finish(self) {
        let Self { taps, work, .. } = self;
        match work {
            Work::Thread(is_done) => {
                taps.end().await;
                // A disk that hangs is not waited for.
                let _ = link::timeout(link::SHUTDOWN, is_done).await;
            }
            Work::Deferred(deferred) => {
                let (mut writer, mut taken) = *deferred;
                let written = writer.write_rest(&mut taken);
                writer.tell(written);
            }
        }
    }
}

#[derive(Debug)]
struct Writer {
    files: Files,
    seen_by: &'static str,
    wall: Wall,
    /// Wall and link time at the start of a simulation, whose wall clock stands.
    origin: Option<(Timestamp, link::Instant)>,
}

impl Writer {
    fn new(recording: Recording, wall: Wall) -> Self {
        Self {
            files: Files::new(recording.folder),
            seen_by: recording.seen_by,
            wall,
            origin: None,
        }
    }

    /// Wall time of what was seen at `when`, of link time.
    fn wall_at(&self, when: link::Instant) -> Timestamp {
        match self.origin {
            Some((wall, start)) => wall
                .checked_add(when.saturating_duration_since(start))
                .unwrap_or(wall),
            None => self.wall.now(),
        }
    }

    /// Says so in the log when the trace cannot be written.
    fn tell(&self, written: io::Result<()>) {
        if let Err(error) = written {
            tracing::error!(
                folder = %self.files.folder().display(), %error,
                "the trace cannot be written, and ends here"
            );
        }
    }

    /// What is there already.
    fn write_rest(&mut self, taken: &mut mpsc::Receiver<Tapped>) -> io::Result<()> {
        while let Ok(tapped) = taken.try_recv() {
            self.write(tapped)?;
        }
        self.files.flush()
    }

    fn run(mut self, mut taken: mpsc::Receiver<Tapped>, done: oneshot::Sender<()>) {
        let written = self.write_all(&mut taken);
        self.tell(written);
        // From here on taps find nobody, and nobody waits for room.
        drop(taken);
        // It may be that nobody waits.
        let _ = done.send(());
    }

    fn write_all(&mut self, taken: &mut mpsc::Receiver<Tapped>) -> io::Result<()> {
        while let Some(first) = taken.blocking_recv() {
            let mut next = Some(first);
            while let Some(tapped) = next {
                if matches!(tapped.seen, Seen::End) {
                    return self.files.flush();
                }
                self.write(tapped)?;
                next = taken.try_recv().ok();
            }
            // Nothing waits: whoever reads the file now reads all of it.
            self.files.flush()?;
        }
        self.files.flush()
    }

    fn write(&mut self, tapped: Tapped) -> io::Result<()> {
        let Tapped {
            at,
            when,
            label,
            with_payload,
            way,
            side,
            seen,
        } = tapped;
        let mut ids = Ids::default();
        for (name, id) in &label.ids {
            ids.set(name, id.clone());
        }
        let hop = match side {
            Side::Client => Hop::Client,
            Side::Agent => Hop::Agent,
        };
        let mut own = Ids::default();
        let what = match seen {
            Seen::Opened => What::Open,
            Seen::Frame(message, error) => {
                let mut fields = fields::read(hop, &message, with_payload);
                if let Some(error) = error {
                    fields.error = Some(error.to_string());
                }
                What::Frame(Box::new(fields))
            }
            Seen::Text(text) => {
                own.channel = channel_of(&text);
                What::Notify { text }
            }
            Seen::Closed { code, reason } => What::Close { code, reason },
            Seen::Lost(why) => What::Lost { why },
            Seen::Call(call) => {
                let (call, named) = call::record(*call, side, with_payload);
                own = named;
                What::Call(Box::new(call))
            }
            Seen::End => return Ok(()),
        };
        let wall = self.wall_at(when);
        let header = || Header {
            axt_trace: VERSION,
            seen_by: self.seen_by.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started: rfc3339(wall),
            payload: with_payload,
            ids: if label.is_shared {
                Ids::default()
            } else {
                ids.clone()
            },
        };
        let file = self.files.of(&label.name, when, header)?;
        let record = Record {
            n: file.count(),
            rule_us: at.as_nanos() / 1_000,
            link_us: call::micros(when.saturating_duration_since(file.since)),
            hop,
            dir: dir(self.seen_by, side, way),
            ids: match label.is_shared {
                true => own.or(&ids),
                false => own,
            },
            what,
        };
        file.write(&record)
    }
}

/// Which way that is on the whole path.
fn dir(seen_by: &str, side: Side, way: Way) -> Dir {
    let is_up = match (seen_by, side) {
        ("relay", Side::Client) => way == Way::In,
        ("relay", Side::Agent) => way == Way::Out,
        // An agent hears what goes up, a client what comes down.
        (_, Side::Agent) => way == Way::In,
        (_, Side::Client) => way == Way::Out,
    };
    if is_up { Dir::Up } else { Dir::Down }
}

/// The channel that a notify command, or its answer, is about.
fn channel_of(text: &str) -> Option<String> {
    let (_, rest) = text.split_once(" session ")?;
    let (_, channel) = rest.split_once(' ')?;
    Some(channel.to_owned())
}

fn rfc3339(at: Timestamp) -> String {
    format!("{at:.6}")
}

#[cfg(test)]
mod tests;
