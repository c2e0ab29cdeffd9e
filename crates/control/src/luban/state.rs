//! State configurations, which an agent would apply to its machine by itself (wire-protocol 10.5).
//! There are none here.

/// The answer to a request for them or for a template. The official agent asks again only a day
/// later; an empty list would send it every half an hour, and an unchanged one into a panic.
pub const UNSUPPORTED: &str = r#"{"errCode":"ServiceNotSupported","errMsg":""}"#;

/// The answer to reports on states and to an inventory: they are taken, and forgotten.
pub const TAKEN: &str = r#"{"errCode":"","errMsg":"","result":{}}"#;
