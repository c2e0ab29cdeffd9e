//! What a program on the other side has done to the terminal, and how to undo that: mouse reports, the
//! alternate screen, a hidden cursor and their kin would stay behind when the session is cut off.
//!
//! Nothing is undone that was not done: leaving an alternate screen that one is not on moves the cursor
//! of some terminals.

use std::collections::BTreeSet;

use vte::{Params, Parser, Perform};

/// DEC private modes that are on where nobody has said otherwise: lines wrap, the cursor shows.
const ON: [u16; 2] = [7, 25];
/// Those that are off: application cursor keys, reverse video, origin, mouse reports (X10, buttons,
/// highlights, drags, moves), focus, and their encodings, the keypad, Meta, bracketed paste,
/// synchronized output.
const OFF: [u16; 18] = [
    1, 5, 6, 9, 66, 67, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1015, 1016, 2004, 2026,
];
/// The alternate screen's.
const ALTERNATE: [u16; 3] = [47, 1047, 1049];

/// Follows what a terminal is told.
#[derive(Default)]
pub struct Modes {
    parser: Parser,
    screen: Screen,
}

impl std::fmt::Debug for Modes {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_tuple("Modes").field(&self.screen).finish()
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Screen {
    /// Private modes that are not as they were.
    changed: BTreeSet<u16>,
    has_keypad: bool,
    inserts: bool,
    is_styled: bool,
    has_region: bool,
    has_cursor_shape: bool,
    has_charset: bool,
    is_shifted_out: bool,
    modifies_keys: bool,
    /// How many keyboard settings of kitty's protocol lie upon the first.
    keyboards: u16,
}

impl Modes {
    /// A terminal in which everything may have been changed, that is also on the alternate screen.
    #[must_use]
    pub fn everything() -> Self {
        Self {
            parser: Parser::new(),
            screen: Screen {
                changed: ON.into_iter().chain(OFF).collect(),
                has_keypad: true,
                inserts: true,
                is_styled: true,
                has_region: true,
                has_cursor_shape: true,
                has_charset: true,
                is_shifted_out: true,
                modifies_keys: true,
                keyboards: 9,
            },
        }
    }

    /// The terminal is told this, in whatever pieces.
    pub fn read(&mut self, output: &[u8]) {
        self.parser.advance(&mut self.screen, output);
    }

    /// What puts the terminal back; empty where nothing was changed.
    #[must_use]
    pub fn undo(&self) -> Vec<u8> {
        self.screen.undo().into_bytes()
    }

    /// What does again what [`Modes::undo`] has undone, but for the screen's content.
    #[must_use]
    pub fn redo(&self) -> Vec<u8> {
        let mut text = String::new();
        for &mode in &self.screen.changed {
            let letter = if ON.contains(&mode) { 'l' } else { 'h' };
            text.push_str(&format!("\x1b[?{mode}{letter}"));
        }
        if self.screen.has_keypad {
            text.push_str("\x1b=");
        }
        text.into_bytes()
    }
}

impl Screen {
    fn undo(&self) -> String {
        let mut text = String::new();
        if self.keyboards > 0 {
            text.push_str(&format!("\x1b[<{}u\x1b[=0u", self.keyboards));
        }
        let is_alternate = |mode: &u16| ALTERNATE.contains(mode);
        // First to the screen that stays.
        for mode in self.changed.iter().filter(|mode| is_alternate(mode)) {
            text.push_str(&format!("\x1b[?{mode}l"));
        }
        for mode in self.changed.iter().filter(|mode| !is_alternate(mode)) {
            let letter = if ON.contains(mode) { 'h' } else { 'l' };
            text.push_str(&format!("\x1b[?{mode}{letter}"));
        }
        for (is_changed, undone) in [
            (self.has_keypad, "\x1b>"),
            (self.inserts, "\x1b[4l"),
            (self.modifies_keys, "\x1b[>4m"),
            (self.has_charset, "\x1b(B"),
            (self.is_shifted_out, "\x0f"),
            // The region's reset takes the cursor home.
            (self.has_region, "\x1b7\x1b[r\x1b8"),
            (self.has_cursor_shape, "\x1b[0 q"),
            (self.is_styled, "\x1b[0m"),
        ] {
            if is_changed {
                text.push_str(undone);
            }
        }
        text
    }

    fn set(&mut self, mode: u16, is_on: bool) {
        let is_changed = if ON.contains(&mode) {
            !is_on
        } else if OFF.contains(&mode) || ALTERNATE.contains(&mode) {
            is_on
        } else {
            return;
        };
        if is_changed {
            self.changed.insert(mode);
        } else {
            self.changed.remove(&mode);
            if ALTERNATE.contains(&mode) {
                self.changed.retain(|mode| !ALTERNATE.contains(mode));
            }
        }
    }
}

impl Perform for Screen {
    fn execute(&mut self, byte: u8) {
        match byte {
            0x0e => self.is_shifted_out = true,
            0x0f => self.is_shifted_out = false,
            _ => {}
        }
    }

