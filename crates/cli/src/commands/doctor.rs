//! `axt doctor`.

use std::{path::PathBuf, process::ExitCode};

use axt_client::{
    discover::process_environment,
    doctor::{Examination, Finding, Outcome, Subject, Trouble},
};
use axt_net::wall::Wall;
use serde::Serialize;

use super::{print, unless_stopped};
use crate::{
    failure::{Code, Failure},
    flags::doctor::DoctorFlags,
    settings::{client, file},
    target::Clients,
};

/// All that was found, as JSON.
#[derive(Serialize)]
struct Report {
    ok: bool,
    steps: Vec<Finding>,
}

pub(super) async fn run(flags: DoctorFlags, named: Option<PathBuf>) -> Result<ExitCode, Failure> {
    let is_json = flags.json;
    let subject = subject(flags, named).map_err(|failure| failure.trouble());
    let mut examination = Examination::of(subject);
    let mut steps = Vec::new();
    let mut printed = Ok(());
    let examining = examination.run(|finding| {
        if !is_json && printed.is_ok() {
            printed = print(&lines(&finding));
        }
        steps.push(finding);
    });
    let outcome = unless_stopped(examining).await;
    // However it went, a session that was started is not left behind.
    examination.end().await;
    let ok = outcome?;
    printed?;
    if is_json {
        let report = Report { ok, steps };
        print(&serde_json::to_string_pretty(&report).map_err(Failure::failed)?)?;
    }
    let code = if ok { Code::Done } else { Code::Failed };
    Ok(ExitCode::from(code as u8))
}

/// The first step: settings that can be read, and a sandbox that they lead to.
fn subject(flags: DoctorFlags, named: Option<PathBuf>) -> Result<Subject, Failure> {
    let settings = file::load(named, &process_environment)?;
    let instance = client::instance(flags.instance, &settings);
    let clients = Clients::find(flags.target, &settings)?;
    Ok(Subject {
        target: clients.target,
        api: clients.api,
        network: clients.network,
        instance,
        wall: Wall::system(),
    })
}

/// A line a step, and its hint below.
fn lines(Finding { step, outcome }: &Finding) -> String {
    match outcome {
        Outcome::Passed { detail } => format!("ok    {step:15}  {detail}"),
        Outcome::Skipped => format!("skip  {step:15}"),
        Outcome::Failed(Trouble { problem, hint }) => {
            let hint = hint.as_ref().map(|hint| format!("\n      hint: {hint}"));
            format!("FAIL  {step:15}  {problem}{}", hint.unwrap_or_default())
        }
    }
    .trim_end()
    .to_owned()
}
