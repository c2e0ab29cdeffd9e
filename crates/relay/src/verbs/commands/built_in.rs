//! The commands that `ali-instance-cli send_public_key` counts on (ecs-api 3.16, wire-protocol 11).

use std::collections::BTreeMap;

use axt_proto::{Limits, Secret};
use axt_registry::{CommandKind, CommandSpec};

use crate::content;

/// The public command that installs a key.
pub(super) const SEND_SSH_PUBLIC_KEY: &str = "cmd-ACS-ECS-SendSshPublicKey-linux.sh";

/// What the client has run first: the install of a plugin that lets sshd ask the service for keys.
const PLUGIN_INSTALL: &str =
    "acs-plugin-manager -e -P config_ecs_instance_connect --params --install";

/// What is run in its place: there is no such plugin here, and no need of one.
const NOTHING_TO_INSTALL: &str =
    "echo 'config_ecs_instance_connect: nothing to install, keys go to authorized_keys'\n";

/// How long a key is good.
const KEY_SECONDS: u32 = 60;

/// The kinds of keys that sshd knows begin so. Options before them would be more than a key.
const KEY_KINDS: &[&str] = &["ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-"];

/// Puts a line into the user's `authorized_keys` that sshd itself takes for over after a minute
/// (`expiry-time`, OpenSSH 7.7): whatever a command leaves running may end with it, so nothing is
/// left to take the line out. Lines that are over go when the next key comes.
const INSTALL_KEY: &str = r#"set -eu
umask 077
key='KEY'
folder="$HOME/.ssh"
file="$folder/authorized_keys"
mkdir -p "$folder"
chmod 700 "$folder"
touch "$file"
chmod 600 "$file"
now=$(date +%Y%m%d%H%M%S)
good_until=$(date -d "@$(($(date +%s) + SECONDS))" +%Y%m%d%H%M%S)
kept=$(mktemp "$folder/.keys.XXXXXX")
trap 'rm -f "$kept"' EXIT
while IFS= read -r line || [ -n "$line" ]; do
    case $line in
    *' axt-until-'[0-9]*) [ "${line##* axt-until-}" -gt "$now" ] || continue ;;
    esac
    printf '%s\n' "$line"
done <"$file" >"$kept"
printf 'expiry-time="%s" %s axt-until-%s\n' "$good_until" "$key" "$good_until" >>"$kept"
cat "$kept" >"$file"
echo "the key is good for SECONDS seconds"
"#;

/// What goes before it for root, as whom an official agent runs what names nobody: whose agent is not
/// root's has no way to his keys, and the agent's `HOME` may be another's.
const FOR_ROOT: &str = r#"[ "$(id -u)" -eq 0 ] || {
    echo 'the agent does not run as root, so it cannot let anyone in as root'
    exit 1
}
HOME=~root
"#;

/// The content, or what stands in for it.
pub(super) fn stand_in(base64: String) -> String {
    let is_install = content::text(&base64).is_some_and(|text| text.trim() == PLUGIN_INSTALL);
    if is_install {
        return content::base64(NOTHING_TO_INSTALL);
    }
    base64
}

