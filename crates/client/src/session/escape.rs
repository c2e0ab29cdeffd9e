//! Escapes, as in ssh: `~.` and its kin at the beginning of a line are for the client itself.

use std::{fmt, str::FromStr};

/// The most that is seen as one sequence by [`Escapes`]: a paste's brackets.
const BRACKET: u64 = 0xFFFF_FFFF_FFFF;
const PASTE_BEGINS: u64 = u64::from_be_bytes(*b"\0\0\x1b[200~") & BRACKET;
const PASTE_ENDS: u64 = u64::from_be_bytes(*b"\0\0\x1b[201~") & BRACKET;

/// The key that begins an escape, as ssh's `-e` has it: a character, `^` and a letter, or `none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct EscapeKey(Option<u8>);

impl EscapeKey {
    /// No key: everything that is typed goes to the other side.
    pub const NONE: Self = Self(None);

    /// Its byte.
    #[must_use]
    pub const fn byte(self) -> Option<u8> {
        self.0
    }
}

impl Default for EscapeKey {
    fn default() -> Self {
        Self(Some(b'~'))
    }
}

/// A text that names no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no escape character: expected one such as `~`, `^` and a letter such as `^]`, or `none`"
)]
pub struct BadEscapeKey(String);

impl FromStr for EscapeKey {
    type Err = BadEscapeKey;

    fn from_str(text: &str) -> Result<Self, BadEscapeKey> {
        match text.as_bytes() {
            b"none" => Ok(Self::NONE),
            [key] if (0x20..0x7f).contains(key) => Ok(Self(Some(*key))),
            // As a terminal shows control characters.
            [b'^', key @ 0x40..=0x7e] => Ok(Self(Some(key & 0x1f))),
            _ => Err(BadEscapeKey(text.to_owned())),
        }
    }
}

impl TryFrom<String> for EscapeKey {
    type Error = BadEscapeKey;

    fn try_from(text: String) -> Result<Self, BadEscapeKey> {
        text.parse()
    }
}

impl fmt::Display for EscapeKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => out.write_str("none"),
            Some(key) if key < 0x20 => write!(out, "^{}", char::from(key | 0x40)),
            Some(key) => write!(out, "{}", char::from(key)),
        }
    }
}

/// What an escape asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// `~.`: end the session, now.
    End,
    /// `~?`: say which escapes there are.
    Help,
    /// `~s`: say how the session does.
    Status,
    /// `~^Z`: suspend this program.
    Suspend,
}

impl Command {
    fn of(key: u8) -> Option<Self> {
        Some(match key {
            b'.' => Self::End,
            b'?' => Self::Help,
            b's' => Self::Status,
            0x1a => Self::Suspend,
            _ => return None,
        })
    }
}

/// What becomes of something typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typed {
    /// It is for the other side.
    Text(Vec<u8>),
    /// It is for the client.
    Command(Command),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    LineStart,
    Within,
    /// Behind the key, which is held back.
    Escape,
}

/// Tells escapes from what is typed. A line begins at the session's start and behind each carriage
/// return or newline. What a terminal pastes in brackets holds no escapes (ssh takes them for some).
#[derive(Clone, Debug)]
pub struct Escapes {
    key: u8,
    at: At,
    is_pasting: bool,
    /// The last bytes typed.
    latest: u64,
}

impl Escapes {
    /// Escapes that this key begins.
    #[must_use]
    pub const fn new(key: u8) -> Self {
        Self {
            key,
            at: At::LineStart,
            is_pasting: false,
            latest: 0,
        }
    }

    /// Reads on. The key stays here until it is known what it began.
    pub fn read(&mut self, typed: &[u8]) -> Vec<Typed> {
        let mut read = Vec::new();
        let mut text = Vec::with_capacity(typed.len().saturating_add(1));
        for &byte in typed {
            self.latest = (self.latest << 8 | u64::from(byte)) & BRACKET;
            match self.at {
                At::LineStart if byte == self.key && !self.is_pasting => {
                    self.at = At::Escape;
                    continue;
                }
                At::Escape => {
                    if let Some(command) = Command::of(byte) {
                        if !text.is_empty() {
                            read.push(Typed::Text(std::mem::take(&mut text)));
                        }
                        read.push(Typed::Command(command));
                        self.at = At::LineStart;
                        continue;
                    }
                    // Twice is once.
                    if byte != self.key {
                        text.push(self.key);
                    }
                }
                At::LineStart | At::Within => {}
            }
            text.push(byte);
            self.at = match byte {
                b'\r' | b'\n' => At::LineStart,
                _ => At::Within,
            };
            match self.latest {
                PASTE_BEGINS => self.is_pasting = true,
                PASTE_ENDS => self.is_pasting = false,
                _ => {}
            }
        }
        if !text.is_empty() {
            read.push(Typed::Text(text));
        }
        read
    }

