//! Both paging schemes (ecs-api 3).

use axt_proto::AccountId;
use proptest::prelude::*;

use super::{account, call, minute, noon};
use crate::{
    Action, ApiError,
    action::DescribeInstances,
    paging::{Page, Scope, Seal},
};

fn request(more: &[(&str, &str)]) -> DescribeInstances {
    let parameters = [&[("RegionId", "cn-hangzhou")], more].concat();
    match call("DescribeInstances", &parameters)
        .expect("a call")
        .action
    {
        Action::DescribeInstances(request) => request,
        other => panic!("another action: {other:?}"),
    }
}

fn seal() -> Seal {
    Seal::new([7; 32])
}

fn cut(request: &DescribeInstances, list: &[&str]) -> Result<Page<String>, ApiError> {
    let account = account();
    let list = list.iter().map(|item| (*item).to_owned()).collect();
    let scope = Scope::of(request, &account);
    request
        .page
        .cut(list, |item| item.as_str(), scope, &seal(), noon().rule)
}

#[test]
fn the_old_scheme_counts_pages_from_one() {
    let page = cut(
        &request(&[("PageNumber", "2"), ("PageSize", "2")]),
        &["a", "b", "c"],
    );

    let page = page.expect("a page");
    assert_eq!(page.items, ["c"]);
    assert_eq!(
        (page.total_count, page.page_number, page.page_size),
        (3, 2, 2)
    );
    assert_eq!(page.next_token, "");
}

#[test]
fn either_of_the_new_scheme_makes_the_old_one_unlooked_at() {
    let page = cut(
        &request(&[("MaxResults", "2"), ("PageNumber", "zero")]),
        &["a", "b", "c"],
    );

    assert_eq!(page.expect("a page").items, ["a", "b"]);
}

#[test]
fn a_token_goes_on_after_the_last_item_whatever_came_before_it() {
    let first = cut(&request(&[("MaxResults", "2")]), &["b", "c", "d"]).expect("a page");
    let next = request(&[("MaxResults", "1"), ("NextToken", &first.next_token)]);

    assert_eq!(
        cut(&next, &["a", "b", "c", "d"]).expect("a page").items,
        ["d"]
    );
    assert_eq!(cut(&next, &["a", "b", "d"]).expect("a page").items, ["d"]);
    assert_eq!(cut(&next, &["c", "d"]).expect("a page").next_token, "");
}

#[test]
fn a_token_that_is_forged_foreign_or_old_is_refused() {
    let first = cut(&request(&[("MaxResults", "1")]), &["a", "b"]).expect("a page");
    let token = first.next_token.as_str();
    let list = || vec!["a".to_owned(), "b".to_owned()];
    let next = request(&[("NextToken", token)]);
    let other = request(&[("NextToken", token), ("Status", "Running")]);
    let stranger: AccountId = "2".parse().expect("an account");
    let account = account();
    let hour = minute() * 60;
    let opens = |request: &DescribeInstances, account, seal: Seal, now| {
        let scope = Scope::of(request, account);
        request
            .page
            .cut(list(), |item| item.as_str(), scope, &seal, now)
            .is_ok()
    };

    assert!(opens(&next, &account, seal(), noon().rule));
    assert!(opens(
        &next,
        &account,
        seal(),
        noon().rule + hour - minute()
    ));
    assert!(!opens(&next, &account, seal(), noon().rule + hour));
    assert!(!opens(&other, &account, seal(), noon().rule));
    assert!(!opens(&next, &stranger, seal(), noon().rule));
    assert!(!opens(&next, &account, Seal::new([8; 32]), noon().rule));
    let made_up = cut(&request(&[("NextToken", "AAAA")]), &["a"]).expect_err("refused");
    assert_eq!(made_up.code_text(), "InvalidParameter.NextToken");
}

proptest! {
    #[test]
    fn pages_together_are_the_list(length in 0_usize..60, size in 1_usize..20) {
        let list: Vec<String> = (0..length).map(|index| format!("i-{index}")).collect();
        let lent: Vec<&str> = list.iter().map(String::as_str).collect();
        let size = size.to_string();
        let mut seen = Vec::new();
        let mut token = String::new();
        loop {
            let request = request(&[("MaxResults", &size), ("NextToken", &token)]);
            let page = cut(&request, &lent).expect("a page");
            seen.extend(page.items);
            token = page.next_token;
            if token.is_empty() {
                break;
            }
        }
        prop_assert_eq!(seen, list);
    }
}
