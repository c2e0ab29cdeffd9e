//! `axt trace`.

mod diff;
mod export;
mod replay;
mod show;

use std::process::ExitCode;

use axt_control::admin::{TraceAnswer, TraceRequest};
use axt_proto::SessionId;
use axt_trace::{
    read::{self, Trace},
    record::Hop,
    show::Filter,
};

use super::print;
use crate::{
    failure::{Failure, say},
    flags::{
        target::AdminTarget,
        trace::{FilterFlags, HopArg, TraceAction, TraceCommand},
    },
    settings::Settings,
    target,
};

pub(super) async fn run(command: TraceCommand, settings: Settings) -> Result<ExitCode, Failure> {
    match command.action {
        TraceAction::Show(flags) => show::run(&flags),
        TraceAction::Export(flags) => export::run(&flags),
        TraceAction::Diff(flags) => diff::run(&flags),
        TraceAction::Replay(command) => replay::run(command, settings).await,
        TraceAction::Start {
            session,
            payload,
            target,
        } => {
            let request = TraceRequest { on: true, payload };
            set(&session, request, target, &settings).await
        }
        TraceAction::Stop { session, target } => {
            let request = TraceRequest {
                on: false,
                payload: false,
            };
            set(&session, request, target, &settings).await
        }
    }
}

async fn set(
    session: &SessionId,
    request: TraceRequest,
    flags: AdminTarget,
    settings: &Settings,
) -> Result<ExitCode, Failure> {
    let admin = target::admin(flags, settings)?;
    let answer = admin.trace(session, request).await?;
    print(&answer.folder)?;
    say(&told(&answer));
    Ok(ExitCode::SUCCESS)
}

fn told(answer: &TraceAnswer) -> String {
    let session = &answer.session;
    match (answer.on, answer.payload) {
        (false, _) => format!("{session} is traced no longer; its files are in the folder above"),
        (true, false) => format!("{session} is traced into that folder, without payload"),
        (true, true) => format!(
            "{session} is traced into that folder, with all that is typed and printed: take care \
             who reads it"
        ),
    }
}

/// Reads a file or a folder.
fn read(path: &std::path::Path) -> Result<Vec<Trace>, Failure> {
    read::read(path).map_err(|error| {
        Failure::failed(error)
            .hint("`axt up --trace DIR` and `axt trace start SESSION` write traces")
    })
}

fn filter(flags: &FilterFlags) -> Filter {
    Filter {
        session: flags.session.clone(),
        connection: flags.connection.clone(),
        channel: flags.channel.clone(),
        instance: flags.instance.clone(),
        hop: flags.hop.map(hop),
        types: flags.types.clone(),
        since_us: flags
            .since
            .map(|at| u64::try_from(at.as_microsecond()).unwrap_or(0)),
    }
}

pub(super) const fn hop(arg: HopArg) -> Hop {
    match arg {
        HopArg::Client => Hop::Client,
        HopArg::Agent => Hop::Agent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_told_what_is_written_from_now_on() {
        let answer = |on, payload| {
            told(&TraceAnswer {
                session: "s-1".parse().expect("valid"),
                on,
                payload,
                folder: "/x".to_owned(),
            })
        };

        insta::assert_snapshot!(
            [answer(true, false), answer(true, true), answer(false, false)].join("\n"),
            @r"
            s-1 is traced into that folder, without payload
            s-1 is traced into that folder, with all that is typed and printed: take care who reads it
            s-1 is traced no longer; its files are in the folder above
            "
        );
    }
}
