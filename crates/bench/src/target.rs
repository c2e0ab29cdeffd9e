//! What is at the far end of every way: a server of this process that echoes, takes, or gives.
//!
//! The first byte of a connection says which.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::Context;
use axt_net::{
    tasks::Tasks,
    transport::{Dialer, Listener, Stream},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Every byte back.
    Echo = b'e' as isize,
    /// Every byte taken, and counted; one byte comes first, to say that it begins.
    Take = b't' as isize,
    /// Bytes without end.
    Give = b'g' as isize,
}

/// What is written and read at once.
pub(crate) const CHUNK: usize = 64 * 1024;
/// The same of an echo, of which there are thousands.
const ECHO: usize = 1024;

/// The server; it ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) port: u16,
    counts: Arc<Counts>,
    _tasks: Tasks,
}

#[derive(Debug, Default)]
struct Counts {
    taken: AtomicU64,
}

impl Target {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let listener = Listener::bind((Ipv4Addr::LOCALHOST, 0).into()).await?;
        let port = listener.local_addr()?.port();
        let (tasks, counts) = (Tasks::new(), Arc::<Counts>::default());
        let (connections, counted) = (tasks.child(), Arc::clone(&counts));
        tasks.spawn("target", async move {
            while let Ok(stream) = listener.accept().await {
                let counts = Arc::clone(&counted);
                connections.spawn("target connection", async move {
                    // However it ends: those who measure see it at their own end.
                    let _ = serve(stream, &counts).await;
                });
            }
        });
        Ok(Self {
            port,
            counts,
            _tasks: tasks,
        })
    }

    /// How many bytes were taken.
    pub(crate) fn taken(&self) -> u64 {
        self.counts.taken.load(Ordering::Relaxed)
    }
}

async fn serve(mut stream: Stream, counts: &Counts) -> std::io::Result<()> {
    match stream.read_u8().await? {
        b'e' => {
            let mut buffer = [0; ECHO];
            loop {
                let length = stream.read(&mut buffer).await?;
                let Some(read) = buffer.get(..length).filter(|read| !read.is_empty()) else {
                    return Ok(());
                };
                stream.write_all(read).await?;
            }
        }
        b't' => {
            stream.write_all(b"!").await?;
            let mut buffer = vec![0; CHUNK];
            loop {
                let length = stream.read(&mut buffer).await?;
                if length == 0 {
                    return Ok(());
                }
                let length = u64::try_from(length).unwrap_or(0);
                counts.taken.fetch_add(length, Ordering::Relaxed);
            }
        }
        b'g' => {
            let chunk = vec![b'x'; CHUNK];
            loop {
                stream.write_all(&chunk).await?;
            }
        }
        // A probe, or nobody that was meant.
        _ => Ok(()),
    }
}

/// A connection to wherever a way begins, which has asked for what it wants.
pub(crate) async fn ask(at: SocketAddr, asked: Asked) -> anyhow::Result<Stream> {
    let mut stream = Dialer::tcp().dial(&at.ip().to_string(), at.port()).await?;
    stream.write_all(&[asked as u8]).await?;
    Ok(stream)
}

/// One byte there and back.
pub(crate) async fn echo_once(stream: &mut Stream) -> anyhow::Result<()> {
    stream.write_all(b"!").await?;
    stream.read_u8().await.context("no echo")?;
    Ok(())
}
