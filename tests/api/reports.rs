//! What users of the API report, each kind with what is right (field-reports-api, by its numbers; those that
//! are not here stand where their subject does: 9 in `secrets.rs`, 15 in `net::accept`, 22 in
//! `registration.rs`, 25 in `cli.rs`).

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
    time::Duration,
};

use axt_net::link;
use axt_openapi::{
    AccessKey, Caller, Identity,
    signature::{Method, encode, rpc},
};
use axt_proto::Secret;
use axt_sandbox::SandboxConfig;
use jiff::{SignedDuration, Timestamp};

use crate::{
    calls::{at_start, call, refused, simulated, text},
    harness::start,
    raw::{By, EVERY_WAY, Raw, code, field},
};

/// What was logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("nobody panics in here")).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panics in here").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// 1: a call that is repeated as it was, as a network layer or a browser would.
#[tokio::test(start_paused = true)]
async fn a_call_repeated_byte_for_byte_is_refused_and_with_a_new_nonce_it_passes() {
    let sandbox = start(simulated()).await;
    let raw = Raw::of(&sandbox);
    let sign = |by, nonce: &str| raw.sign(by, "DescribeRegions", &[], nonce, at_start());

    for (number, by) in EVERY_WAY.into_iter().enumerate() {
        let signed = sign(by, &format!("n-{number}"));

        let first = raw.send(signed.clone()).await;
        let second = raw.send(signed).await;
        let anew = raw.send(sign(by, &format!("n-{number}-again"))).await;

        assert_eq!((code(&first), code(&anew)), (None, None), "{by:?}");
        assert_eq!(second.status(), 400, "{by:?}");
        assert_eq!(
            code(&second).as_deref(),
            Some("SignatureNonceUsed"),
            "{by:?}"
        );
        let message = field(&second, "Message").expect("a message");
        assert!(message.ends_with("was used already."), "{by:?}: {message}");
    }
    sandbox.shutdown().await;
}

/// 2: the browser's second call hides why the first was refused, so the log has it, by its RequestId.
#[tokio::test(start_paused = true)]
async fn a_call_that_a_policy_denies_is_warned_of_with_its_request_id() {
    let policy = r#"{"Statement":[{"Effect":"Allow","Action":"ecs:Describe*","Resource":"*"}]}"#;
    let config = simulated();
    let reader = AccessKey {
        secret: Secret::new("reader"),
        is_enabled: true,
        token: None,
        caller: Caller {
            account: config.account.clone(),
            access_key_id: "reader".to_owned(),
            identity: Identity::RamUser("reader".to_owned()),
            policy: Some(serde_json::from_str(policy).expect("a policy")),
        },
    };
    let log = Log::default();
    let into = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .with_writer(move || into.clone())
        .with_ansi(false)
        .finish();
    let _logged = tracing::subscriber::set_default(subscriber);
    let sandbox = start(SandboxConfig {
        access_keys: vec![reader],
        ..config
    })
    .await;
    let raw = Raw::of(&sandbox).with_key("reader");
    let instance = [
        ("InstanceId.1", sandbox.instance().as_str()),
        ("RegionId", "cn-hangzhou"),
    ];
    let signed = raw.sign(
        EVERY_WAY[0],
        "StartTerminalSession",
        &instance,
        "n-1",
        at_start(),
    );

    let denied = raw.send(signed.clone()).await;
    let again = raw.send(signed).await;

    assert_eq!(code(&denied).as_deref(), Some("Forbidden.RAM"));
    assert_eq!(code(&again).as_deref(), Some("SignatureNonceUsed"));
    let id = field(&denied, "RequestId").expect("an id");
    let log = log.text();
    let line = log.lines().find(|line| line.contains(&id));
    let line = line.unwrap_or_else(|| panic!("no line with {id}: {log}"));
    for told in ["WARN", "Forbidden.RAM", "StartTerminalSession", "reader"] {
        assert!(line.contains(told), "{told}: {line}");
    }
    sandbox.shutdown().await;
}

