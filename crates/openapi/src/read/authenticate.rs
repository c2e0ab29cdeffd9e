//! Who calls: rows 4 to 16 of ecs-api 2.5.

use jiff::{SignedDuration, Timestamp};

use super::gateway::{Gateway, Style, throttled};
use crate::{
    AccessKey, ApiError, ErrorCode, NonceState,
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

impl Gateway<'_> {
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
}
