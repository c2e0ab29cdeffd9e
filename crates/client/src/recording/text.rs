//! Bytes as text, whose characters may come in pieces.

/// Reads UTF-8 from a stream. What is none becomes U+FFFD.
#[derive(Debug, Default)]
pub(super) struct Text {
    /// A character's beginning, 3 bytes at most.
    held: Vec<u8>,
}

impl Text {
    /// The text so far, without a character at its end that is not whole.
    pub(super) fn read(&mut self, data: &[u8]) -> String {
        let mut bytes = std::mem::take(&mut self.held);
        bytes.extend_from_slice(data);
        let mut text = String::with_capacity(bytes.len());
        let mut chunks = bytes.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            text.push_str(chunk.valid());
            let invalid = chunk.invalid();
            if chunks.peek().is_none() && is_beginning(invalid) {
                self.held = invalid.to_vec();
            } else if !invalid.is_empty() {
                text.push(char::REPLACEMENT_CHARACTER);
            }
        }
        text
    }

    /// What was left of a character at the end.
    pub(super) fn finish(&mut self) -> String {
        let is_left = !std::mem::take(&mut self.held).is_empty();
        is_left
            .then_some(char::REPLACEMENT_CHARACTER)
            .into_iter()
            .collect()
    }
}

/// Whether more bytes could make a character of these, which are none.
fn is_beginning(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_in_any_pieces_are_what_they_are_as_a_whole(
            bytes in proptest::collection::vec(
                prop_oneof![Just(0xe4), Just(0xbd), Just(0xa0), Just(0xf0), Just(0x9f), any::<u8>()],
                0..200,
            ),
            size in 1_usize..7,
        ) {
            let mut text = Text::default();
            let mut read = String::new();
            for piece in bytes.chunks(size) {
                read.push_str(&text.read(piece));
            }
            read.push_str(&text.finish());

            prop_assert_eq!(read, String::from_utf8_lossy(&bytes));
        }
    }
}
