//! `axt up`.

use std::{path::Path, process::ExitCode};

use axt_client::{discover, terminal::signals::Stops};
use axt_control::admin::ReadyFile;
use axt_sandbox::{Sandbox, StartError, StateDir, StateError};

use super::{end, quote};
use crate::{
    failure::{Failure, say},
    flags::up::UpFlags,
    settings::{
        Settings,
        relay::{self, RelaySettings},
    },
};

pub(super) async fn run(flags: UpFlags, settings: Settings) -> Result<ExitCode, Failure> {
    let mut settings = relay::resolve(flags.relay, flags.instances, settings)?;
    if !flags.behave.is_empty() {
        settings.config.behaviours = flags.behave;
    }
    serve(settings, |sandbox, found_by| {
        welcome(sandbox.ready(), found_by)
    })
    .await
}

/// Starts a sandbox, says what `welcome` has to say, and ends it when asked to.
pub(super) async fn serve(
    settings: RelaySettings,
    welcome: impl FnOnce(&Sandbox, &str) -> String,
) -> Result<ExitCode, Failure> {
    let home = settings.state_dir;
    // Before anything is started, so that a signal in the middle of it leaves nothing behind.
    let mut stops = Stops::listen().map_err(Failure::failed)?;
    let sandbox = tokio::select! {
        biased;
        stop = stops.next() => return Err(Failure::stopped(stop)),
        started = Sandbox::start(settings.config) => started.map_err(refused)?,
    };
    let found_by = found_by(sandbox.state(), &home);
    say(&welcome(&sandbox, &found_by));
    let stop = stops.next().await;
    Ok(end(stop, &mut stops, sandbox.shutdown()).await)
}

/// The flag by which client commands find this sandbox; none when they look there anyway.
fn found_by(state: &StateDir, home: &Path) -> String {
    let folder = if state.is_published_in(home) {
        home
    } else {
        state.path()
    };
    let by_default = discover::default_state_dir(&discover::process_environment);
    if by_default.is_ok_and(|default| default == folder) {
        return String::new();
    }
    format!(" --state-dir {}", quote(&folder.display().to_string()))
}

/// Why it did not start, with the flag to change.
fn refused(error: StartError) -> Failure {
    let hint = match &error {
        StartError::State(StateError::Held { .. }) => {
            "use that one, or start this one with `--ephemeral` or another `--state-dir DIR`"
                .to_owned()
        }
        StartError::State(StateError::Io { .. }) => {
            "name a folder that can be written by `--state-dir DIR`".to_owned()
        }
        StartError::Bind { listener, .. } => format!(
            "`--{listener}-listen ADDR:PORT` names another address; port 0 picks a free one"
        ),
        _ => return Failure::failed(error),
    };
    Failure::failed(error).hint(hint)
}

/// How many instances are named at most.
const SHOWN: usize = 10;

/// The instances by their ids; of a fleet, the first of them.
fn some(ids: &[&str]) -> String {
    let shown = ids.get(..SHOWN).unwrap_or(ids).join(", ");
    match ids.len().saturating_sub(SHOWN) {
        0 => format!("instances {shown}"),
        more => format!("instances {shown} and {more} more (`axt instances` lists them)"),
    }
}

/// What a person needs next, and no more. `found_by` is what client commands need to find this
/// sandbox: nothing, for the usual state folder.
fn welcome(ready: &ReadyFile, found_by: &str) -> String {
    let ids: Vec<_> = ready
        .instances
        .iter()
        .map(|instance| instance.id.as_str())
        .collect();
    let (instances, choice) = match ids.as_slice() {
        [] => ("no instance".to_owned(), ""),
        [only] => (format!("instance {only}"), ""),
        several => (some(several), " -i INSTANCE"),
    };
    let metadata = ready.metadata.as_ref();
    let metadata = metadata.map(|at| format!("\n  metadata   {at}"));
    format!(
        "axt is ready: region {region}, {instances}\n\
         \x20 API        {api_http} and {api_https}\n\
         \x20 sessions   {axt}{metadata}\n\
         Open a shell:      axt session{choice}{found_by}\n\
         For an SDK:        eval \"$(axt env{found_by})\"\n\
         Ctrl-C ends it.",
        region = ready.region,
        api_http = ready.api_http,
        api_https = ready.api_https,
        axt = ready.axt,
        metadata = metadata.unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use axt_net::transport::BindError;

    use super::{super::ready_file, *};

    #[test]
    fn a_person_is_told_what_they_need_next() {
        insta::assert_snapshot!(welcome(&ready_file(&["i-1"]), ""));
    }

    #[test]
    fn of_several_instances_one_has_to_be_named_and_an_unusual_folder_too() {
        insta::assert_snapshot!(welcome(&ready_file(&["i-1", "i-2"]), " --state-dir /tmp/x"));
    }

    #[test]
    fn of_a_fleet_the_first_are_named() {
        assert_eq!(some(&["i-1"; 10]).matches("i-1").count(), 10);
        let fleet = some(&["i-1"; 1_000]);
        assert_eq!(fleet.matches("i-1").count(), 10);
        assert!(
            fleet.ends_with(" and 990 more (`axt instances` lists them)"),
            "{fleet}"
        );
    }

    #[test]
    fn a_port_that_is_taken_names_the_flag_to_change() {
        let taken = StartError::Bind {
            listener: "api",
            source: BindError {
                address: "127.0.0.1:7080".into(),
                source: std::io::ErrorKind::AddrInUse.into(),
            },
        };

        insta::assert_debug_snapshot!(refused(taken));
    }

    #[test]
    fn a_folder_that_is_held_names_its_holder_and_the_way_round() {
        let held = StateError::Held {
            path: "/home/x/.local/state/axt".into(),
            pid: Some(4711),
        };

        insta::assert_debug_snapshot!(refused(held.into()));
    }
}
