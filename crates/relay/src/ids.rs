//! Where ids and tokens come from.

use std::{collections::BTreeMap, fmt};

use axt_openapi::mint;
use axt_proto::{
    ChannelId, CommandId, InstanceId, InvocationId, RegionId, Secret, SessionId, id::MalformedId,
};
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};

use crate::config::RegionSettings;

/// The digits of a channel id: lower-case, for it travels through URLs unescaped
/// (wire-protocol 12.15).
const DIGITS: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// How many of them (design, "Ids").
const CHANNEL_DIGITS: usize = 26;

/// How many of them a managed instance's id has beside the letters of its region.
const MANAGED_DIGITS: usize = 18;

/// A source of ids and tokens: unguessable, or the same for the same seed.
pub(crate) struct Ids(StdRng);

impl Ids {
    pub(crate) fn new(seed: Option<u64>) -> Self {
        Self(match seed {
            Some(seed) => StdRng::seed_from_u64(seed),
            None => StdRng::from_rng(&mut rand::rng()),
        })
    }

    /// As many random bytes as are wanted.
    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// The id of an answer, upper-case.
    pub(crate) fn request(&mut self) -> String {
        mint::request_id(self.bytes())
    }

    pub(crate) fn session(&mut self, letters: &str) -> Result<SessionId, MalformedId> {
        mint::session_id(letters, self.bytes())
    }

    /// An activation's id, and its code.
    pub(crate) fn activation(&mut self, letters: &str) -> (String, Secret) {
        let id = mint::activation_id(self.bytes());
        (id, mint::activation_code(letters, self.bytes()))
    }

    pub(crate) fn command(&mut self, letters: &str) -> Result<CommandId, MalformedId> {
        mint::command_id(letters, self.bytes())
    }

    pub(crate) fn invocation(&mut self, letters: &str) -> Result<InvocationId, MalformedId> {
        mint::invocation_id(letters, self.bytes())
    }

    pub(crate) fn token(&mut self) -> Secret {
        mint::session_token(self.bytes())
    }

    pub(crate) fn instance(&mut self) -> Result<InstanceId, MalformedId> {
        mint::instance_id(self.bytes())
    }

    /// A managed instance's id: `mi-`, the two letters of its region's city, and 18 digits.
    pub(crate) fn managed(&mut self, letters: &str) -> Result<InstanceId, MalformedId> {
        let digits: String = (0..MANAGED_DIGITS).map(|_| self.digit()).collect();
        format!("mi-{letters}{digits}").parse()
    }

    pub(crate) fn channel(&mut self) -> Result<ChannelId, MalformedId> {
        let digits: String = (0..CHANNEL_DIGITS).map(|_| self.digit()).collect();
        format!("ch-{digits}").parse()
    }

    fn digit(&mut self) -> char {
        let place = self.0.random_range(0..DIGITS.len());
        DIGITS.get(place).copied().map_or('0', char::from)
    }
}

impl fmt::Debug for Ids {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Ids(***)")
    }
}

/// The two letters of a region's city; `xx` for one that nobody gave any.
pub(crate) fn letters<'a>(
    region: &RegionId,
    own: &'a BTreeMap<RegionId, RegionSettings>,
) -> &'a str {
    own.get(region)
        .and_then(|region| region.letters.as_deref())
        .or_else(|| axt_openapi::region::find(region.as_str()).map(|region| region.letters))
        .unwrap_or("xx")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_id_has_26_digits_and_fits_the_agent_framing() {
        let mut ids = Ids::new(None);
        let channel = ids.channel().expect("well-formed");
        let other = ids.channel().expect("well-formed");

        assert_eq!(channel.as_str().len(), 29);
        assert!(channel.as_str().starts_with("ch-"));
        // It goes into a URL unescaped (wire-protocol 12.15).
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        assert!(channel.as_str().bytes().all(is_plain));
        assert_ne!(channel, other);
    }

    #[test]
    fn the_same_seed_gives_the_same_ids() {
        let ids = |seed| {
            let mut ids = Ids::new(Some(seed));
            (ids.request(), ids.channel().expect("well-formed"))
        };

        assert_eq!(ids(7), ids(7));
        assert_ne!(ids(7), ids(8));
    }
}
