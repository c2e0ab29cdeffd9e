//! A disk in memory that can be held, broken and looked at.

use std::{
    io,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use redb::StorageBackend;
use tokio::sync::Notify;

/// Clones share the disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    bytes: Mutex<Vec<u8>>,
    synced: Mutex<Vec<u8>>,
    is_held: Mutex<bool>,
    released: Condvar,
    reached: Notify,
    is_broken: AtomicBool,
    syncs: AtomicUsize,
}

/// Holds every sync back until it is dropped.
pub(crate) struct Gate(Disk);

impl Drop for Gate {
    fn drop(&mut self) {
        *self.0.0.is_held.lock().expect("not poisoned") = false;
        self.0.0.released.notify_all();
    }
}

impl Disk {
    /// Holds every sync back from now on.
    pub(crate) fn hold(&self) -> Gate {
        *self.0.is_held.lock().expect("not poisoned") = true;
        Gate(self.clone())
    }

    /// Waits until a sync is held back.
    pub(crate) async fn reached(&self) {
        self.0.reached.notified().await;
    }

    /// Refuses every write from now on.
    pub(crate) fn fail(&self) {
        self.0.is_broken.store(true, Ordering::SeqCst);
    }

    /// A working disk with what this one has now: what a killed process leaves.
    pub(crate) fn image(&self) -> Self {
        Self::of(self.0.bytes.lock().expect("not poisoned").clone())
    }

    /// A working disk with what was synced last: what a power cut leaves at least.
    pub(crate) fn synced_image(&self) -> Self {
        Self::of(self.0.synced.lock().expect("not poisoned").clone())
    }

    fn of(bytes: Vec<u8>) -> Self {
        let image = Self::default();
        *image.0.bytes.lock().expect("not poisoned") = bytes;
        image
    }

    /// How many syncs there were.
    pub(crate) fn syncs(&self) -> usize {
        self.0.syncs.load(Ordering::SeqCst)
    }

    fn check(&self) -> io::Result<()> {
        match self.0.is_broken.load(Ordering::SeqCst) {
            true => Err(io::Error::other("the disk is broken")),
            false => Ok(()),
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.bytes.lock().expect("not poisoned").len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let bytes = self.0.bytes.lock().expect("not poisoned");
        let found = bytes.get(start..start + out.len());
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.check()?;
        let len = usize::try_from(len).map_err(io::Error::other)?;
        self.0.bytes.lock().expect("not poisoned").resize(len, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut is_held = self.0.is_held.lock().expect("not poisoned");
        if *is_held {
            self.0.reached.notify_one();
        }
        while *is_held {
            is_held = self.0.released.wait(is_held).expect("not poisoned");
        }
        self.check()?;
        let bytes = self.0.bytes.lock().expect("not poisoned").clone();
        *self.0.synced.lock().expect("not poisoned") = bytes;
        self.0.syncs.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.check()?;
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let mut bytes = self.0.bytes.lock().expect("not poisoned");
        let place = bytes.get_mut(start..start + data.len());
        place
            .ok_or(io::ErrorKind::UnexpectedEof)?
            .copy_from_slice(data);
        Ok(())
    }
}
