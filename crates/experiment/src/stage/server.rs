//! A server that a scenario has on its side.

use std::{future::Future, net::SocketAddr};

use axt_net::{
    tasks::Tasks,
    transport::{BindError, Listener, Stream},
};

/// A server that runs. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Server {
    port: u16,
    _tasks: Tasks,
}

impl Server {
    /// Where one on sockets is: at a free port of loopback.
    pub(super) const ANYWHERE: SocketAddr =
        SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

    /// Starts one, which serves each connection by a task of its own.
    pub(super) fn start<F>(
        listener: Listener,
        (name, of_each): (&'static str, &'static str),
        serve: impl Fn(Stream) -> F + Send + 'static,
    ) -> Result<Self, BindError>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let address = listener.local_addr().map_err(|source| BindError {
            address: Self::ANYWHERE.to_string(),
            source,
        })?;
        let tasks = Tasks::new();
        let each = tasks.child();
        tasks.spawn(name, async move {
            while let Ok(stream) = listener.accept().await {
                each.spawn(of_each, serve(stream));
            }
        });
        Ok(Self {
            port: address.port(),
            _tasks: tasks,
        })
    }

    pub(super) const fn port(&self) -> u16 {
        self.port
    }
}
