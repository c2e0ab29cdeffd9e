//! A list page after page, by whichever scheme the action documents (ecs-api 3): tokens, or numbers.

use axt_openapi::{
    ActionName,
    description::{Description, Kind},
};
use serde_json::Value;

use super::{Api, CallError};

/// All pages of a list. One answer is held at a time.
#[derive(Debug)]
pub struct Pages<'a> {
    api: &'a Api,
    action: &'a str,
    /// What is asked next; `None` behind the last page.
    next: Option<Vec<(String, String)>>,
}

impl<'a> Pages<'a> {
    /// The pages of `action` with these parameters, from the page that they ask for. Where they say
    /// nothing of pages, these are as large as the action allows.
    #[must_use]
    pub fn new(api: &'a Api, action: &'a str, mut parameters: Vec<(String, String)>) -> Self {
        if let Some(known) = ActionName::find(action) {
            begin(&mut parameters, &known.description());
        }
        Self {
            api,
            action,
            next: Some(parameters),
        }
    }

    /// The next answer; `None` when there is no further page.
    ///
    /// # Errors
    /// [`CallError`]; also when an answer leads back to the page that it is.
    pub async fn next(&mut self) -> Result<Option<Value>, CallError> {
        let Some(asked) = self.next.take() else {
            return Ok(None);
        };
        let borrowed: Vec<(&str, &str)> = asked
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let answer = self.api.call(self.action, &borrowed).await?;
        self.next = match follow(&asked, &answer) {
            Following::Last => None,
            Following::Page(next) => Some(next),
            Following::Circle => {
                return Err(self.api.nonsense("NextToken leads to the same page".into()));
            }
        };
        Ok(Some(answer))
    }
}

/// What comes behind an answer.
#[derive(Debug, PartialEq, Eq)]
enum Following {
    Last,
    Page(Vec<(String, String)>),
    Circle,
}

const TOKEN: &str = "NextToken";
const MOST: &str = "MaxResults";
const NUMBER: &str = "PageNumber";
const SIZE: &str = "PageSize";

/// Asks for the largest pages where the caller does not say how large. With tokens where the action
/// has them: they neither skip nor repeat an item when the list changes meanwhile.
fn begin(parameters: &mut Vec<(String, String)>, description: &Description) {
    if [TOKEN, MOST, NUMBER, SIZE]
        .iter()
        .any(|name| value(parameters, name).is_some())
    {
        return;
    }
    for name in [MOST, SIZE] {
        if let Some(parameter) = description.parameter(name)
            && let Kind::Integer { max, .. } = parameter.kind
        {
            parameters.push((name.to_owned(), max.to_string()));
            return;
        }
    }
}

/// The part of an answer that the list and what leads to its next page stand in: the answer itself, but
/// for DescribeInvocationResults, whose `Invocation` it is.
#[must_use]
pub fn page_of(answer: &Value) -> &Value {
    let inner = answer.get("Invocation").filter(|inner| inner.is_object());
    inner.unwrap_or(answer)
}

fn follow(asked: &[(String, String)], answer: &Value) -> Following {
    let answer = page_of(answer);
    let with = |name: &str, value: String| {
        let mut next = asked.to_vec();
        next.retain(|(given, _)| given != name);
        next.push((name.to_owned(), value));
        Following::Page(next)
    };
    if let Some(token) = answer.get(TOKEN).and_then(Value::as_str)
        && !token.is_empty()
    {
        return match value(asked, TOKEN) {
            Some(sent) if sent == token => Following::Circle,
            _ => with(TOKEN, token.to_owned()),
        };
    }
    // A list by tokens ends with an empty one, whatever numbers stand beside it.
    if value(asked, TOKEN).is_some() || value(asked, MOST).is_some() {
        return Following::Last;
    }
    let number = |name| answer.get(name).and_then(Value::as_u64);
    match (number(NUMBER), number(SIZE), number("TotalCount")) {
        (Some(page), Some(size), Some(total)) if size > 0 && page.saturating_mul(size) < total => {
            with(NUMBER, page.saturating_add(1).to_string())
        }
        _ => Following::Last,
    }
}

fn value<'a>(parameters: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = parameters.iter().find(|(given, _)| given == name);
    found.map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parameters(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn begun(action: ActionName, given: &[(&str, &str)]) -> Vec<(String, String)> {
        let mut given = parameters(given);
        begin(&mut given, &action.description());
        given
    }

    #[test]
    fn pages_are_as_large_as_may_be_unless_the_caller_says() {
        let tokens = begun(ActionName::DescribeTerminalSessions, &[]);
        let numbers = begun(ActionName::DescribeInstanceStatus, &[]);
        let own = begun(ActionName::DescribeInstances, &[("PageSize", "3")]);
        let none = begun(ActionName::DescribeRegions, &[]);

        assert_eq!(tokens, parameters(&[("MaxResults", "100")]));
        assert_eq!(numbers, parameters(&[("PageSize", "50")]));
        assert_eq!(own, parameters(&[("PageSize", "3")]));
        assert!(none.is_empty());
    }

    #[test]
    fn a_token_leads_on_until_it_is_empty() {
        let asked = parameters(&[("MaxResults", "2"), ("NextToken", "a")]);

        let middle = follow(&asked, &json!({"NextToken": "b", "TotalCount": 5}));
        let last = follow(
            &asked,
            &json!({"NextToken": "", "PageNumber": 1, "PageSize": 2, "TotalCount": 5}),
        );
        let circle = follow(&asked, &json!({"NextToken": "a"}));

        let next = parameters(&[("MaxResults", "2"), ("NextToken", "b")]);
        assert_eq!(middle, Following::Page(next));
        assert_eq!(last, Following::Last);
        assert_eq!(circle, Following::Circle);
    }

    #[test]
    fn numbers_lead_on_until_all_items_were_there() {
        let asked = parameters(&[("PageSize", "2")]);
        let page = |number: u64| json!({"PageNumber": number, "PageSize": 2, "TotalCount": 5});

        assert_eq!(
            follow(&asked, &page(1)),
            Following::Page(parameters(&[("PageSize", "2"), ("PageNumber", "2")]))
        );
        assert_eq!(follow(&asked, &page(3)), Following::Last);
    }

    #[test]
    fn results_of_a_command_stand_one_level_lower() {
        let answer = json!({"RequestId": "R", "Invocation": {"NextToken": "b"}});

        let next = follow(&[], &answer);

        assert_eq!(next, Following::Page(parameters(&[("NextToken", "b")])));
    }

    #[test]
    fn an_answer_without_pages_is_the_only_one() {
        assert_eq!(follow(&[], &json!({"RequestId": "R"})), Following::Last);
        let odd = json!({"PageNumber": 1, "PageSize": 0, "TotalCount": 5});
        assert_eq!(follow(&[], &odd), Following::Last);
    }
}
