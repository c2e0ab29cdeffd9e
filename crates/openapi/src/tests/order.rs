//! The rows of ecs-api 2.5: each is reached, and of two faults the one that stands first wins.

use std::time::Duration;

use axt_proto::{RegionId, Tick};

use super::*;
use crate::{ErrorCode, Format, signature::Method};

const START: &str = "StartTerminalSession";
const GOOD: &[(&str, &str)] = &[
    ("RegionId", "cn-hangzhou"),
    ("InstanceId.1", "i-bp1testinstance0001"),
];
const BOTH: [By; 4] = [
    By::Rpc(Method::Get),
    By::Rpc(Method::Post),
    By::Acs3(Method::Get),
    By::Acs3(Method::Post),
];

/// A signed call with every fault of the gateway's first rows, to be mended one by one.
fn raw(method: &'static str, path: &str, parameters: &[(&str, &str)]) -> Signed {
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(parameters)
        .finish();
    Signed {
        method,
        target: format!("{path}?{query}"),
        headers: vec![("host", "127.0.0.1:7080".to_owned())],
        body: String::new(),
    }
}

fn refusal(signed: &Signed, world: &TestWorld) -> String {
    code(receive(signed, world))
}

#[test]
fn a_signed_call_is_read_in_every_style() {
    for by in BOTH {
        let world = TestWorld::new();
        let signed = sign(by, START, GOOD, &credentials());

        let call = receive(&signed, &world).expect("a call");

        assert_eq!(
            call.region.as_ref().map(RegionId::as_str),
            Some("cn-hangzhou"),
            "{by:?}"
        );
        assert_eq!(call.reply_to.host, "127.0.0.1:7080", "{by:?}");
        assert_eq!(call.caller.access_key_id, "testid", "{by:?}");
    }
}

#[test]
fn of_the_missing_parameters_the_first_of_the_table_is_named() {
    let world = TestWorld::new();
    let mut given: Vec<(&str, &str)> = Vec::new();
    for (code, mended) in [
        ("MissingAccessKeyId", ("AccessKeyId", "nobody")),
        ("MissingSignature", ("Signature", "x")),
        ("MissingTimestamp", ("Timestamp", "now")),
        ("MissingSignatureNonce", ("SignatureNonce", "n")),
        ("InvalidParameter", ("SignatureMethod", "HMAC-SHA256")),
        ("InvalidParameter", ("SignatureVersion", "1.0")),
        ("InvalidTimeStamp.Format", ("", "")),
    ] {
        assert_eq!(refusal(&raw("GET", "/", &given), &world), code);
        given.push(mended);
    }
    given.retain(|(name, _)| *name != "Timestamp");
    given.push(("Timestamp", "2026-11-25T05:44:59Z"));
    assert_eq!(
        refusal(&raw("GET", "/", &given), &world),
        "InvalidTimeStamp.Expired"
    );
    given.pop();
    given.push(("Timestamp", "2026-11-25T06:00:00Z"));
    assert_eq!(
        refusal(&raw("GET", "/", &given), &world),
        "InvalidAccessKeyId.NotFound"
    );
}

#[test]
fn method_path_size_and_format_come_before_everything_else() {
    let world = TestWorld::new();
    let nonsense = &[("Format", "YAML")][..];
    let mut large = raw("GET", "/", nonsense);
    large.body = "x".repeat(1024 * 1024);

    assert_eq!(
        refusal(&raw("PUT", "/x", nonsense), &world),
        "UnsupportedHTTPMethod"
    );
    assert_eq!(
        refusal(&raw("GET", "/x", nonsense), &world),
        "InvalidAction.NotFound"
    );
    assert_eq!(refusal(&large, &world), "RequestEntityTooLarge");
    assert_eq!(
        refusal(&raw("GET", "/", nonsense), &world),
        "InvalidParameter.Format"
    );
}

#[test]
fn a_call_that_is_too_large_is_refused_in_the_format_that_it_asks_for_or_in_json() {
    let world = TestWorld::new();
    let filler = "x".repeat(1024 * 1024 + 1);
    let form = (
        "content-type",
        "application/x-www-form-urlencoded".to_owned(),
    );
    let mut in_query = raw("POST", "/", &[("Format", "XML")]);
    in_query.body = filler.clone();
    let mut in_form = raw("POST", "/", &[]);
    in_form.headers.push(form);
    in_form.body = format!("Action=StartTerminalSession&format=xml&Username={filler}");
    let mut nowhere = raw("POST", "/", &[]);
    nowhere.body = filler;

    for (call, format) in [
        (in_query, Format::Xml),
        (in_form, Format::Xml),
        (nowhere, Format::Json),
    ] {
        let refused = receive(&call, &world).expect_err("refused");

        assert_eq!(refused.error.code(), ErrorCode::RequestEntityTooLarge);
        assert_eq!(refused.reply_to.format, format);
    }
}

