//! Status payloads (wire-protocol 5): one code byte, then bytes that depend on it.
//!
//! What each reason word stands for is in [`crate::reason`].

use bytes::{BufMut, Bytes, BytesMut};

use crate::Limits;

const CONNECT_FAILED: u8 = 2;
const KEEP_ALIVE: u8 = 3;
const ENDED: u8 = 5;
const SPEED: u8 = 7;

/// What a status frame says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// Code 2: connecting failed. The client prints the payload, code byte included, and ends.
    ConnectFailed(Bytes),
    /// Code 3: nothing. To an agent it restarts the idle clock (wire-protocol 9.4).
    KeepAlive,
    /// Code 5: the session has ended, with a reason word such as `Exit`.
    Ended(Box<str>),
    /// Code 7: the pace to send at, in bits a second; never 0 when read.
    Speed(u32),
    /// Any other code, and a speed of 0 or of an impossible length. Both programs ignore it.
    Other {
        /// The code byte.
        code: u8,
        /// What follows it.
        rest: Bytes,
    },
}

impl Status {
    /// The lowest speed that is ever written, in bits a second. Below it the official client and
    /// the agent's port sessions divide by zero (wire-protocol 7); shells bear half of it.
    pub const MIN_SPEED: u32 = 16_384;

    /// Reads a status frame's payload; `None` when it has not even a code byte.
    ///
    /// A speed may have 1 to 4 bytes, big-endian. A reason that is not UTF-8 keeps what is.
    #[must_use]
    pub fn parse(payload: &Bytes) -> Option<Self> {
        let code = *payload.first()?;
        let rest = payload.slice(1..);
        Some(match code {
            CONNECT_FAILED => Self::ConnectFailed(rest),
            KEEP_ALIVE => Self::KeepAlive,
            ENDED => Self::Ended(String::from_utf8_lossy(&rest).into()),
            SPEED => match speed(&rest) {
                Some(speed) => Self::Speed(speed),
                None => Self::Other { code, rest },
            },
            _ => Self::Other { code, rest },
        })
    }

    /// Writes the payload; it is never empty.
    ///
    /// A speed has 4 bytes and is at least [`Status::MIN_SPEED`]: what is lower is raised to it,
    /// and 0, which stands for "no limit", is written as [`Limits::MAX_SPEED_BITS`].
    #[must_use]
    pub fn encode(&self) -> Bytes {
        match self {
            Self::ConnectFailed(rest) => with_code(CONNECT_FAILED, rest),
            Self::KeepAlive => with_code(KEEP_ALIVE, &[]),
            Self::Ended(reason) => with_code(ENDED, reason.as_bytes()),
            Self::Speed(speed) => with_code(SPEED, &written(*speed).to_be_bytes()),
            // However a speed was put together, a peer must not crash on it.
            Self::Other { code: SPEED, rest } if speed(rest).is_some_and(is_too_low) => {
                with_code(SPEED, &Self::MIN_SPEED.to_be_bytes())
            }
            Self::Other { code, rest } => with_code(*code, rest),
        }
    }
}

/// 1 to 4 bytes, big-endian; `None` for 0 and for any other length, which peers ignore.
fn speed(rest: &[u8]) -> Option<u32> {
    if !(1..=4).contains(&rest.len()) {
        return None;
    }
    let speed = rest
        .iter()
        .fold(0, |speed: u32, byte| (speed << 8) | u32::from(*byte));
    (speed != 0).then_some(speed)
}

fn is_too_low(speed: u32) -> bool {
    speed < Status::MIN_SPEED
}

fn written(speed: u32) -> u32 {
    match speed {
        0 => Limits::MAX_SPEED_BITS,
        _ => speed.max(Status::MIN_SPEED),
    }
}

fn with_code(code: u8, rest: &[u8]) -> Bytes {
    let mut payload = BytesMut::with_capacity(1 + rest.len());
    payload.put_u8(code);
    payload.put_slice(rest);
    payload.freeze()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(payload: &'static [u8]) -> Option<Status> {
        Status::parse(&Bytes::from_static(payload))
    }

    #[test]
    fn a_speed_is_big_endian_in_one_to_four_bytes() {
        assert_eq!(parse(&[7, 9]), Some(Status::Speed(9)));
        assert_eq!(parse(&[7, 0x03, 0x20, 0x00]), Some(Status::Speed(204_800)));
        assert_eq!(
            parse(&[7, 0x00, 0x19, 0x00, 0x00]),
            Some(Status::Speed(1_638_400))
        );
    }

    #[test]
    fn a_speed_of_zero_or_of_an_impossible_length_is_none() {
        for payload in [&[7][..], &[7, 0], &[7, 0, 0, 0, 0], &[7, 1, 2, 3, 4, 5]] {
            assert!(matches!(
                parse(payload),
                Some(Status::Other { code: 7, .. })
            ));
        }
    }

    #[test]
    fn a_payload_without_a_code_is_no_status() {
        assert_eq!(parse(&[]), None);
    }

    #[test]
    fn no_limit_is_written_as_the_greatest_speed() {
        assert_eq!(Status::Speed(0).encode().as_ref(), b"\x07\x3b\x9a\xca\x00");
    }

    proptest! {
        #[test]
        fn no_written_speed_makes_a_peer_divide_by_zero(
            told in any::<u32>(),
            rest in proptest::collection::vec(any::<u8>(), 0..6),
        ) {
            let statuses = [
                Status::Speed(told),
                Status::Other { code: 7, rest: rest.into() },
            ];

            for status in statuses {
                let payload = status.encode();

                prop_assert!(speed(&payload[1..]).is_none_or(|speed| speed >= 16_384));
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(payload in proptest::collection::vec(any::<u8>(), 0..40)) {
            let payload = Bytes::from(payload);

            let status = Status::parse(&payload);

            prop_assert_eq!(status.is_none(), payload.is_empty());
            prop_assert!(status.is_none_or(|status| !status.encode().is_empty()));
        }
    }
}
