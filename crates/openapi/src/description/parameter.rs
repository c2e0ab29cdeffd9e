//! A parameter: what it is called, what it may be, and what a wrong one is answered with.

use std::borrow::Cow;

use super::Form;
use crate::{
    ApiError, ErrorCode,
    received::{MAX_BYTES, comparable},
};

/// A parameter of an action, or a member of an object.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its name, as the page spells it. Lists and tags without the `.N`.
    pub name: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// Whether a call without it is refused.
    pub required: bool,
    /// What its absence means, in the form that the wire has.
    pub default: Option<&'static str>,
    /// It is not looked at, nor its default, when one of these is given.
    pub unless: &'static [&'static str],
    /// What it is for, as a line of help.
    pub about: &'static str,
    /// What a malformed value is answered with; `None` is `InvalidParameter.<Name>`.
    pub invalid: Option<ErrorCode>,
    /// What too long a text or list is answered with; `None` is the same as malformed.
    pub too_long: Option<ErrorCode>,
}

/// What a parameter may be (ecs-api 1.2).
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A text of so many characters (Unicode code points after decoding).
    Text {
        /// The fewest.
        min: usize,
        /// The most.
        max: usize,
        /// What it has to look like.
        form: Form,
    },
    /// A decimal number.
    Integer {
        /// The least.
        min: u32,
        /// The greatest.
        max: u32,
    },
    /// `true` or `false`, in any case.
    Boolean,
    /// One of these words.
    Choice {
        /// The words, as answers spell them.
        words: &'static [&'static str],
        /// Whether the case counts.
        exact: bool,
    },
    /// `Name.1`, `Name.2`, …
    List {
        /// The most; more is [`Parameter::too_long`], which is told when all else is in order.
        max: usize,
        /// What each item has to look like.
        form: Form,
    },
    /// A list of texts as JSON text.
    JsonList {
        /// The most.
        max: usize,
    },
    /// `Name.1.Key`, `Name.1.Value`, …
    Tags {
        /// The most.
        max: usize,
    },
    /// JSON text of an object, or its members dotted. They are looked into at the object's place.
    Object(&'static [Parameter]),
    /// JSON text of an object whose members are texts of any name.
    Map,
}

