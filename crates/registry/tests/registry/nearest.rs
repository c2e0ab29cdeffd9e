//! How near anyone is to each limit.

use axt_proto::Reason;

use crate::world::{World, shell, with_token};

#[test]
fn each_limit_names_the_one_that_is_nearest_to_it() {
    let mut world = World::new();
    world.declare("i-2");
    let old = world.start_on("i-1").expect("admitted");
    world.advance_ms(90_500);
    let young = world
        .start(&with_token(shell("i-2"), "once", 1))
        .expect("admitted");
    world.connect_live(&young);
    world.connect_live(&young);

    let nearest = world.registry.nearest(world.now);

    let of = |name: &str| {
        let nearest = &nearest[name];
        (nearest.used, nearest.who.clone().unwrap_or_default())
    };
    let scope = "cn-hangzhou, account 1000000000000001".to_owned();
    assert_eq!(of("url_validity_s"), (90, old.to_string()));
    assert_eq!(of("sessions_per_region"), (2, scope.clone()));
    assert_eq!(of("connections_per_instance"), (2, "i-2".to_owned()));
    assert_eq!(of("history_records"), (2, scope));
    assert_eq!(of("history_connections"), (2, young.to_string()));
    assert_eq!(of("client_tokens"), (1, "1000000000000001".to_owned()));
    assert_eq!(of("activations_per_region"), (0, String::new()));
}

#[test]
fn what_was_given_back_is_in_use_no_more() {
    let mut world = World::new();
    let session = world.start_on("i-1").expect("admitted");
    let connection = world.connect_live(&session);

    world.close(connection, Reason::Exit);
    world.end(&session).expect("ended");

    let nearest = world.registry.nearest(world.now);
    assert_eq!(nearest["sessions_per_region"].used, 0);
    assert_eq!(nearest["connections_per_instance"].who, None);
    assert_eq!(nearest["history_records"].used, 1);
}
