//! Which of the simulated instances misbehave, and how.

use std::str::FromStr;

use axt_agent::{Behaviour, behaviour::BadBehaviour};

/// What an instance's name begins with, before its number.
const NAME: &str = "local-";

/// A behaviour, and who has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Behaving {
    /// Who.
    pub whose: Whose,
    /// How.
    pub behaviour: Behaviour,
}

/// Some of the simulated instances.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Whose {
    /// All of them.
    #[default]
    All,
    /// So many of a hundred, 0 to 100: of those that earlier shares have left, the first.
    Percent(f64),
    /// The one that is called `local-N`; they are counted from 1.
    Instance(usize),
}

/// What does not say which instances behave how.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadBehaving {
    /// The instances.
    #[error("`{0}` says of no instances: expected a share such as 30%, or a name such as local-3")]
    Whose(String),
    /// The behaviour.
    #[error(transparent)]
    Behaviour(#[from] BadBehaviour),
}

impl FromStr for Whose {
    type Err = BadBehaving;

    fn from_str(text: &str) -> Result<Self, BadBehaving> {
        let bad = || BadBehaving::Whose(text.to_owned());
        if let Some(percent) = text.strip_suffix('%') {
            let percent: f64 = percent.trim().parse().map_err(|_| bad())?;
            return match (0.0..=100.0).contains(&percent) {
                true => Ok(Self::Percent(percent)),
                false => Err(bad()),
            };
        }
        let number = text
            .strip_prefix(NAME)
            .and_then(|number| number.parse().ok());
        match number {
            Some(number) if number > 0 => Ok(Self::Instance(number)),
            _ => Err(bad()),
        }
    }
}

impl FromStr for Behaving {
    type Err = BadBehaving;

    /// `WORD[,WORD…]` for all, or `30%:WORD…`, or `local-3:WORD…`.
    fn from_str(text: &str) -> Result<Self, BadBehaving> {
        let (whose, words) = match text.split_once(':') {
            Some((whose, words)) => (whose.trim().parse()?, words),
            None => (Whose::All, text),
        };
        Ok(Self {
            whose,
            behaviour: Behaviour::from_words(words.split(','))?,
        })
    }
}

/// How each of `total` instances behaves.
#[must_use]
pub fn behaviours(behaving: &[Behaving], total: usize) -> Vec<Behaviour> {
    let mut all = vec![Behaviour::default(); total];
    let mut taken = 0;
    for Behaving { whose, behaviour } in behaving {
        let range = match *whose {
            Whose::All => 0..total,
            Whose::Percent(percent) => {
                let from = taken;
                taken = total.min(from + share(percent, total));
                from..taken
            }
            Whose::Instance(number) => match number.checked_sub(1).filter(|it| *it < total) {
                Some(at) => at..at + 1,
                None => 0..0,
            },
        };
        for one in all.get_mut(range).unwrap_or_default() {
            *one = std::mem::take(one).and(behaviour);
        }
    }
    all
}

/// The nearest whole number of instances.
fn share(percent: f64, total: usize) -> usize {
    let wanted = percent / 100.0;
    let is_reached = |count: &usize| {
        let count = u32::try_from(*count).map_or(f64::MAX, f64::from);
        let total = u32::try_from(total).map_or(f64::MAX, f64::from);
        count + 0.5 > wanted * total
    };
    (0..=total).find(is_reached).unwrap_or(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn behaving(text: &str) -> Behaving {
        text.parse().expect(text)
    }

    fn words(behaving: &[Behaving], total: usize) -> Vec<String> {
        let all = behaviours(behaving, total);
        all.iter().map(|one| one.words().join(",")).collect()
    }

    #[test]
    fn shares_follow_one_another_and_what_is_for_all_or_for_one_comes_on_top() {
        let list = [
            behaving("30%:never_dials"),
            behaving("20%: posts_late=5s, floods"),
            behaving("loses_heart_beats"),
            behaving("local-10:wrong_signature"),
        ];

        let told = words(&list, 10);

        assert_eq!(told[0], "never_dials,loses_heart_beats");
        assert_eq!(told[2], "never_dials,loses_heart_beats");
        assert_eq!(told[3], "floods,posts_late=5s,loses_heart_beats");
        assert_eq!(told[5], "loses_heart_beats");
        assert_eq!(told[9], "wrong_signature,loses_heart_beats");
    }

    #[test]
    fn a_share_is_the_nearest_whole_number_and_never_more_than_there_are() {
        for (percent, total, expected) in [
            ("0%", 10, 0),
            ("100%", 10, 10),
            ("33%", 3, 1),
            ("50%", 3, 2),
            ("0.1%", 1_000, 1),
            ("0.1%", 100, 0),
        ] {
            let told = words(&[behaving(&format!("{percent}:floods"))], total);
            let have = told.iter().filter(|words| !words.is_empty()).count();
            assert_eq!(have, expected, "{percent} of {total}");
        }
        let both = [behaving("80%:floods"), behaving("80%:never_dials")];
        assert_eq!(words(&both, 2), ["floods", "floods"]);
    }

    #[test]
    fn what_says_of_no_instances_says_what_would() {
        for text in ["x%:floods", "101%:floods", "local-0:floods", "i-1:floods"] {
            let told = text.parse::<Behaving>().expect_err("wrong").to_string();
            assert!(told.contains("expected a share such as 30%"), "{told}");
        }
        let told = "30%:flods".parse::<Behaving>().expect_err("wrong");
        assert!(
            told.to_string().ends_with("did you mean `floods`?"),
            "{told}"
        );
    }
}
