//! Words inside texts that are free otherwise: placeholders, names of faults, actions of the API.

use axt_control::{admin::fault::KINDS, words::nearest};
use axt_openapi::ActionName;

use super::problem::guess;

/// What stands in braces and is filled in (`Stage::fill`, and what a program is told).
const PLACEHOLDERS: [&str; 21] = [
    "access_key_id",
    "access_key_secret",
    "activation_code",
    "activation_id",
    "axt",
    "axt_url",
    "ca",
    "endpoint",
    "endpoint_http",
    "folder",
    "host",
    "instance",
    "key",
    "port",
    "proxy",
    "region",
    "server",
    "session",
    "state_dir",
    "token",
    "url",
];

/// From so many letters on a word in braces that is nearly a placeholder was meant to be it; shorter ones may be a
/// shell's or awk's own.
const TELLING: usize = 6;

/// The first word in braces that is nearly a placeholder.
pub(super) fn placeholder(text: &str) -> Result<(), String> {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, behind)) = after.split_once('}') else {
            break;
        };
        // `${NAME}` is the shell's.
        let is_own = !before.ends_with('$');
        let word = name.split(':').next().unwrap_or_default();
        let is_word = word
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        if is_own
            && is_word
            && word.len() >= TELLING
            && !PLACEHOLDERS.contains(&word)
            && let Some(near) = nearest(word, PLACEHOLDERS.into_iter())
        {
            return Err(format!(
                "there is no placeholder `{{{word}}}`; did you mean `{{{near}}}`?"
            ));
        }
        rest = behind;
    }
    Ok(())
}

/// A fault that is to be removed: one with a name of its own, or one that got `TYPE-N`.
pub(super) fn fault(name: &str, known: &[String]) -> Result<(), String> {
    let is_given = |kind: &str| {
        let number = name
            .strip_prefix(kind)
            .and_then(|rest| rest.strip_prefix('-'));
        number.is_some_and(|number| number.parse::<u64>().is_ok())
    };
    if name.is_empty()
        || known.iter().any(|one| one == name)
        || KINDS.iter().any(|kind| is_given(kind.word))
    {
        return Ok(());
    }
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    Err(format!(
        "no fault is called `{name}`; {}",
        guess(name, &known)
    ))
}

/// An action that is called.
pub(super) fn action(name: &str) -> Result<(), String> {
    match ActionName::find(name) {
        Some(_) => Ok(()),
        None => {
            let all: Vec<&str> = ActionName::ALL.iter().map(|one| one.as_str()).collect();
            Err(format!(
                "there is no action `{name}`; {}",
                guess(name, &all)
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nearly_a_placeholder_is_told_and_what_is_the_shells_is_not() {
        let told = placeholder("exec x {instnce} {ca}").expect_err("wrong");

        assert_eq!(
            told,
            "there is no placeholder `{instnce}`; did you mean `{instance}`?"
        );
        for fine in [
            "{instance} {session:one} {port:db}",
            "echo ${instnce}",
            "awk '{print $1}'",
            "awk '{print}'",
            "x() { sessions; }",
            "{",
            "echo {a,b}",
        ] {
            assert_eq!(placeholder(fine), Ok(()), "{fine}");
        }
    }

    #[test]
    fn a_fault_goes_by_its_name_or_by_its_type_and_a_number() {
        let known = ["slow".to_owned()];

        assert_eq!(fault("slow", &known), Ok(()));
        assert_eq!(fault("", &known), Ok(()));
        assert_eq!(fault("drop_kick-1", &[]), Ok(()));
        assert!(fault("slo", &known).expect_err("wrong").contains("`slow`"));
        assert!(fault("drop_kick-x", &[]).is_err());
    }
}
