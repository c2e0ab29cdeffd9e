//! The checks of the gateway, one function a row (ecs-api 2.5).

use std::{collections::BTreeMap, time::Duration};

use axt_proto::RegionId;
use jiff::{SignedDuration, Timestamp};

use super::Failure;
use crate::{
    AccessKey, ActionName, ApiError, Caller, ErrorCode, Format, NonceState, Now, RateState,
    Received, ReplyTo, VERSION, World,
    action::named_list,
    description::Resource,
    error::AccessDenied,
    policy::{Judgement, Policy, instance_resource},
    received::Parameters,
    signature::{
        acs3::{self, Authorization},
        parse_time, rpc,
    },
};

/// How far a caller's clock may be off, either way (ecs-api 2.4).
const WINDOW: SignedDuration = SignedDuration::from_mins(15);

/// The longest nonce in characters.
const LONGEST_NONCE: usize = 128;

/// What ACS3 has to sign (ecs-api 2.2).
const MUST_BE_SIGNED: &[&str] = &[
    "host",
    "x-acs-action",
    "x-acs-version",
    "x-acs-date",
    "x-acs-signature-nonce",
    "x-acs-content-sha256",
];

/// What ACS3 has to sign when it is there.
const SIGNED_WHEN_PRESENT: &[&str] = &["x-acs-security-token", "content-type"];

/// Which of the two signatures a call has (ecs-api 1.3).
#[derive(Clone, Copy)]
enum Style<'a> {
    /// In the Authorization header.
    Acs3(Authorization<'a>),
    /// Among the parameters, or nowhere.
    Rpc,
}

/// A call on its way through the checks.
pub(super) struct Gateway<'a> {
    received: &'a Received<'a>,
    pub(super) world: &'a dyn World,
    now: Now,
    style: Style<'a>,
    parameters: Parameters,
    pub(super) business: BTreeMap<String, String>,
    pub(super) reply_to: ReplyTo,
    pub(super) caller: Option<Caller>,
}

impl<'a> Gateway<'a> {
    /// Takes the call in: which signature it has, its parameters, how it is to be answered.
    pub(super) fn open(received: &'a Received<'a>, world: &'a dyn World, now: Now) -> Self {
        let authorization = received
            .header("authorization")
            .and_then(Authorization::parse);
        let parameters = if received.is_too_large() {
            Parameters::default()
        } else {
            Parameters::of(received)
        };
        let (style, standing) = match authorization {
            Some(authorization) => (Style::Acs3(authorization), accepted(received)),
            None => (Style::Rpc, Format::Xml),
        };
        let format = parameters
            .get("Format")
            .and_then(Format::find)
            .unwrap_or(standing);
        let host = received.header("host").unwrap_or_default().to_owned();
        Self {
            received,
            world,
            now,
            style,
            business: parameters.business(),
            parameters,
            reply_to: ReplyTo {
                format,
                host,
                action: None,
            },
            caller: None,
        }
    }

    /// The call, refused.
    pub(super) fn refuse(self, error: ApiError) -> Failure {
        Failure {
            error,
            reply_to: self.reply_to,
            caller: self.caller,
        }
    }

    /// What the header says with ACS3, the parameter with RPC.
    fn given(&self, header: &str, parameter: &str) -> Option<&str> {
        match self.style {
            Style::Acs3(_) => self.received.header(header),
            Style::Rpc => self.parameters.get(parameter),
        }
    }

    pub(super) fn method(&self) -> Result<(), ApiError> {
        match self.received.method {
            "GET" | "POST" => Ok(()),
            _ => Err(ErrorCode::UnsupportedHttpMethod.into()),
        }
    }

    pub(super) fn path(&self) -> Result<(), ApiError> {
        match self.received.path {
            "/" | "" => Ok(()),
            _ => Err(ErrorCode::InvalidActionNotFound.into()),
        }
    }

    pub(super) fn size(&self) -> Result<(), ApiError> {
        if self.received.is_too_large() {
            return Err(ErrorCode::RequestEntityTooLarge.into());
        }
        Ok(())
    }

    pub(super) fn format(&self) -> Result<(), ApiError> {
        let is_known = self
            .parameters
            .get("Format")
            .is_none_or(|it| Format::find(it).is_some());
        match self.style {
            Style::Rpc if !is_known => Err(ErrorCode::InvalidParameterFormat.into()),
            _ => Ok(()),
        }
    }

    pub(super) fn ambiguity(&self) -> Result<(), ApiError> {
        self.parameters.refuse_ambiguity()
    }

    fn access_key_id(&self) -> Option<&str> {
        match &self.style {
            Style::Acs3(authorization) => {
                Some(authorization.credential).filter(|id| !id.is_empty())
            }
            Style::Rpc => self.parameters.get("AccessKeyId"),
        }
    }

