//! `axt relay` and `axt agent` as processes of their own, and the settings that they run on.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // helpers of tests

#[path = "harness/process.rs"]
mod process;

use std::{
    fs::{self, OpenOptions},
    io::{Read, Write},
    net::TcpStream,
};

use rustix::process::Signal;

use process::{Home, Running, get, stderr, stdout};

/// A settings file with `settings` and one instance, whose agent's key is in `agent.pem`.
fn with_an_instance(home: &Home, settings: &str) -> String {
    let key = home.path("agent.pem");
    let made = home.run(&[
        "agent",
        "-i",
        "i-web1",
        "--new-key",
        key.to_str().expect("UTF-8"),
    ]);
    assert!(made.status.success(), "{}", stderr(&made));
    fs::write(home.path("axt.toml"), settings).expect("written");
    let mut file = OpenOptions::new()
        .append(true)
        .open(home.path("axt.toml"))
        .expect("there");
    // Just as its output is pasted.
    file.write_all(&made.stdout).expect("written");
    stderr(&made)
}

fn agent(home: &Home, relay: &Running) -> Running {
    let server = relay.ready("axt").replacen("ws", "http", 1);
    let mut agent = home.axt(&["agent", "-i", "i-web1", "--key", "agent.pem"]);
    agent.args(["--server", &server, "--ca", relay.ready("ca_cert")]);
    Running::start(agent)
}

#[test]
fn a_relay_and_an_agent_of_their_own_carry_a_session() {
    let home = Home::new();
    let told = with_an_instance(&home, "");
    assert!(told.contains("axt agent -i i-web1"), "{told}");
    let mut relay = home.relay(&[], &[]);
    assert!(relay.says("Ctrl-C").contains("axt agent -i i-web1"));

    let mut agent = agent(&home, &relay);
    agent.says("online");
    let session = home.run(&["session", "--command", "echo out; exit 3"]);

    assert_eq!(stdout(&session).trim(), "out", "{}", stderr(&session));
    assert_eq!(session.status.code(), Some(3));
    agent.signal(Signal::INT);
    assert_eq!(agent.ended().code(), Some(130));
    relay.signal(Signal::TERM);
    assert_eq!(relay.ended().code(), Some(0));
}

#[test]
fn an_agent_on_the_relays_machine_needs_no_address() {
    let home = Home::new();
    with_an_instance(
        &home,
        "[agent]\ninstance = \"i-web1\"\nkey = \"agent.pem\"\n",
    );
    let _relay = home.relay(&[], &[]);

    let mut agent = Running::start(home.axt(&["agent"]));

    agent.says("the agent of i-web1 is online");
}

#[test]
fn an_agent_outlives_its_relay_and_is_back_when_that_is() {
    let home = Home::new();
    with_an_instance(&home, "");
    let mut relay = home.relay(&[], &[]);
    let mut agent = agent(&home, &relay);
    agent.says("online");
    let address = relay.ready("axt").replace("wss://localhost", "127.0.0.1");

    relay.signal(Signal::KILL);
    relay.ended();
    agent.says("no relay; trying on");
    let _again = home.relay(&["--axt-listen", &address], &[]);

    agent.says("online");
}

#[test]
fn an_agent_with_another_key_is_refused_with_the_reason() {
    let home = Home::new();
    with_an_instance(&home, "");
    let relay = home.relay(&[], &[]);
    fs::remove_file(home.path("agent.pem")).expect("there");
    let path = home.path("agent.pem");
    home.run(&["agent", "--new-key", path.to_str().expect("UTF-8")]);

    let mut agent = agent(&home, &relay);

    let told = agent.says("trying on");
    assert!(told.contains("The signature does not match"), "{told}");
}

#[test]
fn a_flag_stands_over_the_environment_that_over_the_file_and_the_file_over_the_default() {
    let home = Home::new();
    let file = "[limits]\nsessions_per_region = 1\n\
                [[regions]]\nid = \"cn-hangzhou\"\nstart_without_agent = true\n\
                [[instances]]\nid = \"i-web1\"\n";
    fs::write(home.path("axt.toml"), file).expect("written");
    let variable = ("AXT_LIMIT", "sessions_per_region=2");
    let flag = ["--limit", "sessions_per_region=3"];

    for (flags, environment, allowed) in [
        (&[][..], &[][..], 1),
        (&[], &[variable], 2),
        (&flag[..], &[variable], 3),
    ] {
        let more = [flags, &["--ephemeral"]].concat();
        let _relay = home.relay(&more, environment);
        let start = || home.run(&["api", "StartTerminalSession", "--InstanceId.1", "i-web1"]);

        for number in 0..allowed {
            let started = start();
            assert!(started.status.success(), "{number}: {}", stderr(&started));
        }
        let refused = start();

        assert_eq!(refused.status.code(), Some(4));
        assert!(stderr(&refused).contains("SessionCount.ExceedLimit"));
    }
}

