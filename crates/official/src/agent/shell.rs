//! A shell by script: a terminal that echoes, and a few commands.

use std::collections::VecDeque;

/// Bytes of output that are read at once.
const READ: usize = 1_024;

/// Knows `echo TEXT`, `size`, `flood N`, `bytes HEX`, `exit`, and Ctrl-D.
#[derive(Debug)]
pub(super) struct Shell {
    line: Vec<u8>,
    output: VecDeque<u8>,
    /// What was read but is no whole character yet.
    held: Vec<u8>,
    size: (u64, u64),
    has_ended: bool,
}

impl Shell {
    /// A shell, or one command.
    pub(super) fn start(command: &str) -> Self {
        let mut shell = Self {
            line: Vec::new(),
            output: VecDeque::new(),
            held: Vec::new(),
            size: (0, 0),
            has_ended: false,
        };
        if command.is_empty() {
            shell.print("$ ");
        } else {
            shell.run(command);
            shell.has_ended = true;
        }
        shell
    }

    pub(super) fn resize(&mut self, rows: u64, cols: u64) {
        self.size = (rows, cols);
    }

    pub(super) fn feed(&mut self, input: &[u8]) {
        for byte in input {
            match byte {
                _ if self.has_ended => return,
                b'\r' | b'\n' => {
                    self.print("\r\n");
                    let line = std::mem::take(&mut self.line);
                    self.run(&String::from_utf8_lossy(&line));
                    if !self.has_ended {
                        self.print("$ ");
                    }
                }
                4 => self.has_ended = true,
                byte => {
                    self.line.push(*byte);
                    self.output.push_back(*byte);
                }
            }
        }
    }

    fn run(&mut self, line: &str) {
        let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
        match command {
            "" => {}
            "echo" => self.print(&format!("{rest}\r\n")),
            "size" => self.print(&format!("{} {}\r\n", self.size.0, self.size.1)),
            "flood" => {
                let bytes = rest.parse().unwrap_or_default();
                self.output.extend(std::iter::repeat_n(b'x', bytes));
            }
            "bytes" => {
                let digits = rest.as_bytes().chunks(2);
                let bytes = digits
                    .filter_map(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok());
                self.output.extend(bytes);
            }
            "exit" => self.has_ended = true,
            other => self.print(&format!("{other}: not found\r\n")),
        }
    }

    fn print(&mut self, text: &str) {
        self.output.extend(text.as_bytes());
    }

    /// Whether [`Shell::read`] has anything to say.
    pub(super) fn is_readable(&self) -> bool {
        !self.output.is_empty() || self.has_ended
    }

    /// The next piece of output, without a character at its end that is not whole (wire-protocol
    /// 12.9); `None` at the end.
    pub(super) fn read(&mut self) -> Option<Vec<u8>> {
        if self.output.is_empty() {
            return None;
        }
        let most = READ.saturating_sub(self.held.len()).min(self.output.len());
        let piece = self.output.drain(..most).collect();
        Some(as_sent(&mut self.held, piece))
    }
}

/// What it makes of output that it has read, behind what it has held back (wire-protocol 12.9): what is
/// no whole character at the end waits for more, and a U+FFFD before the end keeps its first byte.
pub(super) fn as_sent(held: &mut Vec<u8>, read: Vec<u8>) -> Vec<u8> {
    const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();
    let mut piece = std::mem::take(held);
    piece.extend(read);
    let broken = piece
        .utf8_chunks()
        .last()
        .map_or(0, |chunk| chunk.invalid().len());
    if (1..=3).contains(&broken) {
        *held = piece.split_off(piece.len() - broken);
    }
    let mut sent = Vec::with_capacity(piece.len());
    let mut rest = piece.as_slice();
    while let [first, others @ ..] = rest {
        sent.push(*first);
        rest = match rest.strip_prefix(REPLACEMENT) {
            Some(behind) if !behind.is_empty() => behind,
            _ => others,
        };
    }
    sent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_that_is_not_whole_is_held_back_until_more_comes() {
        let mut shell = Shell::start("bytes 61e4bd");

        assert_eq!(shell.read().as_deref(), Some(&b"a"[..]));
        assert_eq!(shell.read(), None);
        shell.output.extend([0xa0, b'!']);
        assert_eq!(shell.read().as_deref(), Some("\u{4f60}!".as_bytes()));
    }

    #[test]
    fn a_replacement_character_loses_two_bytes_but_at_the_end() {
        let sent = as_sent(&mut Vec::new(), "a\u{fffd}b\u{fffd}".into());

        assert_eq!(sent, b"a\xefb\xef\xbf\xbd");
    }

    #[test]
    fn it_knows_its_commands() {
        let mut shell = Shell::start("");
        shell.resize(30, 100);

        shell.feed(b"size\recho a b\r\x04");

        let printed = shell.read().expect("output");
        assert_eq!(
            String::from_utf8_lossy(&printed),
            "$ size\r\n30 100\r\n$ echo a b\r\na b\r\n$ "
        );
        assert!(shell.is_readable());
        assert_eq!(shell.read(), None);
    }
}