#[test]
fn a_clock_may_be_off_by_fifteen_minutes_either_way() {
    for by in BOTH {
        let signed = sign(by, START, GOOD, &credentials());
        for (now, is_fine) in [
            ("2026-11-25T06:14:59Z", true),
            ("2026-11-25T05:45:01Z", true),
            ("2026-11-25T06:15:01Z", false),
            ("2026-11-25T05:44:59Z", false),
        ] {
            let outcome = receive_at(&signed, &TestWorld::new(), at(now));

            assert_eq!(outcome.is_ok(), is_fine, "{by:?} {now}");
            if let Err(failure) = outcome {
                assert_eq!(failure.error.code(), ErrorCode::InvalidTimestampExpired);
            }
        }
    }
}

#[test]
fn a_key_is_known_enabled_and_has_its_own_token() {
    for by in BOTH {
        let refused = |world: &TestWorld, credentials: &Credentials| {
            refusal(&sign(by, START, GOOD, credentials), world)
        };
        let with = |token: &str| Credentials {
            security_token: Some(Secret::new(token)),
            ..credentials()
        };
        let mut disabled = TestWorld::new();
        disabled.key.is_enabled = false;
        let expired = TestWorld::with_token("sts", noon().rule);
        let fresh = TestWorld::with_token("sts", noon().rule + minute());
        let stranger = Credentials {
            access_key_id: "nobody".to_owned(),
            ..credentials()
        };

        assert_eq!(
            refused(&TestWorld::new(), &stranger),
            "InvalidAccessKeyId.NotFound"
        );
        assert_eq!(
            refused(&disabled, &with("sts")),
            "InvalidAccessKeyId.Inactive"
        );
        let mismatch = "InvalidSecurityToken.MismatchWithAccessKey";
        assert_eq!(refused(&TestWorld::new(), &with("sts")), mismatch);
        assert_eq!(refused(&fresh, &credentials()), mismatch);
        assert_eq!(refused(&fresh, &with("other")), mismatch);
        assert_eq!(
            refused(&expired, &with("sts")),
            "InvalidSecurityToken.Expired"
        );
        assert!(receive(&sign(by, START, GOOD, &with("sts")), &fresh).is_ok());
    }
}

#[test]
fn a_wrong_secret_is_told_the_exact_string_to_sign() {
    let wrong = Credentials {
        secret: Secret::new("wrong"),
        ..credentials()
    };
    let signed = sign(By::Rpc(Method::Get), START, GOOD, &wrong);

    let failure = receive(&signed, &TestWorld::new()).expect_err("refused");

    let message = failure.error.message(None);
    let mut pieces = message.split(':');
    assert_eq!(
        pieces.next(),
        Some("Specified signature is not matched with our calculation. server string to sign is")
    );
    // Python core and Go compare this piece with their own string.
    let own = pieces.next().expect("a string to sign");
    assert!(own.starts_with("GET&%2F&AccessKeyId%3Dtestid%26Action%3DStartTerminalSession%26"));
    assert_eq!(pieces.next(), None);
    assert!(
        !failure.error.to_string().contains("testid"),
        "logs do not tell what was signed"
    );
}

#[test]
fn a_changed_body_a_missing_header_or_an_unsigned_one_breaks_the_signature() {
    let signed = sign(By::Acs3(Method::Post), START, GOOD, &credentials());
    let mut body = signed.clone();
    body.body.push_str("&Username=root");
    let mut missing = signed.clone();
    missing.headers.retain(|(name, _)| *name != "accept");
    let mut unsigned = signed.clone();
    unsigned
        .headers
        .push(("x-acs-security-token", String::new()));

    for changed in [body, missing, unsigned] {
        assert_eq!(
            refusal(&changed, &TestWorld::new()),
            "SignatureDoesNotMatch"
        );
    }
    assert!(receive(&signed, &TestWorld::new()).is_ok());
}

#[test]
fn a_nonce_is_spent_by_a_valid_signature_only() {
    for by in BOTH {
        let world = TestWorld::new();
        let signed = sign(by, START, GOOD, &credentials());
        let wrong = Credentials {
            secret: Secret::new("wrong"),
            ..credentials()
        };
        let forged = sign(by, START, GOOD, &wrong);

        assert_eq!(refusal(&forged, &world), "SignatureDoesNotMatch", "{by:?}");
        assert!(receive(&signed, &world).is_ok(), "{by:?}");
        assert_eq!(refusal(&signed, &world), "SignatureNonceUsed", "{by:?}");
    }
}

