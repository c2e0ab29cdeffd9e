//! Activation codes, and machines that register with them (ecs-api 3.6–3.10).

use std::time::Duration;

use axt_proto::{InstanceId, Secret};
use axt_registry::{
    Activation, ActivationId, ActivationRefusal, ActivationSpec, OsType, RegisterRefusal,
    Registration,
};

use crate::world::{ACCOUNT, REGION, World, id};

fn create(world: &mut World, name: &str) -> Result<Activation, ActivationRefusal> {
    let spec = ActivationSpec {
        account: id(ACCOUNT),
        region: id(REGION),
        instance_name: "web".to_owned(),
        description: String::new(),
        instance_count: 100,
        time_to_live_hours: 4,
        ip_address_range: "0.0.0.0/0".to_owned(),
        resource_group_id: String::new(),
        tags: [("team".to_owned(), "a".to_owned())].into(),
    };
    let code = Secret::new(format!("a-{name}"));
    let activation = ActivationId(name.to_owned());
    let (answer, changes) = world
        .registry
        .create_activation(world.now, activation, code, spec);
    world.take(changes);
    answer
}

fn register(world: &mut World, name: &str, code: &str) -> Result<InstanceId, RegisterRefusal> {
    let registration = Registration {
        activation: ActivationId(name.to_owned()),
        code: Secret::new(code),
        region: id(REGION),
        name: String::new(),
        host_name: "host".to_owned(),
        machine_id: "machine".to_owned(),
        public_key: "key".to_owned(),
        os_type: OsType::Linux,
        os_version: String::new(),
        intranet_ip: "10.0.0.1".to_owned(),
        internet_ip: "127.0.0.1".to_owned(),
        tags: Vec::new(),
    };
    let fresh: InstanceId = id(&format!("mi-{}", world.registry.instances().count()));
    let (answer, changes) = world.registry.register(world.now, registration, fresh);
    world.take(changes);
    answer
}

#[test]
fn a_region_has_ten_live_activations_and_expired_ones_make_room() {
    let mut world = World::new();
    for number in 1..=10 {
        create(&mut world, &format!("A{number}")).expect("up to 10");
    }

    let eleventh = create(&mut world, "A11");
    world.advance(Duration::from_secs(4 * 3_600));
    let later = create(&mut world, "A12");

    assert_eq!(eleventh, Err(ActivationRefusal::Full));
    assert!(later.is_ok());
    assert_eq!(
        world.registry.activations().count(),
        11,
        "expired ones stay listed"
    );
}

#[test]
fn a_registered_machine_is_a_managed_instance_with_the_activations_name_and_tags() {
    let mut world = World::new();
    create(&mut world, "A").expect("made");

    let instance = register(&mut world, "A", "a-A").expect("registered");
    world.online(instance.as_str(), "2.2.4.1065");

    let found = world.registry.instance(&instance).expect("there");
    assert_eq!(found.spec.name, "web-001");
    assert_eq!(found.spec.tags["team"], "a");
    assert!(world.start_on(instance.as_str()).is_ok());
}

#[test]
fn each_bad_registration_has_its_refusal() {
    let mut world = World::new();
    create(&mut world, "A").expect("made");
    create(&mut world, "B").expect("made");
    let disabled = ActivationId("B".to_owned());
    let (answer, changes) =
        world
            .registry
            .disable_activation(world.now, &id(ACCOUNT), &id(REGION), &disabled);
    world.take(changes);
    answer.expect("disabled");

    assert_eq!(
        register(&mut world, "A", "a-B"),
        Err(RegisterRefusal::UnknownOrWrongCode)
    );
    assert_eq!(
        register(&mut world, "C", "a-C"),
        Err(RegisterRefusal::UnknownOrWrongCode)
    );
    assert_eq!(
        register(&mut world, "B", "a-B"),
        Err(RegisterRefusal::Disabled)
    );
    for _ in 1..=100 {
        register(&mut world, "A", "a-A").expect("up to the instance count");
    }
    assert_eq!(register(&mut world, "A", "a-A"), Err(RegisterRefusal::Full));
    world.advance(Duration::from_secs(4 * 3_600));
    assert_eq!(
        register(&mut world, "A", "a-A"),
        Err(RegisterRefusal::Expired)
    );
}

#[test]
fn an_activation_that_has_registered_something_is_not_deleted_and_counts_what_left() {
    let mut world = World::new();
    create(&mut world, "A").expect("made");
    create(&mut world, "B").expect("made");
    let instance = register(&mut world, "A", "a-A").expect("registered");
    world.remove(instance.as_str());
    let mut delete = |name: &str| {
        let activation = ActivationId(name.to_owned());
        let (answer, changes) =
            world
                .registry
                .delete_activation(world.now, &id(ACCOUNT), &id(REGION), &activation);
        world.take(changes);
        answer
    };

    assert_eq!(delete("A"), Err(ActivationRefusal::InUse));
    assert!(delete("B").is_ok());
    assert_eq!(delete("B"), Err(ActivationRefusal::NotFound));
    let kept = world
        .registry
        .activation(&ActivationId("A".to_owned()))
        .expect("kept");
    assert_eq!((kept.registered, kept.deregistered), (1, 1));
}