    fn given_signature(&self) -> Option<&str> {
        match &self.style {
            Style::Acs3(authorization) => Some(authorization.signature).filter(|it| !it.is_empty()),
            Style::Rpc => self.parameters.get("Signature"),
        }
    }

    fn given_time(&self) -> Option<&str> {
        self.given("x-acs-date", "Timestamp")
    }

    fn given_nonce(&self) -> Option<&str> {
        self.given("x-acs-signature-nonce", "SignatureNonce")
    }

    pub(super) fn presence(&self) -> Result<(), ApiError> {
        let missing = [
            (self.access_key_id(), ErrorCode::MissingAccessKeyId),
            (self.given_signature(), ErrorCode::MissingSignature),
            (self.given_time(), ErrorCode::MissingTimestamp),
            (self.given_nonce(), ErrorCode::MissingSignatureNonce),
        ]
        .into_iter()
        .find_map(|(value, code)| value.is_none().then_some(code));
        missing.map_or(Ok(()), |code| Err(code.into()))
    }

    pub(super) fn signature_form(&self) -> Result<(), ApiError> {
        let bad = |name| ApiError::new(ErrorCode::InvalidParameterNamed).with(name);
        if matches!(self.style, Style::Rpc) {
            self.algorithm().ok_or_else(|| bad("SignatureMethod"))?;
            if self.parameters.get("SignatureVersion") != Some("1.0") {
                return Err(bad("SignatureVersion"));
            }
        }
        let nonce = self.given_nonce().unwrap_or_default();
        if nonce.chars().count() > LONGEST_NONCE {
            return Err(bad("SignatureNonce"));
        }
        Ok(())
    }

    fn algorithm(&self) -> Option<rpc::Algorithm> {
        self.parameters
            .get("SignatureMethod")
            .and_then(rpc::Algorithm::find)
    }

    pub(super) fn time(&self) -> Result<(), ApiError> {
        let time: Timestamp = self
            .given_time()
            .and_then(parse_time)
            .ok_or(ErrorCode::InvalidTimestampFormat)?;
        if self.now.wall.duration_since(time).abs() > WINDOW {
            return Err(ErrorCode::InvalidTimestampExpired.into());
        }
        Ok(())
    }

    pub(super) fn key(&self) -> Result<AccessKey, ApiError> {
        let key = self
            .access_key_id()
            .and_then(|id| self.world.access_key(id))
            .ok_or(ErrorCode::InvalidAccessKeyIdNotFound)?;
        if !key.is_enabled {
            return Err(ErrorCode::InvalidAccessKeyIdInactive.into());
        }
        Ok(key)
    }

    pub(super) fn token(&self, key: &AccessKey) -> Result<(), ApiError> {
        match (
            &key.token,
            self.given("x-acs-security-token", "SecurityToken"),
        ) {
            (None, None) => Ok(()),
            (Some(own), Some(given)) if own.token.matches(given) => {
                if self.now.rule >= own.expires {
                    return Err(ErrorCode::InvalidSecurityTokenExpired.into());
                }
                Ok(())
            }
            _ => Err(ErrorCode::InvalidSecurityTokenMismatch.into()),
        }
    }

    pub(super) fn signature(&self, key: &AccessKey) -> Result<(), ApiError> {
        match &self.style {
            Style::Rpc => self.rpc_signature(key),
            Style::Acs3(authorization) => self.acs3_signature(key, authorization),
        }
    }

    fn rpc_signature(&self, key: &AccessKey) -> Result<(), ApiError> {
        let string = rpc::string_to_sign(self.received.method, self.parameters.signed());
        let signature = self.given_signature().unwrap_or_default();
        let algorithm = self.algorithm().unwrap_or_default();
        if rpc::fits(algorithm, &key.secret, &string, signature) {
            return Ok(());
        }
        Err(ApiError::new(ErrorCode::SignatureDoesNotMatchRpc).with(string))
    }

    fn acs3_signature(
        &self,
        key: &AccessKey,
        authorization: &Authorization<'_>,
    ) -> Result<(), ApiError> {
        let received = self.received;
        let query = self.parameters.query();
        let sha256 = received.header("x-acs-content-sha256").unwrap_or_default();
        let canonical = acs3::canonical_request(
            received.method,
            query
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
            received.headers,
            authorization.signed_headers,
            sha256,
        );
        let string = acs3::string_to_sign(&canonical);
        let is_covered = self.covers(authorization);
        let is_whole = sha256.eq_ignore_ascii_case(&acs3::sha256(received.body));
        let fits = acs3::fits(&key.secret, &string, authorization.signature);
        if is_covered && is_whole && fits {
            return Ok(());
        }
        Err(ApiError::new(ErrorCode::SignatureDoesNotMatchAcs3)
            .with(string)
            .with(canonical))
    }

