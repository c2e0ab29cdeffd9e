//! From flags to the clients that talk to a sandbox.

use std::{fs, io::Read, os::fd::AsFd, path::Path, sync::Arc};

use axt_client::{
    Admin, Api, Target,
    discover::{self, process_environment},
    forward::{EXTENSIONS, Finder, Route},
    session::{Network, Started},
};
use axt_control::admin::ReadyInstance;
use axt_net::{
    clock::Clock,
    frames::Tap,
    http::HttpClient,
    tls::ClientTls,
    transport::{Dialer, Proxies},
    wall::Wall,
};
use axt_proto::{Extensions, Secret};

use crate::{
    failure::Failure,
    flags::{
        given::GivenSession,
        target::{AdminTarget, ApiTarget},
    },
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
        let network = network(target.ca.as_deref())?;
        let (dialer, tls) = (&network.dialer, &network.tls);
        let api = Api::new(
            HttpClient::new(dialer.clone(), tls.clone()),
            &target.endpoint,
            target.region.clone(),
            target.credentials.clone(),
            Wall::system(),
        )
        .map_err(Failure::usage)?;
        Ok(Self {
            network,
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
    let target = discover::find(wanted, &process_environment)?;
    let origins = &target.origins;
    tracing::info!(
        endpoint = target.endpoint,
        endpoint_from = %origins.endpoint,
        region = %target.region,
        region_from = %origins.region,
        access_key_id = target.credentials.access_key_id,
        key_from = %origins.key,
        "found"
    );
    Ok(target)
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
    let tls = ClientTls::system();
    let http = HttpClient::new(dialer(&tls)?, tls);
    Ok(Admin::new(http, &url, flags.admin_token.map(Secret::new)))
}

/// How everything is reached, the API and sessions alike: with the same trust, and through the same
/// proxies.
///
/// # Errors
/// Roots that cannot be read, or a proxy that is none.
fn network(ca: Option<&Path>) -> Result<Network, Failure> {
    let tls = match ca {
        Some(path) => trust(path)?,
        None => ClientTls::system(),
    };
    Ok(Network {
        dialer: dialer(&tls)?,
        tls,
        clock: Clock::from_wall(&Wall::system(), 0),
        tap: Tap::none(),
    })
}

/// Dials, through the proxies that the environment names.
fn dialer(tls: &ClientTls) -> Result<Dialer, Failure> {
    let proxies = Proxies::from_environment(&process_environment, tls).map_err(Failure::usage)?;
    Ok(proxies.map_or_else(Dialer::tcp, Dialer::proxied))
}

/// What a forward goes through.
pub(crate) enum ForwardClients {
    /// A session that somebody else has started.
    Given(Given),
    /// Sessions of its own.
    Own(Box<Own>),
}

/// A session that somebody else has started, and how to reach it.
pub(crate) struct Given {
    pub(crate) network: Network,
    pub(crate) extensions: Extensions,
    pub(crate) started: Started,
}

impl Given {
    /// Reads the session's URL from `place`, which is what `--wss-url` says.
    ///
    /// # Errors
    /// A URL that is none, or roots that cannot be read.
    pub(crate) fn find(
        place: &str,
        flags: ApiTarget,
        extensions: Extensions,
        settings: &Settings,
    ) -> Result<Self, Failure> {
        let wanted = client::wanted(flags, settings);
        Ok(Self {
            network: network(discover::ca(&wanted, &process_environment).as_deref())?,
            extensions,
            started: session_at(place)?,
        })
    }
}

/// How sessions are started and reached.
pub(crate) struct Own {
    pub(crate) instances: Vec<ReadyInstance>,
    pub(crate) route: Route,
    /// Finds the sandbox anew, which may have been started again elsewhere.
    pub(crate) finder: Finder,
}

impl ForwardClients {
    /// Finds what the flags mean.
    ///
    /// # Errors
    /// As [`Clients::find`]; a session's URL that is none.
    pub(crate) fn find(
        given: &GivenSession,
        flags: ApiTarget,
        no_extensions: Option<bool>,
        settings: &Settings,
    ) -> Result<Self, Failure> {
        let extensions = if client::no_extensions(no_extensions, settings) {
            Extensions::NONE
        } else {
            EXTENSIONS
        };
        if let Some(place) = &given.wss_url {
            let given = Given::find(place, flags, extensions, settings)?;
            return Ok(Self::Given(given));
        }
        let Clients {
            target,
            network,
            api,
        } = Clients::find(flags.clone(), settings)?;
        let settings = settings.clone();
        let finder: Finder = Arc::new(move || {
            let found = Clients::find(flags.clone(), &settings).ok()?;
            Some((found.api, found.network))
        });
        Ok(Self::Own(Box::new(Own {
            instances: target.instances,
            route: Route {
                api,
                network,
                extensions,
            },
            finder,
        })))
    }
}

impl GivenSession {
    /// Whether the URL is to come from stdin.
    pub(crate) fn reads_stdin(&self) -> bool {
        self.wss_url.as_deref() == Some("-")
    }
}

/// Reads a session's URL from where the flag says, and its token, neither of them from the command
/// line: that is there for everybody on this machine to see.
fn session_at(place: &str) -> Result<Started, Failure> {
    let url = match place {
        "-" => first_line(&mut fs::File::from(
            std::io::stdin()
                .as_fd()
                .try_clone_to_owned()
                .map_err(|error| Failure::usage(format!("cannot read stdin: {error}")))?,
        ))
        .map_err(|error| Failure::usage(format!("cannot read stdin: {error}")))?,
        "env" => process_environment("AXT_WSS_URL")
            .ok_or_else(|| Failure::usage("`--wss-url env`, and AXT_WSS_URL is not set"))?,
        url if Started::has_token(url) => {
            return Err(Failure::usage(
                "a token does not belong on a command line, where others see it",
            )
            .hint(
                "give the URL by AXT_WSS_URL and `--wss-url env`, or by stdin and `--wss-url -`",
            ));
        }
        url => url.to_owned(),
    };
    let token = process_environment("AXT_SESSION_TOKEN").map(Secret::new);
    Started::given(Secret::new(url), token).map_err(|error| {
        Failure::usage(error).hint("the token stands in the URL, or in AXT_SESSION_TOKEN beside it")
    })
}

/// The first line alone: what follows is the session's input, and must stay where it is.
fn first_line(input: &mut impl Read) -> std::io::Result<String> {
    let mut line = Vec::new();
    let mut byte = [0];
    while input.read(&mut byte)? == 1 && byte != *b"\n" {
        line.extend(byte);
    }
    Ok(String::from_utf8_lossy(&line).into_owned())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_the_first_line_is_left_in_the_input() {
        let mut input: &[u8] = b"wss://relay/\nls\n";

        let line = first_line(&mut input).expect("a line");

        assert_eq!((line.as_str(), input), ("wss://relay/", &b"ls\n"[..]));
        assert_eq!(first_line(&mut &b"no end"[..]).expect("a line"), "no end");
    }
}
