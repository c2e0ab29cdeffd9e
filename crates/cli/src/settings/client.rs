//! The settings of client commands: flags over `[client]`. What neither says is found out
//! ([`axt_client::discover`]).

use std::time::Duration;

use axt_client::{Wanted, session::escape::EscapeKey};
use axt_proto::{InstanceId, Secret};

use super::{Settings, over, place::Set};
use crate::flags::target::{AdminTarget, ApiTarget};

/// Settles which sandbox is meant.
pub(crate) fn wanted(flags: ApiTarget, settings: &Settings) -> Wanted {
    let file = settings.client.clone();
    let state_dir = settings.relay.state_dir.clone();
    Wanted {
        state_dir: flags.state_dir.or(state_dir.map(Set::path)),
        endpoint: over(flags.endpoint, file.endpoint),
        region: over(flags.region, file.region),
        ca: flags.ca.or(file.ca.map(Set::path)),
        access_key_id: over(flags.access_key_id, file.access_key_id),
        access_key_secret: over(
            flags.access_key_secret.map(Secret::new),
            file.access_key_secret,
        ),
        security_token: over(flags.security_token.map(Secret::new), file.security_token),
        profile: over(flags.profile, file.profile),
    }
}

/// Settles which admin listener is meant.
pub(crate) fn admin(flags: AdminTarget, settings: &Settings) -> AdminTarget {
    let client = settings.client.clone();
    let relay = settings.relay.clone();
    let token = client.admin_token.or(relay.admin_token);
    AdminTarget {
        state_dir: flags.state_dir.or(relay.state_dir.map(Set::path)),
        admin: over(flags.admin, client.admin),
        admin_token: flags
            .admin_token
            .or_else(|| token.map(|token| token.value.expose().to_owned())),
    }
}

/// Settles which instance is meant.
pub(crate) fn instance(flag: Option<InstanceId>, settings: &Settings) -> Option<InstanceId> {
    over(flag, settings.client.instance.clone())
}

/// Settles how often connections say that they are in use; `None` is never.
pub(crate) fn keepalive(flag: Option<u32>, settings: &Settings) -> Option<Duration> {
    let seconds = over(flag, settings.client.keepalive.clone())?;
    Some(Duration::from_secs(u64::from(seconds.clamp(1, 3_600))))
}

/// Settles which key begins an escape.
pub(crate) fn escape_char(flag: Option<EscapeKey>, settings: &Settings) -> EscapeKey {
    over(flag, settings.client.escape_char.clone()).unwrap_or_default()
}

/// Settles whether to do without extensions.
pub(crate) fn no_extensions(flag: Option<bool>, settings: &Settings) -> bool {
    over(flag, settings.client.no_extensions.clone()).unwrap_or_default()
}
