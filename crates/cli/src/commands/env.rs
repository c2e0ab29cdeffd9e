//! `axt env`: the environment that official SDKs and tools read.

use std::{path::PathBuf, process::ExitCode};

use axt_client::Target;

use super::{print, quote};
use crate::{failure::Failure, flags::target::ApiTarget, settings::Settings, target};

pub(super) fn run(flags: ApiTarget, settings: &Settings) -> Result<ExitCode, Failure> {
    let target = target::find(flags, settings)?;
    let lines: Vec<_> = variables(&target)
        .iter()
        .map(|(name, value)| format!("export {name}={}", quote(value)))
        .collect();
    print(&lines.join("\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// Names and values. `ALIBABA_CLOUD_…` is read by the SDKs and the aliyun CLI, `ALIBABACLOUD_…` by
/// ali-instance-cli (wire-protocol 11.1), the last four by whatever checks certificates (ecs-api
/// 1.5).
fn variables(target: &Target) -> Vec<(&'static str, String)> {
    let region = target.region.to_string();
    let key = target.credentials.access_key_id.clone();
    let secret = target.credentials.secret.expose().to_owned();
    let mut variables = vec![
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", key.clone()),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", secret.clone()),
        ("ALIBABA_CLOUD_REGION_ID", region.clone()),
        ("ALIBABA_CLOUD_ENDPOINT", host(&target.endpoint).to_owned()),
        ("ALIBABACLOUD_ACCESS_KEY_ID", key),
        ("ALIBABACLOUD_ACCESS_KEY_SECRET", secret),
        ("ALIBABACLOUD_REGION_ID", region),
    ];
    if let Some(token) = &target.credentials.security_token {
        variables.push(("ALIBABA_CLOUD_SECURITY_TOKEN", token.expose().to_owned()));
    }
    if let Some(ca) = &target.ca {
        // These replace the system's roots in most programs, so they point at the bundle, which has
        // both, where there is one beside the CA.
        let bundle = Some(ca.with_file_name("bundle.pem"))
            .filter(|bundle| bundle.is_file())
            .unwrap_or_else(|| PathBuf::from(ca));
        let bundle = bundle.display().to_string();
        variables.extend(
            [
                "SSL_CERT_FILE",
                "ALIBABA_CLOUD_CA_BUNDLE",
                "NODE_EXTRA_CA_CERTS",
                "REQUESTS_CA_BUNDLE",
            ]
            .map(|name| (name, bundle.clone())),
        );
    }
    variables
}

/// `HOST:PORT`: the SDKs want no scheme.
fn host(endpoint: &str) -> &str {
    let host = endpoint
        .split_once("://")
        .map_or(endpoint, |(_, host)| host);
    host.trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use axt_client::{
        api::permanent,
        discover::{Origin, Origins},
    };
    use axt_proto::Secret;

    use super::*;

    #[test]
    fn the_environment_names_key_region_endpoint_and_roots() {
        let target = Target {
            endpoint: "https://localhost:7080".into(),
            region: "cn-hangzhou".parse().expect("valid"),
            credentials: permanent("LTAIx".into(), Secret::new("s3cret")),
            ca: Some("/state of mine/ca/ca.pem".into()),
            instances: Vec::new(),
            origins: Origins {
                endpoint: Origin::Ready,
                region: Origin::Ready,
                key: Origin::Ready,
            },
        };

        let lines: Vec<_> = variables(&target)
            .into_iter()
            .map(|(name, value)| format!("{name}={}", quote(&value)))
            .collect();

        insta::assert_snapshot!(lines.join("\n"));
    }
}
