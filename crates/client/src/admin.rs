//! Calls to the admin listener.

use axt_control::admin::{
    AdminError, ClockAnswer, ClockRequest, InstanceChange, InstanceDeclaration, LimitsAnswer,
    RegionChange, SessionAnswer, State, TraceAnswer, TraceRequest,
    fault::{Fault, FaultAdded, FaultState, FaultsAnswer},
    path,
};
use axt_net::http::{HttpClient, HttpError};
use axt_proto::{InstanceId, RegionId, Secret, SessionId};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The admin API of one sandbox.
#[derive(Clone, Debug)]
pub struct Admin {
    http: HttpClient,
    url: String,
    token: Option<Secret>,
}

/// A call to the admin API that failed.
#[derive(Debug, thiserror::Error)]
pub enum AdminCallError {
    /// There was no answer.
    #[error("cannot reach the admin listener at {url}: {source}")]
    Unreachable {
        /// Where it was looked for.
        url: String,
        /// Why.
        source: HttpError,
    },
    /// The answer was a refusal.
    #[error("{message}")]
    Refused {
        /// The HTTP status.
        status: StatusCode,
        /// What it says.
        message: String,
        /// What to do, when it says so.
        hint: Option<String>,
    },
    /// The answer, or the URL, is not what it should be.
    #[error("{url} does not answer as an admin listener does: {problem}")]
    Nonsense {
        /// Where.
        url: String,
        /// What was wrong.
        problem: String,
    },
}

impl Admin {
    /// The admin API at `url`, such as `http://127.0.0.1:7090`, with a token where it wants one.
    #[must_use]
    pub fn new(http: HttpClient, url: &str, token: Option<Secret>) -> Self {
        Self {
            http,
            url: url.trim_end_matches('/').to_owned(),
            token,
        }
    }

    /// Whether all works: `Ok(Err(reason))` when the sandbox answers that it does not.
    ///
    /// # Errors
    /// [`AdminCallError::Unreachable`], or an answer that is neither.
    pub async fn health(&self) -> Result<Result<(), String>, AdminCallError> {
        let answer = self.send(Method::GET, path::HEALTH, Bytes::new()).await?;
        match answer.status() {
            StatusCode::OK => Ok(Ok(())),
            StatusCode::SERVICE_UNAVAILABLE => Ok(Err(refusal(&answer).0)),
            _ => Err(self.refused(&answer)),
        }
    }

    /// How the rule clock stands.
    ///
    /// # Errors
    /// [`AdminCallError`].
    pub async fn clock(&self) -> Result<ClockAnswer, AdminCallError> {
        let answer = self.send(Method::GET, path::CLOCK, Bytes::new()).await?;
        self.read(&answer)
    }

    /// Freezes, moves or releases the rule clock.
    ///
    /// # Errors
    /// [`AdminCallError`]; 504 names a timer whose owner did not come back.
    pub async fn set_clock(&self, request: ClockRequest) -> Result<ClockAnswer, AdminCallError> {
        self.post(path::CLOCK, &request).await
    }

    /// Every limit, where it was set, and how near anyone is to it.
    ///
    /// # Errors
    /// [`AdminCallError`].
    pub async fn limits(&self) -> Result<LimitsAnswer, AdminCallError> {
        let answer = self.send(Method::GET, path::LIMITS, Bytes::new()).await?;
        self.read(&answer)
    }

    /// The faults that there are, in the order in which they were added.
    ///
    /// # Errors
    /// [`AdminCallError`].
    pub async fn faults(&self) -> Result<Vec<FaultState>, AdminCallError> {
        let answer = self.send(Method::GET, path::FAULTS, Bytes::new()).await?;
        let FaultsAnswer { faults } = self.read(&answer)?;
        Ok(faults)
    }

    /// Adds a fault, and gives its name. It is on whom it is for by then.
    ///
    /// # Errors
    /// [`AdminCallError`]; 409 when there is one of that name.
    pub async fn add_fault(&self, fault: &Fault) -> Result<String, AdminCallError> {
        let FaultAdded { name } = self.post(path::FAULTS, fault).await?;
        Ok(name)
    }

    /// Takes away the fault of that name, or all.
    ///
    /// # Errors
    /// [`AdminCallError`]; 404 when there is none of that name.
    pub async fn remove_fault(&self, name: Option<&str>) -> Result<(), AdminCallError> {
        let path = match name {
            Some(name) => format!("{}/{name}", path::FAULTS),
            None => path::FAULTS.to_owned(),
        };
        let answer = self.send(Method::DELETE, &path, Bytes::new()).await?;
        match answer.status().is_success() {
            true => Ok(()),
            false => Err(self.refused(&answer)),
        }
    }

