//! A TCP connection to a port, from here.

use std::io;

use axt_net::transport::{
    DialError, Dialer, KERNEL_BUFFER, Parts, Stream,
    parts::{Ending, Reader, Writer},
    read_some,
};
use axt_proto::unreached::{Cause, Unreached};
use bytes::Bytes;
use tokio::io::AsyncWriteExt;

use super::{NotOpened, Target};

/// What `localhost` may be, beyond what the resolver says: many programs listen on one family only.
const LOCALHOST: [&str; 2] = ["127.0.0.1", "::1"];

/// Dials `host`: each address that it has, `localhost` on both families.
pub(super) async fn open(host: &str, port: &str, dialer: &Dialer) -> Result<Target, NotOpened> {
    let number = port
        .parse()
        .map_err(|_| NotOpened(format!("`{port}` is no port number")))?;
    let stream = dial(host, number, dialer)
        .await
        .map_err(|error| NotOpened(why(error)))?;
    // A kernel that refuses keeps its own sizes: slower to push back, and nothing worse.
    let _ = stream.set_kernel_buffers(KERNEL_BUFFER);
    let Parts {
        reader,
        writer,
        ending,
    } = Parts::from(stream);
    Ok(Target {
        input: super::Input::Port(Input(writer)),
        output: super::Output::Port(Output(reader)),
        control: super::Control::Port(Control {
            ending,
            is_broken: false,
        }),
    })
}

/// In the words that a client can tell apart, where there are such.
fn why(error: DialError) -> String {
    let cause = match error.source.kind() {
        io::ErrorKind::ConnectionRefused => Cause::Refused,
        io::ErrorKind::NotFound => Cause::Unresolved,
        io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::NetworkDown => Cause::NoRoute,
        io::ErrorKind::TimedOut => Cause::NoAnswer,
        _ => return error.to_string(),
    };
    let address = error.address;
    Unreached { cause, address }.to_string()
}

/// Until its end is known to be an orderly one, the connection is to end with a reset: should this
/// process be killed, the target must not take a part for the whole.
async fn dial(host: &str, port: u16, dialer: &Dialer) -> Result<Stream, DialError> {
    let refusal = match dialer.dial_to_reset(host, port).await {
        Ok(stream) => return Ok(stream),
        Err(refusal) => refusal,
    };
    // One that let us in and then broke was reached: to dial it again would be a second connection.
    let was_reached = matches!(
        refusal.source.kind(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::NotConnected
    );
    if host.eq_ignore_ascii_case("localhost") && !was_reached {
        for address in LOCALHOST {
            if let Ok(stream) = dialer.dial_to_reset(address, port).await {
                return Ok(stream);
            }
        }
    }
    Err(refusal)
}

#[derive(Debug)]
pub(crate) struct Input(Writer);

impl Input {
    pub(super) async fn write(&mut self, pieces: &[Bytes]) -> io::Result<usize> {
        let slices: Vec<_> = pieces.iter().map(|piece| io::IoSlice::new(piece)).collect();
        self.0.write_vectored(&slices).await
    }

    /// Half-closes the connection. That fails only when the rest of it has ended.
    pub(super) async fn finish(&mut self) {
        let _ = self.0.shutdown().await;
    }
}

#[derive(Debug)]
pub(crate) struct Output(Reader);

impl Output {
    pub(super) async fn read(&mut self, most: usize) -> io::Result<Bytes> {
        read_some(&mut self.0, most).await
    }
}

/// It ends with a reset, unless it is told to close.
#[derive(Debug)]
pub(crate) struct Control {
    ending: Ending,
    is_broken: bool,
}

impl Control {
    /// The hand that learns of a break while nobody reads or writes.
    pub(super) fn ending(&self) -> Ending {
        self.ending.clone()
    }

    pub(super) fn reset(&mut self) {
        self.is_broken = true;
    }

    pub(super) fn close(&mut self) {
        if !self.is_broken {
            self.ending.close_when_dropped();
        }
    }
}
