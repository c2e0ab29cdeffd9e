//! XML from a value that serde can write.

use quick_xml::se::{EmptyElementHandling, QuoteLevel, Serializer};
use serde::Serialize;

/// What every document starts with.
const DECLARATION: &str = "<?xml version='1.0' encoding='UTF-8'?>";

/// A document with that root: fields are elements in their order, a list is its element repeated.
pub(super) fn document(root: &str, value: &impl Serialize) -> String {
    let mut text = DECLARATION.to_owned();
    if let Ok(mut serializer) = Serializer::with_root(&mut text, Some(root)) {
        serializer.set_quote_level(QuoteLevel::Full);
        serializer.empty_element_handling(EmptyElementHandling::Expanded);
        // It only fails on names that are none, and ours are constants.
        let _ = value.serialize(serializer);
    }
    text.retain(is_xml);
    text
}

/// The characters that XML 1.0 has; others are dropped, even from names that people chose.
fn is_xml(letter: char) -> bool {
    matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}
