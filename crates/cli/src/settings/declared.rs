//! What the file declares to exist: accounts, access keys, regions, instances.

use std::collections::BTreeMap;

use axt_control::luban::PublicKey;
use axt_openapi::{AccessKey, Caller, Identity, Policy, world::StsToken};
use axt_proto::{AccountId, RegionId, Tick};
use axt_sandbox::{AccountSettings, InstanceSpec, RegionPatch, RegionSettings};
use serde::Deserialize;

use super::{
    place::{FileError, Place, Set},
    tables::{AccessKeyTable, AccountTable, InstanceTable, RegionTable},
};

/// A policy as RAM writes it: JSON in a text.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct PolicyText(Policy);

impl TryFrom<String> for PolicyText {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        serde_json::from_str(&text)
            .map(Self)
            .map_err(|error| format!("no policy that can be obeyed whole: {error}"))
    }
}

/// Whose and where things are of which nothing else is said.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    pub(crate) account: AccountId,
    pub(crate) region: RegionId,
}

pub(crate) fn accounts(
    tables: Vec<AccountTable>,
) -> Result<BTreeMap<AccountId, AccountSettings>, FileError> {
    let mut accounts = BTreeMap::new();
    for table in tables {
        let settings = AccountSettings {
            session_manager: value(table.session_manager),
            kms_keys: value(table.kms_keys),
        };
        insert(&mut accounts, table.id, settings)?;
    }
    Ok(accounts)
}

pub(crate) fn access_keys(
    tables: Vec<AccessKeyTable>,
    home: &Home,
) -> Result<Vec<AccessKey>, FileError> {
    let mut keys = BTreeMap::new();
    for table in tables {
        let (Some(id), Some(secret)) = (table.id, table.secret) else {
            // Both are required, so the table was not read.
            continue;
        };
        let account = value(table.account).unwrap_or_else(|| home.account.clone());
        let identity = identity(&id.at, &account, table.ram_user, table.role)?;
        let key = AccessKey {
            secret: secret.value,
            is_enabled: value(table.enabled).unwrap_or(true),
            token: token(table.security_token, table.expires)?,
            caller: Caller {
                account,
                access_key_id: id.value.clone(),
                identity,
                policy: table.policy.map(|policy| policy.value.0),
            },
        };
        insert(&mut keys, Some(id), key)?;
    }
    Ok(keys.into_values().collect())
}

fn identity(
    at: &Place,
    account: &AccountId,
    ram_user: Option<Set<String>>,
    role: Option<Set<String>>,
) -> Result<Identity, FileError> {
    match (ram_user, role) {
        (None, None) => Ok(Identity::Account(account.to_string())),
        (Some(user), None) => Ok(Identity::RamUser(user.value)),
        (None, Some(role)) => Ok(Identity::AssumedRoleUser(role.value)),
        (Some(_), Some(_)) => Err(FileError::new(
            at,
            "a key in [[access_keys]] can have `ram_user` or `role`, not both",
        )),
    }
}

fn token(
    token: Option<Set<axt_proto::Secret>>,
    expires: Option<Set<jiff::Timestamp>>,
) -> Result<Option<StsToken>, FileError> {
    match (token, expires) {
        (None, None) => Ok(None),
        (Some(token), Some(expires)) => {
            let milliseconds = u64::try_from(expires.value.as_millisecond()).unwrap_or(0);
            Ok(Some(StsToken {
                token: token.value,
                expires: Tick::from_millis(milliseconds),
            }))
        }
        (Some(Set { at, .. }), None) | (None, Some(Set { at, .. })) => Err(FileError::new(
            &at,
            "a temporary key in [[access_keys]] needs both `security_token` and `expires`",
        )),
    }
}

pub(crate) fn regions(
    tables: Vec<RegionTable>,
) -> Result<BTreeMap<RegionId, RegionSettings>, FileError> {
    let mut regions = BTreeMap::new();
    for table in tables {
        let settings = RegionSettings {
            letters: table.letters.map(letters).transpose()?,
            name: value(table.name),
            switches: RegionPatch {
                api_supported: value(table.api_supported),
                port_forwarding: value(table.port_forwarding),
                intranet: value(table.intranet),
                dispatch_failure: value(table.dispatch_failure),
                hold_commit: value(table.hold_commit),
                start_without_agent: value(table.start_without_agent),
                one_shell_connection: value(table.one_shell_connection),
            },
        };
        insert(&mut regions, table.id, settings)?;
    }
    Ok(regions)
}

fn letters(letters: Set<String>) -> Result<String, FileError> {
    let text = &letters.value;
    if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Ok(letters.value);
    }
    let problem =
        format!("`letters` in [[regions]] cannot be \"{text}\": expected two lower-case letters");
    Err(FileError::new(&letters.at, problem))
}

pub(crate) fn instances(
    tables: Vec<InstanceTable>,
    home: &Home,
) -> Result<Vec<InstanceSpec>, FileError> {
    let mut instances = BTreeMap::new();
    for table in tables {
        let Some(id) = table.id else {
            continue;
        };
        let account = value(table.account).unwrap_or_else(|| home.account.clone());
        let region = value(table.region).unwrap_or_else(|| home.region.clone());
        let plain = InstanceSpec::new(id.value.clone(), account, region);
        let spec = InstanceSpec {
            name: value(table.name).unwrap_or(plain.name),
            host_name: value(table.host_name).unwrap_or(plain.host_name),
            status: value(table.status).unwrap_or(plain.status),
            os_type: value(table.os_type).unwrap_or(plain.os_type),
            os_version: value(table.os_version).unwrap_or_default(),
            agent_version: value(table.agent_version),
            machine_id: value(table.machine_id),
            public_key: table.public_key.map(public_key).transpose()?,
            denied_ports: value(table.denied_ports).unwrap_or_default(),
            intranet_ip: value(table.intranet_ip).unwrap_or_default(),
            internet_ip: value(table.internet_ip).unwrap_or_default(),
            tags: value(table.tags).unwrap_or_default(),
            id: plain.id,
            account: plain.account,
            region: plain.region,
        };
        insert(&mut instances, Some(id), spec)?;
    }
    Ok(instances.into_values().collect())
}

fn public_key(pem: Set<String>) -> Result<String, FileError> {
    match PublicKey::from_pem(&pem.value) {
        Ok(_) => Ok(pem.value),
        Err(error) => Err(FileError::new(
            &pem.at,
            format!(
                "`public_key` in [[instances]] is no key: {error}; `axt agent --new-key FILE` prints one"
            ),
        )),
    }
}

fn value<T>(set: Option<Set<T>>) -> Option<T> {
    set.map(|set| set.value)
}

/// Puts one more in, unless there is one of the same id.
fn insert<K: Ord + Clone + std::fmt::Display, V>(
    all: &mut BTreeMap<K, V>,
    id: Option<Set<K>>,
    one: V,
) -> Result<(), FileError> {
    // The id is required, so the table was not read without one.
    let Some(id) = id else { return Ok(()) };
    if all.insert(id.value.clone(), one).is_some() {
        let problem = format!("`{}` is there twice", id.value);
        return Err(FileError::new(&id.at, problem));
    }
    Ok(())
}