#[test]
fn declared_access_keys_sign_as_far_as_they_may() {
    let home = Home::new();
    let file = "[[access_keys]]\nid = \"LTAI-reader\"\nsecret = \"s1\"\nram_user = \"reader\"\n\
                policy = '''{\"Statement\": [{\"Effect\": \"Allow\", \"Action\": \"ecs:Describe*\",\n\
                \"Resource\": \"*\"}]}'''\n\
                [[access_keys]]\nid = \"LTAI-old\"\nsecret = \"s2\"\nenabled = false\n\
                [[regions]]\nid = \"cn-example\"\nname = \"Example\"\nletters = \"ex\"\n";
    fs::write(home.path("axt.toml"), file).expect("written");
    let _relay = home.relay(&["--ephemeral"], &[]);
    let call = |id: &str, secret: &str, action: &[&str]| {
        let key = ["--access-key-id", id, "--access-key-secret", secret];
        home.run(&[&["api"], action, &key].concat())
    };
    let start = ["StartTerminalSession", "--InstanceId.1", "i-1"];

    let read = call("LTAI-reader", "s1", &["DescribeRegions"]);
    let started = call("LTAI-reader", "s1", &start);
    let old = call("LTAI-old", "s2", &["DescribeRegions"]);

    assert!(stdout(&read).contains("Example"), "{}", stderr(&read));
    assert!(
        stderr(&started).contains("Forbidden.RAM"),
        "{}",
        stderr(&started)
    );
    let inactive = "InvalidAccessKeyId.Inactive";
    assert!(stderr(&old).contains(inactive), "{}", stderr(&old));
}

#[test]
fn calls_without_a_signature_are_let_in_on_loopback_alone() {
    let home = Home::new();
    let relay = home.relay(&["--ephemeral", "--no-auth"], &[]);
    let call = "/?Action=DescribeRegions&Version=2014-05-26&Format=JSON";

    let answer = get(relay.ready("api_http"), call);
    let refused = home.run(&[
        "relay",
        "--ephemeral",
        "--no-auth",
        "--api-listen",
        "0.0.0.0:0",
        "--axt-listen",
        "127.0.0.1:0",
        "--admin-listen",
        "127.0.0.1:0",
    ]);

    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        stderr(&refused).contains("--no-auth"),
        "{}",
        stderr(&refused)
    );
}

#[test]
fn a_metadata_service_is_there_only_where_it_was_asked_for_and_tells_whose_it_is() {
    let home = Home::new();
    let file = "[relay]\nmetadata_instance = \"i-two\"\n\
                [[instances]]\nid = \"i-one\"\n[[instances]]\nid = \"i-two\"\n";
    fs::write(home.path("axt.toml"), file).expect("written");
    let ask = |relay: &Running| {
        let path = "/latest/meta-data/instance-id";
        get(relay.ready("metadata"), path)
    };

    let without = home.relay(&["--ephemeral"], &[]);
    let listen = ["--ephemeral", "--metadata-listen", "127.0.0.1:0"];
    let by_the_file = ask(&home.relay(&listen, &[]));
    let flag = [&listen[..], &["--metadata-instance", "i-one"]].concat();
    let by_the_flag = ask(&home.relay(&flag, &[]));

    assert!(without.ready.get("metadata").is_none());
    assert!(by_the_file.ends_with("\r\n\r\ni-two"), "{by_the_file}");
    assert!(by_the_flag.ends_with("\r\n\r\ni-one"), "{by_the_flag}");
}

