use super::*;

const FIRST: ConnectionId = ConnectionId(1);
const SECOND: ConnectionId = ConnectionId(2);

fn instance(id: &str) -> InstanceId {
    id.parse().expect("valid")
}

fn channel(id: &str) -> ChannelId {
    id.parse().expect("valid")
}

fn object(id: &str) -> SessionObject {
    SessionObject {
        cmd_content: String::new(),
        username: String::new(),
        windows_password_name: String::new(),
        channel_id: channel(id),
        websocket_url: String::new(),
        target_host: String::new(),
        port_number: String::new(),
        flow_limit: 0,
        axt: None,
    }
}

/// A table in which two connections wait for `i-1`.
fn waiting() -> (Pairing<u8>, Line<u8>, Line<u8>) {
    let mut pairing = Pairing::new();
    let first = pairing.open(FIRST, instance("i-1"), object("ch-1"), false);
    let second = pairing.open(SECOND, instance("i-1"), object("ch-2"), false);
    (pairing, first, second)
}

#[test]
fn the_same_object_is_handed_out_until_its_channel_is_open() {
    let (mut pairing, ..) = waiting();
    let agent = instance("i-1");
    let ask = |pairing: &mut Pairing<u8>| pairing.object(&agent, Some(&channel("ch-1")));

    assert_eq!(ask(&mut pairing), Some(object("ch-1")));
    assert_eq!(ask(&mut pairing), Some(object("ch-1")));
    pairing.opened(FIRST);
    assert_eq!(ask(&mut pairing), None);
}

/// An official agent that was given it once more would start it once more (wire-protocol 9.5).
#[test]
fn an_object_whose_channel_is_dialled_is_not_handed_out_again() {
    let (mut pairing, ..) = waiting();
    let agent = instance("i-1");
    let ask = |pairing: &mut Pairing<u8>| pairing.object(&agent, Some(&channel("ch-1")));

    assert_eq!(ask(&mut pairing), Some(object("ch-1")));
    let _on_its_way = pairing.dial(&agent, &channel("ch-1")).expect("known");

    assert_eq!(ask(&mut pairing), None);
}

#[test]
fn another_instance_gets_neither_the_object_nor_the_channel() {
    let (mut pairing, ..) = waiting();
    let stranger = instance("i-2");

    assert_eq!(pairing.object(&stranger, Some(&channel("ch-1"))), None);
    assert_eq!(pairing.object(&stranger, None), None);
    assert!(pairing.dial(&stranger, &channel("ch-1")).is_err());
}

#[test]
fn a_list_without_a_channel_hands_out_each_waiting_one_once() {
    let (mut pairing, ..) = waiting();
    let agent = instance("i-1");

    assert!(pairing.object(&agent, None).is_some());
    assert!(pairing.object(&agent, None).is_some());
    assert!(pairing.object(&agent, None).is_none());
}

#[tokio::test]
async fn a_second_dial_leads_to_the_same_connection() {
    let (mut pairing, mut line, _other) = waiting();
    let agent = instance("i-1");

    for socket in [7, 8] {
        let (_, door) = pairing.dial(&agent, &channel("ch-1")).expect("known");
        door.enter(socket).await;
        pairing.opened(FIRST);
        assert_eq!(line.sockets.try_recv(), Ok(socket));
    }
}

#[tokio::test]
async fn a_channel_is_on_its_way_from_its_dial_until_it_is_there_or_given_up() {
    let (mut pairing, mut line, _other) = waiting();
    let dial = |pairing: &mut Pairing<u8>| {
        let dialled = pairing.dial(&instance("i-1"), &channel("ch-1"));
        dialled.expect("known").1
    };

    let (given_up, taken) = (dial(&mut pairing), dial(&mut pairing));
    assert_eq!(line.orders.borrow_and_update().dials, 2);
    drop(given_up);
    assert!(line.orders.has_changed().expect("there"));
    assert_eq!(line.orders.borrow_and_update().dials, 1);
    taken.enter(7).await;

    assert_eq!(line.orders.borrow().dials, 0);
    assert_eq!(line.sockets.try_recv(), Ok(7));
}

