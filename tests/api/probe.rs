//! The probe: thousands of calls that are generated from the machine-readable description of the
//! actions, each with what it has to be answered with, sent to the real listener over real sockets.
//!
//! How many answers may differ stands in `tests/data/probe.toml`, and may only fall. What is right is
//! worked out from the description and the documented order alone ([`oracle`]), by how the values were
//! made ([`sample`]); none of the code that reads calls is asked.

mod case;
mod forms;
mod oracle;
mod sample;
mod shapes;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use axt_control::admin::RegionChange;
use axt_openapi::{
    ActionName, ErrorCode,
    signature::{Method, Signed, encode},
};
use axt_proto::Limits;
use axt_sandbox::{Listen, Sandbox, SandboxConfig, Transport};
use serde::Deserialize;

use self::{
    case::{Case, Known, Twice},
    oracle::{Expected, Model, Outcome},
    sample::Pairs,
};
use crate::{
    calls::{at_start, call, limited, text},
    harness::start,
    raw::{By, Raw, code},
};

const ALLOWED: &str = include_str!("../data/probe.toml");

#[derive(Deserialize)]
struct Allowed {
    differing: usize,
}

/// As many sessions and codes as calls can make.
async fn sandbox() -> Sandbox {
    let sandbox = start(SandboxConfig {
        transport: Transport::Sockets(Listen::free_ports()),
        ..limited(Limits {
            sessions_per_region: u32::MAX,
            activations_per_region: u32::MAX,
            ..Limits::default()
        })
    })
    .await;
    let without_api = RegionChange {
        api_supported: Some(false),
        ..RegionChange::default()
    };
    let beijing = "cn-beijing".parse().expect("a region");
    let changed = sandbox.admin().change_region(&beijing, &without_api).await;
    changed.expect("changed");
    sandbox
}

/// The call, signed, and then given a parameter twice if it is to be.
fn sign(raw: &Raw, case: &Case, pairs: &Pairs, number: usize) -> Signed {
    let lent: Vec<(&str, &str)> = pairs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let nonce = format!("probe-{number}");
    let mut signed = raw.sign(
        case.dress.by,
        case.action.as_str(),
        &lent,
        &nonce,
        at_start(),
    );
    let Some((name, value)) = pairs.first() else {
        return signed;
    };
    let other = format!("{name}={}", encode(&format!("{value}-other")));
    let is_form = !signed.body.is_empty();
    match case.dress.twice {
        Twice::Beside if is_form => write!(signed.body, "&{other}").expect("written"),
        Twice::Beside => write!(signed.target, "&{other}").expect("written"),
        Twice::Below if case.dress.by == By::Rpc(Method::Post) => {
            write!(signed.target, "?{other}").expect("written")
        }
        Twice::Below | Twice::No => {}
    }
    signed
}

/// Answers that differ in the same way: how many, and the first call.
type Differences = BTreeMap<String, (usize, String)>;

fn note(
    differences: &mut Differences,
    case: &Case,
    pairs: &Pairs,
    expected: &Expected,
    outcome: &Outcome,
) {
    let group = format!(
        "{}: expected {expected:?}, answered {outcome:?}",
        case.action
    );
    let (count, _) = differences.entry(group).or_insert_with(|| {
        let short = |text: &str| text.chars().take(60).collect::<String>();
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={}", short(value)))
            .collect();
        (0, format!("{} {:?}", pairs.join(" "), case.dress))
    });
    *count += 1;
}

/// What the descriptions say a call can be told before anything is known of the world, and no call was;
/// and the actions that never succeeded.
fn unheard(answered: &BTreeSet<(ActionName, Option<String>)>) -> Vec<String> {
    let is_heard = |action: ActionName, code: ErrorCode| {
        let family = code.entry().code.replace("{0}", "");
        answered.iter().any(|(of, answer)| {
            *of == action && answer.as_ref().is_some_and(|it| it.starts_with(&family))
        })
    };
    let mut unheard = Vec::new();
    for action in ActionName::ALL.iter().copied() {
        let description = action.description();
        let codes = description.every_error().into_iter().filter(|code| {
            let is_gateway = ErrorCode::gateway().any(|other| other == *code);
            !is_gateway
                && *code != ErrorCode::InternalErrorDispatch
                && !description.errors.contains(code)
        });
        unheard.extend(
            codes
                .filter(|code| !is_heard(action, *code))
                .map(|code| format!("{action}: {code:?}")),
        );
        // No machine has registered, so that these two have nothing to act on.
        let has_none = matches!(
            action,
            ActionName::DeregisterManagedInstance | ActionName::ModifyManagedInstance
        );
        if !has_none && !answered.contains(&(action, None)) {
            unheard.push(format!("{action}: success"));
        }
    }
    unheard
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_answers_differ_from_the_description_than_the_tree_admits() {
    let allowed: Allowed = toml::from_str(ALLOWED).expect("a number");
    let sandbox = sandbox().await;
    let raw = Raw::of(&sandbox);
    let activation = async || {
        let made = call(&sandbox, "CreateActivation", &[]).await;
        text(&made, "/ActivationId").to_owned()
    };
    let instance = sandbox.instance().to_string();
    let command = [
        ("Type", "RunShellScript"),
        ("CommandContent", "true"),
        ("KeepCommand", "true"),
        ("InstanceId.1", instance.as_str()),
    ];
    let kept = call(&sandbox, "RunCommand", &command).await;
    let known = Known {
        command: text(&kept, "/CommandId").to_owned(),
        instance,
        session: sandbox.start_session().await.expect("a session").id,
        activation: activation().await,
        doomed: activation().await,
    };
    let cases = case::all(&known);
    let mut model = Model::new(known);
    let mut differences = Differences::new();
    let mut answered = BTreeSet::new();

    for (number, case) in cases.iter().enumerate() {
        let pairs = case.pairs(number);
        let expected = model.expect(case);

        let answer = raw.send(sign(&raw, case, &pairs, number)).await;

        let outcome = (answer.status().as_u16(), code(&answer));
        if !expected.admits(&outcome) {
            note(&mut differences, case, &pairs, &expected, &outcome);
        }
        answered.insert((case.action, outcome.1));
    }
    let differing: usize = differences.values().map(|(count, _)| count).sum();
    let mut report = String::new();
    for (group, (count, example)) in &differences {
        writeln!(report, "{count} × {group}\n    such as {example}").expect("written");
    }
    assert!(cases.len() > 4_000, "only {} calls", cases.len());
    assert_eq!(unheard(&answered), Vec::<String>::new());
    assert!(
        differing <= allowed.differing,
        "{differing} of {} answers differ from the description, {} may:\n{report}",
        cases.len(),
        allowed.differing
    );
    assert!(
        differing >= allowed.differing,
        "only {differing} answers differ now: write that number into tests/data/probe.toml"
    );
    sandbox.shutdown().await;
}
