//! Pages of a list: which one is asked for, and the tokens that lead to the next (ecs-api 3).

use serde::{Deserialize, Serialize};

use crate::{ErrorCode, description::Parameter};

/// `NextToken`.
pub const NEXT_TOKEN: Parameter =
    Parameter::text("NextToken", 1_024).help("Where the last page ended, as it said.");

/// `PageNumber` of the old scheme.
pub const PAGE_NUMBER: Parameter = Parameter::integer("PageNumber", 1, u32::MAX)
    .default("1")
    .or(ErrorCode::InvalidParamPageNumber)
    .help("Which page, from 1.");

/// `MaxResults`, from 1 to `most`.
#[must_use]
pub const fn max_results(most: u32) -> Parameter {
    Parameter::integer("MaxResults", 1, most).help("How many items a page may have.")
}

/// `PageSize` of the old scheme, from 1 to `most`.
#[must_use]
pub const fn page_size(most: u32) -> Parameter {
    Parameter::integer("PageSize", 1, most)
        .default("10")
        .or(ErrorCode::InvalidParamPageSize)
        .help("How many items a page has.")
}

/// Which page is asked for, in either scheme.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PageRequest {
    /// The most items, in the scheme with tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_results: Option<u32>,
    /// Where the last page ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
    /// The page, from 1, in the old scheme.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_number: Option<u32>,
    /// The items of a page, in the old scheme.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_size: Option<u32>,
}