#[test]
fn the_admin_listener_wants_its_token_and_clients_find_it_in_the_same_file() {
    let home = Home::new();
    fs::write(
        home.path("axt.toml"),
        "[relay]\nadmin_token = \"hunter2\"\n",
    )
    .expect("written");
    let relay = home.relay(&["--ephemeral"], &[]);

    let without = get(relay.ready("admin"), "/v1/state");
    let shown = home.run(&["clock"]);

    assert!(without.starts_with("HTTP/1.1 401"), "{without}");
    assert!(shown.status.success(), "{}", stderr(&shown));
}

#[test]
fn a_session_of_the_base_protocol_can_be_had_by_file_flag_and_variable() {
    let home = Home::new();
    fs::write(home.path("axt.toml"), "[client]\nno_extensions = true\n").expect("written");
    let _up = home.up(&["--ephemeral"]);
    let line = ["session", "--command", "exit 3"];

    let by_file = home.run(&line);
    let by_variable = home.axt(&line).env("AXT_NO_EXTENSIONS", "false").output();
    let by_flag = home.run(&[&line[..], &["--no-extensions=false"]].concat());

    // Without extensions nobody can say how the command ended.
    assert_eq!(by_file.status.code(), Some(0), "{}", stderr(&by_file));
    assert_eq!(by_variable.expect("axt runs").status.code(), Some(3));
    assert_eq!(by_flag.status.code(), Some(3));
}

/// Runs a command on the instance by `axt api`; the id of the call.
fn run_command(home: &Home, script: &str) -> String {
    let called = home.run(&[
        "api",
        "RunCommand",
        "--Type",
        "RunShellScript",
        "--CommandContent",
        script,
        "--InstanceId.1",
        "i-web1",
    ]);
    assert!(called.status.success(), "{}", stderr(&called));
    let answer: serde_json::Value = serde_json::from_str(&stdout(&called)).expect("JSON");
    answer["InvokeId"].as_str().expect("an id").to_owned()
}

/// The result of a call, once it stands so.
fn result(home: &Home, id: &str, is_it: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
    process::wait_for("the result", || {
        let called = home.run(&[
            "api",
            "DescribeInvocationResults",
            "--InvokeId",
            id,
            "--ContentEncoding",
            "PlainText",
        ]);
        let answer: serde_json::Value = serde_json::from_str(&stdout(&called)).ok()?;
        let result = &answer["Invocation"]["InvocationResults"]["InvocationResult"][0];
        is_it(result).then(|| result.clone())
    })
}

#[test]
fn a_command_goes_on_while_its_relay_is_killed_and_started_again() {
    let home = Home::new();
    with_an_instance(&home, "");
    let mut relay = home.relay(&[], &[]);
    let mut agent = agent(&home, &relay);
    agent.says("online");
    let address = relay.ready("axt").replace("wss://localhost", "127.0.0.1");
    let gate = home.path("gate");
    let id = run_command(
        &home,
        &format!(
            "echo before; while [ ! -e {} ]; do sleep 0.05; done; echo after >&2; exit 4",
            gate.display()
        ),
    );
    let running = result(&home, &id, |result| result["Output"] == "before\n");

    relay.signal(Signal::KILL);
    relay.ended();
    let _again = home.relay(&["--axt-listen", &address], &[]);
    agent.says("online");
    fs::write(&gate, "").expect("written");
    let over = result(&home, &id, |result| result["InvocationStatus"] != "Running");

    assert_eq!(running["InvocationStatus"], "Running");
    assert_eq!(over["InvocationStatus"], "Failed", "{over}");
    assert_eq!(over["ExitCode"], 4);
    assert_eq!(over["Output"], "before\nafter\n");
    assert_eq!(over["StartTime"], running["StartTime"]);
}

/// An activation, by the API: its id and its code.
fn activation(home: &Home, parameters: &[&str]) -> (String, String) {
    let made = home.run(&[&["api", "CreateActivation"], parameters].concat());
    let told: serde_json::Value = serde_json::from_slice(&made.stdout).expect("JSON");
    let text = |name: &str| told[name].as_str().expect("a text").to_owned();
    (text("ActivationId"), text("ActivationCode"))
}

/// An agent that registers, with the code in its environment.
fn registering(home: &Home, more: &[&str]) -> Running {
    let (id, code) = activation(home, &["--InstanceName", "web"]);
    let mut agent = home.axt(&[&["agent", "--register", "--activation-id", &id], more].concat());
    agent
        .env("AXT_ACTIVATION_CODE", &code)
        .env("AXT_LOG", "trace");
    let mut agent = Running::start(agent);
    let told = agent.says("is online");
    assert!(!told.contains(&code), "the code is in the log");
    agent
}

