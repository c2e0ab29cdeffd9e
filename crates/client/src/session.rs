//! A terminal session from the first call to the last byte.
//!
//! ```text
//!  StartTerminalSession ─▶ websocket ─▶ pump each way ─▶ why it ended ─▶ EndTerminalSession
//! ```
//!
//! It runs over any pair of byte streams and any source of window sizes, so a person's terminal, a
//! pipe, a test and the simulation are all the same to it.

mod connect;
mod end;
pub mod escape;
mod given;
mod keyboard;
mod progress;
mod pump;

use std::{future::Future, time::Duration};

use axt_net::link;
use axt_proto::{Extensions, InstanceId};
use tokio::io::{AsyncRead, AsyncWrite};

pub(crate) use connect::start_with;
pub use connect::{Announce, Link, Network, OpenError, Started, connect, start};
pub(crate) use end::detail_of;
pub use end::{Ended, Why};
pub use given::BadSessionUrl;
pub use keyboard::Keyboard;
pub use progress::{Moved, Progress};

use crate::{
    api::Api,
    recording::Tape,
    terminal::signals::{Sizes, Stop},
};

/// What to open.
#[derive(Clone, Debug)]
pub struct Open {
    /// On which instance.
    pub instance: InstanceId,
    /// The line to run instead of a login shell, at most 512 characters.
    pub command_line: Option<String>,
    /// As whom; the agent's own user without one.
    pub username: Option<String>,
}

/// What a local end of input means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndOfInput {
    /// The terminal is gone: the session ends (type 3, then a close frame).
    Closes,
    /// A pipe or a file ran out. The remote side is told by `eof` where that is granted. The base
    /// protocol has no word for it, so an EOT is typed, which ends a shell or a `cat`; the output
    /// goes on until the remote side ends.
    IsTyped,
}

/// The local side of a session.
#[derive(Debug)]
pub struct Ends<R, W> {
    /// What is typed.
    pub input: R,
    /// What end of input means.
    pub at_end_of_input: EndOfInput,
    /// Where output goes.
    pub output: W,
    /// The window's size.
    pub sizes: Sizes,
    /// What records it.
    pub tape: Option<Tape>,
}

impl EndOfInput {
    /// What a client with such an input can make use of: the exit code always, the end of input and
    /// pipes only where there is no terminal.
    #[must_use]
    pub fn extensions(self) -> Extensions {
        let is_piped = self == Self::IsTyped;
        Extensions {
            exit: true,
            eof: is_piped,
            pipe: is_piped,
            ..Extensions::NONE
        }
    }
}

/// Runs a connected session to its end. `stop` is the wish to end from outside, such as a signal.
///
/// Whoever started the session then ends it, by [`end()`], on every orderly way out.
pub async fn run<R, W>(link: Link, ends: Ends<R, W>, stop: impl Future<Output = Stop>) -> Ended
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    pump::run(link, ends, stop).await
}

/// How long EndTerminalSession may hold up a person who wants to leave at once. With
/// the goodbye before it ([`pump::AT_ONCE`]) that is less than a tenth of a second.
pub const LEAVING: Duration = Duration::from_millis(40);

/// EndTerminalSession, for as long as a person would wait for it.
pub async fn end(api: &Api, session: &str) {
    end_within(api, session, link::SHUTDOWN).await;
}

/// EndTerminalSession, for so long at most. Says whether there was an answer.
pub async fn end_within(api: &Api, session: &str, patience: Duration) -> bool {
    let parameters = [("SessionId", session)];
    let call = api.call("EndTerminalSession", &parameters);
    let answered = link::timeout(patience, call).await;
    match &answered {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::debug!(session, %error, "the session was not ended"),
        Err(late) => tracing::debug!(session, error = %late, "the session was not ended"),
    }
    answered.is_ok()
}
