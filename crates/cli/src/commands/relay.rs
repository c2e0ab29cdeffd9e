//! `axt relay`.

use std::process::ExitCode;

use axt_control::admin::ReadyFile;
use axt_sandbox::Sandbox;

use super::{quote, up};
use crate::{
    failure::Failure,
    flags::relay::RelayCommand,
    settings::{Settings, place::Set, relay},
};

pub(super) async fn run(command: RelayCommand, settings: Settings) -> Result<ExitCode, Failure> {
    let mut settings = settings;
    // None, whatever the file says: those that it counts are `axt up`'s.
    settings.relay.simulated = None::<Set<u16>>;
    let settings = relay::resolve(command.relay, Some(0), settings)?;
    up::serve(settings, |sandbox: &Sandbox, found_by| {
        welcome(sandbox.ready(), found_by)
    })
    .await
}

/// What a person needs next: agents. `found_by` is what other commands on this machine need to find
/// this relay.
fn welcome(ready: &ReadyFile, found_by: &str) -> String {
    let mut lines = vec![
        format!(
            "the relay is ready: region {}, {}",
            ready.region,
            match ready.instances.len() {
                0 => "no instance declared".to_owned(),
                1 => "1 instance declared".to_owned(),
                several => format!("{several} instances declared"),
            }
        ),
        format!("  API        {} and {}", ready.api_http, ready.api_https),
        format!("  sessions   {}", ready.axt),
    ];
    lines.extend(ready.metadata.iter().map(|at| format!("  metadata   {at}")));
    let first = ready.instances.first();
    match first {
        None => lines.extend([
            "Declare one:       axt agent --new-key agent.pem >> axt.toml, and start this again"
                .to_owned(),
            format!("Or register one:   axt api CreateActivation{found_by}"),
        ]),
        Some(instance) => lines.extend([
            format!(
                "Its agent, here:   axt agent -i {} --key FILE{found_by}",
                instance.id
            ),
            format!(
                "  elsewhere:       axt agent -i {} --key FILE --server {} --ca {}",
                instance.id,
                ready.axt.replacen("ws", "http", 1),
                quote(&ready.ca_cert),
            ),
        ]),
    }
    lines.push("Ctrl-C ends it.".to_owned());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::{super::ready_file, *};

    #[test]
    fn without_an_instance_a_person_is_told_how_to_declare_one() {
        insta::assert_snapshot!(welcome(&ready_file(&[]), ""));
    }

    #[test]
    fn a_metadata_service_is_named_where_there_is_one() {
        let ready = ReadyFile {
            metadata: Some("http://100.100.100.200:80".to_owned()),
            ..ready_file(&[])
        };

        let told = welcome(&ready, "");

        assert!(
            told.contains("\n  metadata   http://100.100.100.200:80\n"),
            "{told}"
        );
    }

    #[test]
    fn with_one_a_person_is_told_how_to_start_its_agent_here_and_elsewhere() {
        insta::assert_snapshot!(welcome(&ready_file(&["i-1"]), " --state-dir /tmp/x"));
    }
}
