//! Wrong usage, said in one line and a hint.

use std::{ffi::OsString, fmt};

/// What is wrong with a command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UsageError {
    /// What was wrong, with which value.
    pub(crate) message: String,
    /// What to do.
    pub(crate) hint: Option<String>,
}

impl UsageError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
        }
    }

    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for UsageError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl std::error::Error for UsageError {}

/// Shortens clap's report, which takes several paragraphs, to our two lines.
pub(crate) fn from_clap(error: &clap::Error, command: Option<&str>) -> UsageError {
    let report = error.render().to_string();
    let mut paragraphs = report.split("\n\n").map(join_lines);
    let message = paragraphs.next().unwrap_or_default();
    let message = message.strip_prefix("error: ").unwrap_or(&message);
    let tip = paragraphs.find_map(|paragraph| paragraph.strip_prefix("tip: ").map(str::to_owned));
    let help = match command {
        Some(command) => format!("`axt {command} --help` shows the flags"),
        None => "`axt --help` shows the commands".to_owned(),
    };
    UsageError::new(message).hint(tip.unwrap_or(help))
}

fn join_lines(paragraph: &str) -> String {
    paragraph
        .lines()
        .map(str::trim)
        .collect::<Vec<_>>()
        .join(" ")
}

/// The command that is meant by a command line which may not parse: the first argument that is the
/// name of one.
pub(crate) fn command_of<'a>(arguments: &'a [OsString], names: &[String]) -> Option<&'a str> {
    arguments
        .iter()
        .skip(1)
        .filter_map(|argument| argument.to_str())
        .find(|argument| names.iter().any(|name| name == argument))
}
