use super::*;

fn words(words: &[&str]) -> Result<Behaviour, String> {
    Behaviour::from_words(words.iter().copied()).map_err(|error| error.to_string())
}

#[test]
fn each_habit_of_the_table_is_learnt_and_told_again_in_its_own_word() {
    for habit in &HABITS {
        let value = match habit.word {
            "version" => "2.2.3.256",
            "os" => "windows",
            "dies_after_bytes" | "floods" => "4096",
            "wrong_clock" => "-20m",
            _ => "5s",
        };
        let text = match habit.value {
            Some(_) => format!("{}={value}", habit.word),
            None => habit.word.to_owned(),
        };

        let behaviour = words(&[&text]).expect(&text);

        assert_ne!(behaviour, Behaviour::default(), "{text}");
        assert_eq!(behaviour.words().len(), 1, "{text}");
        let again = Behaviour::try_from(behaviour.words()).expect(&text);
        assert_eq!(again, behaviour, "{text}");
    }
}

#[test]
fn several_are_had_at_once_and_the_later_word_counts() {
    let first = words(&["never_dials", "dies_after=5s", "posts_never"]).expect("read");
    let second = words(&["dies_after=9s", "floods"]).expect("read");

    let both = first.and(&second);

    assert_eq!(
        both.words(),
        ["never_dials", "dies_after=9s", "floods", "posts_never"]
    );
}

#[test]
fn what_is_wrong_is_told_with_the_nearest_word() {
    let tests: [(&[&str], &str); 7] = [
        (
            &["never_dial"],
            "no agent behaves as `never_dial`; did you mean `never_dials`?",
        ),
        (
            &["never_dials=1"],
            "`never_dials` has no value, so `never_dials=1` is none",
        ),
        (
            &["slow_start"],
            "`slow_start` has a value: slow_start=…, a span such as 5s",
        ),
        (
            &["slow_start=5"],
            "`slow_start` cannot be `5`: expected a span such as 5s",
        ),
        (
            &["slow_start=-5s"],
            "`slow_start` cannot be `-5s`: expected a span",
        ),
        (
            &["os=plan9"],
            "`os` cannot be `plan9`: expected linux, windows or freebsd",
        ),
        (
            &["posts_twice", "posts_never"],
            "`posts_never` and another way to post cannot both be",
        ),
    ];
    for (bad, start) in tests {
        let told = words(bad).expect_err("wrong");
        assert!(told.starts_with(start), "{told}");
    }
}

#[test]
fn who_is_refused_or_late_is_not_waited_for() {
    for (text, is_there) in [
        ("wrong_clock=5m", true),
        ("wrong_clock=-20m", false),
        ("wrong_signature", false),
        ("slow_start=1ms", false),
        ("dies_after=1s", true),
    ] {
        assert_eq!(
            words(&[text]).expect(text).comes_online(),
            is_there,
            "{text}"
        );
    }
}

/// docs/faults.md is for people; that it is whole is for this test to say.
#[test]
fn every_habit_is_in_the_documentation() {
    let text = include_str!("../../../../docs/faults.md");
    for habit in &HABITS {
        let start = format!("| `{}` |", habit.word);
        assert!(text.lines().any(|line| line.starts_with(&start)), "{start}");
    }
}
