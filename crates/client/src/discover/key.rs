//! With whose key to call: where it is looked for, the first that has one wins.
//!
//! 1. what is named: `--access-key-id` and its like, their variables (`AXT_…`), the settings file
//! 2. `--profile`, a profile of the aliyun CLI
//! 3. the ready file, where that is what says where the API is
//! 4. the SDKs' environment: `ALIBABA_CLOUD_ACCESS_KEY_ID`, `…_SECRET`, `ALIBABA_CLOUD_SECURITY_TOKEN`
//! 5. the aliyun CLI's file: the profile of `ALIBABA_CLOUD_PROFILE`, else the current one
//!
//! Id, secret and token are of one place; only a secret or a token that is named by itself stands
//! over the one that was found. So no key is ever signed for with another one's secret.

use axt_openapi::Credentials;
use axt_proto::Secret;

use super::{DiscoverError, Environment, Origin, Place, Wanted, aliyun};

const ID: &str = "ALIBABA_CLOUD_ACCESS_KEY_ID";
const SECRET: &str = "ALIBABA_CLOUD_ACCESS_KEY_SECRET";
const TOKEN: &str = "ALIBABA_CLOUD_SECURITY_TOKEN";

/// Finds the key for a place, and says where it was.
pub(super) fn find(
    wanted: &Wanted,
    place: &Place,
    environment: &Environment,
) -> Result<(Credentials, Origin), DiscoverError> {
    let (mut key, mut from) = match &wanted.access_key_id {
        Some(id) => (named(id, wanted, place, environment)?, Origin::Named),
        None => found(wanted, place, environment)?,
    };
    if let Some(secret) = &wanted.access_key_secret {
        key.secret = secret.clone();
        from = Origin::Named;
    }
    if let Some(token) = &wanted.security_token {
        key.security_token = Some(token.clone());
    }
    Ok((key, from))
}

/// The key of that id: its secret is named too, or stands where the key does.
fn named(
    id: &str,
    wanted: &Wanted,
    place: &Place,
    environment: &Environment,
) -> Result<Credentials, DiscoverError> {
    if let Some(secret) = &wanted.access_key_secret {
        return Ok(Credentials {
            access_key_id: id.to_owned(),
            secret: secret.clone(),
            security_token: None,
        });
    }
    if let Some(secret) = environment(SECRET)
        && environment(ID).is_none_or(|other| other == id)
    {
        return Ok(Credentials {
            access_key_id: id.to_owned(),
            secret: Secret::new(secret),
            security_token: environment(TOKEN).map(Secret::new),
        });
    }
    of_ready(place)
        .filter(|key| key.access_key_id == id)
        .ok_or_else(|| missing_secret(place))
}

fn found(
    wanted: &Wanted,
    place: &Place,
    environment: &Environment,
) -> Result<(Credentials, Origin), DiscoverError> {
    if let Some(name) = &wanted.profile {
        let profile = aliyun::named(name, environment)?;
        return Ok((profile.key()?, profile.origin()));
    }
    if let Some(key) = of_ready(place) {
        return Ok((key, Origin::Ready));
    }
    if let Some(access_key_id) = environment(ID) {
        let secret = wanted.access_key_secret.clone();
        let secret = secret
            .or_else(|| environment(SECRET).map(Secret::new))
            .ok_or_else(|| missing_secret(place))?;
        let key = Credentials {
            access_key_id,
            secret,
            security_token: environment(TOKEN).map(Secret::new),
        };
        return Ok((key, Origin::Environment(ID)));
    }
    if let Some(profile) = aliyun::current(environment)? {
        return Ok((profile.key()?, profile.origin()));
    }
    Err(missing(
        place,
        "access key",
        "`--access-key-id`, ALIBABA_CLOUD_ACCESS_KEY_ID or `--profile` of the aliyun CLI",
    ))
}

fn of_ready(place: &Place) -> Option<Credentials> {
    place.ready.as_ref().map(|ready| Credentials {
        access_key_id: ready.access_key_id.clone(),
        secret: ready.access_key_secret.clone(),
        security_token: None,
    })
}

fn missing_secret(place: &Place) -> DiscoverError {
    missing(
        place,
        "access key secret",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET or `--access-key-secret`",
    )
}

