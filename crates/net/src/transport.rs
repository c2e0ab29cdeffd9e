//! What bytes travel on: TCP, or pipes within the process that stand for it in simulations.

pub mod dialer;
pub mod listener;
pub mod memory;
mod orphan;
pub mod parts;
pub mod proxy;
mod read;
mod socket;
pub mod stream;

pub use dialer::{DialError, Dialer};
pub use listener::{BindError, Listener};
pub use memory::MemoryNet;
pub use parts::Parts;
pub use proxy::{BadProxy, Proxies, ProxyError};
pub use read::read_some;
pub use stream::{Io, KERNEL_BUFFER, Stream};
