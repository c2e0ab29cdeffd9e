//! Run-command tasks in front of a scripted relay: what is run, and what is reported
//! (wire-protocol 10.7).

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[allow(dead_code, unreachable_pub, reason = "shared by test programs")]
#[path = "support/relay.rs"]
mod relay;

use axt_control::luban::{
    SessionList, TaskEnd, TaskNews,
    task::{GrantedTask, OutputInfo, Task, TaskInfo},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use relay::{NotifyChannel, Relay};

fn task(id: &str, script: &str) -> Task {
    Task {
        task: TaskInfo {
            task_id: id.to_owned(),
            invoke_version: 1,
            kind: "RunShellScript".to_owned(),
            command_content: STANDARD.encode(script),
            time_out: "600".to_owned(),
            ..TaskInfo::default()
        },
        output: OutputInfo {
            interval: 1_000,
            ..OutputInfo::default()
        },
        repeat: "Once".to_owned(),
        axt: None,
    }
}

fn to_run(task: Task) -> SessionList {
    SessionList {
        run: vec![task],
        ..SessionList::default()
    }
}

/// Lists a task and kicks the agent for it.
async fn kick(relay: &Relay, notify: &mut NotifyChannel, task: Task) {
    let command = format!("kick_vm task run {}", task.task.task_id);
    relay.lists_tasks(to_run(task));
    assert_eq!(notify.say(&command).await, format!("accept:{command}"));
}

/// The last report on a task, and all its output.
async fn last(relay: &mut Relay) -> (TaskNews, Vec<u8>) {
    let mut output = Vec::new();
    loop {
        let (report, body) = relay.report().await;
        output.extend_from_slice(&body);
        if !matches!(report.news, TaskNews::Running { .. }) {
            return (report.news, output);
        }
    }
}

fn is_alive(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
    // A zombie whose parent has not looked yet is dead.
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

#[tokio::test]
async fn a_command_reports_its_start_its_output_and_its_exit_code() {
    let mut relay = Relay::with_real_targets().await;
    let mut notify = relay.notified().await;

    kick(
        &relay,
        &mut notify,
        task("t-1", "echo out; echo err >&2; exit 3"),
    )
    .await;
    let (begin, nothing) = relay.report().await;
    let (end, output) = last(&mut relay).await;

    assert_eq!((begin.task.as_str(), begin.invoke_version), ("t-1", 1));
    assert_eq!(begin.position, None, "it was not granted");
    assert!(matches!(begin.news, TaskNews::Running { start: 1.. }));
    assert_eq!(nothing, Bytes::new());
    assert_eq!(output, b"out\nerr\n");
    let TaskNews::Finish(TaskEnd {
        exit_code: 3,
        dropped: 0,
        start,
        end,
    }) = end
    else {
        panic!("{end:?}");
    };
    assert!(start > 0 && start <= end);
}

#[tokio::test]
async fn a_command_runs_where_it_is_told_without_input_and_by_its_own_first_line() {
    let mut relay = Relay::with_real_targets().await;
    let mut notify = relay.notified().await;
    let mut task = task("t-1", "#!/bin/cat\nthis file is printed by cat, not run\n");

    kick(&relay, &mut notify, task.clone()).await;
    let (_, printed) = last(&mut relay).await;
    task.task.task_id = "t-2".to_owned();
    task.task.working_directory = "/tmp".to_owned();
    task.task.command_content = STANDARD.encode("pwd; cat; echo \"$0\"");
    kick(&relay, &mut notify, task).await;
    let (_, output) = last(&mut relay).await;

    let printed = String::from_utf8(printed).expect("a text");
    assert!(printed.ends_with("by cat, not run\n"), "{printed}");
    let output = String::from_utf8(output).expect("a text");
    let mut lines = output.lines();
    assert_eq!(lines.next(), Some("/tmp"));
    let script = lines.next().expect("its name");
    assert!(script.ends_with("t-2.iv1.sh"), "{script}");
    assert!(!std::path::Path::new(script).exists(), "it is removed");
}

#[tokio::test]
async fn nothing_survives_a_time_out() {
    let mut relay = Relay::with_real_targets().await;
    let mut notify = relay.notified().await;
    let mut task = task(
        "t-1",
        "setsid sh -c 'trap \"\" HUP TERM; echo $$; exec sleep 9999' & sleep 9999",
    );
    task.task.time_out = "1".to_owned();

    kick(&relay, &mut notify, task).await;
    let (news, output) = last(&mut relay).await;

    assert!(matches!(news, TaskNews::Timeout(_)), "{news:?}");
    let pid = String::from_utf8(output).expect("a text");
    assert!(pid.trim().parse::<u32>().is_ok(), "{pid}");
    assert!(!is_alive(&pid));
}

#[tokio::test]
async fn nothing_survives_a_stop() {
    let mut relay = Relay::with_real_targets().await;
    let mut notify = relay.notified().await;
    let task = task(
        "t-1",
        "setsid sh -c 'echo $$; exec sleep 9999' & sleep 9999",
    );
    kick(&relay, &mut notify, task.clone()).await;
    let mut pid = Vec::new();
    while pid.is_empty() {
        pid.extend_from_slice(&relay.report().await.1);
    }

    relay.lists_tasks(SessionList {
        stop: vec![task],
        ..SessionList::default()
    });
    notify.say("kick_vm task stop t-1").await;
    let (news, _) = last(&mut relay).await;

    assert!(
        matches!(
            news,
            TaskNews::Stopped {
                was_killed: true,
                ..
            }
        ),
        "{news:?}"
    );
    let pid = String::from_utf8(pid).expect("a text");
    assert!(!is_alive(&pid));
}

#[tokio::test]
async fn output_is_reported_while_the_command_runs() {
    let mut relay = Relay::with_real_targets().await;
    let mut notify = relay.notified().await;
    let folder = tempfile::tempdir().expect("a folder");
    let gate = folder.path().join("gate");
    let script = format!(
        "echo one; while [ ! -e {} ]; do sleep 0.05; done; echo two",
        gate.display()
    );

    let mut granted = task("t-1", &script);
    granted.axt = Some(GrantedTask { position: true });
    kick(&relay, &mut notify, granted).await;
    let mut first = Vec::new();
    while first.is_empty() {
        let (report, body) = relay.report().await;
        assert_eq!(report.position, Some(0));
        assert!(matches!(report.news, TaskNews::Running { .. }));
        first.extend_from_slice(&body);
    }
    std::fs::write(&gate, "").expect("written");
    let (last, rest) = relay.report().await;

    assert_eq!(last.position, Some(4));
    assert_eq!(
        (first, rest.to_vec()),
        (b"one\n".to_vec(), b"two\n".to_vec())
    );
}

#[tokio::test]
async fn the_last_bytes_of_long_output_are_kept_and_the_others_counted() {
    let mut relay = Relay::with_real_targets().await;
    let mut notify = relay.notified().await;
    let mut task = task("t-1", "head -c 100000 /dev/zero | tr '\\0' a; echo end");
    task.output.log_quota = 20_000;

    kick(&relay, &mut notify, task).await;
    let (news, output) = last(&mut relay).await;

    let TaskNews::Finish(end) = news else {
        panic!("{news:?}");
    };
    assert!(output.ends_with(b"aaaaend\n"));
    assert!(output.len() >= 20_000, "{}", output.len());
    assert_eq!(output.len() as u64 + end.dropped, 100_004);
}

#[tokio::test]
async fn what_cannot_be_run_is_reported_invalid() {
    let mut relay = Relay::with_real_targets().await;
    let mut notify = relay.notified().await;
    let change = |id: &str, change: fn(&mut TaskInfo)| {
        let mut task = task(id, "true");
        change(&mut task.task);
        task
    };
    let cases = [
        (
            change("t-1", |task| task.kind = "RunBatScript".to_owned()),
            "TypeInvalid",
            "RunBatScript",
        ),
        (
            change("t-2", |task| task.command_content = "no base64!".to_owned()),
            "CommandContentInvalid",
            "Invalid",
        ),
        (
            change("t-3", |task| task.working_directory = "/no/such".to_owned()),
            "workingDirectory",
            "/no/such",
        ),
        (
            change("t-4", |task| task.username = "no-such-user".to_owned()),
            "UsernameOrPasswordInvalid",
            "no user named `no-such-user`",
        ),
    ];

    for (task, which, words) in cases {
        kick(&relay, &mut notify, task).await;
        let (report, _) = relay.report().await;

        let TaskNews::Invalid { parameter, value } = report.news else {
            panic!("{report:?}");
        };
        assert_eq!(parameter, which);
        assert!(value.contains(words), "{value}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_report_that_is_refused_is_tried_again_with_all_its_output() {
    let mut relay = Relay::simulated().await;
    let mut notify = relay.notified().await;
    let mut task = task("t-1", "echo hello");
    task.output.send_start = false;
    relay.refuse_reports(3);

    kick(&relay, &mut notify, task).await;
    let (report, output) = relay.report().await;

    assert!(matches!(report.news, TaskNews::Finish(_)), "{report:?}");
    assert_eq!(output, "hello\n");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_listed_again_is_not_run_again() {
    let mut relay = Relay::simulated().await;
    let mut notify = relay.notified().await;
    let mut first = task("t-1", "exit 1");
    first.output.send_start = false;
    kick(&relay, &mut notify, first.clone()).await;
    let (once, _) = relay.report().await;

    let mut second = task("t-2", "exit 2");
    second.output.send_start = false;
    relay.lists_tasks(SessionList {
        run: vec![first, second],
        ..SessionList::default()
    });
    notify.say("kick_vm").await;
    let (then, _) = relay.report().await;

    assert_eq!((once.task.as_str(), then.task.as_str()), ("t-1", "t-2"));
    assert!(matches!(
        then.news,
        TaskNews::Finish(TaskEnd { exit_code: 2, .. })
    ));
}

#[tokio::test(start_paused = true)]
async fn a_stop_of_a_task_that_nobody_knows_is_answered() {
    let mut relay = Relay::simulated().await;
    let mut notify = relay.notified().await;
    relay.lists_tasks(SessionList {
        stop: vec![task("t-9", "")],
        ..SessionList::default()
    });

    notify.say("kick_vm task stop t-9").await;
    let (report, _) = relay.report().await;

    assert_eq!(report.task, "t-9");
    assert!(matches!(report.news, TaskNews::Stopped { .. }));
}
