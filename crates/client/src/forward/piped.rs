//! One connection on a pair of pipes, such as stdin and stdout: what ssh wants of a ProxyCommand.
//!
//! The pipes' ends are told as a socket's would be. Where a half-close is not granted, the end of the
//! input is the end of the connection, once the answer to it has fallen silent: nobody else would
//! end it.

use std::{future::Future, pin::pin, time::Duration};

use axt_net::tasks::Tasks;
use axt_proto::{Extensions, InstanceId, frame::Message};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    sync::mpsc,
};

use super::{
    carry::{End, Way},
    event::{Carried, Events, ForwardEvent},
    parting::part,
    session::{Connected, Finder, Route, Session},
    spec::Remote,
    trouble::Trouble,
};
use crate::session::{Link, Network, OpenError, Started, Why};

/// How long the remote side may be silent after the end of the input, where it cannot be told of it.
const QUIET: Duration = Duration::from_secs(5);

/// A session for one connection. [`Piped::run`] ends it, unless somebody else has started it.
#[derive(Debug)]
pub struct Piped {
    session: Session,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PipedEnd<S> {
    /// The remote side is done, and all that it sent was written.
    Done(Carried),
    /// The input is at its end, which the remote side cannot be told, and it has nothing to say.
    InputEnded(Carried),
    /// Nobody reads the output any more.
    OutputClosed(Carried),
    /// The remote side's connection was reset.
    Reset(Carried),
    /// It was refused, or cut off.
    Failed(Carried, Trouble),
    /// The wish to end came first.
    Stopped(S),
}

impl Piped {
    /// Starts a session for `remote`.
    ///
    /// # Errors
    /// [`OpenError::Call`] and [`OpenError::Answer`].
    pub async fn start(
        route: Route,
        instance: &InstanceId,
        remote: &Remote,
    ) -> Result<Self, OpenError> {
        let session = Session::start(route, instance, remote).await?;
        Ok(Self { session })
    }

    /// Uses a session that somebody else has started.
    #[must_use]
    pub fn attach(network: Network, extensions: Extensions, started: Started) -> Self {
        Self {
            session: Session::given(network, extensions, started),
        }
    }

    /// As [`super::Forward::finding_by`].
    #[must_use]
    pub fn finding_by(mut self, finder: Finder) -> Self {
        self.session.find_by(finder);
        self
    }

    /// The same, with connections that say so often (rule time) that they are in use: quiet ones are
    /// then kept from the idle timeout. Only a relay and an agent of ours know it.
    #[must_use]
    pub const fn kept_alive(mut self, every: Duration) -> Self {
        self.session.keep_alive(every);
        self
    }

    /// Carries bytes both ways until one side ends it, or `stop` comes; then ends the session.
    /// `output` is dropped when the remote side has half-closed.
    pub async fn run<S>(
        self,
        input: impl AsyncRead + Unpin,
        output: impl AsyncWrite + Unpin,
        stop: impl Future<Output = S>,
    ) -> PipedEnd<S> {
        let mut stop = pin!(stop);
        // A renewal is nothing to be told of: there is one connection.
        let (sender, mut unread) = mpsc::channel::<ForwardEvent>(1);
        let reading = Tasks::new();
        reading.spawn(
            "events",
            async move { while unread.recv().await.is_some() {} },
        );
        let events = Events::from(sender);
        let connected = tokio::select! {
            biased;
            stopped = &mut stop => Err(PipedEnd::Stopped(stopped)),
            connected = self.session.connect(&events) => connected.map_err(|error| {
                PipedEnd::Failed(Carried::default(), Trouble::refused(&error))
            }),
        };
        let ended = match connected {
            Ok(connected) => carry(connected, &events, input, output, stop).await,
            Err(ended) => ended,
        };
        self.session.end().await;
        ended
    }
}

async fn carry<S>(
    connected: Connected,
    events: &Events,
    mut input: impl AsyncRead + Unpin,
    output: impl AsyncWrite + Unpin,
    stop: impl Future<Output = S>,
) -> PipedEnd<S> {
    let Connected { link, live, beat } = connected;
    let Link {
        mut reader,
        writer,
        granted,
        ending: cut,
        ..
    } = link;
    let mut output = Some(output);
    let way = Way::new(granted, &live, events);
    enum Over<S> {
        End(End),
        InputEnded,
        Stopped(S),
    }
    let over = {
        let up = pin!(async {
            // An input that breaks has ended.
            let _ = way.up(&mut input, &writer).await;
            if granted.eof {
                std::future::pending::<()>().await;
            }
            way.silence(QUIET).await;
        });
        let down = pin!(way.down(&mut reader, &mut output));
        tokio::select! {
            biased;
            stopped = stop => Over::Stopped(stopped),
            end = down => Over::End(end),
            () = cut.broken_unnoticed(|| way.carried().received) => {
                Over::End(End::CutOff(Why::Lost("the connection was cut".to_owned()), None))
            }
            () = up => Over::InputEnded,
            never = Way::stay_alive(&writer, beat) => match never {},
        }
    };
    let carried = way.carried();
    // The last of the input is still to arrive, if there is nothing else to tell its end.
    let cut = (!matches!(over, Over::InputEnded | Over::End(End::Done))).then_some(cut);
    let (word, ended) = match over {
        Over::Stopped(stopped) => (Some(Message::Close), PipedEnd::Stopped(stopped)),
        Over::InputEnded => (Some(Message::Close), PipedEnd::InputEnded(carried)),
        Over::End(End::Done) => (None, PipedEnd::Done(carried)),
        Over::End(End::RemoteReset) => (None, PipedEnd::Reset(carried)),
        Over::End(End::LocalReset(error)) => {
            tracing::debug!(error, "the output takes no more");
            let word = if granted.reset {
                Message::Reset
            } else {
                Message::Close
            };
            (Some(word), PipedEnd::OutputClosed(carried))
        }
        Over::End(End::CutOff(why, detail)) => {
            let trouble = Trouble::cut_off(why, detail.as_deref());
            (Some(Message::Close), PipedEnd::Failed(carried, trouble))
        }
        Over::End(End::Stopped | End::LocalClosed) => {
            (Some(Message::Close), PipedEnd::InputEnded(carried))
        }
    };
    if let Some(output) = &mut output {
        let _ = output.shutdown().await;
    }
    drop(output);
    part(reader, writer, word, cut).await;
    ended
}
