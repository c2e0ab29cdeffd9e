//! The whole settings file, from the types that read it.

use std::fmt::Write;

use super::{
    file::TABLES,
    key::{Description, Key},
};

/// The longest line of prose, as in the sources.
const WIDTH: usize = 98;

/// Every table and key with unit, default and meaning. Each key is switched off by a `#` without a
/// space: prose has one.
pub(crate) fn example() -> String {
    let mut text = String::new();
    prose(
        &mut text,
        "Settings of axt. They are read from the file that --config or AXT_CONFIG names, else from \
         axt.toml in the working folder, else from ~/.config/axt/axt.toml. A flag stands over the \
         environment, the environment over this file, this file over the default. Every key shows \
         [its unit or form; its default; its flag and variable]: remove the # in front of it to \
         change it.",
    );
    for table in &TABLES {
        add_table(&mut text, table);
    }
    text
}

fn add_table(text: &mut String, table: &Description) {
    text.push_str("\n\n");
    prose(text, &table.meaning.concat());
    // One of a list would be an entry without its id.
    let switch = if table.is_list { "#" } else { "" };
    let _ = writeln!(text, "{switch}{}", table.header());
    for key in table.keys {
        add_key(text, key);
    }
}

fn add_key(text: &mut String, key: &Key) {
    text.push('\n');
    prose(text, &key.meaning());
    let _ = writeln!(text, "# {}", key.facts());
    let entry = format!("{} = {}", key.name, key.example_toml());
    for line in entry.lines() {
        let _ = writeln!(text, "#{line}");
    }
}

/// Comments, wrapped.
fn prose(text: &mut String, words: &str) {
    let mut line = String::from("#");
    for word in words.split_whitespace() {
        if line.len() + 1 + word.len() > WIDTH {
            let _ = writeln!(text, "{line}");
            line = String::from("#");
        }
        line.push(' ');
        line.push_str(word);
    }
    let _ = writeln!(text, "{line}");
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::CommandFactory;

    use super::*;
    use crate::{
        flags::Cli,
        settings::{file::parse, limits},
    };

    /// The example with every key switched on.
    fn switched_on() -> String {
        let lines = example();
        let lines = lines.lines().map(|line| match line.strip_prefix('#') {
            Some(rest) if !rest.starts_with(' ') => rest,
            _ => line,
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_example_is_a_file_that_changes_nothing() {
        let settings = parse(Path::new("axt.toml"), &example()).expect("parses");

        assert!(settings.written.is_empty());
    }

    #[test]
    fn every_key_of_the_example_parses_when_it_is_switched_on() {
        let settings = parse(Path::new("axt.toml"), &switched_on()).expect("parses");

        let all: usize = TABLES.iter().map(|table| table.keys.len()).sum();
        assert_eq!(settings.written.len(), all);
    }

    #[test]
    fn every_key_says_what_it_means_and_in_which_unit() {
        for key in TABLES.iter().flat_map(|table| table.keys) {
            assert!(key.meaning().ends_with('.'), "{}", key.name);
            assert!(!key.unit.is_empty(), "{}", key.name);
            assert!(!key.example_toml().contains("without"), "{}", key.name);
        }
    }

    #[test]
    fn the_limits_are_those_that_there_are_with_their_defaults() {
        let told: Vec<(&str, &str)> = limits::KEYS
            .iter()
            .map(|key| (key.name, key.default_text()))
            .collect();

        let defaults = limits::defaults();
        assert_eq!(told.len(), defaults.len());
        for (name, value) in defaults {
            assert!(
                told.contains(&(name.as_str(), &value.to_string())),
                "{name}"
            );
        }
    }

    #[test]
    fn every_flag_that_a_key_names_is_there_and_reads_the_variable() {
        let commands = Cli::command();
        for key in TABLES.iter().flat_map(|table| table.keys) {
            let (Some(flag), Some(variable)) = (key.flag, key.variable()) else {
                continue;
            };
            let has_it = commands.get_subcommands().any(|command| {
                command.get_arguments().any(|argument| {
                    argument.get_long() == Some(flag.trim_start_matches('-'))
                        && argument
                            .get_env()
                            .is_some_and(|env| env == variable.as_str())
                })
            });
            assert!(has_it, "{flag} with {variable}");
        }
    }
}
