//! From flags to the clients that talk to a sandbox.

use std::{fs, path::Path};

use axt_client::{
    Admin, Api, Target,
    api::permanent,
    discover::{self, process_environment},
    session::Network,
};
use axt_net::{
    clock::Clock, frames::Tap, http::HttpClient, tls::ClientTls, transport::Dialer, wall::Wall,
};
use axt_proto::Secret;

use crate::{
    failure::Failure,
    flags::target::{AdminTarget, ApiTarget},
    settings::{Settings, client},
};

/// A sandbox's API, and what it takes to talk to it.
pub(crate) struct Clients {
    /// Where it is, and how it was found.
    pub(crate) target: Target,
    /// How its sessions are reached.
    pub(crate) network: Network,
    /// Its API.
    pub(crate) api: Api,
}

impl Clients {
    /// Finds the sandbox that the flags mean.
    ///
    /// # Errors
    /// No sandbox, an endpoint that is no URL, or roots that cannot be read.
    pub(crate) fn find(flags: ApiTarget, settings: &Settings) -> Result<Self, Failure> {
        let target = find(flags, settings)?;
        let tls = match &target.ca {
            Some(path) => trust(path)?,
            None => ClientTls::system(),
        };
        let dialer = Dialer::tcp();
        let api = Api::new(
            HttpClient::new(dialer.clone(), tls.clone()),
            &target.endpoint,
            target.region.clone(),
            permanent(
                target.access_key_id.clone(),
                target.access_key_secret.clone(),
            ),
            Wall::system(),
        )
        .map_err(Failure::usage)?;
        Ok(Self {
            network: Network {
                dialer,
                tls,
                clock: Clock::from_wall(&Wall::system(), 0),
                tap: Tap::none(),
            },
            target,
            api,
        })
    }
}

/// The sandbox that the flags mean.
///
/// # Errors
/// There is none.
pub(crate) fn find(flags: ApiTarget, settings: &Settings) -> Result<Target, Failure> {
    let wanted = client::wanted(flags, settings);
    Ok(discover::find(wanted, &process_environment)?)
}

/// The admin API of the sandbox that the flags mean.
///
/// # Errors
/// There is none.
pub(crate) fn admin(flags: AdminTarget, settings: &Settings) -> Result<Admin, Failure> {
    let flags = client::admin(flags, settings);
    let url = match flags.admin {
        Some(url) => url,
        None => discover::read_ready(flags.state_dir.as_deref(), &process_environment)?.admin,
    };
    let http = HttpClient::new(Dialer::tcp(), ClientTls::system());
    Ok(Admin::new(http, &url, flags.admin_token.map(Secret::new)))
}

fn trust(path: &Path) -> Result<ClientTls, Failure> {
    let cannot = |problem: String| {
        Failure::usage(format!(
            "cannot use the certificates in {}: {problem}",
            path.display()
        ))
    };
    let pem = fs::read_to_string(path).map_err(|error| cannot(error.to_string()))?;
    ClientTls::with_ca_pem(&pem).map_err(|error| cannot(error.to_string()))
}
