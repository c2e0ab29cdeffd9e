//! Registration with an activation, and its end (wire-protocol 10.2).

use axt_control::luban::{
    CODE_OK, MalformedKey, PublicKey, path,
    register::{CodeReply, RegisterReply, RegisterRequest, Tag},
};
use axt_net::http::{HttpClient, HttpError};
use axt_proto::{InstanceId, RegionId, Secret};
use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, header};

use crate::{
    calls::{CallError, JSON, Relay},
    config::{AgentConfig, Surroundings},
    machine::Machine,
};

/// What a machine registers with.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The relay's root: `https://HOST[:PORT]` or `http://…`, without a path.
    pub server: String,
    /// The public half of the activation.
    pub activation_id: String,
    /// The secret half.
    pub activation_code: Secret,
    /// The activation's region.
    pub region: RegionId,
    /// What the instance is to be called.
    pub name: String,
    /// Tags, each a key and a value.
    pub tags: Vec<(String, String)>,
    /// What will be signed beside the instance's id in every later request.
    pub machine_id: String,
    /// The machine.
    pub machine: Machine,
    /// The agent's version: four numbers with dots.
    pub version: String,
}

/// Why a machine is not registered, or still is.
#[derive(Debug, thiserror::Error)]
pub enum RegistrationError {
    /// The relay could not be asked.
    #[error(transparent)]
    Unreachable(#[from] HttpError),
    /// It does not want to; in its own words where it has any.
    #[error("the relay refuses ({status}): {message}")]
    Refused {
        /// The answer's status.
        status: StatusCode,
        /// Why.
        message: String,
    },
    /// It said something that is no answer to this.
    #[error("the relay's answer makes no sense: {0}")]
    Answer(String),
    /// The server is none that could be called.
    #[error("the server `{server}` gives no usable URL: {source}")]
    Url {
        /// Which.
        server: String,
        /// In what way.
        source: http::Error,
    },
    /// The key cannot be written down.
    #[error(transparent)]
    Key(#[from] MalformedKey),
}

/// Registers a machine whose private key is kept elsewhere; answers with the id that the relay has
/// given it.
///
/// # Errors
/// [`RegistrationError`]. None of them holds the activation's code.
pub async fn register(
    http: &HttpClient,
    wanted: &Registration,
    key: &PublicKey,
) -> Result<InstanceId, RegistrationError> {
    let machine = &wanted.machine;
    let body = RegisterRequest {
        activation_code: wanted.activation_code.clone(),
        machine_id: wanted.machine_id.clone(),
        region_id: wanted.region.clone(),
        instance_name: wanted.name.clone(),
        hostname: machine.host_name.clone(),
        intranet_ip: if machine.ip.is_empty() {
            // As the official agent writes that it has none.
            "<nil>".to_owned()
        } else {
            machine.ip.clone()
        },
        os_version: machine.os_version.clone(),
        os_type: machine.os_type.clone(),
        agent_version: wanted.version.clone(),
        public_key: key.to_registration()?,
        activation_id: wanted.activation_id.clone(),
        tag: wanted
            .tags
            .iter()
            .map(|(key, value)| Tag {
                key: key.clone(),
                value: value.clone(),
            })
            .collect(),
    };
    let body = serde_json::to_vec(&body).map_err(|error| answer(&error))?;
    let user_agent = machine.user_agent(&wanted.version);
    let request = Request::post(format!("{}{}", wanted.server, path::REGISTER))
        .header(
            header::USER_AGENT,
            HeaderValue::try_from(user_agent).unwrap_or_else(|_| HeaderValue::from_static("")),
        )
        .header(header::CONTENT_TYPE, JSON)
        .body(Bytes::from(body))
        .map_err(|source| RegistrationError::Url {
            server: wanted.server.clone(),
            source,
        })?;
    let (head, body) = http.send(request).await?.into_parts();
    let reply: Result<RegisterReply, _> = serde_json::from_slice(&body);
    match reply {
        Ok(RegisterReply {
            code: CODE_OK,
            instance_id: Some(instance),
            ..
        }) if head.status <= StatusCode::BAD_REQUEST => Ok(instance),
        Ok(RegisterReply { message, .. }) => Err(RegistrationError::Refused {
            status: head.status,
            message: message.unwrap_or_else(|| String::from_utf8_lossy(&body).into_owned()),
        }),
        Err(error) if head.status <= StatusCode::BAD_REQUEST => Err(answer(&error)),
        Err(_) => Err(RegistrationError::Refused {
            status: head.status,
            message: String::from_utf8_lossy(&body).into_owned(),
        }),
    }
}

/// Takes a registration back. That the relay knows nothing of the instance any more is as good.
///
/// # Errors
/// [`RegistrationError`].
pub async fn deregister(
    config: AgentConfig,
    around: Surroundings,
) -> Result<(), RegistrationError> {
    Relay::new(config, around).deregister().await
}

impl Relay {
    /// See [`deregister`].
    pub(crate) async fn deregister(&self) -> Result<(), RegistrationError> {
        self.take_back().await?;
        self.tell_unregistered().await;
        Ok(())
    }

    async fn take_back(&self) -> Result<(), RegistrationError> {
        let refused = |status, body: &Bytes| RegistrationError::Refused {
            status,
            message: said(body),
        };
        match self.post_deregister().await {
            // An answer that is no JSON is a success, as the official agent takes it.
            Ok(body) => match serde_json::from_slice::<CodeReply>(&body) {
                Ok(CodeReply { code }) if code != CODE_OK => Err(refused(StatusCode::OK, &body)),
                _ => Ok(()),
            },
            Err(CallError::Refused { status, body }) if is_unknown(&body) => {
                tracing::debug!(%status, "the relay does not know the instance any more");
                Ok(())
            }
            Err(CallError::Refused { status, body }) => Err(refused(status, &body)),
            Err(CallError::Http(error)) => Err(error.into()),
            Err(CallError::Answer(error)) => Err(answer(&error)),
            Err(CallError::Url(server, source)) => Err(RegistrationError::Url { server, source }),
        }
    }
}

/// The relay's words for why not.
fn said(body: &Bytes) -> String {
    let value: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let message = ["message", "Message"]
        .into_iter()
        .find_map(|name| value.get(name)?.as_str());
    message.map_or_else(|| String::from_utf8_lossy(body).into_owned(), str::to_owned)
}

fn is_unknown(body: &Bytes) -> bool {
    serde_json::from_slice::<serde_json::Value>(body).is_ok_and(|value| {
        value
            .get("Code")
            .is_some_and(|code| code == "UnknownInstance")
    })
}

fn answer(error: &serde_json::Error) -> RegistrationError {
    RegistrationError::Answer(error.to_string())
}
