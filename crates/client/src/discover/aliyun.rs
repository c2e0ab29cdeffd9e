//! The aliyun CLI's own configuration, `~/.aliyun/config.json`: profiles with keys and regions.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use axt_openapi::Credentials;
use axt_proto::{RegionId, Secret};
use serde::Deserialize;

use super::{Environment, Origin, problem};

/// The variable that names the profile to use instead of the current one.
pub const PROFILE: &str = "ALIBABA_CLOUD_PROFILE";

/// A profile, as far as it is of use here.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// The region that it is set to.
    pub region: Option<RegionId>,
    mode: String,
    key: Option<Credentials>,
    file: PathBuf,
}

/// Why a profile cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// There is no file, and a profile was asked for by name.
    #[error("there is no profile `{name}`: there is no {}", file.display())]
    NoFile {
        /// What was asked for.
        name: String,
        /// Where it was looked for.
        file: PathBuf,
    },
    /// The file cannot be read.
    #[error("cannot read {}: {source}", file.display())]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is not one of the aliyun CLI.
    #[error("{} is no configuration of the aliyun CLI: {problem}", file.display())]
    Malformed {
        /// Which file.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The file has no such profile.
    #[error("there is no profile `{name}` in {}", file.display())]
    NoProfile {
        /// What was asked for.
        name: String,
        /// Which file.
        file: PathBuf,
        /// The profiles that there are.
        known: Vec<String>,
    },
    /// The profile's key is somewhere else.
    #[error("profile `{name}` of {} has mode {mode}, which holds no key of its own", file.display())]
    Mode {
        /// The profile.
        name: String,
        /// Its mode, such as `EcsRamRole`.
        mode: String,
        /// Which file.
        file: PathBuf,
    },
    /// The profile's key is not whole.
    #[error("profile `{name}` of {} has no {what}", file.display())]
    Incomplete {
        /// The profile.
        name: String,
        /// What it should have.
        what: &'static str,
        /// Which file.
        file: PathBuf,
    },
}

impl ProfileError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::NoFile { .. } => {
                "`aliyun configure` makes one; or give the key by ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET".into()
            }
            Self::Unreadable { .. } => "is it another user's?".into(),
            Self::Malformed { .. } => "`aliyun configure` writes it anew".into(),
            Self::NoProfile { known, .. } if known.is_empty() => "it has none".into(),
            Self::NoProfile { known, .. } => format!("there are: {}", known.join(", ")),
            Self::Mode { .. } => {
                "the modes AK and StsToken are read; or give a key by ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET".into()
            }
            Self::Incomplete { name, .. } => {
                format!("`aliyun configure --profile {name}` asks for it")
            }
        }
    }
}

impl Profile {
    /// Where it stands.
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin::Profile {
            name: self.name.clone(),
            file: self.file.clone(),
        }
    }

    /// Its key.
    ///
    /// # Errors
    /// [`ProfileError::Mode`] and [`ProfileError::Incomplete`].
    pub fn key(&self) -> Result<Credentials, ProfileError> {
        let (name, file) = (self.name.clone(), self.file.clone());
        let is_temporary = match self.mode.as_str() {
            "AK" => false,
            "StsToken" => true,
            mode => {
                let mode = mode.to_owned();
                return Err(ProfileError::Mode { name, mode, file });
            }
        };
        let incomplete = |what| ProfileError::Incomplete { name, what, file };
        let mut key = match &self.key {
            Some(key) => key.clone(),
            None => return Err(incomplete("access key")),
        };
        if !is_temporary {
            key.security_token = None;
        } else if key.security_token.is_none() {
            return Err(incomplete("sts_token"));
        }
        Ok(key)
    }
}

/// The profile of that name.
///
/// # Errors
/// [`ProfileError`], of which that there is no such file or profile.
pub fn named(name: &str, environment: &Environment) -> Result<Profile, ProfileError> {
    let Some((file, configuration)) = read(environment)? else {
        let name = name.to_owned();
        let file = path(environment).unwrap_or_else(|| "~/.aliyun/config.json".into());
        return Err(ProfileError::NoFile { name, file });
    };
    configuration.profile(name, &file)
}

/// The profile that [`PROFILE`] names, else the file's current one; `None` where there is no file.
///
/// # Errors
/// [`ProfileError`].
pub fn current(environment: &Environment) -> Result<Option<Profile>, ProfileError> {
    if let Some(name) = environment(PROFILE) {
        return named(&name, environment).map(Some);
    }
    match read(environment)? {
        Some((file, configuration)) => configuration
            .profile(&configuration.current, &file)
            .map(Some),
        None => Ok(None),
    }
}

#[derive(Deserialize)]
struct Configuration {
    #[serde(default)]
    current: String,
    #[serde(default)]
    profiles: Vec<Written>,
}

/// A profile as the file has it; fields that are of no use here are passed over.
#[derive(Deserialize)]
#[serde(default)]
struct Written {
    name: String,
    mode: String,
    access_key_id: String,
    access_key_secret: Secret,
    sts_token: Secret,
    region_id: String,
}

impl Default for Written {
    fn default() -> Self {
        Self {
            name: String::new(),
            // What the CLI takes a profile without a mode for.
            mode: "AK".to_owned(),
            access_key_id: String::new(),
            access_key_secret: Secret::new(""),
            sts_token: Secret::new(""),
            region_id: String::new(),
        }
    }
}

