//! The journal keeps what was committed, in one piece, in order.

#![allow(clippy::expect_used, clippy::indexing_slicing)]

mod disk;

use std::fs;

use axt_journal::{Batch, CommitError, Journal, OpenError};
use axt_proto::{Carried, Event, EventKind, Limits, Reason, RegionId, Secret, SessionId, Tick};
use axt_registry::{
    Account, AgentInfo, ClientToken, ConnectRequest, ConnectionType, Fingerprint, Fresh,
    InstanceSpec, RegionPatch, Registry, Row, RowChange, RowKey, SessionTarget, StartRequest,
    Starter,
};
use redb::{Database, TableDefinition};

use disk::Disk;

fn account(number: u32) -> Row {
    Row::Account(Account::new(number.to_string().parse().expect("valid")))
}

fn put(number: u32) -> Batch {
    Batch {
        rows: vec![RowChange::Put(account(number))],
        events: Vec::new(),
    }
}

fn session() -> SessionId {
    "s-hz1".parse().expect("valid")
}

fn expired(seq: u64) -> Batch {
    Batch {
        rows: Vec::new(),
        events: vec![Event {
            seq,
            at: Tick::from_millis(seq),
            kind: EventKind::SessionExpired,
            region: "cn-hangzhou".parse().expect("valid"),
            instance: None,
            session: Some(session()),
            connection: None,
        }],
    }
}

fn seqs(journal: &Journal) -> Vec<u64> {
    let events = journal.events_of(&session()).expect("readable");
    events.iter().map(|event| event.seq).collect()
}

#[tokio::test]
async fn a_replay_gives_back_what_was_put_and_not_deleted() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("axt.redb");
    let journal = Journal::open(&path).expect("opens");
    journal.commit(put(1)).await.expect("written");
    journal.append(put(2)).await.expect("queued");
    journal.append(put(3)).await.expect("queued");
    let delete = Batch {
        rows: vec![RowChange::Delete(account(2).key())],
        events: Vec::new(),
    };
    journal.append(delete).await.expect("queued");
    journal.store_clock_offset(-7).await.expect("written");

    drop(journal);
    let journal = Journal::open(&path).expect("opens again");

    assert_eq!(
        journal.replay().expect("readable"),
        [account(1), account(3)]
    );
    assert_eq!(journal.clock_offset(), Ok(-7));
    assert!(journal.healthy());
}

#[tokio::test]
async fn a_registrys_rows_go_through_the_journal_unharmed() {
    let now = Tick::from_millis(1);
    let (instance, account) = ("i-1".parse().expect("valid"), "1".parse().expect("valid"));
    let region: RegionId = "cn-hangzhou".parse().expect("valid");
    let request = StartRequest {
        account,
        region: region.clone(),
        instance,
        target: SessionTarget::Port {
            port: 22,
            target_server: Some("db".to_owned()),
        },
        username: Some("root".to_owned()),
        password_name: None,
        connection_type: ConnectionType::Internet,
        encryption: false,
        client_token: Some(ClientToken {
            token: "t".to_owned(),
            fingerprint: Fingerprint(vec![0, 255]),
        }),
        starter: Starter::default(),
        base_url: "wss://localhost".to_owned(),
    };
    let mut spec = InstanceSpec::new(
        request.instance.clone(),
        request.account.clone(),
        request.region.clone(),
    );
    spec.denied_ports.insert(22);
    let agent = AgentInfo::new("2.2.4.1065");
    let fresh = Fresh {
        session: session(),
        token: Secret::new("secret"),
    };
    let connect = ConnectRequest {
        session: &session(),
        token: "secret",
        client_ip: "::1",
        channel: &"ch-1".parse().expect("valid"),
    };
    let mut registry = Registry::new(Limits::default());
    let mut changes = registry.change_region(now, &region, RegionPatch::default());
    changes.extend(registry.set_session_manager(now, &request.account, true));
    changes.extend(registry.declare_instance(now, spec));
    changes.extend(registry.agent_online(now, &request.instance, agent));
    let (started, before) = registry.start(now, &request, fresh);
    changes.extend(before);
    changes.extend(started.expect("admitted").commit.expect("the first call"));
    changes.extend(registry.committed(now, &session()));
    let (connecting, opened) = registry.connect(now, connect);
    changes.extend(opened);
    let connection = connecting.expect("let in").connection;
    changes.extend(registry.closed(now, connection, Reason::Exit, Carried::default()));
    changes.extend(registry.agent_offline(now, &request.instance));
    let journal = Journal::memory().expect("opens");

    journal
        .commit(Batch::from(&changes))
        .await
        .expect("written");

    let rows = journal.replay().expect("readable");
    let (restored, closed) = Registry::restore(Limits::default(), rows, now);
    assert!(closed.is_empty(), "nothing was open");
    assert_eq!(restored.rows().len(), 7);
    let (mut found, mut expected) = (restored.rows(), registry.rows());
    for row in found.iter_mut().chain(&mut expected) {
        if let Row::Instance(instance) = row {
            instance.presence.last_heart_beat = None;
        }
    }
    assert_eq!(found, expected);
}

#[tokio::test]
async fn what_was_handed_over_is_written_before_the_last_handle_is_gone() {
    let disk = Disk::default();
    let journal = Journal::with_backend(disk.clone()).expect("opens");
    for number in 1..=500 {
        journal.append(put(number)).await.expect("queued");
    }

    drop(journal);

    let journal = Journal::with_backend(disk.image()).expect("opens again");
    assert_eq!(journal.replay().expect("readable").len(), 500);
}

