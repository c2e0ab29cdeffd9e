//! Shells for real: the helper, PTYs and pipes of this machine.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::{
    fs,
    future::Future,
    path::{Path, PathBuf},
    time::Duration,
};

use axt_agent::{
    helper::ShellSpec,
    shell::{HelperProgram, Shell, ShellControl, ShellEnd, ShellInput, ShellOutput},
};
use axt_net::link;
use axt_proto::Size;

/// Against hanging; nothing is measured by it.
const GUARD: Duration = Duration::from_secs(30);

async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    link::timeout(GUARD, future)
        .await
        .unwrap_or_else(|_| panic!("{what} did not come"))
}

struct Session {
    input: ShellInput,
    output: ShellOutput,
    control: ShellControl,
    seen: Vec<u8>,
}

impl Session {
    fn start(spec: &ShellSpec) -> Self {
        Self::start_sized(spec, Size { rows: 24, cols: 80 })
    }

    fn start_sized(spec: &ShellSpec, size: Size) -> Self {
        let helper = HelperProgram {
            path: PathBuf::from(env!("CARGO_BIN_EXE_axt-shell")),
            args: Vec::new(),
        };
        Self::start_by(&helper, spec, size)
    }

    fn start_by(helper: &HelperProgram, spec: &ShellSpec, size: Size) -> Self {
        let Shell {
            input,
            output,
            control,
        } = Shell::start(helper, spec, size).expect("the helper starts");
        Self {
            input,
            output,
            control,
            seen: Vec::new(),
        }
    }

    async fn type_text(&self, text: &str) {
        write_all(&self.input, text.as_bytes()).await;
    }

    /// Reads on until `text` was seen, and forgets everything up to its end. Answers what came before.
    async fn expect(&mut self, text: &str) -> String {
        let wanted = text.as_bytes();
        soon(text, async {
            loop {
                let at = self
                    .seen
                    .windows(wanted.len())
                    .position(|part| part == wanted);
                if let Some(at) = at {
                    let mut before: Vec<u8> = self.seen.drain(..at + wanted.len()).collect();
                    before.truncate(at);
                    return String::from_utf8_lossy(&before).into_owned();
                }
                let more = self.output.read(8_192).await.expect("reads");
                assert!(!more.is_empty(), "the output ended before `{text}`");
                self.seen.extend_from_slice(&more);
            }
        })
        .await
    }

    /// The rest of the output and how the shell ended.
    async fn finish(mut self) -> (Vec<u8>, ShellEnd) {
        soon("the end", async {
            loop {
                let more = self.output.read(8_192).await.expect("reads");
                if more.is_empty() {
                    break;
                }
                self.seen.extend_from_slice(&more);
            }
            let end = self.control.ended().await;
            (self.seen, end)
        })
        .await
    }
}