/// The command that installs `sshPublicKey` for `username`; `None` when there is no such key or user
/// among the parameters. It runs as that user, so that nothing is written that is not theirs.
pub(super) fn send_ssh_public_key(parameters: &BTreeMap<String, String>) -> Option<CommandSpec> {
    let key = parameters.get("sshPublicKey")?.trim();
    let is_key = KEY_KINDS.iter().any(|kind| key.starts_with(kind))
        && key.contains(' ')
        && !key.chars().any(char::is_control);
    let username = parameters.get("username")?;
    if !is_key || username.is_empty() {
        return None;
    }
    let install = INSTALL_KEY
        .replace("SECONDS", &KEY_SECONDS.to_string())
        .replace("KEY", &key.replace('\'', r"'\''"));
    let script = match username.as_str() {
        "root" => [FOR_ROOT, &install].concat(),
        _ => install,
    };
    Some(CommandSpec {
        kind: CommandKind::RunShellScript,
        content: Secret::new(content::base64(&script)),
        name: SEND_SSH_PUBLIC_KEY.to_owned(),
        description: String::new(),
        timeout_s: Limits::COMMAND_TIMEOUT_S,
        working_directory: String::new(),
        username: username.clone(),
        password_name: String::new(),
        has_parameters: false,
    })
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

    use super::*;

    /// Runs the command that installs a key, for the user whose home this is.
    fn install(key: &str, home: &Path) {
        let spec = send_ssh_public_key(&parameters(key, "bob")).expect("a key");
        let script = content::text(spec.content.expose()).expect("a text");
        let ran = Command::new("sh")
            .args(["-c", &script])
            .env("HOME", home)
            .output()
            .expect("it runs");
        assert!(ran.status.success(), "{ran:?}");
    }

    #[test]
    fn a_key_is_installed_beside_others_and_keys_that_are_over_go() {
        let home = tempfile::tempdir().expect("a folder");
        let folder = home.path().join(".ssh");
        let file = folder.join("authorized_keys");
        fs::create_dir(&folder).expect("made");
        let theirs = "ssh-rsa BBBB theirs";
        let over = "expiry-time=\"20200101000000\" ssh-rsa CCCC axt-until-20200101000000";
        fs::write(&file, format!("{theirs}\n{over}")).expect("written");

        install("ssh-ed25519 AAAA bob's", home.path());

        let text = fs::read_to_string(&file).expect("readable");
        let lines: Vec<&str> = text.lines().collect();
        let [first, key] = lines[..] else {
            panic!("{text}");
        };
        assert_eq!(first, theirs);
        let rest = key.strip_prefix("expiry-time=\"").expect("an expiry");
        let (until, key) = rest.split_at(14);
        assert!(until.bytes().all(|byte| byte.is_ascii_digit()), "{until}");
        assert_eq!(key, format!("\" ssh-ed25519 AAAA bob's axt-until-{until}"));
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));
        assert_eq!(fs::read_dir(&folder).expect("a folder").count(), 1);
    }

    #[test]
    fn a_home_without_keys_gets_its_first_one() {
        let home = tempfile::tempdir().expect("a folder");

        install("ssh-ed25519 AAAA test", home.path());
        install("ssh-ed25519 AAAA test", home.path());

        let file = home.path().join(".ssh/authorized_keys");
        let text = fs::read_to_string(file).expect("readable");
        assert_eq!(text.lines().count(), 2);
    }

    #[test]
    fn a_key_of_root_is_not_left_with_whoever_the_agent_is() {
        let home = tempfile::tempdir().expect("a folder");
        let spec = send_ssh_public_key(&parameters("ssh-ed25519 AAAA test", "root"));
        let script = content::text(spec.expect("a key").content.expose()).expect("a text");
        let as_another = format!("id() {{ echo 1000; }}\n{script}");

        let ran = Command::new("sh")
            .args(["-c", &as_another])
            .env("HOME", home.path())
            .output()
            .expect("it runs");

        assert_eq!(ran.status.code(), Some(1), "{ran:?}");
        let told = String::from_utf8_lossy(&ran.stdout).into_owned();
        assert!(told.starts_with("the agent does not run as root"), "{told}");
        assert_eq!(fs::read_dir(home.path()).expect("a folder").count(), 0);
    }

    fn parameters(key: &str, username: &str) -> BTreeMap<String, String> {
        BTreeMap::from([
            ("sshPublicKey".to_owned(), key.to_owned()),
            ("username".to_owned(), username.to_owned()),
        ])
    }

    #[test]
    fn the_install_of_the_plugin_is_stood_in_for_and_nothing_else_is() {
        // As the official client sends it (golden vector `openapi_RunCommand`).
        let sent = "YWNzLXBsdWdpbi1tYW5hZ2VyIC1lIC1QIGNvbmZpZ19lY3NfaW5zdGFuY2VfY29ubmVjdCAtLXBhcmFtcyAtLWluc3RhbGw=";
        let other = content::base64("echo hi");

        assert_eq!(
            content::text(&stand_in(sent.to_owned())).as_deref(),
            Some(NOTHING_TO_INSTALL)
        );
        assert_eq!(stand_in(other.clone()), other);
    }

    #[test]
    fn only_a_key_is_a_key() {
        for (key, username, is_one) in [
            ("ssh-ed25519 AAAA test\n", "bob", true),
            ("ecdsa-sha2-nistp256 AAAA", "bob", true),
            ("ssh-ed25519 AAAA", "", false),
            ("ssh-ed25519", "bob", false),
            ("command=\"sh\" ssh-ed25519 AAAA", "bob", false),
            ("ssh-ed25519 AAAA\nssh-ed25519 BBBB", "bob", false),
            ("", "bob", false),
        ] {
            let spec = send_ssh_public_key(&parameters(key, username));
            assert_eq!(spec.is_some(), is_one, "{key:?} {username:?}");
        }
    }

    #[test]
    fn a_quote_in_a_comment_stays_a_quote() {
        let spec = send_ssh_public_key(&parameters("ssh-ed25519 AAAA bob's", "bob"));

        let script = content::text(spec.expect("a key").content.expose()).expect("a text");

        assert!(script.contains(r"key='ssh-ed25519 AAAA bob'\''s'"));
    }
}