#[tokio::test]
async fn a_kill_in_the_middle_of_a_write_keeps_what_was_committed_and_nothing_of_the_rest() {
    let disk = Disk::default();
    let journal = Journal::with_backend(disk.clone()).expect("opens");
    journal.commit(put(1)).await.expect("written");

    let gate = disk.hold();
    let mut both = put(2);
    both.rows.extend(put(3).rows);
    journal.append(both).await.expect("queued");
    disk.reached().await;
    let (killed, cut_off) = (disk.image(), disk.synced_image());
    drop(gate);

    let cut_off = Journal::with_backend(cut_off).expect("repairs");
    let killed = Journal::with_backend(killed).expect("repairs");
    assert_eq!(cut_off.replay().expect("readable"), [account(1)]);
    let rows = killed.replay().expect("readable");
    let whole = [account(1), account(2), account(3)];
    assert!(
        rows == whole || rows == whole[..1],
        "half a batch: {rows:?}"
    );
}

#[tokio::test]
async fn batches_that_wait_share_one_transaction() {
    let disk = Disk::default();
    let journal = Journal::with_backend(disk.clone()).expect("opens");
    let one = {
        let before = disk.syncs();
        journal.commit(put(1)).await.expect("written");
        disk.syncs() - before
    };

    let before = disk.syncs();
    let gate = disk.hold();
    journal.append(put(2)).await.expect("queued");
    disk.reached().await;
    for number in 3..=200 {
        journal.append(put(number)).await.expect("queued");
    }
    drop(gate);
    journal.commit(put(201)).await.expect("written");

    // Three groups, or a few more where the thread was woken in between; never one for each.
    assert!(
        disk.syncs() - before < 20 * one,
        "{} syncs",
        disk.syncs() - before
    );
    assert_eq!(journal.replay().expect("readable").len(), 201);
}

#[tokio::test]
async fn a_failed_write_is_told_to_everyone_in_the_group_and_leaves_nothing() {
    let disk = Disk::default();
    let journal = Journal::with_backend(disk.clone()).expect("opens");
    journal.commit(put(1)).await.expect("written");

    disk.fail();
    let (first, second) = tokio::join!(journal.commit(put(2)), journal.commit(put(3)));

    assert!(matches!(first, Err(CommitError::Storage(_))), "{first:?}");
    assert!(matches!(second, Err(CommitError::Storage(_))), "{second:?}");
    assert!(!journal.healthy());
    drop(journal);
    let journal = Journal::with_backend(disk.image()).expect("opens again");
    assert_eq!(journal.replay().expect("readable"), [account(1)]);
}

#[tokio::test]
async fn a_session_keeps_its_first_and_its_latest_hundred_events() {
    let journal = Journal::memory().expect("opens");
    for seq in 1..=350 {
        journal.append(expired(seq)).await.expect("queued");
    }
    journal.commit(Batch::default()).await.expect("written");

    let kept = seqs(&journal);

    let expected: Vec<u64> = (1..=100).chain(251..=350).collect();
    assert_eq!(kept, expected);
}

#[tokio::test]
async fn a_forgotten_session_takes_its_events_along() {
    let journal = Journal::memory().expect("opens");
    journal.commit(expired(1)).await.expect("written");
    let mut last = expired(2);
    last.rows
        .push(RowChange::Delete(RowKey::Session(session())));

    journal.commit(last).await.expect("written");

    assert_eq!(seqs(&journal), [] as [u64; 0]);
}

#[test]
fn an_inline_journal_writes_without_a_thread_or_a_runtime() {
    let journal = Journal::inline().expect("opens");
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());

    let mut commit = std::pin::pin!(journal.commit(put(1)));
    let answer = Future::poll(commit.as_mut(), &mut context);

    assert_eq!(answer, std::task::Poll::Ready(Ok(())));
    assert_eq!(journal.replay().expect("readable"), [account(1)]);
}

#[test]
fn a_file_that_somebody_has_open_is_refused_by_name() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("axt.redb");
    let _holder = Journal::open(&path).expect("opens");

    let refusal = Journal::open(&path).expect_err("locked");

    assert!(matches!(&refusal, OpenError::Locked { .. }), "{refusal}");
    assert!(refusal.to_string().contains("axt.redb"));
}

#[test]
fn a_file_that_is_no_journal_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("axt.redb");
    fs::write(&path, "a letter, not a journal\n".repeat(400)).expect("written");

    let refusal = Journal::open(&path).expect_err("damaged");

    assert!(matches!(&refusal, OpenError::Damaged { .. }), "{refusal}");
    let text = fs::read_to_string(&path).expect("still there");
    assert!(text.starts_with("a letter"));
}

#[test]
fn a_file_from_the_future_is_refused() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("axt.redb");
    drop(Journal::open(&path).expect("opens"));
    let database = Database::open(&path).expect("opens");
    let write = database.begin_write().expect("begins");
    write
        .open_table(TableDefinition::<&str, i64>::new("meta"))
        .expect("there")
        .insert("schema", 99)
        .expect("written");
    write.commit().expect("written");
    drop(database);

    let refusal = Journal::open(&path).expect_err("too new");

    assert!(
        matches!(refusal, OpenError::TooNew { found: 99, .. }),
        "{refusal}"
    );
}

#[test]
fn a_folder_that_is_not_there_is_refused() {
    let refusal = Journal::open("/nowhere/at/all/axt.redb".as_ref()).expect_err("unusable");

    assert!(matches!(refusal, OpenError::Unusable { .. }), "{refusal}");
}

#[cfg(unix)]
#[test]
fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("axt.redb");
    let _journal = Journal::open(&path).expect("opens");

    let mode = fs::metadata(&path).expect("there").permissions().mode();

    assert_eq!(mode & 0o777, 0o600);
}
