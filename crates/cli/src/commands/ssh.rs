//! `axt ssh`.

use std::{
    env,
    ffi::{OsStr, OsString},
    io,
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Command, ExitCode},
};

use axt_client::{forward::Remote, instance};
use axt_proto::InstanceId;

use super::{piped, print, quote};
use crate::{
    failure::Failure,
    flags::{global::GlobalFlags, ssh::SshFlags, target::ApiTarget, usage::UsageError},
    settings::{Settings, client},
    target,
};

/// ssh's own port.
const PORT: u16 = 22;
/// How often ssh asks the server for a word, in seconds: well within the 3 minutes of the idle
/// timeout.
const ALIVE_S: u32 = 60;

pub(super) async fn run(
    flags: SshFlags,
    global: &GlobalFlags,
    settings: &Settings,
) -> Result<ExitCode, Failure> {
    if flags.setup {
        print(&setup(&flags.target, global)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    if !flags.stdio {
        return Err(become_ssh(flags, global, settings)?);
    }
    let remote = Remote {
        host: None,
        port: flags.port.unwrap_or(PORT),
    };
    let wanted = piped::Wanted {
        given: flags.given,
        target: flags.target,
        no_extensions: flags.base.no_extensions,
        keepalive: flags.quiet.keepalive,
        instance: flags.instance,
        remote: Some(remote),
        is_interrupted: false,
    };
    piped::run(wanted, settings).await
}

/// Becomes ssh, so that its signals, its terminal and its exit code are its own. It comes back only
/// when there is no ssh.
fn become_ssh(
    flags: SshFlags,
    global: &GlobalFlags,
    settings: &Settings,
) -> Result<Failure, Failure> {
    let destination = destination(&flags, settings)?;
    let mut ssh = Command::new("ssh");
    ssh.arg("-o")
        .arg(format!("ProxyCommand={}", proxy_command("")?))
        .arg("-o")
        .arg(format!("ServerAliveInterval={ALIVE_S}"))
        .arg(destination)
        .args(flags.ssh.iter().skip(1))
        .envs(handed_on(&flags.target, global, flags.base.no_extensions));
    if let Some(seconds) = flags.quiet.keepalive {
        ssh.env("AXT_KEEPALIVE", seconds.to_string());
    }
    let error = ssh.exec();
    let failure = Failure::failed(format!("cannot run ssh: {error}"));
    Ok(if error.kind() == io::ErrorKind::NotFound {
        failure.hint("install OpenSSH's client")
    } else {
        failure
    })
}

/// `[USER@]INSTANCE`, as it was given or the only one that there is.
fn destination(flags: &SshFlags, settings: &Settings) -> Result<OsString, Failure> {
    let Some(first) = flags.ssh.first() else {
        let named = client::instance(flags.instance.clone(), settings);
        if let Some(named) = named {
            return Ok(named.to_string().into());
        }
        let known = target::find(flags.target.clone(), settings)?.instances;
        let chosen = instance::choose(None, &known).map_err(|error| {
            Failure::from(UsageError::new(error.to_string()).hint("`axt ssh [USER@]INSTANCE`"))
        })?;
        return Ok(chosen.to_string().into());
    };
    let text = first.to_string_lossy();
    let host = text.rsplit_once('@').map_or(&*text, |(_, host)| host);
    if host.parse::<InstanceId>().is_err() {
        return Err(UsageError::new(format!("`{host}` is no instance"))
            .hint("`axt ssh [USER@]INSTANCE …`: ssh's own options stand after it")
            .into());
    }
    Ok(first.clone())
}

/// What ssh runs for its connection; its shell takes it apart, and ssh the `%`s before that.
fn proxy_command(more: &str) -> Result<String, Failure> {
    let axt = env::current_exe().map_err(Failure::failed)?;
    let axt = quote(&axt.display().to_string()).replace('%', "%%");
    Ok(format!("{axt} ssh --stdio -i %h --port %p{more}"))
}

/// Which sandbox is meant, for the ProxyCommand: by the environment, where secrets are not seen.
fn handed_on(
    target: &ApiTarget,
    global: &GlobalFlags,
    no_extensions: Option<bool>,
) -> Vec<(&'static str, OsString)> {
    let text = |value: &Option<String>| value.clone().map(OsString::from);
    let path = |value: &Option<PathBuf>| value.clone().map(absolute).map(OsString::from);
    [
        ("AXT_CONFIG", path(&global.config)),
        ("AXT_LOG", text(&global.log)),
        ("AXT_STATE_DIR", path(&target.state_dir)),
        ("AXT_ENDPOINT", text(&target.endpoint)),
        (
            "AXT_REGION",
            target
                .region
                .as_ref()
                .map(|region| region.to_string().into()),
        ),
        ("AXT_CA", path(&target.ca)),
        ("AXT_ACCESS_KEY_ID", text(&target.access_key_id)),
        ("AXT_ACCESS_KEY_SECRET", text(&target.access_key_secret)),
        (
            "AXT_NO_EXTENSIONS",
            no_extensions.map(|is| is.to_string().into()),
        ),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}

fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

/// Lines for ~/.ssh/config. What was named by flags is named there too, but for the secret.
fn setup(target: &ApiTarget, global: &GlobalFlags) -> Result<String, Failure> {
    let path = |value: &PathBuf| absolute(value.clone()).into_os_string();
    let given: [(&str, Option<OsString>); 6] = [
        ("--config", global.config.as_ref().map(path)),
        ("--state-dir", target.state_dir.as_ref().map(path)),
        ("--endpoint", target.endpoint.as_ref().map(OsString::from)),
        (
            "--region",
            target
                .region
                .as_ref()
                .map(|region| region.to_string().into()),
        ),
        ("--ca", target.ca.as_ref().map(path)),
        (
            "--access-key-id",
            target.access_key_id.as_ref().map(OsString::from),
        ),
    ];
    let mut more = String::new();
    for (flag, value) in &given {
        if let Some(value) = value {
            let value = quote(&OsStr::to_string_lossy(value)).replace('%', "%%");
            more.push_str(&format!(" {flag} {value}"));
        }
    }
    let command = proxy_command(&more)?;
    Ok(format!(
        "# ssh, scp, sftp, rsync and git to instances, through sessions of axt\n\
         Host i-* mi-*\n\
         \x20   ProxyCommand {command}\n\
         \x20   # A session without a byte for 3 minutes is closed.\n\
         \x20   ServerAliveInterval {ALIVE_S}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_for_ssh_name_what_was_named_and_never_the_secret() {
        let target = ApiTarget {
            state_dir: Some("/tmp/a b/100%".into()),
            access_key_id: Some("LTAIx".into()),
            access_key_secret: Some("hunter2".into()),
            ..ApiTarget::default()
        };

        let lines = setup(&target, &GlobalFlags::default()).expect("lines");

        let proxy = lines.lines().nth(2).expect("a line");
        assert!(
            proxy.ends_with(
                " ssh --stdio -i %h --port %p --state-dir '/tmp/a b/100%%' --access-key-id LTAIx"
            ),
            "{proxy}"
        );
        assert!(!lines.contains("hunter2"));
    }

    #[test]
    fn the_proxy_command_finds_the_same_sandbox_by_its_environment() {
        let target = ApiTarget {
            endpoint: Some("https://localhost:7080".into()),
            access_key_secret: Some("hunter2".into()),
            ..ApiTarget::default()
        };

        let handed_on = handed_on(&target, &GlobalFlags::default(), Some(true));

        let expected: [(&str, OsString); 3] = [
            ("AXT_ENDPOINT", "https://localhost:7080".into()),
            ("AXT_ACCESS_KEY_SECRET", "hunter2".into()),
            ("AXT_NO_EXTENSIONS", "true".into()),
        ];
        assert_eq!(handed_on, expected);
    }
}