/// 3: who signs by hand is told what the server has signed, to the letter.
#[tokio::test(start_paused = true)]
async fn a_wrong_signature_is_answered_with_the_servers_string_to_sign() {
    let sandbox = start(simulated()).await;
    let raw = Raw::of(&sandbox);
    let line = [
        ("CommandLine", "ls -la ~/a*b & echo '汉字+%'"),
        ("RegionId", "cn-hangzhou"),
    ];
    let mut rpc = raw.sign(
        By::Rpc(Method::Get),
        "StartTerminalSession",
        &line,
        "n-1",
        at_start(),
    );
    let mut acs3 = raw.sign(
        By::Acs3(Method::Get),
        "StartTerminalSession",
        &line,
        "n-2",
        at_start(),
    );
    let query = rpc.target.strip_prefix("/?").expect("a query").to_owned();
    let (before, signature) = query.split_once("Signature=").expect("signed");
    let (_, after) = signature.split_once('&').expect("more");
    let signed = format!("{before}{after}");
    let pairs: Vec<(String, String)> = signed
        .split('&')
        .map(|pair| {
            let (name, value) = pair.split_once('=').expect("a pair");
            (decoded(name), decoded(value))
        })
        .collect();
    let ours = rpc::string_to_sign(
        "GET",
        pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str())),
    );
    rpc.target = format!("/?{signed}&Signature=AAAA");
    for (name, value) in &mut acs3.headers {
        if *name == "authorization" {
            let (signed, _) = value.split_once("Signature=").expect("signed");
            *value = format!("{signed}Signature=00");
        }
    }

    let rpc = raw.send(rpc).await;
    let acs3 = raw.send(acs3).await;

    for answer in [&rpc, &acs3] {
        assert_eq!(answer.status(), 400);
        assert_eq!(code(answer).as_deref(), Some("SignatureDoesNotMatch"));
    }
    let message = field(&rpc, "Message").expect("a message");
    let expected = format!(
        "Specified signature is not matched with our calculation. server string to sign is:{ours}"
    );
    assert_eq!(message, expected);
    let message = field(&acs3, "Message").expect("a message");
    let canonical = format!(
        "GET\n/\nCommandLine={}&RegionId=cn-hangzhou\naccept:application/json\n",
        encode(line[0].1)
    );
    assert!(
        message.contains("server StringToSign is [ACS3-HMAC-SHA256\n"),
        "{message}"
    );
    assert!(
        message.contains(&format!("server CanonicalRequest is [{canonical}")),
        "{message}"
    );
    sandbox.shutdown().await;
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'%' {
            plain.push(u8::from_str_radix(&text[at + 1..at + 3], 16).expect("two digits"));
            at += 3;
        } else {
            plain.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(plain).expect("UTF-8")
}

/// 6 and 7: a clock that is off is called expired, and never "not supplied".
#[tokio::test(start_paused = true)]
async fn a_clock_may_be_off_by_a_quarter_of_an_hour_and_no_more() {
    let sandbox = start(simulated()).await;
    let raw = Raw::of(&sandbox);
    let ask = async |by, seconds: i64| {
        let now: Timestamp = at_start() + SignedDuration::from_secs(seconds);
        let nonce = format!("n{seconds}{by:?}");
        raw.send(raw.sign(by, "DescribeRegions", &[], &nonce, now))
            .await
    };

    for by in EVERY_WAY {
        for passes in [-899, 899, -900, 900] {
            assert_eq!(code(&ask(by, passes).await), None, "{by:?} {passes} s");
        }
        // An hour and more is local time that was taken for UTC.
        for fails in [-901, 901, 8 * 3_600] {
            let answer = ask(by, fails).await;

            let what = format!("{by:?} {fails} s");
            assert_eq!(answer.status(), 400, "{what}");
            assert_eq!(
                code(&answer).as_deref(),
                Some("InvalidTimeStamp.Expired"),
                "{what}"
            );
            let message = "Specified time stamp or date value is expired.";
            assert_eq!(
                field(&answer, "Message").as_deref(),
                Some(message),
                "{what}"
            );
        }
    }
    sandbox.shutdown().await;
}

