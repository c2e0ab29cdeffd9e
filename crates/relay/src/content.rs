//! The contents of commands: Base64, and `{{name}}` in it (ecs-api 3.16).

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// What the names of the service's own parameters begin with; they differ from instance to instance,
/// so they are filled in last.
const BUILT_IN: &str = "ACS::";

/// A `{{name}}` that no parameter is given for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no value is given for {{{{{0}}}}}")]
pub(crate) struct MissingValue(String);

/// The content with every `{{name}}` replaced. Names are letters, digits, `-` and `_`, with blanks
/// around them or not; anything else in braces is the command's own. What is put in is not looked
/// at again.
pub(crate) fn fill(
    base64: &str,
    parameters: &BTreeMap<String, String>,
) -> Result<String, MissingValue> {
    let mut missing = None;
    let filled = replace(base64, |name| {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if name.is_empty() || !name.bytes().all(is_name) {
            return None;
        }
        let value = parameters.get(name).cloned();
        if value.is_none() {
            missing.get_or_insert_with(|| MissingValue(name.to_owned()));
        }
        value
    });
    match missing {
        Some(missing) => Err(missing),
        None => Ok(filled),
    }
}

/// The content with the service's own parameters replaced, as far as `value` knows them.
pub(crate) fn fill_built_in(base64: &str, value: impl Fn(&str) -> Option<String>) -> String {
    replace(base64, |name| {
        name.starts_with(BUILT_IN).then(|| value(name)).flatten()
    })
}

/// The text that Base64 stands for; `None` for what is no text.
pub(crate) fn text(base64: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(base64).ok()?).ok()
}

/// A text in Base64.
pub(crate) fn base64(text: &str) -> String {
    STANDARD.encode(text)
}

/// What is no text has no names in it either.
fn replace(base64: &str, mut value: impl FnMut(&str) -> Option<String>) -> String {
    let Some(text) = text(base64) else {
        return base64.to_owned();
    };
    let mut filled = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("{{") {
        filled.push_str(before);
        let found = after.split_once("}}");
        match found.and_then(|(name, tail)| Some((value(name.trim())?, tail))) {
            Some((value, tail)) => {
                filled.push_str(&value);
                rest = tail;
            }
            None => {
                filled.push_str("{{");
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    STANDARD.encode(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str, parameters: &[(&str, &str)]) -> Result<String, MissingValue> {
        let parameters = parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        fill(&base64(text), &parameters).map(|filled| super::text(&filled).expect("a text"))
    }

    #[test]
    fn names_are_replaced_once_and_everything_else_is_left() {
        let given = [("name", "{{other}}"), ("other", "x")];

        assert_eq!(filled("a {{name}} b", &given), Ok("a {{other}} b".into()));
        assert_eq!(filled("{{ other }}{{other}}", &given), Ok("xx".into()));
        assert_eq!(
            filled("{{.State}} {{ a b }} {{ACS::InstanceId}} {{", &given),
            Ok("{{.State}} {{ a b }} {{ACS::InstanceId}} {{".into())
        );
        assert_eq!(filled("日本 {{other}}", &given), Ok("日本 x".into()));
        assert_eq!(filled("{{gone}}", &given), Err(MissingValue("gone".into())));
    }

    #[test]
    fn the_services_own_names_are_filled_in_where_they_are_known() {
        let content = base64("{{ACS::InstanceId}} {{ACS::Other}} {{name}}");

        let filled = fill_built_in(&content, |name| {
            (name == "ACS::InstanceId").then(|| "i-1".to_owned())
        });

        assert_eq!(
            text(&filled).as_deref(),
            Some("i-1 {{ACS::Other}} {{name}}")
        );
    }

    #[test]
    fn what_is_no_text_stays_as_it_is() {
        let content = STANDARD.encode([0xFF, 0xFE, b'{', b'{']);

        assert_eq!(fill(&content, &BTreeMap::new()), Ok(content));
    }
}
