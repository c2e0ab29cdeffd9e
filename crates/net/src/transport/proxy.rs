//! Proxies that connections go through, by HTTP's CONNECT.
//!
//! The environment names them, as for most programs: `HTTPS_PROXY` for TLS, `HTTP_PROXY` for the
//! rest, `ALL_PROXY` for both, and in `NO_PROXY` the hosts that need none. Lower-case names come
//! first. This machine's own addresses are never asked of a proxy.

mod except;
mod tunnel;

use std::{fmt, io};

use axt_proto::Secret;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{StatusCode, Uri};
use percent_encoding::percent_decode_str;

use self::except::Except;
use crate::{
    http::host_of,
    tls::{ClientTls, TlsError},
    transport::Stream,
};

/// How variables of the environment are read.
pub type Environment<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// The proxies that there are, and for whom.
#[derive(Clone, Debug)]
pub struct Proxies {
    tls: ClientTls,
    https: Option<Proxy>,
    http: Option<Proxy>,
    except: Except,
}

/// One proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Proxy {
    host: String,
    port: u16,
    is_tls: bool,
    /// The value of Proxy-Authorization.
    credentials: Option<Secret>,
}

/// A variable that names no proxy that can be used. Its value is not in here, since it may hold a
/// password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable} names no proxy that can be used: {problem}")]
pub struct BadProxy {
    /// Which.
    pub variable: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// A proxy that was in the way. It is told apart from whoever is behind it.
#[derive(Debug, thiserror::Error)]
#[error("the proxy {proxy} {problem}")]
pub struct ProxyError {
    /// `HOST:PORT`.
    pub proxy: String,
    /// What it did.
    pub problem: ProxyProblem,
}

/// What a proxy did.
#[derive(Debug, thiserror::Error)]
pub enum ProxyProblem {
    /// It is not there.
    #[error("cannot be reached: {0}")]
    Unreachable(io::Error),
    /// There is no TLS to be had with it.
    #[error("cannot be trusted: {0}")]
    Tls(TlsError),
    /// It wants to know who asks.
    #[error("wants a user and a password (407)")]
    Unauthorized,
    /// It does not know who asks.
    #[error("does not take that user and password (407)")]
    WrongPassword,
    /// It answered with something else than a connection.
    #[error("refused it: {0}")]
    Refused(StatusCode),
    /// It does not speak HTTP.
    #[error("does not answer as a proxy does: {0}")]
    Nonsense(String),
}

impl ProxyError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self.problem {
            ProxyProblem::Unauthorized | ProxyProblem::WrongPassword => {
                "give them in the variable: HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT"
            }
            ProxyProblem::Refused(_) => {
                "ask whoever runs the proxy, or name the host in NO_PROXY when it needs none"
            }
            _ => "HTTPS_PROXY names the proxy, NO_PROXY the hosts that need none",
        }
    }
}

impl Proxies {
    /// What the environment says; `None` when it names no proxy. `tls` is for proxies that are
    /// reached by `https://`.
    ///
    /// # Errors
    ///
    /// [`BadProxy`].
    pub fn from_environment(
        environment: &Environment<'_>,
        tls: &ClientTls,
    ) -> Result<Option<Self>, BadProxy> {
        let named = |names: &[&str]| {
            let found = names
                .iter()
                .find_map(|name| Some((*name, environment(name)?)))
                .filter(|(_, value)| !value.trim().is_empty());
            found
                .map(|(name, value)| Proxy::parse(name, value.trim()))
                .transpose()
        };
        let every = named(&["all_proxy", "ALL_PROXY"])?;
        let https = named(&["https_proxy", "HTTPS_PROXY"])?.or_else(|| every.clone());
        // A server sets HTTP_PROXY for a CGI program when a caller sends a header `Proxy`.
        let is_cgi = environment("REQUEST_METHOD").is_some();
        let names: &[&str] = if is_cgi {
            &["http_proxy"]
        } else {
            &["http_proxy", "HTTP_PROXY"]
        };
        let http = named(names)?.or(every);
        if https.is_none() && http.is_none() {
            return Ok(None);
        }
        let except = environment("no_proxy").or_else(|| environment("NO_PROXY"));
        Ok(Some(Self {
            tls: tls.clone(),
            https,
            http,
            except: Except::parse(&except.unwrap_or_default()),
        }))
    }

    /// One proxy for everything, as an agent has it: `value` is `variable`'s.
    ///
    /// # Errors
    ///
    /// [`BadProxy`].
    pub fn of_agent(variable: &str, value: &str, tls: &ClientTls) -> Result<Self, BadProxy> {
        let proxy = Proxy::parse(variable, value.trim())?;
        Ok(Self {
            tls: tls.clone(),
            https: Some(proxy.clone()),
            http: Some(proxy),
            except: Except::default(),
        })
    }

    fn proxy_for(&self, is_tls: bool, host: &str, port: u16) -> Option<&Proxy> {
        let proxy = if is_tls { &self.https } else { &self.http };
        proxy.as_ref().filter(|_| !self.except.includes(host, port))
    }

    /// Connects to a host through its proxy; `None` when it needs none.
    pub(super) async fn dial(
        &self,
        is_tls: bool,
        host: &str,
        port: u16,
    ) -> Option<Result<Stream, ProxyError>> {
        let proxy = self.proxy_for(is_tls, host, port)?;
        let dialled = tunnel::through(proxy, &self.tls, host, port).await;
        Some(dialled.map_err(|problem| ProxyError {
            proxy: proxy.to_string(),
            problem,
        }))
    }
}

impl Proxy {
    fn parse(variable: &str, value: &str) -> Result<Self, BadProxy> {
        let bad = |problem| BadProxy {
            variable: variable.to_owned(),
            problem,
        };
        let text = if value.contains("://") {
            value.to_owned()
        } else {
            format!("http://{value}")
        };
        let uri: Uri = text
            .parse()
            .map_err(|_| bad("expected http://[USER:PASSWORD@]HOST:PORT"))?;
        let is_tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            Some(socks) if socks.starts_with("socks") => {
                return Err(bad(
                    "SOCKS is not known, only HTTP with CONNECT: http:// or https://",
                ));
            }
            _ => return Err(bad("only proxies for HTTP are known, http:// or https://")),
        };
        let authority = uri
            .authority()
            .filter(|authority| !authority.host().is_empty())
            .ok_or_else(|| bad("the host is missing"))?;
        let credentials = match authority.as_str().rsplit_once('@') {
            None => None,
            Some((who, _)) => {
                let (user, password) = who.split_once(':').unwrap_or((who, ""));
                let mut pair: Vec<u8> = percent_decode_str(user).collect();
                pair.push(b':');
                pair.extend(percent_decode_str(password));
                Some(Secret::new(format!("Basic {}", STANDARD.encode(pair))))
            }
        };
        let port = match (authority.port_u16(), host_of(authority)) {
            (Some(port), _) => port,
            (None, host) if host == authority.host() => {
                if is_tls {
                    443
                } else {
                    80
                }
            }
            (None, _) => return Err(bad("the port is no number up to 65535")),
        };
        Ok(Self {
            host: authority.host().to_owned(),
            port,
            is_tls,
            credentials,
        })
    }
}

impl fmt::Display for Proxy {
    /// Without the user and the password.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests;
