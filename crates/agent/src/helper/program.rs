//! The second stage: takes the terminal, becomes the account, and then the shell.

use std::{
    env,
    ffi::OsString,
    fs::File,
    io::{self, Write},
    os::{fd::AsFd, unix::process::CommandExt},
    path::Path,
    process::Command,
};

use nix::{
    sys::{
        prctl,
        signal::{self, SigHandler, SigSet, SigmaskHow, Signal},
    },
    unistd::{self, Group},
};
use rustix::{fs, process, process::ioctl_tiocsctty};

use super::{
    BECOME, HelperError, Report, SUPERVISE, ShellSpec,
    account::Account,
    limits::{self, Whose},
    report,
};

/// Where programs are found when nobody says otherwise.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// What stands in for a shell that is missing.
const LAST_SHELL: &str = "/bin/sh";

/// Becomes the shell that `spec` describes, or says why not.
pub(super) fn become_shell(spec: &str) -> Result<(), HelperError> {
    let spec: ShellSpec = serde_json::from_str(spec)?;
    // Descriptor 2 becomes the shell's; this one closes as the shell takes over.
    let control = io::stderr()
        .as_fd()
        .try_clone_to_owned()
        .map_err(HelperError::at("keep the control socket"))?;
    let failure = match prepare(&spec) {
        Ok(account) => exec(&spec, &account),
        Err(failure) => failure,
    };
    report(
        &mut File::from(control),
        &Report::Failed(failure.to_string()),
    );
    Ok(())
}

fn prepare(spec: &ShellSpec) -> Result<Account, HelperError> {
    restore_signals()?;
    let account = Account::find(spec.username.as_deref())?;
    process::setsid().map_err(HelperError::at("start a session of its own"))?;
    if spec.terminal {
        take_terminal(&account)?;
    }
    become_account(&account)?;
    if let Some(directory) = &spec.directory {
        let step = format!("change to `{}`", directory.display());
        env::set_current_dir(directory).map_err(HelperError::at(step))?;
    } else if let Err(error) = env::set_current_dir(&account.home) {
        env::set_current_dir("/").map_err(HelperError::at("change to /"))?;
        if spec.terminal {
            // As login says it; pipes carry what the command says and nothing else.
            let home = account.home.display();
            let _ = writeln!(
                io::stdout(),
                "axt: cannot change to {home}: {error}: this is /"
            );
        }
    }
    // Whoever kills the supervisor, which would end the shell, ends it.
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(HelperError::at("follow the supervisor"))?;
    Ok(account)
}

/// The supervisor has blocked signals, and whoever started the agent may have had some ignored (a
/// shell does so to SIGINT for `axt up &`): a shell would hand that on to its jobs, and Ctrl-C would
/// be lost on them.
fn restore_signals() -> Result<(), HelperError> {
    signal::sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)
        .map_err(HelperError::at("unblock signals"))?;
    for signal in Signal::iterator() {
        // SAFETY: the default disposition runs no code of ours, so nothing that a handler must not
        // do can happen. The two signals whose disposition is fixed answer with an error.
        #[allow(unsafe_code)]
        let _ = unsafe { signal::signal(signal, SigHandler::SigDfl) };
    }
    Ok(())
}

fn take_terminal(account: &Account) -> Result<(), HelperError> {
    let terminal = io::stdin();
    ioctl_tiocsctty(terminal.as_fd()).map_err(HelperError::at("take the terminal"))?;
    if !account.is_own {
        // As login does, so that the account can open its own terminal by name.
        let owner = fs::Uid::from_raw(account.uid.as_raw());
        fs::fchown(terminal.as_fd(), Some(owner), None)
            .and_then(|()| fs::fchmod(terminal.as_fd(), fs::Mode::from_raw_mode(0o620)))
            .map_err(HelperError::at("hand over the terminal"))?;
    }
    Ok(())
}

