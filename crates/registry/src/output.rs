//! What a command has printed: joined from its agent's reports, and bounded.

use axt_proto::Limits;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// The last bytes of a command's output (ecs-api 3.16: 24 KB), and how many came before them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunOutput {
    #[serde(serialize_with = "to_text", deserialize_with = "from_text")]
    tail: Vec<u8>,
    /// Bytes that the agent has cut, as it last said.
    cut_there: u64,
    /// Bytes that were cut here.
    cut_here: u64,
    /// How far into the command's output the reports have come, as far as they tell.
    #[serde(default)]
    heard: u64,
}

impl RunOutput {
    /// The bytes that are kept: UTF-8, as far as the command's output is.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.tail
    }

    /// How many bytes are missing before them.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.cut_there.saturating_add(self.cut_here)
    }

    /// Adds a report's body: what earlier reports have not told yet (wire-protocol 10.7), but for
    /// what is told again where the report says where it begins. What is too much goes from the
    /// front, whole characters at a time.
    pub(crate) fn join(&mut self, body: &[u8], position: Option<u64>, dropped: Option<u64>) {
        let told = position.map_or(0, |position| self.heard.saturating_sub(position));
        let told = usize::try_from(told).unwrap_or(usize::MAX);
        let body = body.get(told..).unwrap_or_default();
        let length = u64::try_from(body.len()).unwrap_or(u64::MAX);
        let start = position.map_or(self.heard, |position| position.max(self.heard));
        self.heard = start.saturating_add(length);
        self.tail.extend_from_slice(body);
        self.cut_there = dropped.unwrap_or(self.cut_there);
        let excess = self.tail.len().saturating_sub(Limits::OUTPUT_BYTES);
        if excess == 0 {
            return;
        }
        let rest = self.tail.get(excess..).unwrap_or_default();
        // At most three bytes of a character whose first one is gone.
        let orphans = rest.iter().take(3).take_while(|byte| **byte & 0xC0 == 0x80);
        let cut = excess + orphans.count();
        self.tail.drain(..cut);
        self.cut_here = self
            .cut_here
            .saturating_add(u64::try_from(cut).unwrap_or(u64::MAX));
    }
}

/// Rows are JSON, where a list of numbers is four times as long: each byte as the character of its
/// number.
fn to_text<S: Serializer>(bytes: &[u8], out: S) -> Result<S::Ok, S::Error> {
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    out.serialize_str(&text)
}

fn from_text<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(input)?;
    text.chars()
        .map(|letter| u8::try_from(letter).map_err(D::Error::custom))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_last_bytes_are_kept_and_the_others_counted(
            bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9_000), 0..8),
        ) {
            let mut output = RunOutput::default();

            for body in &bodies {
                output.join(body, None, None);
            }

            let whole = bodies.concat();
            prop_assert!(whole.ends_with(output.bytes()));
            prop_assert!(output.bytes().len() <= Limits::OUTPUT_BYTES);
            let kept = whole.len() - usize::try_from(output.dropped()).unwrap();
            prop_assert_eq!(output.bytes().len(), kept);
            prop_assert!(kept + 3 * bodies.len() >= whole.len().min(Limits::OUTPUT_BYTES));
        }

        #[test]
        fn any_output_comes_back_from_its_row(body in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut output = RunOutput::default();
            output.join(&body, None, Some(7));

            let row = serde_json::to_string(&output).expect("written");

            prop_assert_eq!(serde_json::from_str::<RunOutput>(&row).expect("read"), output);
        }
    }

    #[test]
    fn what_is_told_again_is_joined_once() {
        let mut output = RunOutput::default();

        output.join(b"one ", Some(0), None);
        output.join(b"one two ", Some(0), None);
        output.join(b"two ", Some(4), None);
        output.join(b"", Some(8), None);
        // Nine bytes were cut by the agent in between.
        output.join(b"three", Some(17), Some(9));
        output.join(b"three", Some(17), Some(9));

        assert_eq!(output.bytes(), b"one two three");
        assert_eq!(output.dropped(), 9);
    }

    #[test]
    fn no_character_is_cut_in_two() {
        let mut output = RunOutput::default();
        let letters = "日".repeat(Limits::OUTPUT_BYTES / 3 + 1);

        output.join(letters.as_bytes(), None, None);
        output.join(b"x", None, None);

        let text = std::str::from_utf8(output.bytes()).expect("whole characters");
        assert!(text.starts_with('日') && text.ends_with("日x"));
        assert_eq!(output.dropped() % 3, 0);
    }
}
