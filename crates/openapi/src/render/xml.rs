//! XML from a value that serde can write.

use quick_xml::{
    escape::escape,
    events::BytesCData,
    se::{EmptyElementHandling, QuoteLevel, Serializer},
};
use serde::Serialize;

use super::Refusal;

/// What every document starts with.
const DECLARATION: &str = "<?xml version='1.0' encoding='UTF-8'?>";

/// A document with that root: fields are elements in their order, a list is its element repeated.
pub(super) fn document(root: &str, value: &impl Serialize) -> Vec<u8> {
    clean(format!("{DECLARATION}{}", element(root, value)))
}

/// An error's document, whose `Recommend` is CDATA.
pub(super) fn error(refusal: &Refusal<'_>) -> Vec<u8> {
    let texts = [
        ("RequestId", refusal.request_id),
        ("HostId", refusal.host_id),
        ("Code", refusal.code),
        ("Message", refusal.message),
    ]
    .map(|(name, text)| format!("<{name}>{}</{name}>", escape(text)))
    .concat();
    let recommend: String = BytesCData::escaped(refusal.recommend)
        .map(|part| format!("<![CDATA[{}]]>", &*part))
        .collect();
    let detail = refusal
        .access_denied_detail
        .map(|detail| element("AccessDeniedDetail", detail))
        .unwrap_or_default();
    clean(format!(
        "{DECLARATION}<Error>{texts}<Recommend>{recommend}</Recommend>{detail}</Error>"
    ))
}

fn element(name: &str, value: &impl Serialize) -> String {
    let mut text = String::new();
    if let Ok(mut serializer) = Serializer::with_root(&mut text, Some(name)) {
        serializer.set_quote_level(QuoteLevel::Full);
        serializer.empty_element_handling(EmptyElementHandling::Expanded);
        // It only fails on names that are none, and ours are constants.
        let _ = value.serialize(serializer);
    }
    text
}

/// Drops the characters that XML 1.0 does not have, even from names that people chose.
fn clean(mut text: String) -> Vec<u8> {
    text.retain(|letter| matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..));
    text.into_bytes()
}