impl Parameter {
    const fn new(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            required: false,
            default: None,
            unless: &[],
            about: "",
            invalid: None,
            too_long: None,
        }
    }

    /// A text of at most so many characters.
    #[must_use]
    pub const fn text(name: &'static str, max: usize) -> Self {
        Self::formed(name, 1, max, Form::Any)
    }

    /// A text of any length: an id or a filter, which is unknown rather than malformed.
    #[must_use]
    pub const fn any(name: &'static str) -> Self {
        Self::text(name, MAX_BYTES)
    }

    /// A text of a form and of `min` to `max` characters.
    #[must_use]
    pub const fn formed(name: &'static str, min: usize, max: usize, form: Form) -> Self {
        Self::new(name, Kind::Text { min, max, form })
    }

    /// A decimal number from `min` to `max`.
    #[must_use]
    pub const fn integer(name: &'static str, min: u32, max: u32) -> Self {
        Self::new(name, Kind::Integer { min, max })
    }

    /// `true` or `false`.
    #[must_use]
    pub const fn boolean(name: &'static str) -> Self {
        Self::new(name, Kind::Boolean)
    }

    /// One of these words, whose case counts.
    #[must_use]
    pub const fn choice(name: &'static str, words: &'static [&'static str]) -> Self {
        Self::new(name, Kind::Choice { words, exact: true })
    }

    /// One of these words, in any case.
    #[must_use]
    pub const fn word(name: &'static str, words: &'static [&'static str]) -> Self {
        Self::new(
            name,
            Kind::Choice {
                words,
                exact: false,
            },
        )
    }

    /// `Name.1` to `Name.max`.
    #[must_use]
    pub const fn list(name: &'static str, max: usize) -> Self {
        Self::forms(name, max, Form::Any)
    }

    /// `Name.1` to `Name.max`, each of a form.
    #[must_use]
    pub const fn forms(name: &'static str, max: usize, form: Form) -> Self {
        Self::new(name, Kind::List { max, form })
    }

    /// A list of at most so many texts, as JSON text.
    #[must_use]
    pub const fn json_list(name: &'static str, max: usize) -> Self {
        Self::new(name, Kind::JsonList { max }).or(ErrorCode::InvalidParameterNamed)
    }

    /// An object with these members.
    #[must_use]
    pub const fn object(name: &'static str, members: &'static [Self]) -> Self {
        Self::new(name, Kind::Object(members)).or(ErrorCode::InvalidParameter)
    }

    /// An object of texts.
    #[must_use]
    pub const fn map(name: &'static str) -> Self {
        Self::new(name, Kind::Map).or(ErrorCode::InvalidParameter)
    }

    /// `RegionId`, which decides where a call goes, whatever host it came to.
    pub const REGION_ID: Self = Self::text("RegionId", 64)
        .or(ErrorCode::InvalidRegionIdNotFound)
        .help("The region.");

    /// `Tag.N.Key` and `Tag.N.Value` (ecs-api 3.6).
    pub const TAGS: Self = Self::new("Tag", Kind::Tags { max: 20 }).help("Tags of the resource.");

    /// `ClientToken` (limits-and-semantics 4).
    pub const CLIENT_TOKEN: Self = Self::formed("ClientToken", 1, 64, Form::Ascii)
        .or(ErrorCode::InvalidClientTokenMalformed)
        .help("Makes a repeated call answer as the first one did.");

    /// `ResourceGroupId`, which is kept and given back.
    pub const RESOURCE_GROUP: Self = Self::text("ResourceGroupId", 128).help("The resource group.");

    /// The same, but a call without it is refused.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The same with a default, in the form that the wire has.
    #[must_use]
    pub const fn default(mut self, value: &'static str) -> Self {
        self.default = Some(value);
        self
    }

    /// The same, but not looked at when one of the others is given.
    #[must_use]
    pub const fn unless(mut self, others: &'static [&'static str]) -> Self {
        self.unless = others;
        self
    }

    /// The same with another answer to malformed values.
    #[must_use]
    pub const fn or(mut self, code: ErrorCode) -> Self {
        self.invalid = Some(code);
        self
    }

    /// The same with another answer to what is too long.
    #[must_use]
    pub const fn or_too_long(mut self, code: ErrorCode) -> Self {
        self.too_long = Some(code);
        self
    }

    /// The same with a line of help.
    #[must_use]
    pub const fn help(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }

    /// The names under which it is sent: `InstanceId.1`, `Tag.1.Key`, …
    #[must_use]
    pub fn wire_names(&self) -> Vec<String> {
        match self.kind {
            Kind::List { .. } => vec![format!("{}.1", self.name)],
            Kind::Tags { .. } => vec![
                format!("{}.1.Key", self.name),
                format!("{}.1.Value", self.name),
            ],
            _ => vec![self.name.to_owned()],
        }
    }

    /// The codes that it can be refused with.
    #[must_use]
    pub fn errors(&self) -> Vec<ErrorCode> {
        let mut codes = Vec::new();
        match self.kind {
            // Whatever a call has room for.
            Kind::Text {
                max: MAX_BYTES,
                form: Form::Any,
                ..
            } => {}
            // Any text is fine in a list of them.
            Kind::List {
                form: Form::Any, ..
            } => codes.push(self.excess().code()),
            _ => codes.extend([self.excess().code(), self.fault().code()]),
        }
        if self.required {
            codes.push(ErrorCode::MissingParameter);
        }
        match self.kind {
            Kind::Object(members) => codes.extend(members.iter().flat_map(Self::errors)),
            Kind::Tags { .. } => codes.push(ErrorCode::InvalidTagMismatch),
            _ => {}
        }
        codes
    }

    /// The name as it is looked up: the first letter's case does not count (ecs-api 1.1), so it is
    /// always upper.
    pub(crate) fn key(&self) -> Cow<'static, str> {
        comparable(self.name)
    }

    /// What a malformed value is answered with.
    #[must_use]
    pub fn fault(&self) -> ApiError {
        ApiError::new(self.invalid.unwrap_or(ErrorCode::InvalidParameterValue)).with(self.name)
    }

    /// What too long a value is answered with.
    #[must_use]
    pub fn excess(&self) -> ApiError {
        match self.too_long {
            Some(code) => ApiError::new(code).with(self.name),
            None => self.fault(),
        }
    }
}
