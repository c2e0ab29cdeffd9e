//! The gateway: a call on its way through the checks of ecs-api 2.5, one function a row.
//!
//! Here is what comes before and after the question who calls: rows 1 to 3 and 17 to 20.

use std::{collections::BTreeMap, time::Duration};

use super::Failure;
use crate::{
    ActionName, ApiError, Caller, ErrorCode, Format, Now, Received, ReplyTo, VERSION, World,
    received::Parameters, signature::acs3::Authorization,
};

/// Which of the two signatures a call has (ecs-api 1.3).
#[derive(Clone, Copy)]
pub(super) enum Style<'a> {
    /// In the Authorization header.
    Acs3(Authorization<'a>),
    /// Among the parameters, or nowhere.
    Rpc,
}

/// A call on its way through the checks.
pub(super) struct Gateway<'a> {
    pub(super) received: &'a Received<'a>,
    pub(super) world: &'a dyn World,
    pub(super) now: Now,
    pub(super) style: Style<'a>,
    pub(super) parameters: Parameters,
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
            Parameters::format_of(received)
        } else {
            Parameters::of(received)
        };
        let (style, standing) = match authorization {
            Some(authorization) => (Style::Acs3(authorization), accepted(received)),
            // Its Format may stand where nobody read: every SDK asks for JSON (ecs-api 1.4).
            None if received.is_too_large() => (Style::Rpc, Format::Json),
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
    pub(super) fn given(&self, header: &str, parameter: &str) -> Option<&str> {
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
}

pub(super) fn throttled(code: ErrorCode, wait: Duration) -> ApiError {
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