    /// What is held back at the end of the input.
    #[must_use]
    pub fn finish(self) -> Option<u8> {
        (self.at == At::Escape).then_some(self.key)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(text: &[u8]) -> Typed {
        Typed::Text(text.to_owned())
    }

    fn read(typed: &[u8]) -> Vec<Typed> {
        Escapes::new(b'~').read(typed)
    }

    #[test]
    fn an_escape_stands_at_the_beginning_of_a_line_alone() {
        assert_eq!(read(b"~."), [Typed::Command(Command::End)]);
        assert_eq!(
            read(b"ls\r~s"),
            [text(b"ls\r"), Typed::Command(Command::Status)]
        );
        assert_eq!(read(b"cd ~.\r"), [text(b"cd ~.\r")]);
        assert_eq!(
            read(b"\n~\x1a"),
            [text(b"\n"), Typed::Command(Command::Suspend)]
        );
    }

    #[test]
    fn the_key_twice_is_the_key_and_what_is_no_escape_goes_with_it() {
        assert_eq!(read(b"~~."), [text(b"~.")]);
        assert_eq!(read(b"~/bin\r"), [text(b"~/bin\r")]);
        // As in ssh, the next line may have one.
        assert_eq!(
            read(b"~\r~?"),
            [text(b"~\r"), Typed::Command(Command::Help)]
        );
    }

    #[test]
    fn another_escape_may_follow_at_once() {
        assert_eq!(
            read(b"~?~."),
            [Typed::Command(Command::Help), Typed::Command(Command::End)]
        );
    }

    #[test]
    fn the_key_waits_for_what_it_begins() {
        let mut escapes = Escapes::new(b'~');

        assert_eq!(escapes.read(b"~"), []);
        assert_eq!(escapes.clone().finish(), Some(b'~'));
        assert_eq!(escapes.read(b"."), [Typed::Command(Command::End)]);
        assert_eq!(escapes.finish(), None);
    }

    #[test]
    fn what_is_pasted_in_brackets_is_no_escape_and_what_follows_may_be() {
        let mut escapes = Escapes::new(b'~');
        let pasted = b"\x1b[200~a\r~.\r\x1b[201~";
        let mut seen = Vec::new();

        // In any pieces.
        for byte in pasted {
            seen.extend(escapes.read(&[*byte]));
        }

        let all: Vec<u8> = seen
            .into_iter()
            .flat_map(|typed| match typed {
                Typed::Text(text) => text,
                Typed::Command(command) => panic!("{command:?}"),
            })
            .collect();
        assert_eq!(all, pasted);
        assert_eq!(
            escapes.read(b"\r~."),
            [text(b"\r"), Typed::Command(Command::End)]
        );
    }

    #[test]
    fn keys_are_named_as_ssh_names_them() {
        let key = |text: &str| text.parse::<EscapeKey>().map(EscapeKey::byte);

        assert_eq!(key("~"), Ok(Some(b'~')));
        assert_eq!(key("^]"), Ok(Some(0x1d)));
        assert_eq!(key("^"), Ok(Some(b'^')));
        assert_eq!(key("none"), Ok(None));
        assert!(key("").is_err() && key("ab").is_err() && key("é").is_err());
        for text in ["~", "^]", "none"] {
            assert_eq!(text.parse::<EscapeKey>().expect("a key").to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn without_the_key_every_byte_goes_on_in_any_pieces(
            typed in proptest::collection::vec(any::<u8>(), 0..400),
            size in 1_usize..50,
        ) {
            let typed: Vec<u8> = typed.into_iter().filter(|byte| *byte != b'~').collect();
            let mut escapes = Escapes::new(b'~');
            let mut sent = Vec::new();
            for piece in typed.chunks(size) {
                for read in escapes.read(piece) {
                    match read {
                        Typed::Text(text) => sent.extend(text),
                        Typed::Command(command) => panic!("{command:?}"),
                    }
                }
            }
            prop_assert_eq!(sent, typed);
        }
    }
}
