//! Pages of a list: which one is asked for, and the tokens that lead to the next (ecs-api 3).

mod token;

use serde::{Deserialize, Serialize};

use axt_proto::{AccountId, Tick};

use self::token::Place;
pub use self::token::Seal;
use crate::{ApiError, ErrorCode, Fingerprint, action::Request, description::Parameter};

/// How many items a page has when the caller does not say.
const DEFAULT_SIZE: u32 = 10;

/// The scheme with tokens: where one of these is, the old scheme is not looked at.
const TOKEN_SCHEME: &[&str] = &["MaxResults", "NextToken"];

/// `NextToken`.
pub const NEXT_TOKEN: Parameter =
    Parameter::text("NextToken", 1_024).help("Where the last page ended, as it said.");

/// `PageNumber` of the old scheme.
pub const PAGE_NUMBER: Parameter = Parameter::integer("PageNumber", 1, u32::MAX)
    .default("1")
    .unless(TOKEN_SCHEME)
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
        .unless(TOKEN_SCHEME)
        .or(ErrorCode::InvalidParamPageSize)
        .help("How many items a page has.")
}

/// Which page is asked for. Without a page number it is the scheme with tokens.
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

/// A page of a list, with the numbers that answers carry beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The items of the page.
    pub items: Vec<T>,
    /// What leads to the next page; empty on the last one and in the old scheme.
    pub next_token: String,
    /// How many items there are on all pages.
    pub total_count: u32,
    /// The page's number; 1 in the scheme with tokens.
    pub page_number: u32,
    /// How many items a page may have.
    pub page_size: u32,
}

/// What a NextToken is bound to: the action with its filters, and the account.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    account: &'a AccountId,
    filters: Fingerprint,
}

impl<'a> Scope<'a> {
    /// The scope of a request's tokens.
    #[must_use]
    pub fn of<T: Request>(request: &T, account: &'a AccountId) -> Self {
        Self {
            account,
            filters: Fingerprint::of(request),
        }
    }
}

impl PageRequest {
    /// Cuts the page out of the whole list, whose order must not change from call to call; `id` is
    /// what an item is found again by. `now` is rule time: a NextToken lives for an hour of it.
    ///
    /// # Errors
    /// `InvalidParameter.NextToken` for one that is forged, another list's or too old.
    pub fn cut<T>(
        &self,
        list: Vec<T>,
        id: impl Fn(&T) -> &str,
        scope: Scope<'_>,
        seal: &Seal,
        now: Tick,
    ) -> Result<Page<T>, ApiError> {
        let total_count = u32::try_from(list.len()).unwrap_or(u32::MAX);
        if let Some(page_number) = self.page_number {
            let page_size = self.page_size.unwrap_or(DEFAULT_SIZE);
            let skipped = widen(page_number.saturating_sub(1)).saturating_mul(widen(page_size));
            let items = list
                .into_iter()
                .skip(skipped)
                .take(widen(page_size))
                .collect();
            let next_token = String::new();
            return Ok(Page {
                items,
                next_token,
                total_count,
                page_number,
                page_size,
            });
        }
        let page_size = self.max_results.unwrap_or(DEFAULT_SIZE);
        let start = match &self.next_token {
            None => 0,
            Some(token) => seal
                .open(token, scope, now)
                .ok_or_else(|| ApiError::invalid("NextToken"))?
                .resume(&list, &id),
        };
        let end = start.saturating_add(widen(page_size));
        let next_token = match list.get(end.saturating_sub(1)) {
            Some(last) if end < list.len() => seal.close(&Place::after(end, id(last)), scope, now),
            _ => String::new(),
        };
        let items = list
            .into_iter()
            .skip(start)
            .take(widen(page_size))
            .collect();
        Ok(Page {
            items,
            next_token,
            total_count,
            page_number: 1,
            page_size,
        })
    }
}

fn widen(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
