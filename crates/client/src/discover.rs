//! Which sandbox to talk to, and with whose key.
//!
//! An endpoint that is named wins. Else the ready file of the state folder tells all there is to
//! know. Else the environment of the official SDKs does (ecs-api 1.5). The SDKs' environment comes
//! last because people have it set for the real cloud, and a command meant for the sandbox must not
//! go there.
//!
//! The key is looked for in an order of its own: see [`key`].

pub mod aliyun;
mod error;
pub mod key;
mod origin;
mod place;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use axt_control::admin::{ReadyFile, ReadyInstance};
use axt_openapi::Credentials;
use axt_proto::{RegionId, Secret};

use self::place::Place;
pub use self::{
    error::DiscoverError,
    origin::{Origin, Origins},
};

/// How a variable of the environment is read; tests pass their own.
pub type Environment = dyn Fn(&str) -> Option<String>;

/// The variables of this process. An empty one counts as unset.
#[must_use]
pub fn process_environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// What was asked for by name, each with precedence over what would be found.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The folder whose ready file is read.
    pub state_dir: Option<PathBuf>,
    /// The API's URL; without a scheme it is https.
    pub endpoint: Option<String>,
    /// The region.
    pub region: Option<RegionId>,
    /// A PEM file of further roots.
    pub ca: Option<PathBuf>,
    /// The access key.
    pub access_key_id: Option<String>,
    /// Its secret.
    pub access_key_secret: Option<Secret>,
    /// The STS token of a temporary key.
    pub security_token: Option<Secret>,
    /// The profile of the aliyun CLI whose key is used.
    pub profile: Option<String>,
}

/// A sandbox to talk to.
#[derive(Clone, Debug)]
pub struct Target {
    /// The API's URL, `http://…` or `https://…`.
    pub endpoint: String,
    /// The region.
    pub region: RegionId,
    /// The key to sign with.
    pub credentials: Credentials,
    /// Further roots to trust, beside the system's: PEM.
    pub ca: Option<PathBuf>,
    /// The instances that the ready file names.
    pub instances: Vec<ReadyInstance>,
    /// Where all that was found.
    pub origins: Origins,
}

/// Where state is kept when nothing names a folder: `$AXT_STATE_DIR`, else `$XDG_STATE_HOME/axt`,
/// else `~/.local/state/axt`.
///
/// # Errors
/// [`DiscoverError::NoHome`].
pub fn default_state_dir(environment: &Environment) -> Result<PathBuf, DiscoverError> {
    if let Some(path) = environment("AXT_STATE_DIR") {
        return Ok(path.into());
    }
    // The XDG specification says that a relative path there is to be ignored.
    let xdg = environment("XDG_STATE_HOME").map(PathBuf::from);
    if let Some(path) = xdg.filter(|path| path.is_absolute()) {
        return Ok(path.join("axt"));
    }
    environment("HOME")
        .map(|home| Path::new(&home).join(".local/state/axt"))
        .ok_or(DiscoverError::NoHome)
}

/// Finds the sandbox that is meant.
///
/// # Errors
/// [`DiscoverError`], which says what to do in [`DiscoverError::hint`].
pub fn find(wanted: Wanted, environment: &Environment) -> Result<Target, DiscoverError> {
    let place = Place::find(&wanted, environment)?;
    let (region, region_from) = place.region(&wanted, environment)?;
    let (credentials, key_from) = key::find(&wanted, &place, environment)?;
    let Place {
        endpoint,
        from,
        ready,
    } = place;
    let has_scheme = endpoint.starts_with("http://") || endpoint.starts_with("https://");
    let (ready_ca, instances) = match ready {
        Some(ready) => (Some(ready.ca_cert.into()), ready.instances),
        None => (None, Vec::new()),
    };
    Ok(Target {
        endpoint: if has_scheme {
            endpoint
        } else {
            format!("https://{endpoint}")
        },
        region,
        credentials,
        ca: wanted.ca.or(ready_ca),
        instances,
        origins: Origins {
            endpoint: from,
            region: region_from,
            key: key_from,
        },
    })
}

/// The further roots that are meant, where no sandbox need be found: the ones that are named, else
/// those of a sandbox that runs here.
#[must_use]
pub fn ca(wanted: &Wanted, environment: &Environment) -> Option<PathBuf> {
    wanted.ca.clone().or_else(|| {
        let ready = read_ready(wanted.state_dir.as_deref(), environment).ok()?;
        Some(ready.ca_cert.into())
    })
}

/// Reads the ready file of `state_dir`, or of the folder where state is kept by default.
///
/// # Errors
/// [`DiscoverError`]; [`DiscoverError::NotRunning`] when there is no such file.
pub fn read_ready(
    state_dir: Option<&Path>,
    environment: &Environment,
) -> Result<ReadyFile, DiscoverError> {
    let folder = match state_dir {
        Some(path) => path.to_owned(),
        None => default_state_dir(environment)?,
    };
    let path = folder.join("ready.json");
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(source) if source.kind() == io::ErrorKind::NotFound => {
            return Err(DiscoverError::NotRunning(path));
        }
        Err(source) => return Err(DiscoverError::Unreadable { path, source }),
    };
    serde_json::from_slice(&text).map_err(|error| DiscoverError::Malformed {
        problem: problem(&error),
        path,
    })
}

