//! Clocks, tasks, TLS, websockets, transports and the pump: all that touches the world outside.
//!
//! What lives here: rule time ([`clock`]), link time ([`link`]) and wall time ([`wall`]); owned
//! tasks ([`tasks`]); sockets and their in-memory stand-in ([`transport`]); the development CA
//! ([`ca`]) and what clients trust ([`tls`]); the accept loop ([`accept`]); HTTP calls ([`http`]);
//! websockets ([`ws`]) and the frames in them ([`frames`]); and looking at what passes ([`tap`]).
//!
//! What never does: what a session is allowed to do. Nothing here knows a limit, an instance or a
//! session; bytes and instants go in and come out.

pub mod accept;
pub mod ca;
pub mod clock;
pub mod fault;
pub mod frames;
pub mod http;
pub mod link;
pub mod pump;
pub mod tap;
pub mod tasks;
pub mod tls;
pub mod transport;
pub mod wall;
pub mod ws;

#[cfg(test)]
mod testing;
