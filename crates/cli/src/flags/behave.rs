//! What `--behave` can say.

use std::fmt::Write;

use axt_agent::behaviour::HABITS;

/// The table of words, for a help.
pub(crate) fn help() -> String {
    let mut text =
        String::from("Words of --behave; spans are rule time, which `axt clock` moves:\n");
    for habit in &HABITS {
        let word = match habit.value {
            Some(_) => format!("{}=…", habit.word),
            None => habit.word.to_owned(),
        };
        let meaning = habit.meaning.trim_end_matches('.');
        let form = habit
            .value
            .map_or_else(String::new, |form| format!(": {form}"));
        let _ = writeln!(text, "  {word:18}  {meaning}{form}");
    }
    text
}
