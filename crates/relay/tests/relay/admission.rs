//! Which agents are let in (wire-protocol 10.1).

use axt_control::luban::{AgentKey, Identity, Signer, path};
use serde_json::{Value, json};

use crate::harness::{World, signed_agent_answer};

/// The throw-away key of the golden vectors: making one takes long.
fn key() -> AgentKey {
    let golden: Value =
        serde_json::from_str(include_str!("../../../../tests/data/golden-vectors.json"))
            .expect("the vectors are JSON");
    let pem = golden["signing_key"]["private_key_pem"].as_str();
    AgentKey::from_pem(pem.expect("a key")).expect("a key")
}

const SIGNED: &str = "i-signed";
const NOW_MS: u64 = 1_795_587_061_000;

/// A relay that knows an instance with a key.
async fn world() -> (World, Signer) {
    let world = World::new().await;
    let key = key();
    let declaration = json!({
        "id": SIGNED,
        "machine_id": "machine",
        "public_key": key.public().to_pem().expect("encodes"),
    });
    let (status, _) = world
        .admin("POST", "/v1/instances", &declaration.to_string())
        .await;
    assert_eq!(status, 201);
    let signer = Signer::new(SIGNED.parse().expect("valid"), "machine", &key);
    (world, signer)
}

async fn answer(world: &World, identity: &Identity) -> (u16, Value) {
    signed_agent_answer(world, path::SESSION_LIST, &identity.headers()).await
}

#[tokio::test(start_paused = true)]
async fn a_signature_lets_in_once() {
    let (world, signer) = world().await;
    let identity = signer.sign(NOW_MS, "request-1");

    let (first, list) = answer(&world, &identity).await;
    let (again, refusal) = answer(&world, &identity).await;

    assert_eq!((first, &list["code"]), (200, &json!(200)));
    assert_eq!((again, &refusal["Code"]), (401, &json!("RequestIdUsed")));
}

#[tokio::test(start_paused = true)]
async fn a_clock_beyond_a_quarter_of_an_hour_is_refused_with_both_times() {
    let (world, signer) = world().await;
    let late = signer.sign(NOW_MS + 15 * 60 * 1_000 + 1, "request-1");
    let just = signer.sign(NOW_MS - 15 * 60 * 1_000, "request-2");

    let (refused, refusal) = answer(&world, &late).await;
    let (accepted, _) = answer(&world, &just).await;

    assert_eq!((refused, accepted), (401, 200));
    assert_eq!(refusal["Code"], "ClockSkew");
    let message = refusal["Message"].as_str().expect("a message");
    assert!(message.contains(&NOW_MS.to_string()), "{message}");
}

#[tokio::test(start_paused = true)]
async fn strangers_are_told_apart_from_bad_signatures() {
    let (world, signer) = world().await;
    let forged = Identity {
        signature: signer.sign(NOW_MS, "another").signature,
        ..signer.sign(NOW_MS, "request-1")
    };
    let stranger = Identity {
        instance: "i-nobody".parse().expect("valid"),
        ..signer.sign(NOW_MS, "request-2")
    };
    let nobody = signed_agent_answer(&world, path::SESSION_LIST, &[]).await;

    assert_eq!(answer(&world, &forged).await.0, 401);
    assert_eq!(answer(&world, &stranger).await.0, 403);
    // Unsigned agents are let in here, but nobody comes from this address.
    assert_eq!(nobody.0, 403);
}

#[tokio::test(start_paused = true)]
async fn who_has_a_key_has_to_use_it() {
    let (world, _) = world().await;
    let unsigned = [("x-client-instance-id", SIGNED.to_owned())];

    let (status, refusal) = signed_agent_answer(&world, path::SESSION_LIST, &unsigned).await;

    assert_eq!(
        (status, &refusal["Code"]),
        (401, &json!("MissingSignature"))
    );
}

/// Everything that only a known agent may call.
const CALLS: [&str; 25] = [
    path::NOTIFY,
    path::SESSION_LIST,
    path::SESSION_STATUS,
    path::SESSION_BACKEND,
    path::HEART_BEAT,
    path::TASK_LIST,
    "/luban/api/v1/task/verified",
    "/luban/api/v1/task/running",
    "/luban/api/v1/task/finish",
    "/luban/api/v1/task/stopped",
    "/luban/api/v1/task/timeout",
    "/luban/api/v1/task/error",
    "/luban/api/v1/task/invalid",
    path::UPDATE_CHECK,
    path::METRICS,
    path::CLIENT_REPORT,
    path::PLUGIN_LIST,
    path::PLUGIN_STATUS,
    path::PLUGIN_UPDATES,
    path::STATE_CONFIGURATIONS,
    path::STATE_TEMPLATE,
    path::STATE_REPORT,
    path::GSHELL,
    path::INVENTORY,
    "/luban/api/v9/new",
];

#[tokio::test(start_paused = true)]
async fn every_call_is_refused_to_whoever_does_not_prove_who_he_is_and_never_by_400() {
    let (world, signer) = world().await;
    let good = || signer.sign(NOW_MS, "request-1");
    let stranger = Identity {
        instance: "i-nobody".parse().expect("valid"),
        ..good()
    };
    let forged = Identity {
        request_id: "request-2".to_owned(),
        ..good()
    };
    let stale = signer.sign(NOW_MS - 16 * 60 * 1_000, "request-3");
    let timeless = good().headers().map(|(name, value)| match name {
        "x-acs-timestamp" => (name, "yesterday".to_owned()),
        _ => (name, value),
    });

    for path in CALLS {
        for (headers, status, code) in [
            (stranger.headers(), 403, "UnknownInstance"),
            (forged.headers(), 401, "SignatureDoesNotMatch"),
            (stale.headers(), 401, "ClockSkew"),
            (timeless.clone(), 401, "MalformedIdentity"),
        ] {
            let (refused, answer) = signed_agent_answer(&world, path, &headers).await;
            assert_eq!((refused, &answer["Code"]), (status, &json!(code)), "{path}");
        }
    }
    let (forged, _) = signed_agent_answer(&world, path::DEREGISTER, &forged.headers()).await;
    assert_eq!(forged, 401);
    // Who is not known here is deregistered already, as he wants to be.
    let (gone, _) = signed_agent_answer(&world, path::DEREGISTER, &stranger.headers()).await;
    assert_eq!(gone, 200);
    // None of it has burnt the id.
    assert_eq!(answer(&world, &good()).await.0, 200);
}
