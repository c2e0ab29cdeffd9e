//! Signed calls as bytes, for what no client of ours would send.

use axt_net::http::HttpClient;
use axt_openapi::{
    Credentials,
    signature::{Method, Outgoing, Signed, acs3, rpc},
};
use axt_proto::Secret;
use axt_sandbox::Sandbox;
use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;

use crate::calls::Parameters;

/// How a call is signed, and where its parameters travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    Rpc(Method),
    Acs3(Method),
}

pub(crate) const EVERY_WAY: [By; 4] = [
    By::Rpc(Method::Get),
    By::Rpc(Method::Post),
    By::Acs3(Method::Get),
    By::Acs3(Method::Post),
];

/// The API of a sandbox, for whoever wants to change a call after it is signed.
pub(crate) struct Raw {
    http: HttpClient,
    endpoint: String,
    host: String,
    credentials: Credentials,
}

impl Raw {
    /// With the sandbox's own key, over plain HTTP.
    pub(crate) fn of(sandbox: &Sandbox) -> Self {
        let (network, ready) = (sandbox.network(), sandbox.ready());
        Self {
            http: HttpClient::new(network.dialer.clone(), network.tls.clone()),
            endpoint: ready.api_http.clone(),
            host: ready.api_http.replace("http://", ""),
            credentials: Credentials {
                access_key_id: ready.access_key_id.clone(),
                secret: ready.access_key_secret.clone(),
                security_token: None,
            },
        }
    }

    /// The same with another key, whose secret is its id.
    pub(crate) fn with_key(mut self, id: &str) -> Self {
        self.credentials.access_key_id = id.to_owned();
        self.credentials.secret = Secret::new(id);
        self
    }

    /// The same, calling the endpoint by another name.
    pub(crate) fn at_host(mut self, host: &str) -> Self {
        self.host = host.to_owned();
        self
    }

    pub(crate) fn sign(
        &self,
        by: By,
        action: &str,
        parameters: Parameters<'_>,
        nonce: &str,
        now: Timestamp,
    ) -> Signed {
        let parameters: Vec<(String, String)> = parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let call = |method| Outgoing {
            method,
            host: &self.host,
            action,
            parameters: &parameters,
            nonce,
            now,
        };
        match by {
            By::Rpc(method) => rpc::sign(&call(method), &self.credentials),
            By::Acs3(method) => acs3::sign(&call(method), &self.credentials),
        }
    }

    pub(crate) async fn send(&self, signed: Signed) -> Response<Bytes> {
        let uri = format!("{}{}", self.endpoint, signed.target);
        let mut request = Request::builder().method(signed.method).uri(uri);
        for (name, value) in signed.headers {
            request = request.header(name, value);
        }
        let request = request.body(Bytes::from(signed.body)).expect("a request");
        self.http.send(request).await.expect("an answer")
    }
}

/// `Code` of an answer in either format; none of a success.
pub(crate) fn code(answer: &Response<Bytes>) -> Option<String> {
    field(answer, "Code")
}

/// A text at the top of an answer in either format.
pub(crate) fn field(answer: &Response<Bytes>, name: &str) -> Option<String> {
    let body = std::str::from_utf8(answer.body()).expect("UTF-8");
    if let Ok(json) = serde_json::from_str::<serde_json::Value>(body) {
        return json[name].as_str().map(str::to_owned);
    }
    let (_, rest) = body.split_once(&format!("<{name}>"))?;
    let (value, _) = rest.split_once(&format!("</{name}>"))?;
    Some(value.to_owned())
}
