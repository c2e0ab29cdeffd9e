//! The person's terminal: raw mode that is undone on every way out, with all that the other side has
//! done to the terminal; its size; and the signals that end a command.
//!
//! Nothing here knows of sessions.

pub mod modes;
pub mod signals;
pub mod stdio;

use std::{
    fs::File,
    io::{self, IsTerminal},
    mem, panic,
    sync::{Mutex, MutexGuard, Once, PoisonError},
    time::Duration,
};

use axt_net::link;
use axt_proto::frame::Size;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Signal, getpid, kill_process},
    termios::{self, ControlModes, InputModes, LocalModes, OptionalActions, OutputModes, Termios},
};
use tokio::signal::unix::{SignalKind, signal};

use modes::Modes;

/// The terminal's settings before raw mode. Outside the guard, so that whoever ends the process
/// without unwinding (a second Ctrl-C, the panic hook) can put them back as well.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// What the other side has done to the terminal. Outside the guard for the same reason.
static SCREEN: Mutex<Screen> = Mutex::new(Screen::Plain);

enum Screen {
    /// There is no terminal, or it is nobody's but ours.
    Plain,
    /// The other side writes on it.
    Shared(Box<Modes>),
    /// It has been put back: what is late must not undo that.
    Restored,
}

/// How long a terminal that takes nothing, as after Ctrl-S, may hold up its being put back.
const PATIENCE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 100_000_000,
};
/// How long a process that has asked to be suspended waits to be continued. While it is suspended no
/// time passes for it.
const SUSPENDED: Duration = Duration::from_secs(1);

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

        let settings = termios::tcgetattr(io::stdin())?;
        *lock(&BEFORE) = Some(settings.clone());
        *lock(&SCREEN) = Screen::Shared(Box::default());
        let guard = Self(());
        go_raw(settings)?;
        Ok(guard)
    }

    /// Suspends this process as a job, with the terminal as it was before raw mode, until it is
    /// continued.
    ///
    /// # Errors
    /// The system refuses a handler, or the terminal is gone.
    pub async fn suspend(&self) -> io::Result<()> {
        let mut continued = signal(SignalKind::from_raw(Signal::CONT.as_raw()))?;
        let Some(before) = lock(&BEFORE).clone() else {
            return Ok(());
        };
        let (undo, redo) = match &*lock(&SCREEN) {
            Screen::Shared(modes) => (modes.undo(), modes.redo()),
            Screen::Plain | Screen::Restored => Default::default(),
        };
        tell(&undo);
        termios::tcsetattr(io::stdin(), OptionalActions::Now, &before)?;
        kill_process(getpid(), Signal::TSTP)?;
        // A process that no shell could continue is not suspended at all.
        let _ = link::timeout(SUSPENDED, continued.recv()).await;
        go_raw(before)?;
        tell(&redo);
        Ok(())
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        restore();
    }
}

fn go_raw(mut settings: Termios) -> io::Result<()> {
    settings.make_raw();
    Ok(termios::tcsetattr(
        io::stdin(),
        OptionalActions::Now,
        &settings,
    )?)
}

/// Puts the terminal back as it was before raw mode; harmless when it never was in it.
pub fn restore() {
    let Some(before) = lock(&BEFORE).take() else {
        return;
    };
    if let Screen::Shared(modes) = mem::replace(&mut *lock(&SCREEN), Screen::Restored) {
        tell(&modes.undo());
    }
    // A terminal that is gone needs no restoring.
    let _ = termios::tcsetattr(io::stdin(), OptionalActions::Now, &before);
}

/// Resets the terminal of this process after a program that was killed: its settings are those of
/// `stty sane`, and what may have been done to its screen, mouse and keyboard is undone. Nothing on
/// the screen is lost.
///
/// # Errors
/// There is no terminal.
pub fn reset() -> io::Result<()> {
    let terminal = File::options().read(true).write(true).open("/dev/tty")?;
    let mut settings = termios::tcgetattr(&terminal)?;
    settings.input_modes &= !(InputModes::IGNBRK
        | InputModes::PARMRK
        | InputModes::INPCK
        | InputModes::ISTRIP
        | InputModes::INLCR
        | InputModes::IGNCR
        | InputModes::IXOFF
        | InputModes::IXANY);
    settings.input_modes |= InputModes::BRKINT | InputModes::ICRNL | InputModes::IXON;
    settings.output_modes &= !(OutputModes::OCRNL | OutputModes::ONOCR | OutputModes::ONLRET);
    settings.output_modes |= OutputModes::OPOST | OutputModes::ONLCR;
    settings.control_modes &= !ControlModes::PARENB;
    settings.control_modes |= ControlModes::CREAD | ControlModes::CS8;
    settings.local_modes &= !(LocalModes::ECHONL | LocalModes::NOFLSH | LocalModes::TOSTOP);
    settings.local_modes |= LocalModes::ISIG
        | LocalModes::ICANON
        | LocalModes::IEXTEN
        | LocalModes::ECHO
        | LocalModes::ECHOE
        | LocalModes::ECHOK
        | LocalModes::ECHOCTL
        | LocalModes::ECHOKE;
    termios::tcsetattr(&terminal, OptionalActions::Now, &settings)?;
    stdio::write_all(&terminal, &modes::reset())
}

/// Whether output of the other side may still be shown; what it does to the terminal is remembered.
fn may_show(output: &[u8]) -> bool {
    match &mut *lock(&SCREEN) {
        Screen::Plain => true,
        Screen::Shared(modes) => {
            modes.read(output);
            true
        }
        Screen::Restored => false,
    }
}

/// Writes to the terminal on stdout, unless that takes nothing.
fn tell(text: &[u8]) {
    if text.is_empty() {
        return;
    }
    let stdout = rustix::stdio::stdout();
    let mut ready = [PollFd::new(&stdout, PollFlags::OUT)];
    if matches!(poll(&mut ready, Some(&PATIENCE)), Ok(1)) {
        let _ = stdio::write_all(stdout, text);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
