//! Texts of each form, good ones and bad ones (the sections that `Form` cites).

use axt_openapi::description::Form;

/// Texts that have the form; the first is an ordinary one. Where the form lets the length be chosen
/// there is one of the shortest and one of the longest.
pub(super) fn good(form: Form, min: usize, max: usize) -> Vec<String> {
    let longest = max.min(1_024);
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let mut good: Vec<String> = match form {
        Form::Any => vec!["x".repeat(min.max(4)), "字".repeat(longest)],
        Form::Ascii => vec!["t-00000".to_owned(), "!".repeat(longest), "~".repeat(8)],
        Form::Host => texts(&["db.internal", "10.0.0.7", "fe80::1", "データ.example"]),
        Form::Name => vec!["web-1.a:b_c".to_owned(), "字".repeat(longest)],
        Form::AddressRange => texts(&["0.0.0.0/0", "10.1.2.3", "10.0.0.0/8", "::/0", "fd00::1"]),
        Form::Megabytes(least, most) => vec![format!("{least}MB"), format!("{most}MB")],
        Form::Window => texts(&["02:00-03:00", "23:30-00:30", "00:00-23:59"]),
        Form::Prefix => vec!["logs/".to_owned(), "字".repeat(longest)],
        Form::Words(words) => texts(words),
        Form::Key => texts(&["key-1", "alias/a_b.c:d"]),
    };
    if matches!(form, Form::Any | Form::Host | Form::Name | Form::Prefix) {
        good.push("x".repeat(min));
        good.push("x".repeat(longest));
    }
    good
}

/// Texts that have not: of another form, or too short.
pub(super) fn bad(form: Form, min: usize) -> Vec<String> {
    let bad: Vec<String> = match form {
        Form::Any => Vec::new(),
        Form::Ascii => ["a b", "字", "a\u{7f}", "a\tb"].map(str::to_owned).into(),
        Form::Host => ["a b", "a/b", "db:3306", "[::1]", "http://x", "a\u{7}b"]
            .map(str::to_owned)
            .into(),
        Form::Name => ["1web", "web 1", "-web", "http://web", "web/1"]
            .map(str::to_owned)
            .into(),
        Form::AddressRange => [
            "x",
            "10.0.0.0/33",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "::/129",
            "1.2.3",
        ]
        .map(str::to_owned)
        .into(),
        Form::Megabytes(least, most) => vec![
            format!("{}MB", least - 1),
            format!("{}MB", most + 1),
            format!("{least}"),
            format!("{least}mb"),
            format!("+{least}MB"),
            "MB".to_owned(),
        ],
        Form::Window => [
            "02:00-02:59",
            "2:00-3:00",
            "24:00-01:00",
            "02:00",
            "-",
            "02:60-04:00",
        ]
        .map(str::to_owned)
        .into(),
        Form::Prefix => ["/x", "\\x"].map(str::to_owned).into(),
        Form::Words(_) => vec!["Nonsense".to_owned()],
        Form::Key => ["a b", "字"].map(str::to_owned).into(),
    };
    let short = (min > 1).then(|| "x".repeat(min - 1));
    bad.into_iter().chain(short).collect()
}