#[test]
fn an_agent_registers_once_and_starts_again_as_what_it_has_become() {
    let home = Home::new();
    let _relay = home.relay(&[], &[]);

    let mut agent = registering(&home, &[]);
    agent.signal(Signal::INT);
    agent.ended();
    let folder = home.path("state/agents/default");
    let kept = fs::read_to_string(folder.join("identity.json")).expect("kept");
    let kept: serde_json::Value = serde_json::from_str(&kept).expect("JSON");
    let instance = kept["instance"].as_str().expect("an id").to_owned();
    let mut again = Running::start(home.axt(&["agent", "--register"]));
    let told = again.says("is online");
    again.signal(Signal::INT);
    again.ended();
    let mut plain = Running::start(home.axt(&["agent"]));
    plain.says(&format!("the agent of {instance} is online"));
    let session = home.run(&["session", "-i", &instance, "--command", "exit 3"]);

    assert!(instance.starts_with("mi-"), "{instance}");
    assert!(
        told.contains(&format!("registered already, as {instance}")),
        "{told}"
    );
    assert_eq!(session.status.code(), Some(3), "{}", stderr(&session));
}

#[test]
fn one_process_registers_as_many_instances_and_runs_the_agents_of_all() {
    let home = Home::new();
    let _relay = home.relay(&[], &[]);
    let named = ["--instance-name", "web", "--instances"];
    let names = |home: &Home| {
        let listed = home.run(&["instances", "list", "--json"]);
        let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).expect("JSON");
        let listed = listed.as_array().expect("a list").iter();
        let online = listed.filter(|one| one["agent_online"] == true);
        let mut names: Vec<_> = online.map(|one| one["name"].to_string()).collect();
        names.sort();
        names
    };

    let mut agent = registering(&home, &[&named[..], &["2"]].concat());
    let online = |count| {
        process::wait_for("all of them online", || {
            Some(names(&home)).filter(|names| names.len() == count)
        })
    };
    let two = online(2);
    agent.signal(Signal::INT);
    agent.ended();
    let mut agent = registering(&home, &[&named[..], &["3"]].concat());
    let three = online(3);
    agent.signal(Signal::INT);
    agent.ended();
    let mut agent = Running::start(home.axt(&["agent"]));
    agent.says("and 2 more is online");
    let each = ["web", "web-2", "web-3"].map(|name| {
        let id = stdout(&home.run(&["instances", "list", "-q", name]));
        let echoed = home.run(&["session", "-i", id.trim(), "--command", "echo it is me"]);
        stdout(&echoed).trim().to_owned()
    });
    agent.signal(Signal::INT);
    agent.ended();
    let mut one = Running::start(home.axt(&["agent", "--instances", "1"]));
    let alone = one.says("; Ctrl-C ends it");
    one.signal(Signal::INT);
    one.ended();
    let more = home.run(&["agent", "--instances", "4"]);
    let left = home.run(&["agent", "--deregister"]);
    let none = names(&home);

    assert_eq!(two, ["\"web\"", "\"web-2\""]);
    assert_eq!(three, ["\"web\"", "\"web-2\"", "\"web-3\""]);
    assert_eq!(each, ["it is me"; 3]);
    assert!(!alone.contains(" more is online"), "{alone}");
    assert_eq!(more.status.code(), Some(2));
    let told = stderr(&more);
    assert!(told.contains("registered as 3"), "{told}");
    assert!(left.status.success(), "{}", stderr(&left));
    assert_eq!(none, [""; 0]);
    assert!(!home.path("state/agents/default").exists());
}