/// What is wrong with a JSON file, without its text: such files hold secrets.
fn problem(error: &serde_json::Error) -> String {
    format!(
        "{:?} error in line {}, column {}",
        error.classify(),
        error.line(),
        error.column()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const READY: &str = r#"{
        "api_http": "http://127.0.0.1:7080", "api_https": "https://localhost:7080",
        "axt": "wss://localhost:7443", "admin": "http://127.0.0.1:7090", "pid": 4711,
        "region": "cn-hangzhou", "access_key_id": "LTAIready", "access_key_secret": "ready",
        "ca_cert": "/x/ca.pem", "instances": [{"id": "i-1", "name": "local-1"}]
    }"#;

    fn folder_with(ready: Option<&str>) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("folder");
        if let Some(ready) = ready {
            fs::write(folder.path().join("ready.json"), ready).expect("written");
        }
        folder
    }

    fn variables(
        pairs: &'static [(&'static str, &'static str)],
    ) -> impl Fn(&str) -> Option<String> {
        move |name| {
            pairs
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        }
    }

    const CLOUD: &[(&str, &str)] = &[
        ("ALIBABA_CLOUD_ENDPOINT", "sandbox.example:443"),
        ("ALIBABA_CLOUD_REGION_ID", "cn-beijing"),
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAIenv"),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "env"),
    ];

    #[test]
    fn the_ready_file_tells_all_even_beside_an_environment_for_the_real_cloud() {
        let folder = folder_with(Some(READY));
        let wanted = Wanted {
            state_dir: Some(folder.path().into()),
            ..Wanted::default()
        };

        let target = find(wanted, &variables(CLOUD)).expect("found");

        assert_eq!(target.endpoint, "https://localhost:7080");
        assert_eq!(target.credentials.access_key_id, "LTAIready");
        assert_eq!(target.region.as_str(), "cn-hangzhou");
        assert_eq!(target.ca, Some("/x/ca.pem".into()));
        assert_eq!(target.instances.len(), 1);
    }

    #[test]
    fn what_is_asked_for_by_name_stands_over_the_ready_file() {
        let folder = folder_with(Some(READY));
        let wanted = Wanted {
            state_dir: Some(folder.path().into()),
            region: Some("cn-shanghai".parse().expect("valid")),
            access_key_id: Some("LTAIflag".into()),
            access_key_secret: Some(Secret::new("flag")),
            ..Wanted::default()
        };

        let target = find(wanted, &variables(&[])).expect("found");

        assert_eq!(target.region.as_str(), "cn-shanghai");
        assert_eq!(target.credentials.access_key_id, "LTAIflag");
    }

    #[test]
    fn an_endpoint_takes_its_key_from_the_sdks_environment() {
        let wanted = Wanted {
            endpoint: Some("http://10.0.0.1:7080".into()),
            ..Wanted::default()
        };

        let target = find(wanted, &variables(CLOUD)).expect("found");

        assert_eq!(target.endpoint, "http://10.0.0.1:7080");
        assert_eq!(target.credentials.access_key_id, "LTAIenv");
        assert_eq!(target.region.as_str(), "cn-beijing");
    }

    #[test]
    fn an_endpoint_without_a_key_says_how_to_give_one() {
        let wanted = Wanted {
            endpoint: Some("http://10.0.0.1:7080".into()),
            region: Some("cn-hangzhou".parse().expect("valid")),
            ..Wanted::default()
        };

        let refusal = find(wanted, &variables(&[])).expect_err("no key");

        assert_eq!(
            refusal.to_string(),
            "no access key for http://10.0.0.1:7080"
        );
        assert_eq!(
            refusal.hint(),
            "give it by `--access-key-id`, ALIBABA_CLOUD_ACCESS_KEY_ID or `--profile` of the aliyun CLI"
        );
    }

    #[test]
    fn without_a_ready_file_the_sdks_endpoint_is_taken() {
        let variables = |name: &str| match name {
            "HOME" => Some("/nonexistent".to_owned()),
            other => variables(CLOUD)(other),
        };

        let target = find(Wanted::default(), &variables).expect("found");

        assert_eq!(target.endpoint, "https://sandbox.example:443");
    }

    #[test]
    fn nothing_anywhere_is_no_sandbox() {
        let folder = folder_with(None);
        let wanted = Wanted {
            state_dir: Some(folder.path().into()),
            ..Wanted::default()
        };

        let refusal = find(wanted, &variables(CLOUD)).expect_err("none");

        assert!(matches!(refusal, DiscoverError::NotRunning(_)));
    }

    #[test]
    fn a_ready_file_that_is_none_is_named_without_its_text() {
        let folder = folder_with(Some(r#"{"access_key_secret": hunter2}"#));
        let wanted = Wanted {
            state_dir: Some(folder.path().into()),
            ..Wanted::default()
        };

        let refusal = find(wanted, &variables(&[])).expect_err("malformed");

        assert!(!refusal.to_string().contains("hunter2"), "{refusal}");
    }

    #[test]
    fn the_state_folder_is_looked_up_in_the_documented_order() {
        let all = &[
            ("AXT_STATE_DIR", "/a"),
            ("XDG_STATE_HOME", "/x"),
            ("HOME", "/h"),
        ];
        let folder = |pairs| default_state_dir(&variables(pairs)).expect("a folder");

        assert_eq!(folder(all), Path::new("/a"));
        assert_eq!(folder(all.get(1..).expect("two")), Path::new("/x/axt"));
        assert_eq!(
            folder(all.get(2..).expect("one")),
            Path::new("/h/.local/state/axt")
        );
        assert!(default_state_dir(&variables(&[])).is_err());
    }
}
