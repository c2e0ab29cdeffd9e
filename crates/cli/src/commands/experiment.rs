//! `axt experiment`.

mod find;
mod progress;

use std::{env, fs, path::Path, process::ExitCode};

use axt_agent::shell::HelperProgram;
use axt_experiment::{Options, Report, Scenario, format, gallery, junit, plot, run};
use axt_net::tasks::{Panicked, Tasks};
use axt_sandbox::TraceSettings;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use self::progress::Shown;
use super::{print, unless_stopped};
use crate::{
    failure::{Code, Failure, say, tell},
    flags::experiment::{ExperimentAction, ExperimentFlags, RunFlags},
};

pub(super) async fn execute(flags: ExperimentFlags) -> Result<ExitCode, Failure> {
    match flags.action {
        ExperimentAction::Run(flags) => run_all(flags).await,
        ExperimentAction::List { json } => list(json),
        ExperimentAction::New { file, from } => new(file.as_deref(), from.as_deref()),
        ExperimentAction::Schema => {
            print(format::schema().trim_end())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn run_all(flags: RunFlags) -> Result<ExitCode, Failure> {
    // All of them are read before any of them starts.
    let scenarios = find::all(&flags.scenarios)?;
    let options = Options {
        seed: flags.seed,
        helper: HelperProgram::default(),
        axt: env::current_exe().map_err(Failure::failed)?,
        trace: None,
        stop: CancellationToken::new(),
    };
    let shown = Shown::new(scenarios.len());
    let mut reports = Vec::new();
    for scenario in &scenarios {
        let stop = options.stop.clone();
        let traced = Options {
            trace: trace(&flags, scenario, scenarios.len()),
            ..options.clone()
        };
        let one = one(scenario.clone(), traced, shown.clone());
        let mut one = std::pin::pin!(one);
        let report = match unless_stopped(&mut one).await {
            Ok(report) => report,
            Err(stopped) => {
                // In order: what was started is ended.
                stop.cancel();
                if let Ok(Ok(report)) = one.await {
                    shown.over();
                    shown.aside(|| tell_one(&report, flags.brief))?;
                    reports.push(report);
                }
                shown.clear();
                write_all(&flags, &reports)?;
                return Err(stopped);
            }
        };
        let report = report.map_err(Failure::failed)?.map_err(Failure::failed)?;
        shown.over();
        shown.aside(|| tell_one(&report, flags.brief))?;
        reports.push(report);
    }
    shown.clear();
    write_all(&flags, &reports)?;
    let failed: Vec<&Report> = reports
        .iter()
        .filter(|report| report.failed.is_some())
        .collect();
    for report in &failed {
        if let Some(why) = &report.failed {
            tell(&format!("{}: {why}", report.name), None);
        }
    }
    say(&format!(
        "{} of {} scenarios went as they say",
        reports.len() - failed.len(),
        reports.len()
    ));
    match failed.is_empty() {
        true => Ok(ExitCode::SUCCESS),
        false => Ok(ExitCode::from(Code::Failed as u8)),
    }
}

/// Where a scenario's trace goes, one of `count`.
fn trace(flags: &RunFlags, scenario: &Scenario, count: usize) -> Option<TraceSettings> {
    let folder = flags.trace.as_ref()?;
    Some(TraceSettings {
        folder: match count {
            1 => folder.clone(),
            _ => folder.join(scenario.name()),
        },
        payload: flags.trace_payload,
    })
}

/// On a thread that may block, for it has a runtime of its own.
async fn one(
    scenario: Scenario,
    options: Options,
    shown: Shown,
) -> Result<std::io::Result<Report>, Panicked> {
    let tasks = Tasks::new();
    let job = move || {
        let name = scenario.name();
        run(&scenario, &options, &mut |progress| {
            shown.step(&name, progress)
        })
    };
    tasks.blocking("experiment", job).await
}

fn tell_one(report: &Report, is_brief: bool) -> Result<(), Failure> {
    let mark = if report.failed.is_some() {
        "FAILED"
    } else {
        "ok"
    };
    let title = format!("{mark:6}  {}: {}", report.name, report.title);
    if is_brief {
        return print(&title);
    }
    let seed = report
        .seed
        .map_or_else(String::new, |seed| format!(", seed {seed}"));
    print(&format!(
        "{title} ({}{seed})\n{}",
        report.class,
        report.timeline.text()
    ))
}

fn write_all(flags: &RunFlags, reports: &[Report]) -> Result<(), Failure> {
    if let Some(path) = &flags.json {
        let text = serde_json::to_string_pretty(reports).map_err(Failure::failed)?;
        write(path, &text)?;
    }
    if let Some(path) = &flags.junit {
        write(path, &junit::xml(reports))?;
    }
    match (&flags.plot, reports) {
        (None, _) => {}
        (Some(path), [only]) => write(path, &plot::svg(only))?,
        (Some(folder), several) => {
            fs::create_dir_all(folder)
                .map_err(|error| cannot("make the folder", folder, &error))?;
            for report in several {
                write(
                    &folder.join(format!("{}.svg", report.name)),
                    &plot::svg(report),
                )?;
            }
        }
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|error| cannot("write", path, &error))
}

fn cannot(what: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::failed(format!("cannot {what} {}: {error}", path.display()))
}

fn list(is_json: bool) -> Result<ExitCode, Failure> {
    let mut rows = Vec::new();
    for name in gallery::names() {
        let scenario = gallery::scenario(name)
            .transpose()
            .map_err(Failure::failed)?;
        let Some(scenario) = scenario else { continue };
        rows.push((name, scenario));
    }
    if is_json {
        let rows: Vec<_> = rows
            .iter()
            .map(|(name, scenario)| {
                json!({
                    "name": name,
                    "title": scenario.title,
                    "class": scenario.class.name(),
                    "description": scenario.description.trim(),
                    "steps": scenario.steps.len(),
                })
            })
            .collect();
        print(&serde_json::to_string_pretty(&rows).map_err(Failure::failed)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines = rows.iter().map(|(name, scenario)| {
        format!(
            "{name:width$}  {:9}  {}",
            scenario.class.name(),
            scenario.title
        )
    });
    print(&lines.collect::<Vec<_>>().join("\n"))?;
    Ok(ExitCode::SUCCESS)
}

fn new(file: Option<&Path>, from: Option<&str>) -> Result<ExitCode, Failure> {
    let text = match from {
        None => gallery::STARTER,
        Some(name) => gallery::text(name).ok_or_else(|| find::unknown(name))?,
    };
    let Some(path) = file else {
        print(text.trim_end())?;
        return Ok(ExitCode::SUCCESS);
    };
    let made = fs::File::create_new(path);
    let mut made = made.map_err(|error| cannot("write", path, &error))?;
    std::io::Write::write_all(&mut made, text.as_bytes())
        .map_err(|error| cannot("write", path, &error))?;
    say(&format!(
        "{} is there: `axt experiment run {}` runs it",
        path.display(),
        path.display()
    ));
    Ok(ExitCode::SUCCESS)
}