#[test]
fn an_agent_that_is_killed_while_it_registers_as_many_knows_what_it_has_become() {
    let home = Home::new();
    let _relay = home.relay(&[], &[]);
    let many = ["--InstanceName", "web", "--InstanceCount", "1000"];
    let (id, code) = activation(&home, &many);
    let instances = ["--instances", "1000", "--activation-id", &id];
    let mut agent = home.axt(&[&["agent", "--register"], &instances[..]].concat());
    agent.env("AXT_ACTIVATION_CODE", &code);
    let kept = || {
        let text = fs::read_to_string(home.path("state/agents/default/identity.json")).ok()?;
        let kept: serde_json::Value = serde_json::from_str(&text).expect("whole");
        Some(1 + kept["others"].as_array().map_or(0, Vec::len))
    };
    let registered = || {
        let told = home.run(&["api", "DescribeManagedInstances"]);
        let told: serde_json::Value = serde_json::from_slice(&told.stdout).expect("JSON");
        told["TotalCount"].as_u64().expect("a number") as usize
    };

    let mut agent = Running::start(agent);
    process::wait_for("some instances", || kept().filter(|kept| *kept > 2));
    agent.signal(Signal::KILL);
    agent.ended();
    let (kept, registered) = (kept().expect("kept"), registered());
    let left = home.run(&["agent", "--deregister"]);

    // Of one, the answer may have been under way.
    assert!(
        kept == registered || kept + 1 == registered,
        "{kept} of {registered}"
    );
    let told = stderr(&left);
    assert!(told.contains(&format!("and {} more", kept - 1)), "{told}");
    assert!(!home.path("state/agents/default").exists());
}

#[test]
fn an_activation_for_fewer_than_an_agent_wants_to_be_says_how_many_it_is() {
    let home = Home::new();
    let _relay = home.relay(&[], &[]);
    let (id, code) = activation(&home, &["--InstanceName", "web", "--InstanceCount", "2"]);

    let agent = home
        .axt(&["agent", "--register", "--activation-id", &id])
        .args(["--instances", "3"])
        .env("AXT_ACTIVATION_CODE", code)
        .output();

    let agent = agent.expect("it runs");
    let told = stderr(&agent);
    assert_eq!(agent.status.code(), Some(1), "{told}");
    assert!(
        told.contains("hint: 2 of 3 instances are registered"),
        "{told}"
    );
}

#[test]
fn an_instance_that_the_api_deregisters_leaves_the_others_of_its_process_alone() {
    let home = Home::new();
    let _relay = home.relay(&[], &[]);
    let mut agent = registering(&home, &["--instance-name", "web", "--instances", "2"]);
    agent.signal(Signal::INT);
    agent.ended();
    let mut agent = Running::start(home.axt(&["agent"]));
    agent.says("and 1 more is online");
    let id = |name| stdout(&home.run(&["instances", "list", "-q", name]));
    let (first, second) = (id("web"), id("web-2"));

    let gone = home.run(&[
        "api",
        "DeregisterManagedInstance",
        "--InstanceId",
        first.trim(),
    ]);
    agent.says(&format!("{} was deregistered", first.trim()));
    let other = home.run(&["session", "-i", second.trim(), "--command", "echo it is me"]);
    let kept = fs::read_to_string(home.path("state/agents/default/identity.json")).expect("kept");
    agent.signal(Signal::INT);

    assert!(gone.status.success(), "{}", stderr(&gone));
    assert_eq!(stdout(&other).trim(), "it is me", "{}", stderr(&other));
    assert!(!kept.contains(first.trim()), "{kept}");
    agent.ended();
}

#[test]
fn a_key_that_is_named_is_one_instances() {
    let home = Home::new();
    with_an_instance(&home, "");

    let agent = home.run(&[
        "agent",
        "-i",
        "i-web1",
        "--key",
        "agent.pem",
        "--instances",
        "2",
    ]);

    assert_eq!(agent.status.code(), Some(2));
    let told = stderr(&agent);
    assert!(
        told.contains("i-web1") && told.contains("--register"),
        "{told}"
    );
}

#[test]
fn an_agent_that_deregisters_is_forgotten_at_both_ends() {
    let home = Home::new();
    let _relay = home.relay(&[], &[]);
    let mut agent = registering(&home, &[]);
    agent.signal(Signal::INT);
    agent.ended();

    let left = home.run(&["agent", "--deregister"]);
    let known = home.run(&["api", "DescribeManagedInstances"]);
    let again = home.run(&["agent"]);

    assert!(left.status.success(), "{}", stderr(&left));
    assert!(
        stdout(&known).contains("\"TotalCount\": 0"),
        "{}",
        stdout(&known)
    );
    assert_eq!(again.status.code(), Some(2));
    assert!(
        stderr(&again).contains("has not registered"),
        "{}",
        stderr(&again)
    );
    assert!(!home.path("state/agents/default").exists());
}