    /// A session, with its connections and its events.
    ///
    /// # Errors
    /// [`AdminCallError`]; 404 for one that never was, or is forgotten.
    pub async fn session(&self, session: &SessionId) -> Result<SessionAnswer, AdminCallError> {
        let path = format!("{}/{session}", path::SESSIONS);
        let answer = self.send(Method::GET, &path, Bytes::new()).await?;
        self.read(&answer)
    }

    /// Traces a session from now on, or no longer.
    ///
    /// # Errors
    /// [`AdminCallError`]; 404 for one that never was, or is forgotten.
    pub async fn trace(
        &self,
        session: &SessionId,
        request: TraceRequest,
    ) -> Result<TraceAnswer, AdminCallError> {
        let path = format!("{}/{session}/trace", path::SESSIONS);
        self.post(&path, &request).await
    }

    /// What exists now, and what goes through it.
    ///
    /// # Errors
    /// [`AdminCallError`].
    pub async fn state(&self) -> Result<State, AdminCallError> {
        let answer = self.send(Method::GET, path::STATE, Bytes::new()).await?;
        self.read(&answer)
    }

    /// Declares an instance, or declares it anew; gives its id.
    ///
    /// # Errors
    /// [`AdminCallError`].
    pub async fn declare_instance(
        &self,
        declaration: &InstanceDeclaration,
    ) -> Result<InstanceId, AdminCallError> {
        #[derive(Deserialize)]
        struct Declared {
            id: InstanceId,
        }
        let Declared { id } = self.post(path::INSTANCES, declaration).await?;
        Ok(id)
    }

    /// Changes an instance.
    ///
    /// # Errors
    /// [`AdminCallError`]; 404 for one that is not there.
    pub async fn change_instance(
        &self,
        instance: &InstanceId,
        change: &InstanceChange,
    ) -> Result<(), AdminCallError> {
        let path = format!("{}/{instance}", path::INSTANCES);
        self.patch(&path, change).await
    }

    /// Removes an instance; its agent is no longer let in.
    ///
    /// # Errors
    /// [`AdminCallError`]; 404 for one that is not there.
    pub async fn remove_instance(&self, instance: &InstanceId) -> Result<(), AdminCallError> {
        let path = format!("{}/{instance}", path::INSTANCES);
        let answer = self.send(Method::DELETE, &path, Bytes::new()).await?;
        self.done(&answer)
    }

    /// Changes a region's switches.
    ///
    /// # Errors
    /// [`AdminCallError`].
    pub async fn change_region(
        &self,
        region: &RegionId,
        change: &RegionChange,
    ) -> Result<(), AdminCallError> {
        let path = format!("{}/{region}", path::REGIONS);
        self.patch(&path, change).await
    }

    async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, AdminCallError> {
        let body = serde_json::to_vec(body).map_err(|error| self.nonsense(&error))?;
        let answer = self.send(Method::POST, path, body.into()).await?;
        self.read(&answer)
    }

    async fn patch(&self, path: &str, body: &impl Serialize) -> Result<(), AdminCallError> {
        let body = serde_json::to_vec(body).map_err(|error| self.nonsense(&error))?;
        let answer = self.send(Method::PATCH, path, body.into()).await?;
        self.done(&answer)
    }

    fn done(&self, answer: &Response<Bytes>) -> Result<(), AdminCallError> {
        if answer.status().is_success() {
            return Ok(());
        }
        Err(self.refused(answer))
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Response<Bytes>, AdminCallError> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", token.expose()));
        }
        let request = request.body(body).map_err(|error| self.nonsense(&error))?;
        self.http
            .send(request)
            .await
            .map_err(|source| AdminCallError::Unreachable {
                url: self.url.clone(),
                source,
            })
    }

    fn read<T: DeserializeOwned>(&self, answer: &Response<Bytes>) -> Result<T, AdminCallError> {
        if !answer.status().is_success() {
            return Err(self.refused(answer));
        }
        serde_json::from_slice(answer.body()).map_err(|error| self.nonsense(&error))
    }

    fn refused(&self, answer: &Response<Bytes>) -> AdminCallError {
        let (message, hint) = refusal(answer);
        AdminCallError::Refused {
            status: answer.status(),
            message,
            hint,
        }
    }

    fn nonsense(&self, problem: &impl ToString) -> AdminCallError {
        AdminCallError::Nonsense {
            url: self.url.clone(),
            problem: problem.to_string(),
        }
    }
}

fn refusal(answer: &Response<Bytes>) -> (String, Option<String>) {
    if let Ok(AdminError { error, hint }) = serde_json::from_slice(answer.body()) {
        return (error, hint);
    }
    let text: String = String::from_utf8_lossy(answer.body())
        .lines()
        .next()
        .unwrap_or_default()
        .chars()
        .take(200)
        .collect();
    if text.is_empty() {
        return (answer.status().to_string(), None);
    }
    (text, None)
}
