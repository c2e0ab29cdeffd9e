//! What the relay passes on, and as what (wire-protocol 4, 12 and 13).
//!
//! Input, output and resizes go through; a client's close becomes a stop on the notify channel,
//! because type 3 does nothing to an agent (12.7); everything of type 5 is made by the relay
//! itself; unknown types end here.

use bytes::Bytes;

use crate::{Extensions, Limits, Message};

/// What becomes of a client's message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToAgent {
    /// Send it on the agent's data channel.
    Send(Message),
    /// The client is done: `kick_vm session stop` on the notify channel, then close.
    Stop,
    /// Nothing happens.
    Ignore,
}

/// Judges a client's message. `granted` is what this connection was granted.
///
/// A port has no size, though the official client tells one; and a frame of any kind has an official
/// agent dial anew a target that has closed (wire-protocol 6, 9.2).
#[must_use]
pub fn to_agent(message: Message, granted: Extensions, is_port: bool) -> ToAgent {
    match message {
        Message::Input(ref data) if !data.is_empty() => ToAgent::Send(message),
        Message::Resize(_) if !is_port => ToAgent::Send(message),
        Message::Close => ToAgent::Stop,
        Message::Eof if granted.eof => ToAgent::Send(message),
        Message::Reset if granted.reset => ToAgent::Send(message),
        Message::Alive if granted.alive => ToAgent::Send(message),
        _ => ToAgent::Ignore,
    }
}

/// What becomes of an agent's message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToClient {
    /// Send it on the client's websocket.
    Send(Message),
    /// Nothing happens.
    Ignore,
}

/// Judges an agent's message. `granted` is what this connection was granted.
#[must_use]
pub fn to_client(message: Message, granted: Extensions) -> ToClient {
    match message {
        Message::Output(ref data) if !data.is_empty() => ToClient::Send(message),
        Message::Exit(_) if granted.exit => ToClient::Send(message),
        Message::Eof if granted.eof => ToClient::Send(message),
        Message::Reset if granted.reset => ToClient::Send(message),
        _ => ToClient::Ignore,
    }
}

/// Cuts data into turns of at most [`Limits::TURN_BYTES`], without copying it. Connections of a
/// session take turns on its bandwidth; each turn is one frame.
pub fn split_turns(data: Bytes) -> impl Iterator<Item = Bytes> {
    split(data, Limits::TURN_BYTES)
}

/// Cuts data into pieces of at most `most` bytes (at least 1), without copying it. A burst below
/// a turn needs this: [`Meter::turn`](crate::Meter::turn) says how long a piece may be.
pub fn split(mut data: Bytes, most: usize) -> impl Iterator<Item = Bytes> {
    let most = most.max(1);
    std::iter::from_fn(move || {
        let piece = data.split_to(most.min(data.len()));
        (!piece.is_empty()).then_some(piece)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Size, Status};

    const DATA: Bytes = Bytes::from_static(b"data");

    #[test]
    fn the_client_types_resizes_and_closes() {
        let resize = Message::Resize(Size {
            rows: 30,
            cols: 100,
        });

        assert_eq!(
            to_agent(Message::Input(DATA), Extensions::NONE, false),
            ToAgent::Send(Message::Input(DATA))
        );
        assert_eq!(
            to_agent(resize.clone(), Extensions::NONE, false),
            ToAgent::Send(resize)
        );
        assert_eq!(
            to_agent(Message::Close, Extensions::NONE, false),
            ToAgent::Stop
        );
    }

    #[test]
    fn a_port_has_no_size() {
        let resize = Message::Resize(Size::default());

        assert_eq!(to_agent(resize, Extensions::ALL, true), ToAgent::Ignore);
        assert_eq!(
            to_agent(Message::Input(DATA), Extensions::NONE, true),
            ToAgent::Send(Message::Input(DATA))
        );
    }

    #[test]
    fn the_agent_only_prints() {
        assert_eq!(
            to_client(Message::Output(DATA), Extensions::NONE),
            ToClient::Send(Message::Output(DATA))
        );
        for message in [
            Message::Input(DATA),
            Message::Resize(Size::default()),
            Message::Close,
            Message::Status(Status::KeepAlive),
        ] {
            assert_eq!(to_client(message, Extensions::ALL), ToClient::Ignore);
        }
    }

    #[test]
    fn the_relay_alone_makes_statuses_and_unknown_types_end_here() {
        for message in [
            Message::Output(DATA),
            Message::Status(Status::Speed(1)),
            Message::Exit(0),
            Message::Other {
                kind: 4,
                payload: DATA,
            },
        ] {
            assert_eq!(to_agent(message, Extensions::ALL, false), ToAgent::Ignore);
        }
    }

    #[test]
    fn empty_data_goes_nowhere() {
        assert_eq!(
            to_agent(Message::Input(Bytes::new()), Extensions::ALL, false),
            ToAgent::Ignore
        );
        assert_eq!(
            to_client(Message::Output(Bytes::new()), Extensions::ALL),
            ToClient::Ignore
        );
    }

    #[test]
    fn an_extension_passes_only_where_it_was_granted() {
        assert_eq!(
            to_agent(Message::Eof, Extensions::NONE, false),
            ToAgent::Ignore
        );
        assert_eq!(
            to_agent(Message::Eof, Extensions::ALL, false),
            ToAgent::Send(Message::Eof)
        );
        assert_eq!(
            to_agent(Message::Alive, Extensions::NONE, true),
            ToAgent::Ignore
        );
        assert_eq!(
            to_client(Message::Exit(3), Extensions::NONE),
            ToClient::Ignore
        );
        assert_eq!(
            to_client(Message::Exit(3), Extensions::ALL),
            ToClient::Send(Message::Exit(3))
        );
    }

    proptest! {
        #[test]
        fn turns_are_short_none_is_empty_and_together_they_are_the_data(
            data in proptest::collection::vec(any::<u8>(), 0..20_000),
        ) {
            let data = Bytes::from(data);

            let turns: Vec<Bytes> = split_turns(data.clone()).collect();

            prop_assert!(turns.iter().all(|turn| (1..=4_096).contains(&turn.len())));
            prop_assert_eq!(turns.concat(), data);
        }
    }
}
