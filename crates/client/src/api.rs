//! Signed calls of the OpenAPI, any action with any parameters.

mod sign;

use std::fmt;

use axt_net::{
    http::{HttpClient, HttpError},
    wall::Wall,
};
use axt_proto::{RegionId, Secret};
use bytes::Bytes;
use http::{Method, Request, StatusCode, Uri};
use serde::Deserialize;
use serde_json::Value;

pub use self::sign::Credentials;
use self::sign::{Outgoing, VERSION};

/// The API of one region, with the key to sign with.
#[derive(Clone, Debug)]
pub struct Api {
    http: HttpClient,
    endpoint: Uri,
    region: RegionId,
    credentials: Credentials,
    wall: Wall,
}

/// An error that the API answered with (ecs-api 1.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// The code, such as `InvalidInstance.NotFound`.
    pub code: String,
    /// In words.
    pub message: String,
    /// The call's id, as the logs have it.
    pub request_id: String,
    /// The HTTP status.
    pub status: u16,
}

impl fmt::Display for ApiError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.code, self.message)?;
        if !self.request_id.is_empty() {
            write!(out, " (request {})", self.request_id)?;
        }
        Ok(())
    }
}

impl std::error::Error for ApiError {}

/// A call that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The API answered with an error.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// There was no answer.
    #[error("cannot reach the API at {endpoint}: {source}")]
    Unreachable {
        /// Where it was looked for.
        endpoint: String,
        /// Why.
        source: HttpError,
    },
    /// The answer is not one of the API's.
    #[error("{endpoint} does not answer as the API does: {problem}")]
    Nonsense {
        /// Where.
        endpoint: String,
        /// What was wrong.
        problem: String,
    },
}

/// An endpoint that is not a URL of the API.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no endpoint: expected http://HOST:PORT or https://HOST:PORT")]
pub struct MalformedEndpoint(String);

impl Api {
    /// The API at `endpoint`, `http://…` or `https://…`.
    ///
    /// # Errors
    /// [`MalformedEndpoint`].
    pub fn new(
        http: HttpClient,
        endpoint: &str,
        region: RegionId,
        credentials: Credentials,
        wall: Wall,
    ) -> Result<Self, MalformedEndpoint> {
        let malformed = || MalformedEndpoint(endpoint.to_owned());
        let uri: Uri = endpoint.parse().map_err(|_| malformed())?;
        let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
        if !is_http || uri.authority().is_none() {
            return Err(malformed());
        }
        Ok(Self {
            http,
            endpoint: uri,
            region,
            credentials,
            wall,
        })
    }

    /// The region that calls go to when they name none.
    #[must_use]
    pub fn region(&self) -> &RegionId {
        &self.region
    }

    /// Calls an action and gives its answer, which includes `RequestId`. The region is added when no
    /// parameter names one. It is signed as the official SDKs do by default (ACS3-HMAC-SHA256,
    /// ecs-api 2.2).
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn call(
        &self,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Value, CallError> {
        let mut parameters = parameters.to_vec();
        if !parameters.iter().any(|(name, _)| *name == "RegionId") {
            parameters.push(("RegionId", self.region.as_str()));
        }
        let request = self.request(action, &parameters)?;
        let answer = self
            .http
            .send(request)
            .await
            .map_err(|source| CallError::Unreachable {
                endpoint: self.endpoint.to_string(),
                source,
            })?;
        self.read(answer.status(), answer.body())
    }

    fn request(
        &self,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Request<Bytes>, CallError> {
        let host = self.endpoint.authority().map_or("", |host| host.as_str());
        let nonce = uuid::Uuid::new_v4().simple().to_string();
        let signed = sign::acs3(
            &Outgoing {
                host,
                action,
                version: VERSION,
                parameters,
                nonce: &nonce,
                at: self.wall.now(),
            },
            &self.credentials,
        );
        let base = self.endpoint.to_string();
        let mut request = Request::builder().method(Method::POST).uri(format!(
            "{}/?{}",
            base.trim_end_matches('/'),
            signed.query
        ));
        for (name, value) in &signed.headers {
            request = request.header(name.as_str(), value.as_str());
        }
        request
            .body(Bytes::new())
            .map_err(|error| self.nonsense(error.to_string()))
    }

    fn read(&self, status: StatusCode, body: &[u8]) -> Result<Value, CallError> {
        let answer: Value = serde_json::from_slice(body)
            .map_err(|_| self.nonsense(format!("HTTP {status} without JSON")))?;
        if status.is_success() {
            return Ok(answer);
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Refusal {
            code: String,
            #[serde(default)]
            message: String,
            #[serde(default)]
            request_id: String,
        }
        let Refusal {
            code,
            message,
            request_id,
        } = serde_json::from_value(answer)
            .map_err(|_| self.nonsense(format!("HTTP {status} without a code")))?;
        Err(CallError::Api(ApiError {
            code,
            message,
            request_id,
            status: status.as_u16(),
        }))
    }

    fn nonsense(&self, problem: String) -> CallError {
        CallError::Nonsense {
            endpoint: self.endpoint.to_string(),
            problem,
        }
    }
}
