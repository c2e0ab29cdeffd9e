//! The session that a forward's connections go through.

use axt_proto::{Extensions, InstanceId};

use super::spec::Remote;
use crate::{
    api::Api,
    session::{self, Announce, Link, Network, OpenError, Started},
};

/// How a session is started and reached.
#[derive(Clone, Debug)]
pub struct Route {
    /// The API that starts and ends it.
    pub api: Api,
    /// How the relay is reached.
    pub network: Network,
    /// What to announce; [`EXTENSIONS`], or none to speak the base protocol only.
    pub extensions: Extensions,
}

/// The extensions that a forward can make use of: half-close and reset.
pub const EXTENSIONS: Extensions = Extensions {
    eof: true,
    reset: true,
    ..Extensions::NONE
};

/// A session for one remote end, from its start to its end.
#[derive(Debug)]
pub(super) struct Session {
    route: Route,
    started: Started,
}

impl Session {
    /// StartTerminalSession with PortNumber, and TargetServer where there is one.
    pub(super) async fn start(
        route: Route,
        instance: &InstanceId,
        remote: &Remote,
    ) -> Result<Self, OpenError> {
        let port = remote.port.to_string();
        let mut parameters = vec![
            ("InstanceId.1", instance.as_str()),
            ("PortNumber", port.as_str()),
        ];
        if let Some(host) = &remote.host {
            parameters.push(("TargetServer", host.as_str()));
        }
        let started = session::start_with(&route.api, &parameters).await?;
        Ok(Self { route, started })
    }

    /// A websocket of its own for the next connection.
    pub(super) async fn connect(&self) -> Result<Link, OpenError> {
        let announce = Announce {
            extensions: self.route.extensions,
            size: None,
        };
        let started = self.for_next_connection();
        session::connect(&self.route.network, started, announce).await
    }

    /// What the next connection is to use. This is the one place that asks, once for each TCP
    /// connection: a session whose URL has expired is to be replaced here.
    fn for_next_connection(&self) -> &Started {
        &self.started
    }

    /// EndTerminalSession: its connections end with it.
    pub(super) async fn end(&self) {
        session::end(&self.route.api, &self.started.id).await;
    }
}