impl Configuration {
    fn profile(&self, name: &str, file: &Path) -> Result<Profile, ProfileError> {
        let written = self
            .profiles
            .iter()
            .find(|profile| profile.name == name)
            .ok_or_else(|| ProfileError::NoProfile {
                name: name.to_owned(),
                file: file.to_owned(),
                known: self.profiles.iter().map(|it| it.name.clone()).collect(),
            })?;
        let given = |secret: &Secret| Some(secret.clone()).filter(|it| !it.expose().is_empty());
        let secret =
            given(&written.access_key_secret).filter(|_| !written.access_key_id.is_empty());
        Ok(Profile {
            name: written.name.clone(),
            region: written.region_id.parse().ok(),
            mode: written.mode.clone(),
            key: secret.map(|secret| Credentials {
                access_key_id: written.access_key_id.clone(),
                secret,
                security_token: given(&written.sts_token),
            }),
            file: file.to_owned(),
        })
    }
}

fn path(environment: &Environment) -> Option<PathBuf> {
    Some(Path::new(&environment("HOME")?).join(".aliyun/config.json"))
}

fn read(environment: &Environment) -> Result<Option<(PathBuf, Configuration)>, ProfileError> {
    let Some(file) = path(environment) else {
        return Ok(None);
    };
    let text = match fs::read(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(ProfileError::Unreadable { file, source }),
    };
    match serde_json::from_slice(&text) {
        Ok(configuration) => Ok(Some((file, configuration))),
        Err(error) => Err(ProfileError::Malformed {
            problem: problem(&error),
            file,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"{
        "current": "work",
        "profiles": [
            {"name": "work", "mode": "AK", "access_key_id": "LTAIwork",
             "access_key_secret": "hunter2", "sts_token": "stale", "region_id": "cn-beijing"},
            {"name": "temporary", "mode": "StsToken", "access_key_id": "STS.x",
             "access_key_secret": "hunter2", "sts_token": "token", "region_id": ""},
            {"name": "ecs", "mode": "EcsRamRole", "ram_role_name": "r"},
            {"name": "empty", "mode": "AK", "access_key_id": "", "access_key_secret": ""},
            {"name": "no-token", "mode": "StsToken", "access_key_id": "a", "access_key_secret": "b"}
        ],
        "meta_path": ""
    }"#;

    fn home_with(file: Option<&str>) -> tempfile::TempDir {
        let home = tempfile::tempdir().expect("a folder");
        if let Some(text) = file {
            let folder = home.path().join(".aliyun");
            fs::create_dir(&folder).expect("made");
            fs::write(folder.join("config.json"), text).expect("written");
        }
        home
    }

    fn environment(
        home: &tempfile::TempDir,
        profile: Option<&'static str>,
    ) -> impl Fn(&str) -> Option<String> + use<> {
        let home = home.path().display().to_string();
        move |name| match name {
            "HOME" => Some(home.clone()),
            PROFILE => profile.map(str::to_owned),
            _ => None,
        }
    }

    #[test]
    fn the_current_profile_is_taken_and_the_variable_names_another() {
        let home = home_with(Some(FILE));

        let current = current(&environment(&home, None)).expect("read");
        let other = super::current(&environment(&home, Some("temporary"))).expect("read");

        let current = current.expect("one");
        let key = current.key().expect("a key");
        assert_eq!(key.access_key_id, "LTAIwork");
        assert!(key.security_token.is_none(), "the mode is AK");
        assert_eq!(current.region, Some("cn-beijing".parse().expect("valid")));
        let key = other.expect("one").key().expect("a key");
        assert_eq!(key.security_token.expect("a token").expose(), "token");
    }

    #[test]
    fn a_profile_that_cannot_be_used_says_why() {
        let home = home_with(Some(FILE));
        let environment = environment(&home, None);
        let told = |name: &str| {
            let error = named(name, &environment)
                .and_then(|profile| profile.key())
                .expect_err("unusable");
            let place = home.path().display().to_string();
            format!("{error}: {}", error.hint()).replace(&place, "~")
        };

        assert_eq!(
            told("nobody"),
            "there is no profile `nobody` in ~/.aliyun/config.json: \
             there are: work, temporary, ecs, empty, no-token"
        );
        assert!(told("ecs").starts_with(
            "profile `ecs` of ~/.aliyun/config.json has mode EcsRamRole, which holds no key of its own"
        ));
        assert!(told("empty").contains("has no access key"));
        assert!(told("no-token").contains("has no sts_token"));
    }

    #[test]
    fn no_file_is_no_profile_unless_one_is_asked_for() {
        let home = home_with(None);

        let current = current(&environment(&home, None)).expect("nothing wrong");
        let asked = super::current(&environment(&home, Some("work")));

        assert!(current.is_none());
        assert!(matches!(asked, Err(ProfileError::NoFile { .. })));
    }

    #[test]
    fn a_file_that_is_none_is_told_without_its_text() {
        let home = home_with(Some(r#"{"profiles": [{"access_key_secret": hunter2}]}"#));

        let error = current(&environment(&home, None)).expect_err("malformed");

        assert!(matches!(error, ProfileError::Malformed { .. }));
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}
