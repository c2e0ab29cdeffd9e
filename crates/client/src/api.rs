//! Signed calls of the OpenAPI, any action with any parameters.

mod pages;

use std::fmt;

use axt_net::{
    http::{HttpClient, HttpError},
    wall::Wall,
};
pub use axt_openapi::Credentials;
use axt_openapi::signature::{Method, Outgoing, acs3};
use axt_proto::{RegionId, Secret};
use bytes::Bytes;
use http::{Request, StatusCode, Uri, header::DATE};
use jiff::{Timestamp, fmt::rfc2822};
use serde::Deserialize;
use serde_json::Value;

pub use self::pages::{Pages, page_of};

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

/// What the API answered, and when, by its own clock.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The answer, or the error.
    pub answer: Result<Value, ApiError>,
    /// The answer's `Date`, to the second.
    pub server_time: Option<Timestamp>,
}

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

    /// Where calls go to.
    #[must_use]
    pub fn endpoint(&self) -> &Uri {
        &self.endpoint
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
        Ok(self.ask(action, parameters).await?.answer?)
    }

    /// Calls an action as [`Api::call`] does, and tells the server's clock beside the answer.
    ///
    /// # Errors
    /// [`CallError::Unreachable`] and [`CallError::Nonsense`]; an error of the API is an answer.
    pub async fn ask(
        &self,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Answered, CallError> {
        let mut parameters: Vec<(String, String)> = parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        if !parameters.iter().any(|(name, _)| name == "RegionId") {
            parameters.push(("RegionId".to_owned(), self.region.to_string()));
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
        let date = answer.headers().get(DATE);
        let server_time = date
            .and_then(|date| rfc2822::parse(date.to_str().ok()?).ok())
            .map(|date| date.timestamp());
        Ok(Answered {
            answer: self.read(answer.status(), answer.body())?,
            server_time,
        })
    }

    fn request(
        &self,
        action: &str,
        parameters: &[(String, String)],
    ) -> Result<Request<Bytes>, CallError> {
        let host = self.endpoint.authority().map_or("", |host| host.as_str());
        let scheme = self.endpoint.scheme_str().unwrap_or("https");
        let nonce = uuid::Uuid::new_v4().simple().to_string();
        let call = Outgoing {
            method: Method::Post,
            host,
            action,
            parameters,
            nonce: &nonce,
            now: self.wall.now(),
        };
        let signed = acs3::sign(&call, &self.credentials);

        let mut request = Request::builder()
            .method(signed.method)
            .uri(format!("{scheme}://{host}{}", signed.target));
        for (name, value) in signed.headers {
            request = request.header(name, value);
        }
        request
            .body(signed.body.into())
            .map_err(|error| self.nonsense(error.to_string()))
    }

    fn read(&self, status: StatusCode, body: &[u8]) -> Result<Result<Value, ApiError>, CallError> {
        let answer: Value = serde_json::from_slice(body)
            .map_err(|_| self.nonsense(format!("HTTP {status} without JSON")))?;
        if status.is_success() {
            return Ok(Ok(answer));
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
        Ok(Err(ApiError {
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

/// Credentials of a key that is not temporary.
#[must_use]
pub const fn permanent(access_key_id: String, secret: Secret) -> Credentials {
    Credentials {
        access_key_id,
        secret,
        security_token: None,
    }
}

#[cfg(test)]
mod tests {
    use axt_net::{tls::ClientTls, transport::Dialer};
    use axt_openapi::signature::acs3::{Authorization, canonical_request, fits, string_to_sign};
    use http::header;

    use super::*;

    fn api(endpoint: &str) -> Result<Api, MalformedEndpoint> {
        let credentials = permanent("LTAIx".into(), Secret::new("s3cret"));
        Api::new(
            HttpClient::new(Dialer::tcp(), ClientTls::system()),
            endpoint,
            "cn-hangzhou".parse().expect("valid"),
            credentials,
            Wall::fixed("2026-11-25T06:00:00Z".parse().expect("a time")),
        )
    }

    #[test]
    fn a_request_is_signed_for_the_host_that_it_goes_to() {
        let api = api("https://localhost:7080").expect("an endpoint");
        let parameters = [("InstanceId.1".to_owned(), "i-1".to_owned())];

        let request = api
            .request("StartTerminalSession", &parameters)
            .expect("built");

        let text = |name: &str| request.headers()[name].to_str().expect("text").to_owned();
        let authorization = text(header::AUTHORIZATION.as_str());
        let authorization = Authorization::parse(&authorization).expect("ACS3");
        let headers: Vec<(&str, &[u8])> = request
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        let hash = text("x-acs-content-sha256");
        let names = authorization.signed_headers;
        let canonical = canonical_request("POST", [], &headers, names, &hash);
        assert!(fits(
            &Secret::new("s3cret"),
            &string_to_sign(&canonical),
            authorization.signature
        ));
        assert_eq!(request.uri(), "https://localhost:7080/");
        assert_eq!(text("host"), "localhost:7080");
        assert_eq!(request.body().as_ref(), b"InstanceId.1=i-1");
    }

    #[test]
    fn an_endpoint_has_a_scheme_and_a_host() {
        assert!(api("http://127.0.0.1:7080").is_ok());
        for endpoint in ["localhost:7080", "wss://localhost", "https://", ""] {
            assert!(api(endpoint).is_err(), "{endpoint}");
        }
    }

    #[test]
    fn an_error_is_told_by_its_code() {
        let api = api("https://localhost:7080").expect("an endpoint");
        let body =
            br#"{"Code":"InvalidInstance.NotFound","Message":"Not there.","RequestId":"R-1"}"#;

        let answer = api.read(StatusCode::NOT_FOUND, body).expect("JSON");
        let error = answer.expect_err("an error");

        assert_eq!(
            error.to_string(),
            "InvalidInstance.NotFound: Not there. (request R-1)"
        );
    }

    #[test]
    fn an_answer_that_is_not_the_apis_names_the_endpoint() {
        let api = api("https://localhost:7080").expect("an endpoint");

        let error = api.read(StatusCode::OK, b"<html>").expect_err("an error");

        assert!(
            error
                .to_string()
                .starts_with("https://localhost:7080/ does not answer")
        );
    }
}
