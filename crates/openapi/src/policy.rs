//! Policies as RAM writes them, and what they say to an action on a resource (ecs-api 2.5, row 22).

use axt_proto::{AccountId, RegionId};
use serde::Deserialize;
use wildmatch::WildMatch;

use crate::ActionName;

/// A policy document. `Condition`, `NotAction` and `NotResource` are not understood, and a document
/// with one of them is refused rather than half obeyed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Policy {
    /// `1`; kept for documents that are pasted whole.
    #[serde(default)]
    pub version: Option<String>,
    /// The statements; a single one may stand without its list.
    #[serde(deserialize_with = "one_or_many")]
    pub statement: Vec<Statement>,
}

/// A statement of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Statement {
    /// Whether it allows or denies.
    pub effect: Effect,
    /// `ecs:StartTerminalSession`, `ecs:Describe*`, `*`; the case does not count.
    #[serde(deserialize_with = "one_or_many")]
    pub action: Vec<String>,
    /// `acs:ecs:REGION:ACCOUNT:instance/ID`, in which `*` is any text and `?` any character.
    #[serde(deserialize_with = "one_or_many")]
    pub resource: Vec<String>,
}

/// What a statement does to what it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Effect {
    /// Lets it through, unless another statement denies it.
    Allow,
    /// Denies it, whatever the others say.
    Deny,
}

/// What a policy says, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Judgement {
    /// A statement allows it and none denies it.
    Allowed,
    /// No statement allows it.
    ImplicitDeny,
    /// A statement denies it.
    ExplicitDeny,
}

impl Judgement {
    /// Whether the action may go on.
    #[must_use]
    pub fn is_allowed(self) -> bool {
        self == Self::Allowed
    }
}

impl Policy {
    /// What the policy says to an action on a resource.
    #[must_use]
    pub fn judge(&self, action: ActionName, resource: &str) -> Judgement {
        self.judge_by(action, |pattern| matches(pattern, resource))
    }

    /// What it says to an action whose resource is not known yet: allowed when a statement allows
    /// the action on anything, denied when one denies it on everything.
    #[must_use]
    pub fn judge_anywhere(&self, action: ActionName) -> Judgement {
        let denies_all = self.judge_by(action, |pattern| pattern == "*");
        match denies_all {
            Judgement::ExplicitDeny => Judgement::ExplicitDeny,
            _ if self.has(Effect::Allow, action, |_| true) => Judgement::Allowed,
            _ => Judgement::ImplicitDeny,
        }
    }

    fn judge_by(&self, action: ActionName, covers: impl Fn(&str) -> bool) -> Judgement {
        if self.has(Effect::Deny, action, &covers) {
            Judgement::ExplicitDeny
        } else if self.has(Effect::Allow, action, &covers) {
            Judgement::Allowed
        } else {
            Judgement::ImplicitDeny
        }
    }

    fn has(&self, effect: Effect, action: ActionName, covers: impl Fn(&str) -> bool) -> bool {
        let action = format!("ecs:{action}").to_ascii_lowercase();
        self.statement.iter().any(|statement| {
            statement.effect == effect
                && statement
                    .action
                    .iter()
                    .any(|pattern| matches(&pattern.to_ascii_lowercase(), &action))
                && statement.resource.iter().any(|pattern| covers(pattern))
        })
    }
}

/// The name of everything that an account has in a region.
#[must_use]
pub fn account_resource(region: &RegionId, account: &AccountId) -> String {
    format!("acs:ecs:{region}:{account}:*")
}

/// The name of an instance in policies; `*` is every instance.
#[must_use]
pub fn instance_resource(region: &RegionId, account: &AccountId, instance: &str) -> String {
    format!("acs:ecs:{region}:{account}:instance/{instance}")
}

/// Whether a text matches a pattern of `*` and `?`.
fn matches(pattern: &str, text: &str) -> bool {
    WildMatch::new(pattern).matches(text)
}

/// RAM lets a list of one stand as its item.
fn one_or_many<'de, D, T>(source: D) -> Result<Vec<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany<T> {
        Many(Vec<T>),
        One(T),
    }
    Ok(match OneOrMany::deserialize(source)? {
        OneOrMany::Many(items) => items,
        OneOrMany::One(item) => vec![item],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(text: &str) -> Policy {
        serde_json::from_str(text).expect("a policy")
    }

    #[test]
    fn a_denial_wins_over_a_permission() {
        let policy = policy(
            r#"{"Version":"1","Statement":[
                {"Effect":"Allow","Action":"ecs:*","Resource":"*"},
                {"Effect":"Deny","Action":["ecs:starterminalsession","ecs:StartTerminalSession"],
                 "Resource":"acs:ecs:*:*:instance/i-prod*"}]}"#,
        );

        let prod = "acs:ecs:cn-hangzhou:1:instance/i-prod7";
        let test = "acs:ecs:cn-hangzhou:1:instance/i-test7";
        assert_eq!(
            policy.judge(ActionName::StartTerminalSession, prod),
            Judgement::ExplicitDeny
        );
        assert_eq!(
            policy.judge(ActionName::StartTerminalSession, test),
            Judgement::Allowed
        );
        assert_eq!(
            policy.judge(ActionName::DescribeInstances, prod),
            Judgement::Allowed
        );
    }

    #[test]
    fn what_nothing_allows_is_denied() {
        let policy = policy(
            r#"{"Statement":{"Effect":"Allow","Action":"ecs:Describe*","Resource":"acs:ecs:cn-?angzhou:1:*"}}"#,
        );

        let here = "acs:ecs:cn-hangzhou:1:instance/*";
        assert_eq!(
            policy.judge(ActionName::DescribeInstances, here),
            Judgement::Allowed
        );
        assert_eq!(
            policy.judge(ActionName::EndTerminalSession, here),
            Judgement::ImplicitDeny
        );
        assert_eq!(
            policy.judge(ActionName::DescribeInstances, "*"),
            Judgement::ImplicitDeny
        );
        assert_eq!(
            policy.judge_anywhere(ActionName::DescribeInstances),
            Judgement::Allowed
        );
    }

    #[test]
    fn a_document_that_cannot_be_obeyed_whole_is_refused() {
        let text =
            r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{}}]}"#;

        assert!(serde_json::from_str::<Policy>(text).is_err());
    }

    #[test]
    fn stars_and_question_marks_match_as_a_shell_does() {
        for (pattern, text, wanted) in [
            ("*", "", true),
            ("a*b*c", "a--b--b--c", true),
            ("a*b*c", "a--b--b--", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("", "", true),
            ("", "a", false),
            ("**", "x", true),
        ] {
            assert_eq!(matches(pattern, text), wanted, "{pattern} {text}");
        }
    }
}
