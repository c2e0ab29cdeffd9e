//! `axt trace replay`.

mod agent;
mod client;
mod play;

use std::process::ExitCode;

use axt_trace::{
    diff::{self, Closeness},
    read::Trace,
    record::{Dir, Hop, Record, What},
    show::Filter,
};

use self::play::Script;
use super::{diff::told, read};
use crate::{
    commands::print,
    failure::{Code, Failure, say},
    flags::trace::{ReplayCommand, ReplayFlags, ReplaySide},
    settings::Settings,
};

pub(super) async fn run(command: ReplayCommand, settings: Settings) -> Result<ExitCode, Failure> {
    match command.side {
        ReplaySide::Client(flags) => client::run(*flags, &settings).await,
        ReplaySide::Agent(flags) => agent::run(*flags, settings).await,
    }
}

/// What is to be played: the frames of one connection on one hop, of whoever was nearest to it.
fn script(flags: &ReplayFlags, hop: Hop, mine: Dir) -> Result<(Vec<Trace>, Script), Failure> {
    let traces = read(&flags.path)?;
    let filter = Filter {
        session: flags.session.clone(),
        connection: flags.connection.clone(),
        channel: flags.channel.clone(),
        hop: Some(hop),
        ..Filter::default()
    };
    let is_wire = |record: &&Record| {
        matches!(
            record.what,
            What::Frame(_) | What::Close { .. } | What::Lost { .. }
        )
    };
    let mut found = traces.iter().filter_map(|trace| {
        trace.header.ids.channel.as_ref()?;
        let records: Vec<Record> = trace
            .records
            .iter()
            .filter(|record| filter.takes(record))
            .filter(is_wire)
            .cloned()
            .collect();
        (!records.is_empty()).then_some((trace, records))
    });
    let none = || {
        Failure::failed(format!(
            "there is no connection with frames of the {hop}'s hop in it"
        ))
        .hint("`axt trace show` tells what is in it")
    };
    let (trace, records) = found.next().ok_or_else(none)?;
    // The agent has seen the same channel as the relay.
    let others: Vec<_> = found
        .filter(|(other, _)| other.header.ids.channel != trace.header.ids.channel)
        .filter_map(|(other, _)| {
            other
                .header
                .ids
                .connection
                .clone()
                .or_else(|| other.header.ids.channel.clone())
        })
        .collect();
    if !others.is_empty() {
        return Err(Failure::usage("there are several connections in it")
            .hint("choose one by `--connection CONNECTION` or `--channel CHANNEL`"));
    }
    let script = Script::new(records, hop, mine).map_err(Failure::failed)?;
    Ok((traces, script))
}

/// Says where the other side differed.
fn judge(script: &Script, seen: &[Record], flags: &ReplayFlags) -> Result<ExitCode, Failure> {
    let closeness = Closeness {
        sizes: flags.sizes,
        data: flags.data,
        background: false,
    };
    let then = diff::lane(script.theirs(), closeness);
    let now = diff::lane(seen.iter(), closeness);
    let lines = diff::compare("the other side, then and now", &then, &now);
    if diff::differs(&lines) {
        print(&told(&lines))?;
        return Ok(ExitCode::from(Code::Failed as u8));
    }
    say("the other side did the same as in the trace");
    Ok(ExitCode::SUCCESS)
}
