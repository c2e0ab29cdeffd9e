//! `axt up`.

use std::process::ExitCode;

use axt_control::admin::ReadyFile;

use crate::{
    failure::Failure,
    flags::up::UpFlags,
    settings::up::{UpLayer, UpSettings},
};

pub(super) async fn run(flags: UpFlags) -> Result<ExitCode, Failure> {
    let settings = UpSettings::resolve(flags, UpLayer::default())?;
    let _ = settings;
    Err(Failure::failed("not yet"))
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
        several => (format!("instances {}", several.join(", ")), " -i INSTANCE"),
    };
    format!(
        "axt is ready: region {region}, {instances}\n\
         \x20 API        {api_http} and {api_https}\n\
         \x20 sessions   {axt}\n\
         Open a shell:      axt session{choice}{found_by}\n\
         For an SDK:        eval \"$(axt env{found_by})\"\n\
         Ctrl-C ends it.",
        region = ready.region,
        api_http = ready.api_http,
        api_https = ready.api_https,
        axt = ready.axt,
    )
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
                    name: "local".into(),
                })
                .collect(),
        }
    }

    #[test]
    fn a_person_is_told_what_they_need_next() {
        insta::assert_snapshot!(welcome(&ready(&["i-1"]), ""));
    }

    #[test]
    fn of_several_instances_one_has_to_be_named_and_an_unusual_folder_too() {
        insta::assert_snapshot!(welcome(&ready(&["i-1", "i-2"]), " --state-dir /tmp/x"));
    }
}
