//! A descriptor that waits in the runtime instead of in a thread.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::Arc,
};

use bytes::Bytes;
use rustix::io::Errno;
use tokio::io::{Interest, unix::AsyncFd};

/// Our end of a PTY or of a pipe. A PTY's is read and written at once, so it is shared.
#[derive(Clone, Debug)]
pub(super) struct Descriptor(Arc<AsyncFd<OwnedFd>>);

impl Descriptor {
    pub(super) fn new(descriptor: OwnedFd) -> io::Result<Self> {
        rustix::io::ioctl_fionbio(&descriptor, true)?;
        // SAFETY: an `OwnedFd` names one open descriptor from its making to its drop, and nobody
        // can get at this one to swap it: only shared references are ever handed out.
        #[allow(unsafe_code)]
        let registered = unsafe { AsyncFd::register(descriptor) }?;
        Ok(Self(Arc::new(registered)))
    }

    /// Reads up to `most` bytes; empty at the end. A PTY has no end of its own: once no program has
    /// it open any more, and all that was written has been read, the kernel answers EIO.
    pub(super) async fn read(&self, most: usize) -> io::Result<Bytes> {
        let read = |descriptor: &OwnedFd| {
            let mut buffer = Vec::with_capacity(most);
            match rustix::io::read(descriptor, rustix::buffer::spare_capacity(&mut buffer)) {
                Ok(_) => Ok(Bytes::from(buffer)),
                Err(Errno::IO) => Ok(Bytes::new()),
                Err(errno) => Err(errno.into()),
            }
        };
        self.0.async_io(Interest::READABLE, read).await
    }

    pub(super) async fn write(&self, data: &[u8]) -> io::Result<usize> {
        let write = |descriptor: &OwnedFd| match rustix::io::write(descriptor, data) {
            Ok(written) => Ok(written),
            Err(Errno::IO | Errno::PIPE) => Err(io::ErrorKind::BrokenPipe.into()),
            Err(errno) => Err(errno.into()),
        };
        self.0.async_io(Interest::WRITABLE, write).await
    }
}

impl AsFd for Descriptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.get_ref().as_fd()
    }
}
