//! The person's terminal: raw mode that is undone on every way out, its size, and the signals that
//! end a command.
//!
//! Nothing here knows of sessions.

pub mod signals;
pub mod stdio;

use std::{
    io::{self, IsTerminal},
    panic,
    sync::{Mutex, Once, PoisonError},
};

use axt_proto::frame::Size;
use rustix::termios::{self, OptionalActions, Termios};

/// The terminal's settings before raw mode. Outside the guard, so that whoever ends the process
/// without unwinding (a second Ctrl-C, the panic hook) can put them back as well.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// Whether stdin and stdout are both a terminal: only then does a person type there.
#[must_use]
pub fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// The size of the terminal on stdout; `None` when there is none, or it does not know.
#[must_use]
pub fn size() -> Option<Size> {
    let size = termios::tcgetwinsize(io::stdout()).ok()?;
    (size.ws_row > 0 && size.ws_col > 0).then_some(Size {
        rows: size.ws_row,
        cols: size.ws_col,
    })
}

/// Raw mode on the terminal of stdin, for as long as this lives.
#[derive(Debug)]
pub struct RawMode(());

impl RawMode {
    /// Switches to raw mode: each key goes to the other side as it is, Ctrl-C too.
    ///
    /// # Errors
    /// Stdin is no terminal.
    pub fn enter() -> io::Result<Self> {
        static HOOK: Once = Once::new();
        // A panic's message should be readable, so the terminal is put back before it is printed.
        HOOK.call_once(|| {
            let next = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                restore();
                next(info);
            }));
        });

        let mut settings = termios::tcgetattr(io::stdin())?;
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(settings.clone());
        settings.make_raw();
        let guard = Self(());
        termios::tcsetattr(io::stdin(), OptionalActions::Now, &settings)?;
        Ok(guard)
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        restore();
    }
}

/// Puts the terminal back as it was before raw mode; harmless when it never was in it.
pub fn restore() {
    let before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(before) = before {
        // A terminal that is gone needs no restoring.
        let _ = termios::tcsetattr(io::stdin(), OptionalActions::Now, &before);
    }
}