#[test]
fn an_agent_whose_instance_the_api_deregisters_ends_and_forgets_its_key() {
    let home = Home::new();
    let _relay = home.relay(&[], &[]);
    let mut agent = registering(&home, &["--agent-name", "web-1"]);
    let folder = home.path("state/agents/web-1");
    let kept = fs::read_to_string(folder.join("identity.json")).expect("kept");
    let kept: serde_json::Value = serde_json::from_str(&kept).expect("JSON");
    let instance = kept["instance"].as_str().expect("an id");

    let gone = home.run(&["api", "DeregisterManagedInstance", "--InstanceId", instance]);

    assert!(gone.status.success(), "{}", stderr(&gone));
    agent.says("was deregistered by the relay");
    assert_eq!(agent.ended().code(), Some(0));
    assert!(!folder.exists());
}

#[test]
fn an_agent_poses_as_another_machine() {
    let home = Home::new();
    let _relay = home.relay(&[], &[]);
    let posing = [
        ["--os-type", "windows"],
        ["--os-version", "Windows_10"],
        ["--host-name", "pc-7"],
        ["--ip", "10.9.8.7"],
        ["--agent-version", "2.1.3.300"],
        ["--tag", "env=dev"],
    ];

    let _agent = registering(&home, posing.concat().as_slice());
    let known = home.run(&["api", "DescribeManagedInstances"]);

    let told: serde_json::Value = serde_json::from_slice(&known.stdout).expect("JSON");
    let machine = &told["Instances"][0];
    for (name, value) in [
        ("OsType", "windows"),
        ("OsVersion", "Windows_10"),
        ("Hostname", "pc-7"),
        ("IntranetIp", "10.9.8.7"),
        ("AgentVersion", "2.1.3.300"),
    ] {
        assert_eq!(machine[name], value, "{machine}");
    }
}

#[test]
fn a_wrong_activation_is_refused_in_words_and_leaves_nothing_registered() {
    let home = Home::new();
    let _relay = home.relay(&[], &[]);
    let (id, _) = activation(&home, &[]);

    let mut agent = home.axt(&["agent", "--register", "--activation-id", &id]);
    agent
        .args(["--activation-code", "-"])
        .stdin(std::process::Stdio::piped());
    let mut agent = Running::start(agent);
    let mut stdin = agent.child.stdin.take().expect("piped");
    stdin.write_all(b"hunter2\n").expect("written");
    drop(stdin);
    let told = agent.says("the relay refuses");

    assert!(!told.contains("hunter2"), "{told}");
    assert_eq!(agent.ended().code(), Some(1));
    assert!(!home.path("state/agents/default/identity.json").exists());
}

#[test]
fn the_metadata_service_can_have_the_apis_own_address() {
    let home = Home::new();
    fs::write(home.path("axt.toml"), "[[instances]]\nid = \"i-one\"\n").expect("written");
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = free.local_addr().expect("bound").to_string();
    drop(free);
    let listen = ["--api-listen", &address, "--metadata-listen", &address];

    let relay = home.relay(&[&listen[..], &["--ephemeral"]].concat(), &[]);
    let metadata = get(relay.ready("metadata"), "/latest/meta-data/instance-id");
    let none = get(relay.ready("metadata"), "/latest/meta-data/no-such-thing");
    let api = home.run(&["api", "DescribeRegions"]);

    assert_eq!(relay.ready("metadata"), relay.ready("api_http"));
    assert!(metadata.ends_with("\r\n\r\ni-one"), "{metadata}");
    assert!(none.starts_with("HTTP/1.1 404"), "{none}");
    assert!(api.status.success(), "{}", stderr(&api));
}