#[test]
fn the_case_of_an_action_counts() {
    let refused = |action| code(call(action, GOOD));

    assert_eq!(refused("startTerminalSession"), "InvalidAction.NotFound");
    assert_eq!(refused("SendFile"), "InvalidAction.NotFound");
    assert_eq!(refused(""), "MissingAction");
}

#[test]
fn version_tls_and_rate_come_before_the_policy() {
    let end = sign(
        By::Rpc(Method::Get),
        "EndTerminalSession",
        GOOD,
        &credentials(),
    );
    let mut world = TestWorld::with_policy(r#"{"Statement":[]}"#);
    world.rate = RateState::Api(Duration::from_millis(1_200));
    world.enforces_tls = true;

    assert_eq!(refusal(&end, &world), "InvalidProtocol.NeedSsl");
    world.nonces.borrow_mut().clear();
    world.enforces_tls = false;
    let throttled = receive(&end, &world).expect_err("refused").error;
    assert_eq!(throttled.code_text(), "Throttling.Api");
    assert_eq!(throttled.wait(), Some(Duration::from_millis(1_200)));
    world.nonces.borrow_mut().clear();
    world.rate = RateState::Within;
    assert_eq!(refusal(&end, &world), "Forbidden.RAM");
}

#[test]
fn a_policy_is_asked_about_each_instance() {
    let world = TestWorld::with_policy(
        r#"{"Statement":[{"Effect":"Allow","Action":"ecs:*TerminalSession",
            "Resource":"acs:ecs:cn-hangzhou:1000000000000001:instance/i-mine*"}]}"#,
    );
    let try_on = |instance: &str| {
        world.nonces.borrow_mut().clear();
        let parameters = [("RegionId", "cn-hangzhou"), ("InstanceId.1", instance)];
        receive(
            &sign(By::Acs3(Method::Get), START, &parameters, &credentials()),
            &world,
        )
    };

    assert!(try_on("i-mine7").is_ok());
    assert_eq!(code(try_on("i-yours")), "Forbidden.RAM");
    let denied = try_on("i-yours").expect_err("refused").error;
    let detail = denied.access_denied().expect("a detail");
    assert_eq!(detail.auth_action, "ecs:StartTerminalSession");
    assert_eq!(detail.no_permission_type, "ImplicitDeny");
}

#[test]
fn the_end_of_a_session_is_judged_when_its_instance_is_known() {
    let world = TestWorld::with_policy(
        r#"{"Statement":[{"Effect":"Allow","Action":"ecs:EndTerminalSession",
            "Resource":"acs:ecs:cn-hangzhou:*:instance/i-mine"}]}"#,
    );
    let parameters = [("RegionId", "cn-hangzhou"), ("SessionId", "s-hz1")];
    let signed = sign(
        By::Acs3(Method::Get),
        "EndTerminalSession",
        &parameters,
        &credentials(),
    );

    let call = receive(&signed, &world).expect("let through so far");

    let region: RegionId = "cn-hangzhou".parse().expect("a region");
    let may = |instance: &str| {
        call.caller.may(
            call.action.name(),
            &region,
            &instance.parse().expect("an instance"),
        )
    };
    assert!(may("i-mine"));
    assert!(!may("i-yours"));
}

#[test]
fn without_authentication_a_call_typed_by_hand_is_enough() {
    let mut world = TestWorld::new();
    world.unsigned = Some(Caller {
        access_key_id: String::new(),
        ..caller()
    });
    let typed = raw(
        "GET",
        "/",
        &[("Action", "DescribeRegions"), ("Format", "json")],
    );

    assert!(receive(&typed, &world).is_ok());
    assert_eq!(refusal(&raw("GET", "/", &[]), &world), "MissingAction");
}

#[test]
fn an_expired_token_is_judged_on_rule_time() {
    let world = TestWorld::with_token("sts", Tick::from_millis(1));
    let with_token = Credentials {
        security_token: Some(Secret::new("sts")),
        ..credentials()
    };
    let signed = sign(By::Rpc(Method::Post), START, GOOD, &with_token);
    let before = Now {
        rule: Tick::EPOCH,
        ..noon()
    };

    assert!(receive_at(&signed, &world, before).is_ok());
    assert_eq!(refusal(&signed, &world), "InvalidSecurityToken.Expired");
}
