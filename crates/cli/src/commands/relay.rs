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
    let first = ready.instances.first();
    match first {
        None => lines.push(
            "Declare one:       axt agent --new-key agent.pem >> axt.toml, and start this again"
                .to_owned(),
        ),
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
    use axt_control::admin::ReadyInstance;
    use axt_proto::Secret;

    use super::*;

    fn ready(ids: &[&str]) -> ReadyFile {
        ReadyFile {
            api_http: "http://127.0.0.1:7080".into(),
            api_https: "https://localhost:7080".into(),
            axt: "wss://localhost:7443".into(),
            admin: "http://127.0.0.1:7090".into(),
            pid: 4711,
            region: "cn-hangzhou".parse().expect("valid"),
            access_key_id: "LTAIx".into(),
            access_key_secret: Secret::new("hunter2"),
            ca_cert: "/x/ca/ca.pem".into(),
            instances: ids
                .iter()
                .map(|id| ReadyInstance {
                    id: id.parse().expect("valid"),
                    name: "web".into(),
                })
                .collect(),
        }
    }

    #[test]
    fn without_an_instance_a_person_is_told_how_to_declare_one() {
        insta::assert_snapshot!(welcome(&ready(&[]), ""));
    }

    #[test]
    fn with_one_a_person_is_told_how_to_start_its_agent_here_and_elsewhere() {
        insta::assert_snapshot!(welcome(&ready(&["i-1"]), " --state-dir /tmp/x"));
    }
}
