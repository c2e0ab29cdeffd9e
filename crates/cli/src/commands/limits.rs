//! `axt limits`.

use std::process::ExitCode;

use axt_control::admin::{LimitState, LimitsAnswer};

use super::print;
use crate::{
    failure::Failure,
    flags::limits::LimitsFlags,
    settings::{Settings, limits::KEYS},
    target,
};

pub(super) async fn run(flags: LimitsFlags, settings: &Settings) -> Result<ExitCode, Failure> {
    let admin = target::admin(flags.target, settings)?;
    let limits = admin.limits().await?;
    if flags.json {
        print(&serde_json::to_string_pretty(&limits).map_err(Failure::failed)?)?;
    } else {
        print(table(&limits).trim_end())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A line a limit, in the order in which they are explained; then those that this program does not
/// know, of a relay that is newer.
fn table(limits: &LimitsAnswer) -> String {
    let known = KEYS.iter().map(|key| key.name);
    let is_known = |name: &str| KEYS.iter().any(|key| key.name == name);
    let others = limits.keys().map(String::as_str);
    let names = known.chain(others.filter(|name| !is_known(name)));
    let rows = names.filter_map(|name| Some(row(name, limits.get(name)?)));
    let head = ["LIMIT", "VALUE", "IN USE", "SET BY", "WHO"].map(str::to_owned);
    let rows: Vec<_> = std::iter::once(head).chain(rows).collect();
    let mut widths = [0; 5];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let [name, value, used, source, _] = widths;
    let line = |[a, b, c, d, e]: &[String; 5]| {
        let line = format!("{a:name$}  {b:>value$}  {c:>used$}  {d:source$}  {e}");
        format!("{}\n", line.trim_end())
    };
    rows.iter().map(line).collect()
}

fn row(name: &str, limit: &LimitState) -> [String; 5] {
    [
        name.to_owned(),
        limit.value.to_string(),
        limit
            .used
            .map_or_else(|| "-".to_owned(), |used| used.to_string()),
        limit.source.clone(),
        limit.used_by.clone().unwrap_or_default(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_shown_with_its_value_its_use_and_where_it_was_set() {
        let limit = |value, source: &str, used: Option<u64>, who: Option<&str>| LimitState {
            value,
            source: source.to_owned(),
            used,
            used_by: who.map(str::to_owned),
        };
        let limits = LimitsAnswer::from([
            (
                "sessions_per_region".to_owned(),
                limit(100, "default", Some(3), Some("cn-hangzhou")),
            ),
            (
                "idle_timeout_s".to_owned(),
                limit(20, "axt.toml:4", Some(0), None),
            ),
            ("of_tomorrow".to_owned(), limit(1, "flag", None, None)),
        ]);

        insta::assert_snapshot!(table(&limits), @r"
        LIMIT                VALUE  IN USE  SET BY      WHO
        idle_timeout_s          20       0  axt.toml:4
        sessions_per_region    100       3  default     cn-hangzhou
        of_tomorrow              1       -  flag
        ");
    }
}
