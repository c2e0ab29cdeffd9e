//! `axt trace diff`.

use std::process::ExitCode;

use axt_trace::diff::{self, Closeness, Line};

use super::read;
use crate::{
    commands::print,
    failure::{Code, Failure},
    flags::trace::DiffFlags,
};

/// Lines that both have are shown this near to a difference.
const NEAR: usize = 3;

pub(super) fn run(flags: &DiffFlags) -> Result<ExitCode, Failure> {
    let closeness = Closeness {
        sizes: flags.sizes,
        data: flags.data,
        background: flags.all,
    };
    let lines = diff::diff(&read(&flags.first)?, &read(&flags.second)?, closeness);
    if !diff::differs(&lines) {
        return Ok(ExitCode::SUCCESS);
    }
    print(&told(&lines))?;
    Ok(ExitCode::from(Code::Failed as u8))
}

/// The differences, with what stands around them.
pub(super) fn told(lines: &[Line]) -> String {
    let is_change = |line: &Line| matches!(line, Line::First(_) | Line::Second(_));
    let changes: Vec<usize> = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| is_change(line))
        .map(|(at, _)| at)
        .collect();
    let is_near = |at: usize| changes.iter().any(|change| change.abs_diff(at) <= NEAR);
    let mut text: Vec<String> = Vec::new();
    let mut lane: Option<&String> = None;
    let mut is_gap = false;
    for (at, line) in lines.iter().enumerate() {
        if let Line::Lane(name) = line {
            lane = Some(name);
            is_gap = false;
            continue;
        }
        if !is_near(at) {
            is_gap = true;
            continue;
        }
        // A lane's heading is shown with its first line that is near.
        if let Some(name) = lane {
            let has_change = lines
                .iter()
                .skip(at)
                .take_while(|line| !matches!(line, Line::Lane(_)))
                .any(is_change);
            if !has_change {
                continue;
            }
            text.push(format!("@@ {name}"));
            lane = None;
        }
        if std::mem::take(&mut is_gap) {
            text.push("  …".to_owned());
        }
        text.push(match line {
            Line::First(word) => format!("- {word}"),
            Line::Second(word) => format!("+ {word}"),
            Line::Same(word) | Line::Lane(word) => format!("  {word}"),
        });
    }
    text.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_told_with_what_stands_around_it() {
        let same = |word: &str| Line::Same(word.to_owned());
        let lines = [
            Line::Lane("one".to_owned()),
            same("a"),
            same("b"),
            Line::Lane("two".to_owned()),
            same("1"),
            same("2"),
            same("3"),
            same("4"),
            Line::First("5".to_owned()),
            Line::Second("six".to_owned()),
            same("7"),
        ];

        insta::assert_snapshot!(told(&lines), @r"
        @@ two
          …
          2
          3
          4
        - 5
        + six
          7
        ");
    }
}
