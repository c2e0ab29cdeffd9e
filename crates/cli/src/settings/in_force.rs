//! What `axt config` shows: every key's value in force, and where it was set.

use std::fmt::Write;

use axt_client::discover::Environment;

use super::{
    entries::Table,
    file::{Settings, TABLES},
    key::{Description, Key},
    limits::{LimitArg, LimitsTable, VARIABLE},
};

/// From which column on it says where a value was set.
const COLUMN: usize = 44;

/// Every key of every table that there is once, and what is declared, as TOML with comments.
pub(crate) fn show(settings: &Settings, environment: &Environment) -> String {
    let mut text = match &settings.file {
        Some(file) => format!("# The file is {}.\n", file.display()),
        None => "# There is no file.\n".to_owned(),
    };
    for table in TABLES.iter().filter(|table| !table.is_list) {
        let _ = writeln!(text, "\n{}", table.header());
        for key in table.keys {
            let _ = writeln!(text, "{}", line(table, key, settings, environment));
        }
    }
    for table in TABLES.iter().filter(|table| table.is_list) {
        let ids = settings
            .written
            .iter()
            .filter(|written| written.table == table.name && written.key == "id");
        for id in ids {
            let entry = format!("\n{}\nid = {}", table.header(), id.text);
            let _ = writeln!(text, "{entry}  # {}", id.at);
        }
    }
    text
}

fn line(table: &Description, key: &Key, settings: &Settings, environment: &Environment) -> String {
    let (value, source) = in_force(table, key, settings, environment);
    let entry = match value {
        Some(value) => format!("{} = {value}", key.name),
        None => format!("# {} is not set", key.name),
    };
    format!("{entry:COLUMN$}  # {source}")
}

/// A key's value, where there is one to write down, and where it is from.
fn in_force(
    table: &Description,
    key: &Key,
    settings: &Settings,
    environment: &Environment,
) -> (Option<String>, String) {
    if let Some((value, variable)) = from_environment(table, key, environment) {
        return (Some(value), variable);
    }
    let written = settings
        .written
        .iter()
        .find(|written| written.table == table.name && written.key == key.name);
    if let Some(written) = written {
        return (Some(written.text.clone()), written.at.to_string());
    }
    let default = key.default_toml().map(str::to_owned);
    (default, format!("default: {}", key.default_text()))
}

fn from_environment(
    table: &Description,
    key: &Key,
    environment: &Environment,
) -> Option<(String, String)> {
    if table.name == LimitsTable::DESCRIPTION.name {
        let all = environment(VARIABLE)?;
        let mut limits = all
            .split(',')
            .filter_map(|text| text.trim().parse::<LimitArg>().ok());
        let last = limits.rfind(|limit| limit.name() == key.name)?;
        return Some((last.value().to_string(), VARIABLE.to_owned()));
    }
    let variable = key.variable()?;
    let value = environment(&variable)?;
    let is_bare = value.parse::<u64>().is_ok() || ["true", "false"].contains(&value.as_str());
    let value = match (key.is_secret, is_bare) {
        (true, _) => "\"***\"".to_owned(),
        (false, true) => value,
        (false, false) => format!("\"{}\"", value.escape_debug()),
    };
    Some((value, variable))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::settings::file::parse;

    #[test]
    fn each_value_says_where_it_was_set_and_secrets_stay_secret() {
        let text = "[relay]\nadmin_token = \"hunter2\"\nregion = \"cn-beijing\"\n\
                    [limits]\nidle_timeout_s = 20\nburst_bytes = 5\n\
                    [[instances]]\nid = \"i-1\"\n";
        let settings = parse(Path::new("axt.toml"), text).expect("a file");
        let environment = |name: &str| match name {
            "AXT_REGION" => Some("cn-shanghai".to_owned()),
            "AXT_LIMIT" => Some("burst_bytes=6".to_owned()),
            _ => None,
        };

        let shown = show(&settings, &environment);

        assert!(!shown.contains("hunter2"));
        insta::assert_snapshot!(shown);
    }
}