/// However long the journal takes: an official agent whose relay is not there again after 6 s is deaf for half
/// an hour (wire-protocol 10.3). A key that does not come out of its file stands for a journal that is long to
/// replay, for both are read together and nothing is answered before.
#[test]
fn a_relay_that_starts_listens_before_it_has_read_what_it_keeps() {
    let home = Home::new();
    let mut first = home.relay(&[], &[]);
    let address = |url: &str| url.split("://").nth(1).expect("a host").to_owned();
    let api = address(first.ready("api_http"));
    let axt = address(first.ready("axt")).replace("localhost", "127.0.0.1");
    let admin = address(first.ready("admin"));
    first.signal(Signal::KILL);
    first.ended();
    let key = home.path("state/access-key.json");
    let kept = fs::read_to_string(&key).expect("kept");
    fs::remove_file(&key).expect("there");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &key,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .expect("a pipe with a name");
    let listen = [
        "--api-listen",
        &api,
        "--axt-listen",
        &axt,
        "--admin-listen",
        &admin,
    ];
    let again = Running::start(home.axt(&[&["relay"], &listen[..]].concat()));

    let mut called = process::wait_for("a relay that listens", || TcpStream::connect(&axt).ok());
    let detect =
        "GET /luban/api/connection_detect HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    called.write_all(detect.as_bytes()).expect("taken");
    let ready = fs::read_to_string(home.path("state/ready.json")).unwrap_or_default();
    // Waits until the relay reads, and has it read on.
    fs::write(&key, kept).expect("read");
    let mut answer = String::new();
    called.read_to_string(&mut answer).expect("answered");

    // That of the one that was killed, or none.
    assert!(!ready.contains(&again.child.id().to_string()), "{ready}");
    assert!(answer.ends_with("\r\n\r\nok"), "{answer}");
}

#[test]
fn a_file_is_there_while_an_agent_is_online() {
    let home = Home::new();
    with_an_instance(&home, "");
    fs::write(home.path("agent.json"), "of an agent that was killed").expect("written");
    let mut relay = home.relay(&[], &[]);
    let server = relay.ready("axt").replacen("ws", "http", 1);
    let mut agent = home.axt(&["agent", "-i", "i-web1", "--key", "agent.pem"]);
    agent.args(["--server", &server, "--ca", relay.ready("ca_cert")]);
    agent.args(["--ready-file", "agent.json"]);
    let mut agent = Running::start(agent);

    agent.says("online");
    let text = fs::read_to_string(home.path("agent.json")).expect("there");
    relay.signal(Signal::KILL);
    relay.ended();
    let gone = process::wait_for("the file's end", || {
        (!home.path("agent.json").exists()).then_some(true)
    });

    let told: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(told["instance"], "i-web1");
    assert_eq!(told["server"], server.as_str());
    assert!(gone);
}

#[test]
fn instances_are_declared_changed_and_removed_by_name() {
    let home = Home::new();
    let region = "[[regions]]\nid = \"cn-hangzhou\"\nstart_without_agent = true\n";
    fs::write(home.path("axt.toml"), region).expect("written");
    let _relay = home.relay(&["--ephemeral"], &[]);
    let instances = |arguments: &[&str]| {
        let ran = home.run(&[&["instances"], arguments].concat());
        (
            ran.status.code(),
            stdout(&ran).trim().to_owned(),
            stderr(&ran),
        )
    };
    let start = || home.run(&["api", "StartTerminalSession", "--InstanceId.1", "i-1"]);

    let (_, id, told) = instances(&["add", "i-1", "--name", "web", "--status", "Stopped"]);
    assert_eq!(id, "i-1", "{told}");
    let stopped = start();
    assert!(
        stderr(&stopped).contains("Operation.Forbidden"),
        "{}",
        stderr(&stopped)
    );
    let (_, id, told) = instances(&["list", "-q", "web"]);
    assert_eq!(id, "i-1", "{told}");

    let set = [
        "set",
        "web",
        "--status",
        "Running",
        "--denied-ports",
        "22,80",
    ];
    assert_eq!(instances(&set).0, Some(0));
    let running = start();
    assert!(running.status.success(), "{}", stderr(&running));
    let (_, json, _) = instances(&["list", "--json", "web"]);
    let told: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(told[0]["denied_ports"], serde_json::json!([22, 80]));
    assert_eq!(told[0]["status"], "Running");
    instances(&["set", "web", "--denied-ports", "none"]);
    let (_, table, _) = instances(&[]);
    assert!(
        !table.contains("22,80") && table.contains("offline"),
        "{table}"
    );

    let (code, _, told) = instances(&["set", "web"]);
    assert_eq!(code, Some(2), "{told}");
    assert_eq!(instances(&["remove", "web"]).0, Some(0));
    let (code, _, told) = instances(&["remove", "web"]);
    assert_eq!(code, Some(1));
    assert!(told.contains("`axt instances` lists them"), "{told}");
}
