//! A value that can be written in brief: `connect = "a"` for `connect = { session = "a" }`.

use std::{borrow::Cow, fmt, marker::PhantomData, ops::Deref};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor, value::MapAccessDeserializer},
};

/// What `T` is when nothing but its most important key is given.
pub trait InBrief: Sized {
    /// The type that the brief form has in JSON's words: `string` or `integer`.
    const TYPE: &'static str;
    /// That key.
    const KEY: &'static str;

    /// From a text; an error says what was expected.
    ///
    /// # Errors
    /// A text is not enough, or not the right one.
    fn from_text(text: &str) -> Result<Self, String> {
        Err(format!(
            "expected {} or a table, not \"{text}\"",
            Self::TYPE
        ))
    }

    /// From a whole number.
    ///
    /// # Errors
    /// A number is not enough.
    fn from_number(number: u64) -> Result<Self, String> {
        Err(format!("expected {} or a table, not {number}", Self::TYPE))
    }
}

/// A `T`, written in brief or as a table.
#[derive(Clone, Debug)]
pub struct Brief<T>(pub T);

impl<T> Deref for Brief<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<'de, T: InBrief + Deserialize<'de>> Deserialize<'de> for Brief<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Either(PhantomData))
    }
}

struct Either<T>(PhantomData<T>);

impl<'de, T: InBrief + Deserialize<'de>> Visitor<'de> for Either<T> {
    type Value = Brief<T>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} (`{}`) or a table", T::TYPE, T::KEY)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Brief<T>, E> {
        T::from_text(text).map(Brief).map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Brief<T>, E> {
        let number = u64::try_from(number)
            .map_err(|_| E::custom(format!("{number} is negative: expected 0 or more")))?;
        T::from_number(number).map(Brief).map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Brief<T>, E> {
        T::from_number(number).map(Brief).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Brief<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Brief)
    }
}

impl<T: InBrief + JsonSchema> JsonSchema for Brief<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("{}InBrief", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let whole = generator.subschema_for::<T>();
        let brief = format!("`{}` alone.", T::KEY);
        json_schema!({
            "anyOf": [{ "type": T::TYPE, "description": brief }, whole],
        })
    }

    fn inline_schema() -> bool {
        true
    }
}