/// A machine of its own for a helper, as far as accounts go: its own /etc, seen by nobody else.
struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    /// `None` where this test may not mount anything.
    fn new(passwd: &str, group: &str, limits: &str) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let etc = folder.path().join("etc");
        fs::create_dir_all(etc.join("security/limits.d")).expect("a folder");
        let home = folder.path().join("home");
        fs::create_dir(&home).expect("a folder");
        fs::write(home.join(".profile"), "export PROFILE=read\n").expect("writes");
        // Another user is to get there too.
        for folder in [folder.path(), &home] {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("changes");
        }
        let passwd = passwd.replace("HOME", home.to_str().expect("UTF-8"));
        fs::write(etc.join("passwd"), passwd).expect("writes");
        fs::write(etc.join("group"), group).expect("writes");
        fs::write(etc.join("nsswitch.conf"), "passwd: files\ngroup: files\n").expect("writes");
        fs::write(etc.join("security/limits.d/a.conf"), limits).expect("writes");
        let machine = Self { folder };
        let HelperProgram { path, mut args } = machine.helper();
        args.truncate(args.len() - 1);
        args.push("true".to_owned());
        let may_mount = std::process::Command::new(path).args(args).output();
        may_mount
            .is_ok_and(|it| it.status.success())
            .then_some(machine)
    }

    fn helper(&self) -> HelperProgram {
        let etc = self.folder.path().join("etc");
        Self::mounting(&format!("mount --bind {} /etc", etc.display()))
    }

    /// The helper, for whom this was mounted before, and for nobody else.
    fn mounting(mounts: &str) -> HelperProgram {
        // Root needs no namespace for users, and would lose its own there.
        let how = if rustix::process::geteuid().is_root() {
            "-m"
        } else {
            "-rm"
        };
        let line = format!("{mounts} && exec \"$0\"");
        let words = [how, "sh", "-c", &line, env!("CARGO_BIN_EXE_axt-shell")];
        HelperProgram {
            path: PathBuf::from("unshare"),
            args: words.map(str::to_owned).to_vec(),
        }
    }

    fn start(&self, spec: &ShellSpec) -> Session {
        Session::start_by(&self.helper(), spec, Size { rows: 24, cols: 80 })
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[tokio::test]
async fn a_shell_that_is_missing_is_stood_in_for_by_sh() {
    let Some(machine) = Machine::new("root:x:0:0::HOME:/no/such/shell\n", "root:x:0:\n", "") else {
        return;
    };

    let (output, end) = machine
        .start(&command("echo $0 $SHELL; exit 4"))
        .finish()
        .await;

    assert_eq!(text(&output), "/bin/sh /bin/sh\n");
    assert_eq!(end, ShellEnd::Exited(4));
}

#[tokio::test]
async fn a_shell_needs_no_room_in_temporary_folders() {
    if Machine::new("", "", "").is_none() {
        eprintln!("left out: nothing may be mounted here");
        return;
    }
    // Room for no file at all, and no byte.
    let full = "mount -t tmpfs -o size=4k,nr_inodes=1,mode=1777 full";
    let mounts = format!("{full} /dev/shm && {full} /var/tmp && {full} /tmp");
    let line = "touch /tmp/a /var/tmp/a /dev/shm/a 2>/dev/null && echo room; \
                echo $((6*7)); stty size; read word; echo \"<$word>\"; exit 3";
    for is_terminal in [true, false] {
        let spec = ShellSpec {
            terminal: is_terminal,
            // Without a terminal, `stty` says so.
            ..command(line)
        };
        let helper = Machine::mounting(&mounts);
        let mut session = Session::start_by(&helper, &spec, Size { rows: 24, cols: 80 });

        session.type_text("typed\n").await;
        let before = session.expect("<typed>").await;
        let (_, end) = session.finish().await;

        assert!(before.contains("42"), "{before}");
        assert_eq!(before.contains("24 80"), is_terminal, "{before}");
        assert!(!before.contains("room"), "{before}");
        assert_eq!(end, ShellEnd::Exited(3));
    }
}

#[tokio::test]
async fn a_home_that_is_missing_is_said_and_the_shell_starts_at_the_root() {
    let Some(machine) = Machine::new("root:x:0:0::/no/such/home:/bin/sh\n", "root:x:0:\n", "")
    else {
        return;
    };

    let (said, _) = machine.start(&command("pwd")).finish().await;
    let (piped, _) = machine.start(&piped("pwd; echo $HOME")).finish().await;

    assert_eq!(
        text(&said),
        "axt: cannot change to /no/such/home: No such file or directory (os error 2): this is /\n/\n"
    );
    assert_eq!(text(&piped), "/\n/no/such/home\n");
}

#[tokio::test]
async fn a_login_shell_reads_the_profile_and_has_jobs() {
    let Some(machine) = Machine::new("root:x:0:0::HOME:/bin/sh\n", "root:x:0:\n", "") else {
        return;
    };
    let mut session = machine.start(&login());

    session.type_text("echo profile-$PROFILE\n").await;
    session.expect("profile-read").await;
    // A job that is stopped by its key, and goes on in the background.
    session
        .type_text("sh -c 'echo is-\"\"up; exec sleep 1000'\n")
        .await;
    session.expect("is-up").await;
    session.type_text("\x1a").await;
    session
        .type_text("bg; jobs; kill %1; wait; echo do''ne\n")
        .await;
    session.expect("Running").await;
    session.expect("done").await;
    session.type_text("exit 3\n").await;

    let (_, end) = session.finish().await;
    assert_eq!(end, ShellEnd::Exited(3));
}

#[tokio::test]
async fn another_user_has_its_groups_home_environment_and_limits() {
    let passwd = "root:x:0:0::/root:/bin/sh\ndev:x:4711:4711::HOME:/bin/sh\n";
    let group = "root:x:0:\ndev:x:4711:\nstaff:x:50:dev\nadm:x:4:dev\nwheel:x:10:root\n";
    let limits = "* - nofile 300\n@staff hard nofile 250\ndev soft nofile 200\n@wheel - nofile 9\n\
                  dev - core 0\nroot - nofile 8\n";
    let Some(machine) = Machine::new(passwd, group, limits).filter(|_| is_root()) else {
        return;
    };
    let spec = ShellSpec {
        username: Some("dev".to_owned()),
        ..command(
            "id -un; id -G; ulimit -Sn; ulimit -Hn; ulimit -c; \
             test \"$PWD\" = \"$HOME\" && echo home; env | cut -d= -f1 | sort | tr '\\n' ' '; \
             test -O \"$(tty)\" && echo own terminal",
        )
    };

    let (output, end) = machine.start(&spec).finish().await;

    let output = text(&output);
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines[0], "dev", "{output}");
    let mut groups: Vec<&str> = lines[1].split(' ').collect();
    groups.sort_unstable();
    assert_eq!(groups, ["4", "4711", "50"]);
    assert_eq!(lines[2..6], ["200", "250", "0", "home"]);
    assert_eq!(
        lines[6],
        "HOME LANG LOGNAME PATH PWD SHELL TERM USER own terminal"
    );
    assert_eq!(end, ShellEnd::Exited(0));
}

