//! Keys, as a terminal in raw mode sends them.

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Quit,
    /// So many lines down; up when negative.
    Move(isize),
    /// So many screens.
    Page(isize),
    Sort,
    Reverse,
}

/// Reads keys; one that is cut between two reads is waited for.
#[derive(Debug, Default)]
pub(super) struct Keys(Vec<u8>);

impl Keys {
    pub(super) fn read(&mut self, bytes: &[u8]) -> Vec<Key> {
        self.0.extend_from_slice(bytes);
        let mut keys = Vec::new();
        loop {
            let (key, used) = match self.0.as_slice() {
                [] | [0x1b] | [0x1b, b'[' | b'O'] | [0x1b, b'[', b'5' | b'6'] => return keys,
                [0x1b, b'[' | b'O', b'A', ..] => (Some(Key::Move(-1)), 3),
                [0x1b, b'[' | b'O', b'B', ..] => (Some(Key::Move(1)), 3),
                [0x1b, b'[', b'5', b'~', ..] => (Some(Key::Page(-1)), 4),
                [0x1b, b'[', b'6', b'~', ..] => (Some(Key::Page(1)), 4),
                [0x1b, b'[' | b'O', _, ..] => (None, 3),
                [b'q' | b'Q' | 0x03 | 0x04, ..] => (Some(Key::Quit), 1),
                [b'k', ..] => (Some(Key::Move(-1)), 1),
                [b'j', ..] => (Some(Key::Move(1)), 1),
                [b' ', ..] => (Some(Key::Page(1)), 1),
                [b's', ..] => (Some(Key::Sort), 1),
                [b'r', ..] => (Some(Key::Reverse), 1),
                _ => (None, 1),
            };
            self.0.drain(..used);
            keys.extend(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_whole_even_when_they_come_in_parts() {
        let mut keys = Keys::default();

        assert_eq!(keys.read(b"\x1b"), []);
        assert_eq!(
            keys.read(b"[B\x1b[5~s"),
            [Key::Move(1), Key::Page(-1), Key::Sort]
        );
        assert_eq!(keys.read(b"xr\x03"), [Key::Reverse, Key::Quit]);
    }
}
