//! What each command does, once its flags are settled.

mod agent;
mod api;
mod clock;
mod completions;
mod config;
mod decode;
mod doctor;
mod env;
mod experiment;
mod explain;
mod fault;
mod health;
mod instances;
mod limits;
mod man;
mod piped;
mod portforward;
mod relay;
mod reset_terminal;
mod session;
mod ssh;
mod top;
mod trace;
mod up;

use std::{
    future::Future,
    io::{self, Write},
    process::ExitCode,
};

use axt_client::terminal::signals::{Stop, Stops};

use axt_client::discover::process_environment;

use crate::{
    failure::{Code, Failure},
    flags::{Cli, Command},
    settings::file,
};

/// Runs a command to its exit code.
///
/// # Errors
/// What it has to tell.
pub(crate) async fn run(cli: Cli) -> Result<ExitCode, Failure> {
    let global = cli.global;
    let named = global.config.clone();
    let command = match cli.command {
        // They judge files themselves.
        Command::Config(flags) => return config::run(flags, named),
        Command::Doctor(flags) => return doctor::run(flags, named).await,
        // These want none.
        Command::ResetTerminal => return reset_terminal::run(),
        Command::Completions(flags) => return completions::run(flags),
        Command::Man(flags) => return man::run(flags),
        Command::Decode(flags) => return decode::run(flags),
        Command::Experiment(flags) => return experiment::execute(flags).await,
        command => command,
    };
    let settings = file::load(named, &process_environment)?;
    match command {
        Command::Up(flags) => up::run(flags, settings).await,
        Command::Relay(flags) => relay::run(flags, settings).await,
        Command::Agent(flags) => agent::run(flags, settings).await,
        Command::Session(flags) => session::run(flags, &settings).await,
        Command::Portforward(flags) => portforward::run(flags, &settings).await,
        Command::Ssh(flags) => ssh::run(flags, &global, &settings).await,
        Command::Api(flags) => api::run(flags, &settings).await,
        Command::Env(flags) => env::run(flags, &settings),
        Command::Health(flags) => health::run(flags, &settings).await,
        Command::Clock(flags) => clock::run(flags, &settings).await,
        Command::Fault(flags) => fault::run(flags, &settings).await,
        Command::Limits(flags) => limits::run(flags, &settings).await,
        Command::Explain(flags) => explain::run(flags, &settings).await,
        Command::Instances(flags) => instances::run(flags, &settings).await,
        Command::Top(flags) => top::run(flags, &settings).await,
        Command::Trace(flags) => trace::run(flags, settings).await,
        Command::Config(_)
        | Command::Doctor(_)
        | Command::ResetTerminal
        | Command::Completions(_)
        | Command::Man(_)
        | Command::Decode(_)
        | Command::Experiment(_) => Ok(ExitCode::SUCCESS),
    }
}

/// Ends in order, or at once when asked a second time.
async fn end(first: Stop, stops: &mut Stops, shutdown: impl Future<Output = ()>) -> ExitCode {
    tokio::select! {
        biased;
        () = shutdown => {}
        _ = stops.next() => {}
    }
    match first {
        Stop::Interrupt => ExitCode::from(Code::Interrupted as u8),
        Stop::Terminate | Stop::Hangup | Stop::Escape => ExitCode::SUCCESS,
    }
}

/// Does the work unless a signal asks to end first; then the command ends by it (Ctrl-C: 130).
async fn unless_stopped<F: Future>(work: F) -> Result<F::Output, Failure> {
    let mut stops = Stops::listen().map_err(Failure::failed)?;
    tokio::select! {
        biased;
        stop = stops.next() => Err(Failure::stopped(stop)),
        done = work => Ok(done),
    }
}

/// Writes data to stdout. A reader that has gone (`axt api … | head -1`) is no failure.
fn print(text: &str) -> Result<(), Failure> {
    is_read(text).map(drop)
}

/// Writes data to stdout, and says whether there is still somebody who reads it.
fn is_read(text: &str) -> Result<bool, Failure> {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::failed(format!("cannot write to stdout: {error}"))),
    }
}

/// Quotes a value for a POSIX shell.
fn quote(value: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@%+,".contains(&byte);
    if !value.is_empty() && value.bytes().all(is_plain) {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\'', r"'\''"))
}

/// What a sandbox with these instances says of itself.
#[cfg(test)]
fn ready_file(ids: &[&str]) -> axt_control::admin::ReadyFile {
    let instance = |id: &&str| axt_control::admin::ReadyInstance {
        id: id.parse().expect("valid"),
        name: "local".into(),
    };
    axt_control::admin::ReadyFile {
        api_http: "http://127.0.0.1:7080".into(),
        api_https: "https://localhost:7080".into(),
        axt: "wss://localhost:7443".into(),
        admin: "http://127.0.0.1:7090".into(),
        metadata: None,
        pid: 4711,
        region: "cn-hangzhou".parse().expect("valid"),
        access_key_id: "LTAIx".into(),
        access_key_secret: axt_proto::Secret::new("hunter2"),
        ca_cert: "/x/ca/ca.pem".into(),
        instances: ids.iter().map(instance).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_one_word_whatever_is_in_it() {
        assert_eq!(quote("a-b_c./:"), "a-b_c./:");
        assert_eq!(quote("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(quote(""), "''");
    }
}
