//! The terminal's other screen, for as long as something is drawn there.

use std::{
    io::{self, Write},
    panic,
    sync::Once,
    sync::atomic::{AtomicBool, Ordering},
};

/// Whether the other screen is shown: outside the guard, for the panic hook.
static IS_SHOWN: AtomicBool = AtomicBool::new(false);

const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";

/// See the module. Dropping it brings the first screen back, with its cursor.
pub(super) struct Screen(());

impl Screen {
    pub(super) fn enter() -> io::Result<Self> {
        static HOOK: Once = Once::new();
        // A panic's message belongs on the screen that stays.
        HOOK.call_once(|| {
            let next = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                leave();
                next(info);
            }));
        });
        IS_SHOWN.store(true, Ordering::Release);
        let screen = Self(());
        write(ENTER)?;
        Ok(screen)
    }

    /// Draws these lines from the top, and nothing below them.
    pub(super) fn draw(&self, lines: &[String]) -> io::Result<()> {
        let mut text = String::from("\x1b[H");
        for (number, line) in lines.iter().enumerate() {
            if number > 0 {
                text.push_str("\r\n");
            }
            text.push_str(line);
            text.push_str("\x1b[K");
        }
        text.push_str("\x1b[J");
        write(&text)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        leave();
    }
}

fn leave() {
    if IS_SHOWN.swap(false, Ordering::AcqRel) {
        // A terminal that is gone needs nothing.
        let _ = write(LEAVE);
    }
}

fn write(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}