/// 9 and 10: a parameter of another action is let go, and a list that is no JSON is named.
#[tokio::test(start_paused = true)]
async fn a_filter_that_is_none_lists_everything_and_a_list_that_is_no_json_is_named() {
    let sandbox = start(simulated()).await;
    let (describe, id) = ("DescribeInstances", sandbox.instance().to_string());
    let json = format!(r#"["{id}"]"#);

    let unfiltered = call(&sandbox, describe, &[("InstanceId", "i-nobody")]).await;
    let error = refused(&sandbox, describe, &[("InstanceIds", "i-1,i-2")]).await;
    let filtered = call(&sandbox, describe, &[("InstanceIds", &json)]).await;

    assert_eq!(unfiltered["TotalCount"], 1);
    assert_eq!(
        (error.status, error.code.as_str()),
        (400, "InvalidParameter")
    );
    assert_eq!(
        error.message,
        "The specified parameter \"InstanceIds\" is not valid."
    );
    assert_eq!(text(&filtered, "/Instances/Instance/0/InstanceId"), id);
    sandbox.shutdown().await;
}

/// 11 and 12: RegionId says where a call goes, whatever host it was sent to; and whoever follows the
/// endpoint of a region stays here.
#[tokio::test(start_paused = true)]
async fn the_region_decides_and_never_the_host() {
    let sandbox = start(simulated()).await;
    let raw = Raw::of(&sandbox).at_host("ecs.cn-beijing.aliyuncs.com");
    let instance = sandbox.instance().to_string();
    let start_in = async |region: &str| {
        let parameters = [("InstanceId.1", instance.as_str()), ("RegionId", region)];
        let nonce = format!("n-{region}");
        let by = By::Acs3(Method::Post);
        raw.send(raw.sign(by, "StartTerminalSession", &parameters, &nonce, at_start()))
            .await
    };

    let here = start_in("cn-hangzhou").await;
    let there = start_in("cn-beijing").await;
    let regions = call(&sandbox, "DescribeRegions", &[]).await;

    assert_eq!(code(&here), None);
    assert_eq!(code(&there).as_deref(), Some("InvalidInstance.NotFound"));
    let (_, own) = sandbox.ready().api_http.split_once("://").expect("a URL");
    let regions = regions["Regions"]["Region"].as_array().expect("a list");
    assert!(regions.len() > 20);
    for region in regions {
        assert_eq!(text(region, "/RegionEndpoint"), own);
    }
    sandbox.shutdown().await;
}

/// 14: the case of an action counts.
#[tokio::test(start_paused = true)]
async fn a_mistyped_action_is_not_found() {
    let sandbox = start(simulated()).await;

    for mistyped in ["startTerminalSession", "StartTerminalSessions", "SendFile"] {
        let error = refused(&sandbox, mistyped, &[]).await;

        assert_eq!(
            (error.status, error.code.as_str()),
            (404, "InvalidAction.NotFound")
        );
        let message = "Specified api is not found, please check your url and method.";
        assert_eq!(error.message, message);
    }
    sandbox.shutdown().await;
}

/// 17: the call never waits for the agent, since SDKs give up after three seconds.
#[tokio::test(start_paused = true)]
async fn a_start_is_answered_at_once_although_the_agent_is_gone() {
    let mut sandbox = start(simulated()).await;
    sandbox.lose_agents();
    let instance = [("InstanceId.1", sandbox.instance().as_str())];
    let began = link::now();

    let answer = sandbox.api().call("StartTerminalSession", &instance).await;

    // The runtime's time runs only while everything waits: this is no measure of the machine.
    assert!(link::now() - began < Duration::from_secs(1));
    let refusal = answer.err().map(|error| error.to_string());
    let is_told = refusal
        .as_ref()
        .is_none_or(|error| error.starts_with("Operation.Forbidden"));
    assert!(is_told, "{refusal:?}");
    sandbox.shutdown().await;
}

/// 21: an agent that is too old is told by the state before, and by the end of a connection after.
#[tokio::test(start_paused = true)]
async fn an_old_agent_is_told_before_and_after() {
    for (version, supports) in [("2.2.3.256", false), ("2.2.3.257", true)] {
        let sandbox = start(SandboxConfig {
            agent_version: version.to_owned(),
            ..simulated()
        })
        .await;
        let session = sandbox.start_session().await.expect("a session");

        let state = call(&sandbox, "DescribeCloudAssistantStatus", &[]).await;
        let opened = sandbox.terminal(&session).await;
        let records = call(&sandbox, "DescribeTerminalSessions", &[]).await;

        let place =
            "/InstanceCloudAssistantStatusSet/InstanceCloudAssistantStatus/0/SupportSessionManager";
        assert_eq!(state.pointer(place), Some(&supports.into()), "{version}");
        let connection = records.pointer("/Sessions/Session/0/Connections/Connection/0");
        let reason = connection.and_then(|one| one["ClosedReason"].as_str());
        let expected = (!supports).then_some("AgentNeedUpgrade");
        assert_eq!(reason, expected, "{version}: {connection:?}");
        drop(opened);
        sandbox.shutdown().await;
    }
}

/// 26: the official client asks for this first, and stops at anything but an answer.
#[tokio::test(start_paused = true)]
async fn the_deprecated_switch_is_there_and_on() {
    let sandbox = start(simulated()).await;

    let answer = call(
        &sandbox,
        "DescribeUserBusinessBehavior",
        &[("statusKey", "sessionManagerStatus")],
    )
    .await;

    assert_eq!(answer["StatusValue"], "enabled");
    sandbox.shutdown().await;
}