#[tokio::test]
async fn a_chain_of_processes_that_fork_and_leave_ends_with_the_session() {
    let mut session = Session::start(&command(
        "echo p=$PPID.; \
         setsid sh -c 'i=0; f() { i=$((i+1)); [ $i -gt 9 ] && echo chained; (f &) ; exit; }; f' & sleep 1000",
    ));
    let helper = helper_of(&mut session).await;
    session.expect("chained").await;
    let others = descendants_of(helper);
    assert!(!others.is_empty());

    session.control.stop();
    let (_, end) = session.finish().await;

    assert!(matches!(end, ShellEnd::Exited(_)), "{end:?}");
    for pid in others {
        assert!(!is_alive(&pid), "{pid} is alive");
    }
}

#[tokio::test]
async fn whatever_hides_is_gone_too_when_the_supervisor_was_killed() {
    let mut bystander = Session::start(&piped("echo p=$PPID.; read line; echo got $line"));
    let mut session = Session::start(&command(
        "trap '' HUP TERM; \
         setsid sleep 9999 </dev/null >/dev/null 2>&1 & \
         (setsid sh -c 'trap \"\" HUP TERM INT; sleep 9998 & sleep 9997' &) ; \
         sh -c 'setsid sh -c \"(sleep 9996 &) ; sleep 9995\" & exec sleep 9994' & \
         echo p=$PPID.; read line; kill -KILL $PPID; sleep 9993",
    ));
    let other_helper = helper_of(&mut bystander).await;
    let helper = helper_of(&mut session).await;
    let hidden = soon("what hides", async {
        loop {
            let found = descendants_of(helper.clone());
            let lines: String = found.iter().map(|pid| command_line(pid)).collect();
            if (9994..=9999).all(|seconds| lines.contains(&seconds.to_string())) {
                return found;
            }
            link::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;

    session.type_text("go\r").await;
    let end = soon("the end", session.control.ended()).await;

    assert!(matches!(end, ShellEnd::Failed(_)), "{end:?}");
    for pid in hidden {
        assert!(!is_alive(&pid), "{pid} is alive: {}", command_line(&pid));
    }
    // Nobody holds its output any more; and the shell of somebody else is none of it.
    session.finish().await;
    assert!(is_alive(&other_helper));
    bystander.type_text("this\n").await;
    bystander.expect("got this").await;
}

async fn helper_of(session: &mut Session) -> String {
    session.expect("p=").await;
    session.expect(".").await
}

fn command_line(pid: &str) -> String {
    fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default()
}

async fn write_all(input: &ShellInput, mut data: &[u8]) {
    while !data.is_empty() {
        let written = input.write(data).await.expect("writes");
        data = &data[written..];
    }
}

fn command(line: &str) -> ShellSpec {
    ShellSpec {
        command: Some(line.to_owned()),
        terminal: true,
        ..ShellSpec::default()
    }
}

fn piped(line: &str) -> ShellSpec {
    ShellSpec {
        terminal: false,
        ..command(line)
    }
}

fn login() -> ShellSpec {
    ShellSpec {
        terminal: true,
        ..ShellSpec::default()
    }
}

fn text(output: &[u8]) -> String {
    String::from_utf8_lossy(output).replace("\r\n", "\n")
}

fn is_alive(pid: &str) -> bool {
    Path::new("/proc").join(pid.trim()).exists()
}

#[tokio::test]
async fn a_command_line_runs_in_the_users_shell_and_tells_its_status() {
    let session = Session::start(&command("echo \"a  b\"; exit 42"));

    let (output, end) = session.finish().await;

    assert_eq!(text(&output), "a  b\n");
    assert_eq!(end, ShellEnd::Exited(42));
}

#[tokio::test]
async fn a_signal_is_told_as_a_shell_tells_it() {
    let session = Session::start(&command("kill -KILL $$"));

    let (_, end) = session.finish().await;

    assert_eq!(end, ShellEnd::Exited(137));
}

#[tokio::test]
async fn a_login_shell_echoes_and_ends_when_told() {
    let mut session = Session::start(&login());

    session.type_text("echo $((6*7))-$0\n").await;
    session.expect("42--").await;
    session.type_text("exit 3\n").await;

    let (_, end) = session.finish().await;
    assert_eq!(end, ShellEnd::Exited(3));
}

#[tokio::test]
async fn the_environment_is_that_of_a_login() {
    let session = Session::start(&command(
        "echo $TERM $LANG; test \"$PWD\" = \"$(cd \"$HOME\" && pwd)\" && echo home; \
         env | grep -c ^AXT_; tty; test -n \"$USER\" -a \"$USER\" = \"$LOGNAME\" && echo named",
    ));

    let (output, _) = session.finish().await;

    let output = text(&output);
    let lines: Vec<&str> = output.lines().collect();
    assert!(lines[0].starts_with("xterm-256color "), "{output}");
    assert_eq!(lines[1], "home");
    assert_eq!(
        lines[2], "0",
        "settings of the agent are none of a shell's business"
    );
    assert!(lines[3].starts_with("/dev/pts/"), "{output}");
    assert_eq!(lines[4], "named");
}

#[tokio::test]
async fn a_size_from_before_the_start_is_the_first_that_a_program_sees() {
    let size = Size {
        rows: 43,
        cols: 132,
    };
    let session = Session::start_sized(&command("stty size"), size);

    let (output, _) = session.finish().await;

    assert_eq!(text(&output), "43 132\n");
}

#[tokio::test]
async fn a_resize_reaches_the_program_on_the_terminal() {
    let mut session = Session::start(&command(
        "trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.05; done",
    ));
    session.expect("ready").await;

    session
        .input
        .resize(Size { rows: 10, cols: 20 })
        .expect("resizes");

    session.expect("10 20").await;
}

#[tokio::test]
async fn ctrl_c_reaches_the_foreground_job_and_the_shell_lives_on() {
    let mut session = Session::start(&login());
    session
        .type_text("sh -c 'echo is-\"\"up; exec sleep 1000'\n")
        .await;
    // Said by the job itself: before it had the terminal, the key would be the shell's to answer.
    session.expect("is-up").await;

    session.type_text("\x03").await;
    session.type_text("echo ali''ve\n").await;

    session.expect("alive").await;
}

#[tokio::test]
async fn ctrl_c_works_although_the_agent_was_started_with_it_ignored() {
    // As a shell does it to `axt up &`.
    let path = std::env::temp_dir().join(format!("axt-ignoring-{}", std::process::id()));
    fs::write(
        &path,
        format!(
            "#!/bin/sh\ntrap '' INT QUIT HUP\nexec {}\n",
            env!("CARGO_BIN_EXE_axt-shell")
        ),
    )
    .expect("writes");
    let helper = HelperProgram {
        path: PathBuf::from("/bin/sh"),
        args: vec![path.display().to_string()],
    };
    let shell = Shell::start(&helper, &command("echo up; sleep 1000"), Size::default())
        .expect("the helper starts");
    let mut session = Session {
        input: shell.input,
        output: shell.output,
        control: shell.control,
        seen: Vec::new(),
    };
    session.expect("up").await;

    session.type_text("\x03").await;

    let (_, end) = session.finish().await;
    fs::remove_file(&path).expect("removes");
    assert_eq!(end, ShellEnd::Exited(130));
}

#[tokio::test]
async fn whatever_hides_is_gone_when_the_shell_has_ended() {
    let session = Session::start(&command(
        "trap '' HUP; \
         setsid sleep 9999 </dev/null >/dev/null 2>&1 & echo $!; \
         nohup sleep 9998 </dev/null >/dev/null 2>&1 & echo $!; \
         sh -c 'setsid sh -c \"trap \\\"\\\" HUP TERM; sleep 9997 & echo \\$!\" & wait'; \
         sleep 9996 & echo $!",
    ));

    let (output, end) = session.finish().await;

    let output = text(&output);
    let pids: Vec<&str> = output.lines().collect();
    assert_eq!(pids.len(), 4, "{output}");
    assert!(matches!(end, ShellEnd::Exited(_)));
    for pid in pids {
        assert!(!is_alive(pid), "{pid} of {output} is alive");
    }
}

#[tokio::test]
async fn a_stop_ends_a_shell_that_ignores_every_signal_it_can() {
    let mut session = Session::start(&command(
        "trap '' HUP INT TERM QUIT; (setsid sleep 9999 & echo $!; sleep 9999); sleep 9999",
    ));
    session.expect("\n").await;

    session.control.stop();

    let (_, end) = session.finish().await;
    assert!(matches!(end, ShellEnd::Exited(_)), "{end:?}");
}

#[tokio::test]
async fn an_agent_that_goes_away_takes_its_shells_along() {
    let mut session = Session::start(&command("setsid sleep 9999 & echo pid $!.; sleep 9999"));
    session.expect("pid ").await;
    session.expect(".").await;
    let mut others = descendants_of_this_process();
    assert!(!others.is_empty());

    drop(session);

    soon("the end of all processes", async {
        while !others.is_empty() {
            others.retain(|pid| {
                fs::read_to_string(format!("/proc/{pid}/cmdline"))
                    .is_ok_and(|line| !line.is_empty())
            });
            link::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// Of this test alone, since each has a process of its own under nextest; of all, under cargo test.
fn descendants_of_this_process() -> Vec<String> {
    descendants_of(std::process::id().to_string())
}

fn descendants_of(process: String) -> Vec<String> {
    let mut found = Vec::new();
    let mut parents = vec![process];
    while let Some(parent) = parents.pop() {
        let tasks = fs::read_dir(format!("/proc/{parent}/task"))
            .into_iter()
            .flatten();
        for task in tasks.flatten() {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            for child in children.split_ascii_whitespace() {
                found.push(child.to_owned());
                parents.push(child.to_owned());
            }
        }
    }
    found
}

#[tokio::test]
async fn a_setting_keeps_background_jobs_as_the_official_agent_does() {
    let spec = ShellSpec {
        keep_background: true,
        ..command("setsid sleep 9999 </dev/null >/dev/null 2>&1 & echo $!")
    };
    let session = Session::start(&spec);

    let (output, end) = session.finish().await;

    let pid = text(&output);
    assert_eq!(end, ShellEnd::Exited(0));
    assert!(is_alive(&pid));
    let pid = rustix::process::Pid::from_raw(pid.trim().parse().expect("a pid")).expect("not 0");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("kills");
}

#[tokio::test]
async fn an_unknown_user_is_named() {
    let spec = ShellSpec {
        username: Some("no-such-user".to_owned()),
        ..login()
    };

    let (output, end) = Session::start(&spec).finish().await;

    assert_eq!(text(&output), "");
    assert_eq!(
        end,
        ShellEnd::Failed("no user named `no-such-user` on this machine".to_owned())
    );
}

#[tokio::test]
async fn a_root_agent_starts_a_shell_as_another_user() {
    if !is_root() {
        return;
    }
    let spec = ShellSpec {
        username: Some("nobody".to_owned()),
        ..command("")
    };

    // Its shell is no shell on most systems: what counts is that it was started as nobody.
    let (_, end) = Session::start(&spec).finish().await;

    assert!(matches!(end, ShellEnd::Exited(_)), "{end:?}");
}

#[tokio::test]
async fn a_helper_that_is_not_there_is_named() {
    let helper = HelperProgram {
        path: PathBuf::from("/no/such/helper"),
        args: Vec::new(),
    };

    let refusal = Shell::start(&helper, &login(), Size::default()).expect_err("no such file");

    assert!(
        refusal
            .to_string()
            .starts_with("cannot start the shell helper `/no/such/helper`"),
        "{refusal}"
    );
}

#[tokio::test]
async fn a_helper_that_reports_nothing_is_a_failure_with_its_own_words() {
    let helper = HelperProgram {
        path: PathBuf::from("/bin/sh"),
        args: vec![
            "-c".to_owned(),
            "echo no libraries >&2; exit 127".to_owned(),
        ],
    };
    let mut shell = Shell::start(&helper, &login(), Size::default()).expect("starts");

    let end = soon("the end", shell.control.ended()).await;

    let ShellEnd::Failed(why) = end else {
        panic!("{end:?}");
    };
    assert!(why.contains("no libraries") && why.contains("127"), "{why}");
}

#[tokio::test]
async fn every_byte_value_passes_a_raw_terminal_unharmed() {
    let mut session = Session::start(&command("stty raw -echo; echo ready; exec cat"));
    session.expect("ready\n").await;
    let all: Vec<u8> = (0..=255).collect();

    write_all(&session.input, &all).await;

    soon("all bytes", async {
        while session.seen.len() < all.len() {
            let more = session.output.read(8_192).await.expect("reads");
            session.seen.extend_from_slice(&more);
        }
    })
    .await;
    assert_eq!(session.seen, all);
}

#[tokio::test]
async fn a_megabyte_passes_a_raw_terminal_whole_in_both_directions() {
    let mut session = Session::start(&command("stty raw -echo; echo ready; exec head -c 1000000"));
    session.expect("ready\n").await;
    let data: Vec<u8> = (0..1_000_000_u32).map(|n| (n % 251) as u8).collect();

    let Session {
        input,
        mut output,
        mut control,
        mut seen,
    } = session;
    let reading = async {
        loop {
            let more = output.read(8_192).await.expect("reads");
            if more.is_empty() {
                break;
            }
            seen.extend_from_slice(&more);
        }
    };
    soon("a megabyte", async {
        tokio::join!(write_all(&input, &data), reading);
    })
    .await;

    assert!(seen == data);
    assert_eq!(control.ended().await, ShellEnd::Exited(0));
}

#[tokio::test]
async fn pipes_carry_exact_bytes_errors_merged_and_the_end_of_input() {
    let mut session = Session::start(&piped("cat; echo oops >&2; exit 5"));
    let all: Vec<u8> = (0..=255).collect();

    write_all(&session.input, &all).await;
    session.input.finish();

    let (output, end) = session.finish().await;
    assert_eq!(output, [all.as_slice(), b"oops\n"].concat());
    assert_eq!(end, ShellEnd::Exited(5));
}

#[tokio::test]
async fn input_that_waits_does_not_hold_up_output() {
    let session = Session::start(&piped("sleep 0.1; echo out; exec sleep 1000"));
    let Session {
        input, mut output, ..
    } = session;
    let stuck = vec![0_u8; 1_000_000];

    let first = soon("output", async {
        tokio::select! {
            () = write_all(&input, &stuck) => panic!("nobody reads that"),
            first = output.read(100) => first.expect("reads"),
        }
    })
    .await;

    assert_eq!(first, "out\n");
}

#[tokio::test]
async fn fifty_shells_leave_no_zombie_and_no_descriptor() {
    let (_, end) = Session::start(&command("true")).finish().await;
    assert_eq!(end, ShellEnd::Exited(0));
    let descriptors = || fs::read_dir("/proc/self/fd").expect("lists").count();
    let before = descriptors();

    for round in 0..50 {
        let spec = if round % 2 == 0 {
            command("sleep 1000 & exit 1")
        } else {
            piped("sleep 1000 & exit 1")
        };
        let (_, end) = Session::start(&spec).finish().await;
        assert_eq!(end, ShellEnd::Exited(1));
    }

    if std::env::var_os("NEXTEST").is_some() {
        // In a process of its own only: other tests have shells and descriptors of theirs.
        assert_eq!(descriptors(), before);
        assert_eq!(descendants_of_this_process(), Vec::<String>::new());
    }
}
