//! One TCP connection and its websocket.
//!
//! ```text
//!  the local socket                           the websocket
//!   bytes                              ─▶      input
//!   FIN                                ─▶      eof        (ungranted: nothing, the rest goes on)
//!   FIN, and nobody reads any more     ─▶                 (ungranted: type 3)
//!   reset                              ─▶      reset      (ungranted: type 3)
//!   bytes                              ◀─      output
//!   FIN, the other direction goes on   ◀─      eof
//!   FIN, both directions are done      ◀─      closed with Exit
//!   reset                              ◀─      reset; closed with any other reason; lost
//! ```

use std::{future::pending, pin::pin};

use axt_net::{
    frames::Next,
    transport::{Parts, Stream},
};
use axt_proto::frame::Message;
use tokio::io::AsyncWriteExt;
use tokio_util::sync::CancellationToken;

use super::{
    carry::{End, Way},
    event::{Carried, Events, ForwardEvent, Parting},
    parting::{linger, part},
    session::{Connected, Session},
    trouble::Trouble,
};
use crate::session::{Link, Why};

/// What the kernel may hold of the local connection, in bytes each way. It is a hop on this machine,
/// so more would not make it faster; it would only hide a reader that does not read.
const KERNEL_BUFFER: usize = 128 * 1024;

/// A connection that came in.
pub(super) struct Connection<'a> {
    pub(super) number: u64,
    pub(super) session: &'a Session,
    pub(super) events: &'a Events,
    pub(super) stop: &'a CancellationToken,
}

impl Connection<'_> {
    /// Serves the connection to its end.
    pub(super) async fn serve(self, local: Stream) {
        let accepted = ForwardEvent::Accepted {
            connection: self.number,
            local: local.local_addr(),
            peer: local.peer_addr(),
        };
        self.events.tell(accepted).await;
        // A kernel that refuses keeps its own sizes: slower to push back, and nothing worse.
        let _ = local.set_kernel_buffers(KERNEL_BUFFER);
        let local = Parts::from(local);
        // Until its end is known to be an orderly one: should this process be killed, nobody must
        // take a part for the whole.
        local.ending.reset_when_dropped();
        let connecting = self.session.connect(self.events);
        match self.stop.run_until_cancelled(connecting).await {
            Some(Ok(connected)) => self.carry(local, connected).await,
            Some(Err(error)) => {
                drop(local);
                self.failed(Carried::default(), Trouble::refused(&error))
                    .await;
            }
            None => {}
        }
    }

    /// Carries bytes both ways, then lets both ends go.
    async fn carry(&self, local: Parts, connected: Connected) {
        let Connected { link, live, beat } = connected;
        let _open = live.flow.opened();
        let Link {
            mut reader,
            writer,
            granted,
            ending: cut,
            ..
        } = link;
        let Parts {
            reader: mut input,
            writer: output,
            ending,
        } = local;
        let mut output = Some(output);
        let way = Way::new(granted, &live, self.events);
        let end = {
            let up = pin!(async {
                match way.up(&mut input, &writer).await {
                    Err(error) => return End::LocalReset(error.to_string()),
                    // After a FIN the other direction decides.
                    Ok(()) if granted.eof => pending().await,
                    // Unless nobody is there to hear of it, who would keep one of the instance's places.
                    Ok(()) => ending.abandoned().await,
                }
                End::LocalClosed
            });
            let down = pin!(way.down(&mut reader, &mut output));
            tokio::select! {
                biased;
                () = self.stop.cancelled() => End::Stopped,
                end = down => end,
                end = up => end,
                () = ending.broken_unnoticed(|| way.carried().sent) => {
                    End::LocalReset("it was reset".to_owned())
                }
                () = cut.broken_unnoticed(|| way.carried().received) => {
                    End::CutOff(Why::Lost("the connection was cut".to_owned()), None)
                }
                never = Way::stay_alive(&writer, beat) => match never {},
            }
        };
        let carried = way.carried();
        match end {
            End::Done => {
                ending.close_when_dropped();
                // The FIN first: the local end need not wait for the relay to let go.
                if let Some(output) = &mut output {
                    let _ = output.shutdown().await;
                }
                let parting = async {
                    drop(cut);
                    part(reader, writer, None, None).await;
                    self.closed(carried, Parting::Done).await;
                };
                let lingering = linger(input, output, ending);
                let lingering = self.stop.run_until_cancelled(lingering);
                tokio::join!(parting, lingering);
            }
            End::LocalReset(error) => {
                tracing::debug!(connection = self.number, error, "the local socket broke");
                drop((input, output, ending));
                let word = if granted.reset {
                    Message::Reset
                } else {
                    Message::Close
                };
                part(reader, writer, Some(word), Some(cut)).await;
                self.closed(carried, Parting::LocalReset).await;
            }
            End::LocalClosed => {
                ending.close_when_dropped();
                drop((input, output, ending));
                let parting = async {
                    // The relay closes when the target has had what came before.
                    if writer.send(&Message::Close).await.is_ok() {
                        while let Ok(Next::Message(_)) = reader.next().await {}
                    }
                };
                // Who stops the forward waits for nobody.
                let _ = self.stop.run_until_cancelled(parting).await;
                part(reader, writer, None, Some(cut)).await;
                self.closed(carried, Parting::Done).await;
            }
            End::RemoteReset => {
                drop((input, output, ending));
                part(reader, writer, None, Some(cut)).await;
                self.closed(carried, Parting::RemoteReset).await;
            }
            End::CutOff(why, detail) => {
                drop((input, output, ending));
                part(reader, writer, Some(Message::Close), Some(cut)).await;
                self.failed(carried, Trouble::cut_off(why, detail.as_deref()))
                    .await;
            }
            End::Stopped => {
                drop((input, output, ending));
                part(reader, writer, Some(Message::Close), Some(cut)).await;
                let stopped = self.end_of(carried, Parting::Stopped);
                self.events.tell_in_passing(stopped);
            }
        }
    }

    async fn closed(&self, carried: Carried, how: Parting) {
        self.events.tell(self.end_of(carried, how)).await;
    }

    const fn end_of(&self, carried: Carried, how: Parting) -> ForwardEvent {
        ForwardEvent::Closed {
            connection: self.number,
            carried,
            how,
        }
    }

    async fn failed(&self, carried: Carried, trouble: Trouble) {
        let failed = ForwardEvent::Failed {
            connection: self.number,
            carried,
            trouble,
        };
        self.events.tell(failed).await;
    }
}
