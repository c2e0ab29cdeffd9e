//! Ids and tokens from random bytes, which are an argument: nothing here is random by itself.

use axt_proto::{CommandId, InstanceId, InvocationId, Secret, SessionId, id::MalformedId};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// The digits of base 36.
const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// `RequestId`: an upper-case UUID, 36 characters (ecs-api 1.4).
#[must_use]
pub fn request_id(random: [u8; 16]) -> String {
    uuid(random).to_ascii_uppercase()
}

/// A session's token: a lower-case UUID.
#[must_use]
pub fn session_token(random: [u8; 16]) -> Secret {
    Secret::new(uuid(random))
}

/// A session's id: `s-`, the two letters of the region's city, 16 digits of base 36 (ecs-api 3).
///
/// # Errors
/// When the letters are not two letters that an id may have.
pub fn session_id(letters: &str, random: [u8; 16]) -> Result<SessionId, MalformedId> {
    format!("s-{letters}{}", base36(random, 16)).parse()
}

/// An instance's id: `i-` and 20 digits of base 36 (ecs-api 3).
///
/// # Errors
/// Never: digits of base 36 are what an id consists of.
pub fn instance_id(random: [u8; 16]) -> Result<InstanceId, MalformedId> {
    format!("i-{}", base36(random, 20)).parse()
}

/// A managed instance's id: `mi-`, the two letters of the region's city, 16 digits of base 36.
///
/// # Errors
/// When the letters are not two letters that an id may have.
pub fn managed_instance_id(letters: &str, random: [u8; 16]) -> Result<InstanceId, MalformedId> {
    format!("mi-{letters}{}", base36(random, 16)).parse()
}

/// An activation's id: an upper-case UUID (ecs-api 3).
#[must_use]
pub fn activation_id(random: [u8; 16]) -> String {
    request_id(random)
}

/// An activation's code: `a-`, the two letters of the region's city, Base64 (ecs-api 3).
#[must_use]
pub fn activation_code(letters: &str, random: [u8; 24]) -> Secret {
    Secret::new(format!("a-{letters}{}", URL_SAFE_NO_PAD.encode(random)))
}

/// A command's id: `c-`, the two letters of the region's city, 16 digits of base 36 (ecs-api 3).
///
/// # Errors
/// When the letters are not two letters that an id may have.
pub fn command_id(letters: &str, random: [u8; 16]) -> Result<CommandId, MalformedId> {
    format!("c-{letters}{}", base36(random, 16)).parse()
}

/// The id of a call that has a command run: `t-`, the two letters of the region's city, 16 digits of
/// base 36 (ecs-api 3).
///
/// # Errors
/// When the letters are not two letters that an id may have.
pub fn invocation_id(letters: &str, random: [u8; 16]) -> Result<InvocationId, MalformedId> {
    format!("t-{letters}{}", base36(random, 16)).parse()
}

fn uuid(random: [u8; 16]) -> String {
    uuid::Builder::from_random_bytes(random)
        .into_uuid()
        .hyphenated()
        .to_string()
}

/// The lowest `length` digits of the number, of which 16 bytes have 24 whole ones.
fn base36(random: [u8; 16], length: usize) -> String {
    let mut number = u128::from_be_bytes(random);
    let digit = || {
        let digit = usize::try_from(number % 36)
            .ok()
            .and_then(|digit| DIGITS.get(digit));
        number /= 36;
        digit.map(|digit| char::from(*digit))
    };
    std::iter::from_fn(digit).take(length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_documented_form() {
        let random = [0xAB; 16];

        assert_eq!(request_id(random), "ABABABAB-ABAB-4BAB-ABAB-ABABABABABAB");
        assert_eq!(
            session_token(random).expose(),
            "abababab-abab-4bab-abab-abababababab"
        );
        let session = session_id("hz", random).expect("an id");
        assert_eq!(session.as_str().len(), 2 + 2 + 16);
        assert!(session.as_str().starts_with("s-hz"));
        let managed = managed_instance_id("hz", random).expect("an id");
        assert!(managed.is_managed());
        assert!(activation_code("hz", [7; 24]).expose().starts_with("a-hz"));
        assert_eq!(
            instance_id([0; 16]).expect("an id").as_str(),
            "i-00000000000000000000"
        );
    }
}