fn become_account(account: &Account) -> Result<(), HelperError> {
    if account.is_own {
        return Ok(());
    }
    let name = std::ffi::CString::new(account.name.as_str())
        .map_err(HelperError::at("use the user's name"))?;
    let gids = unistd::getgrouplist(&name, account.gid).unwrap_or_default();
    let is_in = |group: &str| {
        let group = Group::from_name(group).ok().flatten();
        group.is_some_and(|group| gids.contains(&group.gid))
    };
    limits::set(&Whose {
        name: &account.name,
        uid: account.uid.as_raw(),
        is_in: &is_in,
        gids: &gids.iter().map(|gid| gid.as_raw()).collect::<Vec<_>>(),
    });
    unistd::initgroups(&name, account.gid).map_err(HelperError::at("set the groups"))?;
    unistd::setgid(account.gid).map_err(HelperError::at("set the group"))?;
    unistd::setuid(account.uid).map_err(HelperError::at("become the user"))
}

/// Comes back only when there is no shell to become.
fn exec(spec: &ShellSpec, account: &Account) -> HelperError {
    if let Some(script) = &spec.script {
        return match exec_script(script, account) {
            Ok(never) => match never {},
            Err(errno) => HelperError::Step {
                step: format!("start `{LAST_SHELL}`"),
                errno,
            },
        };
    }
    let wanted = account.shell.as_path();
    let failure = match exec_shell(wanted, spec, account) {
        Err(error) if is_missing(&error) => exec_shell(Path::new(LAST_SHELL), spec, account),
        other => other,
    };
    match failure {
        Ok(never) => match never {},
        Err(errno) => HelperError::Step {
            step: format!(
                "start the shell `{}` of `{}`",
                wanted.display(),
                account.name
            ),
            errno,
        },
    }
}

/// `sh` and not the account's shell, for whoever has none can run commands too. The file is started
/// by name, so that its first line may name another program.
fn exec_script(script: &Path, account: &Account) -> io::Result<std::convert::Infallible> {
    let mut command = Command::new(LAST_SHELL);
    command.arg("-c").arg("exec \"$0\"").arg(script);
    let shell = match account.shell.as_os_str().is_empty() {
        true => Path::new(LAST_SHELL),
        false => account.shell.as_path(),
    };
    set_environment(&mut command, shell, account);
    command.stderr(io::stdout().as_fd().try_clone_to_owned()?);
    Err(command.exec())
}

fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied
    )
}

fn exec_shell(
    shell: &Path,
    spec: &ShellSpec,
    account: &Account,
) -> io::Result<std::convert::Infallible> {
    let mut command = Command::new(shell);
    match &spec.command {
        Some(line) => {
            command.arg("-c").arg(line);
        }
        None => {
            command.arg0(login_name(shell));
        }
    }
    set_environment(&mut command, shell, account);
    command.stderr(io::stdout().as_fd().try_clone_to_owned()?);
    Err(command.exec())
}

/// A shell whose name begins with a dash reads the login profile.
fn login_name(shell: &Path) -> OsString {
    let mut name = OsString::from("-");
    name.push(shell.file_name().unwrap_or(shell.as_os_str()));
    name
}

/// As wire-protocol 9.1 has it. Another account's shell starts from nothing, as a login does: what
/// stands in the agent's environment may be nobody else's business.
fn set_environment(command: &mut Command, shell: &Path, account: &Account) {
    if account.is_own {
        command.env_remove(BECOME).env_remove(SUPERVISE);
        for (name, _) in env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"AXT_") {
                command.env_remove(name);
            }
        }
    } else {
        command.env_clear();
    }
    let inherited = |name, default: &str| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .unwrap_or_else(|| default.into())
    };
    command
        .env("TERM", "xterm-256color")
        .env("LANG", inherited("LANG", "C.UTF-8"))
        .env("HOME", &account.home)
        .env("USER", &account.name)
        .env("LOGNAME", &account.name)
        .env("SHELL", shell);
    if account.is_own {
        command.env("PATH", inherited("PATH", DEFAULT_PATH));
    } else {
        command.env("PATH", DEFAULT_PATH);
    }
}
