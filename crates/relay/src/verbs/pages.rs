//! Pages of a list, in both schemes (ecs-api 3).

use std::time::Duration;

use axt_openapi::{ApiError, paging::PageRequest};
use axt_proto::Tick;
use sha2::{Digest, Sha256};

/// How long a `NextToken` leads to its page (limits-and-semantics 5).
const LIFE: Duration = Duration::from_secs(3_600);

/// Items of a page where the caller does not say.
const DEFAULT: u32 = 10;

/// Makes and reads `NextToken`s: where to go on, for how long, and a proof over both and over what
/// was asked for, so that a token is good for the same question only.
pub(crate) struct NextTokens {
    key: [u8; 16],
}

/// A page, and what its answer says of itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    pub(super) next_token: String,
    pub(super) number: u32,
    pub(super) size: u32,
    pub(super) total: u32,
}

impl NextTokens {
    pub(crate) const fn new(key: [u8; 16]) -> Self {
        Self { key }
    }

    /// The page that is asked for. `question` is the action, the account and the filters.
    pub(super) fn page<T>(
        &self,
        all: Vec<T>,
        asked: &PageRequest,
        question: &str,
        now: Tick,
    ) -> Result<Page<T>, ApiError> {
        let total = u32::try_from(all.len()).unwrap_or(u32::MAX);
        let by_token = asked.max_results.is_some() || asked.next_token.is_some();
        let (number, size) = if by_token {
            (1, asked.max_results.unwrap_or(DEFAULT))
        } else {
            (
                asked.page_number.unwrap_or(1),
                asked.page_size.unwrap_or(DEFAULT),
            )
        };
        let from = match &asked.next_token {
            Some(token) => self.read(token, question, now)?,
            None => number.saturating_sub(1).saturating_mul(size),
        };
        let to = from.saturating_add(size);
        let next_token = if by_token && to < total {
            self.mint(to, question, now)
        } else {
            String::new()
        };
        let count = |number| usize::try_from(number).unwrap_or(usize::MAX);
        Ok(Page {
            items: all
                .into_iter()
                .skip(count(from))
                .take(count(size))
                .collect(),
            next_token,
            number,
            size,
            total,
        })
    }

    fn mint(&self, from: u32, question: &str, now: Tick) -> String {
        let until = (now + LIFE).as_millis();
        let proof = self.proof(from, until, question);
        format!("{from:08x}{until:016x}{proof}")
    }

    fn read(&self, token: &str, question: &str, now: Tick) -> Result<u32, ApiError> {
        let parts = || {
            let from = u32::from_str_radix(token.get(..8)?, 16).ok()?;
            let until = u64::from_str_radix(token.get(8..24)?, 16).ok()?;
            let is_ours = token.get(24..)? == self.proof(from, until, question);
            (is_ours && now.as_millis() < until).then_some(from)
        };
        parts().ok_or_else(|| ApiError::invalid("NextToken"))
    }

    fn proof(&self, from: u32, until: u64, question: &str) -> String {
        let mut hash = Sha256::new();
        hash.update(self.key);
        hash.update(from.to_be_bytes());
        hash.update(until.to_be_bytes());
        hash.update(question);
        let hash: [u8; 32] = hash.finalize().into();
        hash.iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Tick = Tick::from_millis(1_795_587_061_027);

    fn tokens() -> NextTokens {
        NextTokens::new([7; 16])
    }

    fn by_token(max_results: u32, next_token: Option<&str>) -> PageRequest {
        PageRequest {
            max_results: Some(max_results),
            next_token: next_token.map(str::to_owned),
            ..PageRequest::default()
        }
    }

    #[test]
    fn following_the_tokens_gives_every_item_once() {
        let mut seen: Vec<u32> = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let asked = by_token(3, token.as_deref());
            let page = tokens()
                .page((0..8).collect(), &asked, "q", NOW)
                .expect("a page");
            seen.extend(page.items);
            if page.next_token.is_empty() {
                break;
            }
            token = Some(page.next_token);
        }

        assert_eq!(seen, (0..8).collect::<Vec<u32>>());
    }

    #[test]
    fn the_old_scheme_counts_pages_and_items() {
        let asked = PageRequest {
            page_number: Some(3),
            page_size: Some(3),
            ..PageRequest::default()
        };

        let page = tokens()
            .page((0..8).collect::<Vec<u32>>(), &asked, "q", NOW)
            .expect("a page");

        assert_eq!(page.items, [6, 7]);
        assert_eq!((page.number, page.size, page.total), (3, 3, 8));
        assert_eq!(page.next_token, "");
    }

    #[test]
    fn a_token_is_good_for_its_own_question_and_for_an_hour() {
        let asked = by_token(1, None);
        let page = tokens().page(vec![1, 2], &asked, "q", NOW).expect("a page");
        let again = by_token(1, Some(&page.next_token));
        let read = |question, now| tokens().page(vec![1, 2], &again, question, now);

        assert_eq!(read("q", NOW).expect("a page").items, [2]);
        assert!(read("other", NOW).is_err());
        assert!(read("q", NOW + LIFE).is_err());
        assert!(
            tokens()
                .page(vec![1], &by_token(1, Some("ä forged one")), "q", NOW)
                .is_err()
        );
    }
}
