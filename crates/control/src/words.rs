//! Words that people type, and the ones that they meant.

/// The word that `typed` was probably meant to be.
pub fn nearest<'a>(typed: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    words
        .map(|word| (strsim::jaro_winkler(typed, word), word))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, word)| word)
}

/// The end of a sentence about a word that is none: the one that was probably meant, or all of them.
pub fn instead<'a>(typed: &str, words: impl Iterator<Item = &'a str> + Clone) -> String {
    match nearest(typed, words.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are {}", words.collect::<Vec<_>>().join(", ")),
    }
}
