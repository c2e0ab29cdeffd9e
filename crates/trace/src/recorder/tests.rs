use std::{os::unix::fs::PermissionsExt, time::Duration};

use axt_net::{
    clock::Clock,
    tap::{Call, Label},
};
use axt_proto::{
    Message, Tick,
    frame::{Framing, client::ClientFraming},
};

use super::*;
use crate::read;

const NOW: Tick = Tick::from_millis(1_700_000_000_000);

fn recorder(folder: &Path) -> (Recorder, Tasks) {
    let tasks = Tasks::new();
    let wall = Wall::fixed(Timestamp::from_second(1_700_000_000).expect("a time"));
    let recording = Recording {
        seen_by: "relay",
        folder: folder.to_owned(),
    };
    let recorder = Recorder::start(recording, wall, &tasks).expect("a thread");
    (recorder, tasks)
}

fn label(name: &str) -> Label {
    Label {
        name: name.to_owned(),
        ids: vec![
            ("session", "s-1".to_owned()),
            ("connection", "7".to_owned()),
        ],
        is_shared: false,
    }
}

fn typed(text: &'static str) -> Seen {
    let message = Message::Input(text.as_bytes().into());
    Seen::Frame(ClientFraming::new().encode(1, &message), None)
}

#[tokio::test]
async fn what_was_seen_can_be_read_back_and_the_file_is_its_owners_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("traces");
    let (recorder, _tasks) = recorder(&place);
    let tap = recorder.taps().tap(label("relay.s-1.7"), false);

    tap.note(NOW, Side::Client, Way::In, typed("hunter2")).await;
    tap.note(NOW, Side::Agent, Way::In, Seen::Lost("cut".to_owned()))
        .await;
    recorder.finish().await;

    let traces = read::read(&place).expect("a trace");
    let [trace] = traces.as_slice() else {
        panic!("one file")
    };
    let mode = std::fs::metadata(&trace.path).expect("there");
    assert_eq!(mode.permissions().mode() & 0o777, 0o600);
    assert_eq!(trace.header.ids.session.as_deref(), Some("s-1"));
    let [first, second] = trace.records.as_slice() else {
        panic!("two records")
    };
    assert_eq!((first.n, first.hop, first.dir), (0, Hop::Client, Dir::Up));
    assert_eq!(first.rule_us, 1_700_000_000_000_000);
    assert_eq!(first.what.word(), "input");
    assert_eq!(first.ids.connection.as_deref(), Some("7"));
    assert_eq!((second.n, second.dir), (1, Dir::Down));
    let text = std::fs::read_to_string(&trace.path).expect("there");
    assert!(!text.contains("aHVudGVyMg"), "{text}");
}

#[tokio::test]
async fn payload_is_kept_where_it_is_wanted() {
    let folder = tempfile::tempdir().expect("a folder");
    let (recorder, _tasks) = recorder(folder.path());
    let tap = recorder.taps().tap(label("one"), true);

    tap.note(NOW, Side::Client, Way::In, typed("hunter2")).await;
    recorder.finish().await;

    let traces = read::read(folder.path()).expect("a trace");
    let What::Frame(fields) = &traces[0].records[0].what else {
        panic!("a frame")
    };
    assert_eq!(fields::payload(fields).expect("kept"), "hunter2");
}

#[tokio::test]
async fn more_files_than_may_be_open_lose_nothing_and_a_second_run_spoils_none() {
    let folder = tempfile::tempdir().expect("a folder");
    for run in 1..=2 {
        let (recorder, _tasks) = recorder(folder.path());
        let taps: Vec<_> = (0..100)
            .map(|number| recorder.taps().tap(label(&format!("c{number}")), false))
            .collect();
        for _ in 0..2 {
            for tap in &taps {
                tap.note(NOW, Side::Client, Way::In, typed("x")).await;
            }
        }
        recorder.finish().await;

        let traces = read::read(folder.path()).expect("traces");
        assert_eq!(traces.len(), 100 * run);
        assert!(traces.iter().all(|trace| trace.records.len() == 2));
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_ends_the_trace_and_holds_nobody_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("a-file");
    std::fs::write(&place, "").expect("written");
    let (recorder, _tasks) = recorder(&place);
    let tap = recorder.taps().tap(label("one"), false);

    let noting = async {
        for _ in 0..QUEUE * 2 {
            tap.note(NOW, Side::Client, Way::In, typed("x")).await;
        }
    };

    link::timeout(Duration::from_secs(30), noting)
        .await
        .expect("nobody waits for a trace that has ended");
    recorder.finish().await;
}

#[tokio::test]
async fn a_call_stands_with_the_ids_that_it_names() {
    let folder = tempfile::tempdir().expect("a folder");
    let (recorder, _tasks) = recorder(folder.path());
    let tap = recorder.taps().tap(
        Label {
            name: "relay.control".to_owned(),
            ids: vec![("instance", "i-1".to_owned())],
            is_shared: true,
        },
        false,
    );
    let call = Call {
        method: "POST".to_owned(),
        path: "/luban/api/v1/session/list".to_owned(),
        query: "channelId=ch-1".to_owned(),
        ..Call::default()
    };
    let now = Clock::frozen(NOW).now();

    tap.note(now, Side::Agent, Way::In, Seen::Call(Box::new(call)))
        .await;
    let kick = Seen::Text("kick_vm session start ch-1".to_owned());
    tap.note(now, Side::Agent, Way::Out, kick).await;
    recorder.finish().await;

    let traces = read::read(folder.path()).expect("a trace");
    let channels: Vec<_> = traces[0]
        .records
        .iter()
        .map(|record| record.ids.channel.as_deref())
        .collect();
    assert_eq!(channels, [Some("ch-1"), Some("ch-1")]);
    assert_eq!(traces[0].header.ids, Ids::default());
    let whose = &traces[0].records[1].ids;
    assert_eq!(whose.instance.as_deref(), Some("i-1"));
}