    fn csi_dispatch(&mut self, params: &Params, between: &[u8], is_broken: bool, action: char) {
        if is_broken {
            return;
        }
        let all = || params.iter().filter_map(|param| param.first().copied());
        let first = all().next().unwrap_or_default();
        match (between, action) {
            (b"?", 'h' | 'l') => {
                for mode in all() {
                    self.set(mode, action == 'h');
                }
            }
            (b"", 'h' | 'l') if all().any(|mode| mode == 4) => self.inserts = action == 'h',
            (b"", 'm') => self.is_styled = all().last().unwrap_or_default() != 0,
            (b"", 'r') => self.has_region = all().any(|line| line != 0),
            (b" ", 'q') => self.has_cursor_shape = first != 0,
            (b">", 'm') if first == 4 => {
                self.modifies_keys = all().nth(1).unwrap_or_default() != 0;
            }
            (b">", 'u') => self.keyboards = self.keyboards.saturating_add(1),
            (b"=", 'u') => self.keyboards = self.keyboards.max(u16::from(first != 0)),
            (b"<", 'u') => self.keyboards = self.keyboards.saturating_sub(first.max(1)),
            _ => {}
        }
    }

    fn esc_dispatch(&mut self, between: &[u8], _: bool, byte: u8) {
        match (between, byte) {
            (b"", b'=') => self.has_keypad = true,
            (b"", b'>') => self.has_keypad = false,
            (b"(", set) => self.has_charset = set != b'B',
            // The terminal's own reset.
            (b"", b'c') => *self = Self::default(),
            _ => {}
        }
    }
}

/// What resets a terminal of which nothing is known, such as after a kill: any sequence that it is in
/// is ended, and the cursor stays where it is.
#[must_use]
pub fn reset() -> Vec<u8> {
    let mut text = b"\x1b\\\x1b7\x1b[?1049l".to_vec();
    text.extend(Modes::everything().undo());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn undone(output: &[u8]) -> String {
        let mut whole = Modes::default();
        whole.read(output);
        let mut pieces = Modes::default();
        for byte in output {
            pieces.read(&[*byte]);
        }
        assert_eq!(whole.undo(), pieces.undo(), "in pieces");
        String::from_utf8(whole.undo()).expect("text")
    }

    #[test]
    fn what_was_not_changed_is_left_alone() {
        assert_eq!(undone(b"plain \xe4\xbd\xa0 text\r\n\x1b[K\x1b[2J"), "");
        assert_eq!(undone(b"\x1b[1;31mred\x1b[0m\x1b[?2004h\x1b[?2004l"), "");
    }

    #[test]
    fn what_an_editor_leaves_behind_is_undone_on_the_screen_that_stays() {
        let vim =
            b"\x1b[?1049h\x1b[?1h\x1b=\x1b[?2004h\x1b[?1004h\x1b[1;24r\x1b[?1006;1002h\x1b[?25l\
                    \x1b[>4;2m\x1b[2 q\x1b[38;5;4m";

        assert_eq!(
            undone(vim),
            "\x1b[?1049l\x1b[?1l\x1b[?25h\x1b[?1002l\x1b[?1004l\x1b[?1006l\x1b[?2004l\x1b>\x1b[>4m\
             \x1b7\x1b[r\x1b8\x1b[0 q\x1b[0m"
        );
    }

    #[test]
    fn an_editor_that_ends_in_order_leaves_nothing() {
        let vim = b"\x1b[?1049h\x1b[?1h\x1b=\x1b[>1u\x1b[?1000h\x1b[4h\x1b(0\x0e\
                    \x1b[4l\x0f\x1b(B\x1b[?1000l\x1b[<u\x1b[?1l\x1b>\x1b[?1049l";

        assert_eq!(undone(vim), "");
    }

    #[test]
    fn a_title_is_no_mode_whatever_it_says() {
        assert_eq!(undone(b"\x1b]0;[?1049h (0\x07\x1bP[?25l\x1b\\"), "");
    }

    #[test]
    fn a_reset_of_the_terminal_undoes_everything_by_itself() {
        assert_eq!(undone(b"\x1b[?1049h\x1b[?25l\x1b[4h\x1bc"), "");
    }

    #[test]
    fn after_a_kill_everything_is_reset() {
        let reset = String::from_utf8(reset()).expect("text");

        for undone in [
            "\x1b[?1049l",
            "\x1b[?1000l",
            "\x1b[?1002l",
            "\x1b[?1003l",
            "\x1b[?1006l",
            "\x1b[?1004l",
            "\x1b[?2004l",
            "\x1b[?25h",
            "\x1b>",
            "\x1b[0m",
            "\x1b[?1l",
        ] {
            assert!(reset.contains(undone), "{undone:?} is not in {reset:?}");
        }
    }

    #[test]
    fn after_a_pause_the_modes_are_what_they_were() {
        let mut modes = Modes::default();
        modes.read(b"\x1b[?1049h\x1b[?25l\x1b[?2004h\x1b=");

        let mut again = Modes::default();
        again.read(&modes.redo());

        assert_eq!(again.undo(), modes.undo());
    }
}
