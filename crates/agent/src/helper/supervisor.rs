//! The first stage: starts the shell, waits for its end or the agent's, and leaves nobody behind.

use std::{
    env, fs, io,
    os::fd::{AsFd, BorrowedFd},
    process::Command,
};

use nix::{
    sys::{
        prctl,
        signal::{SigSet, Signal},
        signalfd::{SfdFlags, SignalFd},
    },
    unistd::Pid,
};
use rustix::event::{PollFd, PollFlags};

use super::{BECOME, HelperError, Report, SUPERVISE, ShellSpec, family::Family, report};

/// Runs a shell to its end and reports its exit status.
pub(super) fn supervise(spec_text: &str) -> Result<(), HelperError> {
    let spec: ShellSpec = serde_json::from_str(spec_text)?;
    // Away from the agent's terminal: its Ctrl-C is for the agent, who then ends us in good order.
    rustix::process::setsid().map_err(HelperError::at("start a session of its own"))?;
    let is_script = spec.script.is_some();
    if !spec.keep_background || is_script {
        prctl::set_child_subreaper(true).map_err(HelperError::at("become a subreaper"))?;
    }
    let signals = Signals::block()?;

    let shell = start_program(spec_text)?;
    release_terminal().map_err(HelperError::at("let go of the shell's input and output"))?;

    let mut family = Family::of(shell);
    let waited = wait_for_end(&mut family, &signals);
    // A script that was over its time or stopped leaves nobody behind, whatever is kept otherwise.
    let is_kept = spec.keep_background && (!is_script || family.shell_has_ended());
    let status = if is_kept {
        family.end_shell(&signals)
    } else {
        family.end_all(&signals)
    };
    waited?;
    report(&mut io::stderr(), &Report::Exited(status));
    Ok(())
}

/// This same program again, as the second stage.
fn start_program(spec: &str) -> Result<Pid, HelperError> {
    let shell = Command::new("/proc/self/exe")
        .args(env::args_os().skip(1))
        .env_remove(SUPERVISE)
        .env(BECOME, spec)
        .spawn()
        .map_err(HelperError::at("start the helper's second stage"))?;
    // The handle is let go: the supervisor reaps by itself, the shell like the orphans.
    Ok(Pid::from_raw(shell.id().cast_signed()))
}

/// While the supervisor held them, the agent would never see the end of the shell's output.
fn release_terminal() -> io::Result<()> {
    let nothing = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/null")?;
    rustix::stdio::dup2_stdin(&nothing)?;
    rustix::stdio::dup2_stdout(&nothing)?;
    Ok(())
}

/// All signals, blocked and read from a descriptor.
pub(super) struct Signals(SignalFd);

impl Signals {
    fn block() -> Result<Self, HelperError> {
        let all = SigSet::all();
        all.thread_block()
            .map_err(HelperError::at("block signals"))?;
        SignalFd::with_flags(&all, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)
            .map(Self)
            .map_err(HelperError::at("read signals"))
    }

    /// Takes what has come, and says whether somebody asked for the end.
    pub(super) fn take_all(&self) -> bool {
        let mut asked_to_end = false;
        while let Ok(Some(signal)) = self.0.read_signal() {
            let number = i32::try_from(signal.ssi_signo).unwrap_or_default();
            asked_to_end |= matches!(
                Signal::try_from(number),
                Ok(Signal::SIGTERM | Signal::SIGINT | Signal::SIGHUP | Signal::SIGQUIT)
            );
        }
        asked_to_end
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Waits until the shell has ended, or the agent wants it to end or is gone. Reaps the orphans that
/// come by on the way.
fn wait_for_end(family: &mut Family, signals: &Signals) -> Result<(), HelperError> {
    let control = io::stderr();
    loop {
        let mut ready = [
            PollFd::new(&control, PollFlags::IN),
            PollFd::new(signals, PollFlags::IN),
        ];
        match rustix::event::poll(&mut ready, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(HelperError::at("wait for the shell")(errno)),
        }
        let [control_ready, _] = &ready;
        let hung_up = !control_ready.revents().is_empty() && is_at_end(control.as_fd());
        let asked_to_end = signals.take_all();
        family.reap();
        if family.shell_has_ended() || hung_up || asked_to_end {
            return Ok(());
        }
    }
}

/// Whether the agent has closed its end. It never sends anything.
fn is_at_end(control: BorrowedFd<'_>) -> bool {
    !matches!(
        rustix::io::read(control, &mut [0_u8; 64]),
        Ok(1..) | Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN)
    )
}