fn missing(place: &Place, what: &'static str, how: &'static str) -> DiscoverError {
    DiscoverError::Missing {
        what,
        how,
        endpoint: place.endpoint.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const READY: &str = r#"{
        "api_http": "http://127.0.0.1:7080", "api_https": "https://localhost:7080",
        "axt": "wss://localhost:7443", "admin": "http://127.0.0.1:7090", "pid": 4711,
        "region": "cn-hangzhou", "access_key_id": "LTAIready", "access_key_secret": "ready",
        "ca_cert": "/x/ca.pem", "instances": []
    }"#;
    const CONFIG: &str = r#"{"current": "default", "profiles": [
        {"name": "default", "mode": "AK", "access_key_id": "LTAIcli", "access_key_secret": "cli"},
        {"name": "other", "mode": "StsToken", "access_key_id": "STS.other",
         "access_key_secret": "other", "sts_token": "token"}
    ]}"#;

    /// Looks for a key where all places have one but for those that `without` names. `ready` says
    /// whether the endpoint is the ready file's.
    fn look(
        wanted: Wanted,
        is_ready: bool,
        without: &'static [&'static str],
    ) -> Result<(Credentials, Origin), DiscoverError> {
        let home = tempfile::tempdir().expect("a folder");
        if !without.contains(&"file") {
            fs::create_dir(home.path().join(".aliyun")).expect("made");
            fs::write(home.path().join(".aliyun/config.json"), CONFIG).expect("written");
        }
        let folder = home.path().display().to_string();
        let environment = move |name: &str| match name {
            "HOME" => Some(folder.clone()),
            _ if without.contains(&name) => None,
            ID => Some("LTAIenv".to_owned()),
            SECRET => Some("env".to_owned()),
            TOKEN => Some("env-token".to_owned()),
            _ => None,
        };
        let place = Place {
            endpoint: "https://localhost:7080".to_owned(),
            from: Origin::Named,
            ready: is_ready.then(|| serde_json::from_str(READY).expect("a ready file")),
        };
        find(&wanted, &place, &environment)
    }

    fn id(id: &str) -> Wanted {
        Wanted {
            access_key_id: Some(id.to_owned()),
            ..Wanted::default()
        }
    }

    #[test]
    fn the_first_place_that_has_a_key_wins() {
        let named = Wanted {
            access_key_secret: Some(Secret::new("flag")),
            ..id("LTAIflag")
        };
        let profile = Wanted {
            profile: Some("other".to_owned()),
            ..Wanted::default()
        };
        let nothing = Wanted::default;
        let looked = [
            look(
                Wanted {
                    profile: Some("other".into()),
                    ..named
                },
                true,
                &[],
            ),
            look(profile, true, &[]),
            look(nothing(), true, &[]),
            look(nothing(), false, &[]),
            look(nothing(), false, &[ID]),
        ];

        let found = looked.map(|looked| {
            let (key, from) = looked.expect("a key");
            let from = from.to_string();
            let from = from.split(" of ").next().unwrap_or_default().to_owned();
            let token = key.security_token.map(|token| token.expose().to_owned());
            format!(
                "{} {} {token:?} {from}",
                key.access_key_id,
                key.secret.expose()
            )
        });

        assert_eq!(
            found,
            [
                "LTAIflag flag None flags or settings",
                "STS.other other Some(\"token\") profile `other`",
                "LTAIready ready None ready.json",
                "LTAIenv env Some(\"env-token\") $ALIBABA_CLOUD_ACCESS_KEY_ID",
                "LTAIcli cli None profile `default`",
            ]
        );
    }

    #[test]
    fn a_named_key_takes_no_other_keys_secret() {
        let of_ready = look(id("LTAIready"), true, &[SECRET]).expect("its own");
        let of_environment = look(id("LTAIenv"), true, &[]).expect("its own");
        let bare_secret = look(id("LTAIx"), true, &[ID]).expect("meant for it");
        let of_another = look(id("LTAIx"), true, &[]).expect_err("LTAIenv's is not its secret");

        assert_eq!(of_ready.0.secret.expose(), "ready");
        assert_eq!(of_environment.0.secret.expose(), "env");
        assert_eq!(bare_secret.0.secret.expose(), "env");
        assert!(of_another.to_string().starts_with("no access key secret"));
    }

    #[test]
    fn a_secret_or_a_token_alone_stands_over_the_one_that_was_found() {
        let wanted = Wanted {
            access_key_secret: Some(Secret::new("flag")),
            security_token: Some(Secret::new("token")),
            ..Wanted::default()
        };

        let (key, _) = look(wanted, true, &[]).expect("a key");

        assert_eq!(key.access_key_id, "LTAIready");
        assert_eq!(key.secret.expose(), "flag");
        assert_eq!(key.security_token.expect("a token").expose(), "token");
    }

    #[test]
    fn no_key_anywhere_names_the_ways_to_give_one() {
        let error = look(Wanted::default(), false, &[ID, "file"]).expect_err("none");

        assert!(error.hint().contains("--profile"), "{}", error.hint());
    }
}