#[test]
fn a_closed_connections_channel_is_forgotten() {
    let (mut pairing, ..) = waiting();
    let agent = instance("i-1");

    assert_eq!(pairing.close(FIRST), Some((agent.clone(), channel("ch-1"))));

    assert!(pairing.dial(&agent, &channel("ch-1")).is_err());
    assert_eq!(pairing.close(FIRST), None);
}

#[test]
fn what_an_agent_posts_first_counts() {
    let (mut pairing, line, _other) = waiting();
    let post = |code| Posted { code, detail: None };

    pairing.posted(
        &instance("i-1"),
        &channel("ch-1"),
        post(StatusCode::OpenPtyFailed),
    );
    pairing.posted(&instance("i-1"), &channel("ch-1"), post(StatusCode::Ok));
    pairing.posted(&instance("i-1"), &channel("ch-9"), post(StatusCode::Ok));

    assert_eq!(
        line.orders.borrow().posted,
        Some(post(StatusCode::OpenPtyFailed))
    );
}

#[test]
fn the_second_of_two_kicks_ends_nothing_but_who_has_another_ones_channel() {
    let (mut pairing, first, _other) = waiting();
    let agent = instance("i-1");
    let duplicate = || Posted {
        code: StatusCode::SessionIdDuplicate,
        detail: None,
    };

    pairing.posted(&agent, &channel("ch-1"), duplicate());
    let third = pairing.open(ConnectionId(3), agent.clone(), object("ch-1"), false);
    pairing.posted(&agent, &channel("ch-1"), duplicate());

    assert_eq!(first.orders.borrow().posted, None);
    assert_eq!(third.orders.borrow().posted, Some(duplicate()));
}

#[test]
fn the_first_reason_to_end_counts() {
    let (mut pairing, line, _other) = waiting();

    pairing.end(FIRST, Reason::EndTerminalSession, "");
    pairing.end_all(Reason::RelayStopping, "");

    assert_eq!(
        line.orders.borrow().end,
        Some((Reason::EndTerminalSession, String::new()))
    );
}

#[test]
fn an_agent_that_is_back_is_kicked_for_what_it_has_not_asked_for() {
    let (mut pairing, ..) = waiting();
    let agent = instance("i-1");
    pairing.object(&agent, Some(&channel("ch-1")));

    assert_eq!(pairing.to_kick(&agent), [(SECOND, channel("ch-2"))]);

    pairing.end(SECOND, Reason::ClientClosed, "");
    assert_eq!(pairing.to_kick(&agent), []);
}

#[test]
fn connections_hear_of_their_own_agent_only() {
    let (mut pairing, line, _other) = waiting();
    let stranger = pairing.open(ConnectionId(3), instance("i-2"), object("ch-3"), false);

    pairing.agent_gone(&instance("i-1"), true);

    assert!(line.orders.borrow().is_agent_gone);
    assert!(!stranger.orders.borrow().is_agent_gone);
}

#[test]
fn an_id_that_two_connections_have_is_the_firsts_again_when_the_second_is_over() {
    let mut pairing: Pairing<u8> = Pairing::new();
    let agent = instance("i-1");
    let _first = pairing.open(FIRST, agent.clone(), object("ch-1"), false);
    let _second = pairing.open(SECOND, agent.clone(), object("ch-1"), false);
    let leads_to = |pairing: &mut Pairing<u8>| {
        let dialled = pairing.dial(&agent, &channel("ch-1"));
        dialled.map(|(connection, _)| connection)
    };

    assert_eq!(pairing.latest(&agent), Some(&channel("ch-1")));
    assert_eq!(leads_to(&mut pairing), Ok(SECOND));
    pairing.close(SECOND);
    assert_eq!(leads_to(&mut pairing), Ok(FIRST));
    pairing.close(FIRST);
    assert_eq!(leads_to(&mut pairing), Err(DialRefusal::Unknown));
}
