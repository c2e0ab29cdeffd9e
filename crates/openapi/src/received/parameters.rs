//! The parameters of a call: where they stand, which of two wins, and what they are called.

use std::{
    borrow::Cow,
    collections::{BTreeMap, btree_map::Entry},
};

use super::Received;
use crate::{ApiError, ErrorCode};

/// The parameters that the gateway reads for itself, before the action is known (ecs-api 2.1).
const GATEWAY: &[&str] = &[
    "AccessKeyId",
    "Action",
    "Format",
    "SecurityToken",
    "Signature",
    "SignatureMethod",
    "SignatureNonce",
    "SignatureType",
    "SignatureVersion",
    "Timestamp",
    "Version",
];

/// What is always accepted and never looked at (ecs-api 1.1).
const OWNERS: &[&str] = &[
    "OwnerAccount",
    "OwnerId",
    "ResourceOwnerAccount",
    "ResourceOwnerId",
];

/// The decoded parameters of query and form body (ecs-api 1.1).
#[derive(Clone, Default)]
pub struct Parameters {
    query: Vec<(String, String)>,
    form: Vec<(String, String)>,
    /// By name with the first letter in upper case; what is empty is not there.
    named: BTreeMap<String, String>,
    is_ambiguous: bool,
}

impl Parameters {
    /// Takes the parameters out of query and form body.
    #[must_use]
    pub fn of(received: &Received<'_>) -> Self {
        let query = decode(received.query.as_bytes());
        let form = if received.has_form() {
            decode(received.body)
        } else {
            Vec::new()
        };
        let mut is_ambiguous = false;
        let mut named = unique(&query, &mut is_ambiguous);
        for (name, value) in unique(&form, &mut is_ambiguous) {
            if is_gateway(&name) && named.get(&name).is_some_and(|other| *other != value) {
                is_ambiguous = true;
            }
            named.insert(name, value);
        }
        named.retain(|_, value| !value.is_empty());
        Self {
            query,
            form,
            named,
            is_ambiguous,
        }
    }

    /// Format and nothing else, if it stands in what was read of a call that is too large: its caller
    /// shall be able to read the refusal (ecs-api 1.4). The last of several counts.
    #[must_use]
    pub fn format_of(received: &Received<'_>) -> Self {
        let form = if received.has_form() {
            received.body
        } else {
            &[]
        };
        let pairs = form_urlencoded::parse(received.query.as_bytes())
            .chain(form_urlencoded::parse(form))
            .filter(|(name, _)| comparable(name) == "Format");
        Self {
            named: pairs
                .map(|(_, value)| ("Format".to_owned(), value.into_owned()))
                .collect(),
            ..Self::default()
        }
    }

    /// Refuses names that were given twice with different values: within the query, within the body,
    /// or, for what the gateway reads, between the two.
    ///
    /// # Errors
    /// `InvalidParameter`.
    pub fn refuse_ambiguity(&self) -> Result<(), ApiError> {
        if self.is_ambiguous {
            return Err(ErrorCode::InvalidParameter.into());
        }
        Ok(())
    }

    /// The value of that name. The first letter's case does not count, and empty is absent.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.named.get(name).map(String::as_str)
    }

    /// What the query holds, decoded, in its order: what ACS3 signs.
    #[must_use]
    pub fn query(&self) -> &[(String, String)] {
        &self.query
    }

    /// What RPC signs: every parameter under the name that was sent, empty ones too, the body's
    /// over the query's.
    #[must_use]
    pub fn signed(&self) -> BTreeMap<&str, &str> {
        self.query
            .iter()
            .chain(&self.form)
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect()
    }

    /// What is meant for the action: not the gateway's, not the owners', nothing empty.
    #[must_use]
    pub fn business(&self) -> BTreeMap<String, String> {
        self.named
            .iter()
            .filter(|(name, _)| !is_gateway(name) && !OWNERS.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }
}

fn is_gateway(name: &str) -> bool {
    GATEWAY.contains(&name)
}

/// `%XX` and `+`, as UTF-8; what is no UTF-8 becomes U+FFFD, which no signature survives.
fn decode(text: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(text)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

/// One source's parameters by their comparable names.
fn unique(pairs: &[(String, String)], is_ambiguous: &mut bool) -> BTreeMap<String, String> {
    let mut named = BTreeMap::new();
    for (name, value) in pairs {
        match named.entry(comparable(name).into_owned()) {
            Entry::Vacant(free) => {
                free.insert(value.clone());
            }
            Entry::Occupied(taken) => *is_ambiguous |= taken.get() != value,
        }
    }
    named
}

/// pop-core upper-cases the first letter of each name, so that letter's case is let go.
pub(crate) fn comparable(name: &str) -> Cow<'_, str> {
    match name.chars().next() {
        Some(first) if first.is_ascii_lowercase() => {
            let rest = name.get(1..).unwrap_or_default();
            Cow::Owned(format!("{}{rest}", first.to_ascii_uppercase()))
        }
        _ => Cow::Borrowed(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &[(&str, &[u8])] = &[(
        "Content-Type",
        b"application/x-www-form-urlencoded; charset=utf-8",
    )];

    fn parameters(query: &str, body: &str) -> Parameters {
        Parameters::of(&Received {
            method: "POST",
            path: "/",
            query,
            headers: FORM,
            body: body.as_bytes(),
            is_tls: false,
        })
    }

    #[test]
    fn the_body_wins_over_the_query() {
        let both = parameters("RegionId=a&X=1", "RegionId=b");

        assert!(both.refuse_ambiguity().is_ok());
        assert_eq!(both.get("RegionId"), Some("b"));
        assert_eq!(both.signed().get("RegionId"), Some(&"b"));
        assert_eq!(both.get("X"), Some("1"));
    }

    #[test]
    fn the_same_name_twice_is_fine_with_the_same_value_only() {
        assert!(
            parameters("RegionId=a&RegionId=a", "")
                .refuse_ambiguity()
                .is_ok()
        );
        assert!(
            parameters("RegionId=a&RegionId=b", "")
                .refuse_ambiguity()
                .is_err()
        );
        assert!(
            parameters("statusKey=a&StatusKey=b", "")
                .refuse_ambiguity()
                .is_err()
        );
        assert!(
            parameters("Action=A", "Action=B")
                .refuse_ambiguity()
                .is_err()
        );
    }

    #[test]
    fn empty_is_absent_but_signed() {
        let empty = parameters("SignatureType=&Username=", "");

        assert_eq!(empty.get("Username"), None);
        assert_eq!(empty.signed().len(), 2);
    }

    #[test]
    fn plus_and_percent_are_decoded() {
        let decoded = parameters("CommandLine=a+b%2Bc%E6%B1%89&statusKey=x", "");

        assert_eq!(decoded.get("CommandLine"), Some("a b+c汉"));
        assert_eq!(decoded.get("StatusKey"), Some("x"));
    }

    #[test]
    fn a_body_of_another_type_holds_no_parameters() {
        let json = Received {
            method: "POST",
            path: "/",
            query: "",
            headers: &[("content-type", b"application/json")],
            body: b"RegionId=a",
            is_tls: false,
        };

        assert_eq!(Parameters::of(&json).get("RegionId"), None);
    }
}