    /// Whether every header that must be signed is, and every one that is listed is there.
    fn covers(&self, authorization: &Authorization<'_>) -> bool {
        let is_listed = |wanted: &str| {
            authorization
                .names()
                .any(|name| name.eq_ignore_ascii_case(wanted))
        };
        let is_there = |wanted: &str| {
            let headers = self.received.headers.iter();
            headers
                .map(|(name, _)| name)
                .any(|name| name.eq_ignore_ascii_case(wanted))
        };
        MUST_BE_SIGNED.iter().copied().all(is_listed)
            && SIGNED_WHEN_PRESENT
                .iter()
                .all(|name| !is_there(name) || is_listed(name))
            && authorization.names().all(is_there)
    }

    pub(super) fn nonce(&self) -> Result<(), ApiError> {
        let id = self.access_key_id().unwrap_or_default();
        let nonce = self.given_nonce().unwrap_or_default();
        match self.world.remember_nonce(id, nonce) {
            NonceState::Fresh => Ok(()),
            NonceState::Used => Err(ErrorCode::SignatureNonceUsed.into()),
            NonceState::Full(wait) => Err(throttled(ErrorCode::ThrottlingUser, wait)),
        }
    }

    pub(super) fn version(&self) -> Result<(), ApiError> {
        let given = self.given("x-acs-version", "Version");
        match given {
            Some(VERSION) => Ok(()),
            Some(_) => Err(ErrorCode::InvalidVersion.into()),
            // An unsigned call is typed by hand.
            None if self.world.unsigned_caller().is_some() => Ok(()),
            None => Err(ErrorCode::MissingVersion.into()),
        }
    }

    pub(super) fn action(&mut self) -> Result<ActionName, ApiError> {
        let given = self
            .given("x-acs-action", "Action")
            .ok_or(ErrorCode::MissingAction)?;
        let name = ActionName::find(given).ok_or(ErrorCode::InvalidActionNotFound)?;
        self.reply_to.action = Some(name);
        Ok(name)
    }

    pub(super) fn tls(&self, name: ActionName) -> Result<(), ApiError> {
        let wants = name.description().https_only && self.world.enforces_tls();
        if wants && !self.received.is_tls {
            return Err(ErrorCode::InvalidProtocolNeedSsl.into());
        }
        Ok(())
    }

    pub(super) fn rate(&self, caller: &Caller, name: ActionName) -> Result<(), ApiError> {
        match self.world.rate(caller, name) {
            RateState::Within => Ok(()),
            RateState::User(wait) => Err(throttled(ErrorCode::ThrottlingUser, wait)),
            RateState::Api(wait) => Err(throttled(ErrorCode::ThrottlingApi, wait)),
            RateState::Service(wait) => Err(throttled(ErrorCode::Throttling, wait)),
        }
    }

    pub(super) fn policy(&self, caller: &Caller, name: ActionName) -> Result<(), ApiError> {
        let Some(policy) = &caller.policy else {
            return Ok(());
        };
        let judgement = self.judge(policy, caller, name);
        if judgement.is_allowed() {
            return Ok(());
        }
        let detail = AccessDenied::new(name, caller, judgement);
        Err(ApiError::new(ErrorCode::ForbiddenRam).denied(detail))
    }

    /// The worst that the policy says to any of the resources that the call is about.
    fn judge(&self, policy: &Policy, caller: &Caller, name: ActionName) -> Judgement {
        let ids = match name.description().resource {
            Resource::Session => return policy.judge_anywhere(name),
            Resource::All => return policy.judge(name, "*"),
            Resource::Instances(list) => named_list(&self.business, list),
        };
        let region: Option<RegionId> = self
            .business
            .get("RegionId")
            .and_then(|region| region.parse().ok());
        // Without a region the call is about to be refused for that.
        let Some(region) = region else {
            return policy.judge_anywhere(name);
        };
        let all = ["*".to_owned()];
        let ids = if ids.is_empty() { &all[..] } else { &ids[..] };
        ids.iter()
            .map(|id| policy.judge(name, &instance_resource(&region, &caller.account, id)))
            .max()
            .unwrap_or(Judgement::ImplicitDeny)
    }
}

fn throttled(code: ErrorCode, wait: Duration) -> ApiError {
    ApiError::new(code).retry_after(wait)
}

/// The format that ACS3 asks for without Format (ecs-api 1.4).
fn accepted(received: &Received<'_>) -> Format {
    let accept = received.header("accept").unwrap_or_default();
    let essence = accept.split([';', ',']).next().unwrap_or_default().trim();
    match essence {
        "application/xml" | "text/xml" => Format::Xml,
        _ => Format::Json,
    }
}
