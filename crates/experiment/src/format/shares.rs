//! How the agents of one `[[instances]]` table misbehave: all of them alike, or shares of them.

use axt_agent::Behaviour;
use axt_sandbox::{Behaving, Whose, behaviours};

/// What the texts of `behave` say: words for all, and `30%:WORD[,WORD…]` for shares that follow one another.
pub(super) fn read(behave: &[String]) -> Result<Vec<Behaving>, String> {
    let (shares, words): (Vec<&String>, Vec<&String>) = behave
        .iter()
        .partition(|text| text.contains("%:") || text.contains("% :"));
    let all = Behaviour::from_words(words.into_iter().map(String::as_str));
    let all = all.map_err(|error| error.to_string())?;
    let mut behaving: Vec<Behaving> = Vec::new();
    for text in shares {
        behaving.push(
            text.parse()
                .map_err(|error: axt_sandbox::BadBehaving| error.to_string())?,
        );
    }
    let percents = behaving.iter().map(|one| match one.whose {
        Whose::Percent(percent) => percent,
        _ => 0.0,
    });
    let sum: f64 = percents.sum();
    if sum > 100.0 {
        return Err(format!(
            "the shares come to {sum}%: there are no more than 100%"
        ));
    }
    behaving.push(Behaving {
        whose: Whose::All,
        behaviour: all,
    });
    Ok(behaving)
}

/// The words of each of `count` agents; what is wrong was told by [`read`].
pub(super) fn deal(behave: &[String], count: usize) -> Vec<Vec<String>> {
    let behaving = read(behave).unwrap_or_default();
    let each = behaviours(&behaving, count);
    each.iter().map(Behaviour::words).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(behave: &[&str]) -> Vec<String> {
        behave.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn shares_follow_one_another_and_words_without_one_are_everybodys() {
        let behave = texts(&[
            "20%:never_dials",
            "10%: posts_twice, floods=10",
            "loses_heart_beats",
        ]);

        let dealt = deal(&behave, 10);

        assert_eq!(dealt[0], ["never_dials", "loses_heart_beats"]);
        assert_eq!(dealt[1], dealt[0]);
        assert_eq!(dealt[2], ["floods=10", "posts_twice", "loses_heart_beats"]);
        assert_eq!(dealt[3], ["loses_heart_beats"]);
        assert_eq!(dealt[9], ["loses_heart_beats"]);
    }

    #[test]
    fn a_share_that_is_wrong_says_so() {
        let told = |behave: &[&str]| read(&texts(behave)).expect_err("wrong");

        assert!(told(&["20%:never_dails"]).ends_with("did you mean `never_dials`?"));
        assert!(told(&["120%:floods"]).contains("expected a share such as 30%"));
        assert!(told(&["60%:floods", "50%:never_dials"]).contains("110%"));
    }
}
