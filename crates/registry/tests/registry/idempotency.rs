//! ClientTokens (limits-and-semantics 4).

use std::time::Duration;

use axt_proto::{Limits, Secret};
use axt_registry::{
    Answer, Fingerprint, InstanceStatus, StartRefusal, TokenAction, TokenKey, TokenRefusal,
};

use crate::world::{ACCOUNT, REGION, World, id, shell, with_token};

const DAY: Duration = Duration::from_secs(86_400);

#[test]
fn the_same_call_gets_the_same_answer_whatever_has_happened_since() {
    let mut world = World::new();
    let request = with_token(shell("i-1"), "t", 1);
    let first = world.start(&request).expect("admitted");

    world.end(&first).expect("ended");
    world.set_status("i-1", InstanceStatus::Stopped);
    let again = world.admit(&request).expect("replayed");

    assert_eq!(again.session, first);
    assert_eq!(again.commit, None);
    assert_eq!(world.registry.sessions().len(), 1);
}

#[test]
fn another_call_with_the_same_token_is_refused_also_while_the_first_is_under_way() {
    let mut world = World::new();
    let mismatch = Err(StartRefusal::Token(TokenRefusal::Mismatch));
    let first = world
        .admit(&with_token(shell("i-1"), "t", 1))
        .expect("admitted");

    let during = world.start(&with_token(shell("i-1"), "t", 2));
    world.commit(first);
    let after = world.start(&with_token(shell("i-1"), "t", 2));

    assert_eq!([during, after], [mismatch.clone(), mismatch]);
}

#[test]
fn a_retry_between_admission_and_commit_is_told_to_wait() {
    let mut world = World::new();
    let request = with_token(shell("i-1"), "t", 1);
    let first = world.admit(&request).expect("admitted");

    let during = world.start(&request);
    world.commit(first);
    let after = world.start(&request);

    assert_eq!(during, Err(StartRefusal::Token(TokenRefusal::Processing)));
    assert!(after.is_ok());
}

#[test]
fn a_failed_call_frees_its_token() {
    let mut world = World::new();
    let request = with_token(shell("i-1"), "t", 1);
    world.offline("i-1");
    assert_eq!(world.start(&request), Err(StartRefusal::AgentOffline));
    world.online("i-1", "2.2.4.1065");
    let unlucky = world.admit(&request).expect("admitted");
    world.roll_back(&unlucky);

    let other = world
        .start(&with_token(shell("i-1"), "t", 2))
        .expect("the token is free");

    assert_ne!(other, unlucky.session);
}

#[test]
fn a_token_is_forgotten_after_24_hours_of_rule_time() {
    let mut world = World::new();
    let request = with_token(shell("i-1"), "t", 1);
    let first = world.start(&request).expect("admitted");

    world.advance(DAY - Duration::from_nanos(1));
    let last = world.start(&request).expect("replayed");
    world.advance(Duration::from_nanos(1));
    let new = world.start(&request).expect("admitted");

    assert_eq!(last, first);
    assert_ne!(new, first);
}

#[test]
fn an_account_keeps_so_many_tokens_the_oldest_out_first() {
    let mut world = World::empty(Limits {
        client_tokens: 2,
        ..Limits::default()
    });
    world.declare("i-1");
    let call = |world: &mut World, token| {
        world.advance_ms(1);
        world
            .start(&with_token(shell("i-1"), token, 1))
            .expect("admitted")
    };
    let (a, b) = (call(&mut world, "a"), call(&mut world, "b"));

    call(&mut world, "c");

    assert_eq!(call(&mut world, "b"), b);
    assert_ne!(call(&mut world, "a"), a);
}

#[test]
fn tokens_outlive_a_restart_and_calls_under_way_do_not() {
    let mut world = World::new();
    let done = with_token(shell("i-1"), "done", 1);
    let under_way = with_token(shell("i-1"), "under way", 1);
    let first = world.start(&done).expect("admitted");
    let lost = world.admit(&under_way).expect("admitted");

    world.restart();
    world.online("i-1", "2.2.4.1065");

    assert_eq!(world.start(&done), Ok(first));
    assert_ne!(world.start(&under_way), Ok(lost.session));
}

#[test]
fn other_actions_share_the_ledger_and_never_collide() {
    let mut world = World::new();
    world
        .start(&with_token(shell("i-1"), "t", 1))
        .expect("admitted");
    let key = TokenKey {
        account: id(ACCOUNT),
        region: id(REGION),
        action: TokenAction::CreateActivation,
        token: "t".to_owned(),
    };
    let fingerprint = Fingerprint(vec![9]);
    let begin = |world: &mut World| {
        let (answer, changes) = world.registry.begin_call(world.now, &key, &fingerprint);
        world.take(changes);
        answer
    };

    assert_eq!(begin(&mut world), Ok(None));
    assert_eq!(begin(&mut world), Err(TokenRefusal::Processing));
    world.registry.abandon_call(&key);
    assert_eq!(begin(&mut world), Ok(None));
    let answer = Answer::Text(Secret::new("made"));
    let changes = world.registry.finish_call(world.now, &key, answer.clone());
    world.take(changes);
    assert_eq!(begin(&mut world), Ok(Some(answer)));
}
