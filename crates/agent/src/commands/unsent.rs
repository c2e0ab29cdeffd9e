//! Output that the relay has not been told: the last bytes of it, in whole characters.

use std::collections::VecDeque;

use bytes::Bytes;

/// The least that a quota may be (wire-protocol 10.7).
const QUOTA_MIN: usize = 12_000;

/// A part of the output.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Piece {
    /// How many bytes of output came before it.
    pub(super) position: u64,
    pub(super) bytes: Bytes,
}

/// See the module. What is too much goes from the front and is counted.
#[derive(Debug)]
pub(super) struct Unsent {
    bytes: VecDeque<u8>,
    quota: usize,
    dropped: u64,
    /// All output that there has been.
    total: u64,
}

impl Unsent {
    pub(super) fn new(quota: u64) -> Self {
        Self {
            bytes: VecDeque::new(),
            quota: usize::try_from(quota).unwrap_or(usize::MAX).max(QUOTA_MIN),
            dropped: 0,
            total: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// How many bytes were cut.
    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }

    pub(super) fn push(&mut self, output: &[u8]) {
        self.bytes.extend(output);
        self.total = self.total.saturating_add(count(output.len()));
        self.cut();
    }

    /// Takes the oldest bytes, `most` at most; a character that is not whole yet waits.
    pub(super) fn take(&mut self, most: usize) -> Piece {
        let mut end = most.min(self.bytes.len());
        // Where a character begins that does not end before `end`.
        let begins = (1..=end.min(3)).find(|back| {
            let byte = self.bytes.get(end - back);
            byte.is_some_and(|byte| length(*byte) > *back)
        });
        if let Some(back) = begins.filter(|_| end > 3) {
            end -= back;
        }
        self.cut_off(end)
    }

    pub(super) fn take_all(&mut self) -> Piece {
        self.cut_off(self.bytes.len())
    }

    fn cut_off(&mut self, end: usize) -> Piece {
        Piece {
            position: self.total.saturating_sub(count(self.bytes.len())),
            bytes: self.bytes.drain(..end).collect(),
        }
    }

    /// Takes back what could not be sent.
    pub(super) fn put_back(&mut self, output: &[u8]) {
        for byte in output.iter().rev() {
            self.bytes.push_front(*byte);
        }
        self.cut();
    }

    fn cut(&mut self) {
        let mut excess = self.bytes.len().saturating_sub(self.quota);
        if excess == 0 {
            return;
        }
        // No part of a character whose beginning is cut.
        let rest = self.bytes.iter().skip(excess).take(3);
        excess += rest.take_while(|byte| **byte & 0xC0 == 0x80).count();
        self.bytes.drain(..excess);
        self.dropped = self.dropped.saturating_add(count(excess));
    }
}

fn count(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// How long the character is that begins with this byte, 0 where none does.
const fn length(first: u8) -> usize {
    match first {
        0x00..=0x7F => 1,
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn reports_join_to_the_end_of_the_output_in_whole_characters(
            texts in prop::collection::vec("\\PC{0,3000}", 0..8),
            most in 6_usize..6_000,
        ) {
            let mut unsent = Unsent::new(0);
            let mut joined = Vec::new();

            for text in &texts {
                unsent.push(text.as_bytes());
                let Piece { position, bytes: body } = unsent.take(most);
                prop_assert!(body.len() <= most);
                prop_assert!(std::str::from_utf8(&body).is_ok());
                let missing = position - u64::try_from(joined.len()).unwrap();
                prop_assert_eq!(missing, unsent.dropped());
                joined.extend_from_slice(&body);
            }
            joined.extend_from_slice(&unsent.take_all().bytes);

            let whole = texts.concat();
            let dropped = usize::try_from(unsent.dropped()).unwrap();
            prop_assert_eq!(joined.len() + dropped, whole.len());
            if dropped == 0 {
                prop_assert_eq!(joined, whole.into_bytes());
            } else {
                let tail = &joined[joined.len() - (QUOTA_MIN - 3)..];
                prop_assert!(whole.as_bytes().ends_with(tail));
            }
        }
    }

    #[test]
    fn a_character_waits_until_it_is_whole() {
        let mut unsent = Unsent::new(0);
        unsent.push("abc日".as_bytes().split_last().expect("bytes").1);

        assert_eq!(unsent.take(6_000).bytes, "abc");
        unsent.push(&[0xA5, b'!']);

        assert_eq!(unsent.take(6_000).bytes, "日!");
    }

    #[test]
    fn what_is_no_text_is_not_held_back_for_ever() {
        let mut unsent = Unsent::new(0);
        unsent.push(&[b'a', b'b', b'c', 0xFF, 0x80]);

        assert_eq!(
            unsent.take(6_000).bytes,
            [b'a', b'b', b'c', 0xFF, 0x80].as_slice()
        );
    }

    #[test]
    fn what_was_not_taken_comes_first_again() {
        let mut unsent = Unsent::new(0);
        unsent.push(b"one two");
        let body = unsent.take(3);

        unsent.push(b" three");
        unsent.put_back(&body.bytes);

        assert_eq!(unsent.take_all().bytes, "one two three");
    }
}
