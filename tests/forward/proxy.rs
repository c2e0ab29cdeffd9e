//! Proxies between the commands and the sandbox, and whom the commands trust.

use std::{
    process::{Output, Stdio},
    sync::{Arc, Mutex},
};

use axt_net::{ca::DevCa, tasks::Tasks, tls::ServerTls, transport::Stream, wall::Wall};
use axt_sandbox::{Sandbox, SandboxConfig, State};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    process::Command,
};

use crate::harness::{
    settings, start,
    tunnel::{listen, soon},
    until,
};

/// A proxy that knows CONNECT, and sends every host to the sandbox, as a hosts file would.
struct Proxy {
    port: u16,
    /// The heads of the requests that it got.
    heads: Arc<Mutex<Vec<String>>>,
    _tasks: Tasks,
}

/// What it does with a request for this authority and with these headers.
type Rule = fn(&str, &str) -> &'static str;

const OPEN: &str = "200 Connection established";

impl Proxy {
    async fn start(sandbox: &Sandbox, rule: Rule) -> Self {
        Self::listening(sandbox, rule, None).await
    }

    /// One that is itself reached by TLS, with a certificate of the sandbox's CA.
    async fn start_with_tls(sandbox: &Sandbox, rule: Rule) -> Self {
        let folder = sandbox.state().path().join("ca");
        let ca = DevCa::open_or_create(&folder, &[], &Wall::system()).expect("the sandbox's");
        let tls = ca.server_tls().expect("a certificate");
        Self::listening(sandbox, rule, Some(tls)).await
    }

    async fn listening(sandbox: &Sandbox, rule: Rule, tls: Option<ServerTls>) -> Self {
        let listener = listen("127.0.0.1:0").await;
        let port = listener.local_addr().expect("bound").port();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let tasks = Tasks::new();
        let ready = sandbox.ready();
        let address = |url: &str| {
            let port = url.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
            port.expect("a port")
        };
        let (api, axt): (u16, u16) = (address(&ready.api_https), address(&ready.axt));
        let serving = serve(
            listener,
            Arc::clone(&heads),
            (api, axt),
            (rule, tls),
            tasks.child(),
        );
        tasks.spawn("proxy", serving);
        Self {
            port,
            heads,
            _tasks: tasks,
        }
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("nobody panics in here").clone()
    }
}

async fn serve(
    listener: TcpListener,
    heads: Arc<Mutex<Vec<String>>>,
    (api, axt): (u16, u16),
    (rule, tls): (Rule, Option<ServerTls>),
    tasks: Tasks,
) {
    while let Ok((client, _)) = listener.accept().await {
        let (heads, tls) = (Arc::clone(&heads), tls.clone());
        tasks.spawn("tunnel", async move {
            let client = Stream::tcp(client).expect("connected");
            let mut client = match tls {
                Some(tls) => match tls.accept(client).await {
                    Ok(client) => client,
                    Err(_) => return,
                },
                None => client,
            };
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                if client.read_exact(&mut byte).await.is_err() {
                    return;
                }
                head.extend_from_slice(&byte);
            }
            let head = String::from_utf8(head).expect("text");
            let authority = head.split(' ').nth(1).unwrap_or_default().to_owned();
            heads
                .lock()
                .expect("nobody panics in here")
                .push(head.clone());
            let answer = rule(&authority, &head.to_ascii_lowercase());
            let answer = format!("HTTP/1.1 {answer}\r\n\r\n");
            if client.write_all(answer.as_bytes()).await.is_err() || !answer.contains("200") {
                return;
            }
            let port = if authority.contains(".axt.") {
                axt
            } else {
                api
            };
            if let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await {
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            }
        });
    }
}

struct Place {
    home: TempDir,
    sandbox: Sandbox,
    ca: String,
}

impl Place {
    async fn open() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let sandbox = start(SandboxConfig {
            state: State::Ephemeral { home: None },
            ..settings()
        })
        .await;
        let ca = sandbox.ready().ca_cert.clone();
        Self { home, sandbox, ca }
    }

    /// A command for a sandbox that goes by the cloud's own names.
    async fn axt(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
        let ready = self.sandbox.ready();
        let running = Command::new(env!("CARGO_BIN_EXE_axt"))
            .args(arguments)
            .env_clear()
            .env("HOME", self.home.path())
            .env("AXT_ENDPOINT", "https://ecs.cn-hangzhou.aliyuncs.com")
            .env("AXT_REGION", "cn-hangzhou")
            .env("AXT_ACCESS_KEY_ID", &ready.access_key_id)
            .env("AXT_ACCESS_KEY_SECRET", ready.access_key_secret.expose())
            .env("AXT_INSTANCE", self.sandbox.instance().as_str())
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        soon("the command", running).await.expect("it runs")
    }
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn api_and_session_go_through_the_proxy_that_the_environment_names() {
    let place = Place::open().await;
    let proxy = Proxy::start(&place.sandbox, |_, _| OPEN).await;
    let url = format!("http://127.0.0.1:{}", proxy.port);

    let output = place
        .axt(
            &["session", "--command", "echo through"],
            &[("HTTPS_PROXY", &url), ("AXT_CA", &place.ca)],
        )
        .await;

    assert_eq!(output.stdout, b"through\n", "{}", told(&output));
    assert_eq!(output.status.code(), Some(0));
    let asked: Vec<String> = proxy
        .heads()
        .iter()
        .filter_map(|head| Some(head.split(' ').nth(1)?.to_owned()))
        .collect();
    assert!(
        asked.contains(&"ecs.cn-hangzhou.aliyuncs.com:443".to_owned()),
        "{asked:?}"
    );
    assert!(
        asked.contains(&"cn-hangzhou.axt.aliyuncs.com:443".to_owned()),
        "{asked:?}"
    );
    place.sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_is_reached_by_tls_where_its_url_says_so() {
    let place = Place::open().await;
    let proxy = Proxy::start_with_tls(&place.sandbox, |_, _| OPEN).await;
    let url = format!("https://localhost:{}", proxy.port);
    let session = ["session", "--command", "echo through"];

    let output = place
        .axt(&session, &[("HTTPS_PROXY", &url), ("AXT_CA", &place.ca)])
        .await;
    assert_eq!(output.stdout, b"through\n", "{}", told(&output));
    let output = place.axt(&session, &[("HTTPS_PROXY", &url)]).await;

    assert!(
        told(&output).contains("cannot be trusted"),
        "{}",
        told(&output)
    );
    place.sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socks_proxy_is_told_in_one_line_that_it_is_not_known() {
    let place = Place::open().await;

    let output = place
        .axt(&["session"], &[("HTTPS_PROXY", "socks5://127.0.0.1:1080")])
        .await;

    assert_eq!(output.status.code(), Some(255));
    assert_eq!(told(&output).lines().count(), 1, "{}", told(&output));
    assert!(
        told(&output).contains("SOCKS is not known"),
        "{}",
        told(&output)
    );
    place.sandbox.shutdown().await;
}

/// A proxy that the agent alone is told of.
#[tokio::test(flavor = "multi_thread")]
async fn an_agent_reaches_its_relay_through_the_proxy_of_its_own_variable() {
    let place = Place::open().await;
    let proxy = Proxy::start(&place.sandbox, |_, _| OPEN).await;
    let url = format!("http://127.0.0.1:{}", proxy.port);
    let key = place.home.path().join("key.pem");
    let made = place
        .axt(&["agent", "--new-key", key.to_str().expect("UTF-8")], &[])
        .await;
    assert!(made.status.success(), "{}", told(&made));

    let mut agent = Command::new(env!("CARGO_BIN_EXE_axt"))
        .args(["agent", "-i", "i-behindaproxy0000001", "--key"])
        .arg(&key)
        .args([
            "--server",
            "https://cn-hangzhou.axt.aliyuncs.com",
            "--ca",
            &place.ca,
        ])
        .env_clear()
        .env("HOME", place.home.path())
        .env("HTTPS_PROXY", "http://127.0.0.1:1")
        .env("ALIYUN_ASSIST_PROXY", &url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("axt starts");

    // The relay does not know the instance; that it was asked is enough.
    until("a call through the proxy", async || {
        let heads = proxy.heads();
        let is_it = |head: &String| head.starts_with("CONNECT cn-hangzhou.axt.aliyuncs.com:443 ");
        heads.iter().any(is_it).then_some(())
    })
    .await;
    agent.kill().await.expect("killed");
    place.sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_wants_a_password_gets_it_and_says_what_is_missing_without_one() {
    fn rule(_: &str, head: &str) -> &'static str {
        // user:pass
        if head.contains("proxy-authorization: basic dxnlcjpwyxnz") {
            OPEN
        } else {
            "407 Proxy Authentication Required\r\nproxy-authenticate: Basic realm=\"x\""
        }
    }
    let place = Place::open().await;
    let proxy = Proxy::start(&place.sandbox, rule).await;
    let port = proxy.port;
    let arguments = ["api", "DescribeRegions"];
    let with = async |who: &str| {
        let url = format!("http://{who}127.0.0.1:{port}");
        place
            .axt(&arguments, &[("https_proxy", &url), ("AXT_CA", &place.ca)])
            .await
    };

    let right = with("user:pass@").await;
    let none = with("").await;
    let wrong = with("user:hunter2@").await;

    assert_eq!(right.status.code(), Some(0), "{}", told(&right));
    assert_eq!(none.status.code(), Some(3));
    let missing = told(&none);
    assert!(
        missing.contains("wants a user and a password (407)"),
        "{missing}"
    );
    assert!(missing.contains("USER:PASSWORD@"), "{missing}");
    let refused = told(&wrong);
    assert!(
        refused.contains("does not take that user and password (407)"),
        "{refused}"
    );
    assert!(!refused.contains("hunter2"), "{refused}");
    place.sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_proxy_refuses_is_told_apart_from_what_the_relay_refuses() {
    fn only_the_api(authority: &str, _: &str) -> &'static str {
        if authority.contains(".axt.") {
            "403 Forbidden"
        } else {
            OPEN
        }
    }
    let place = Place::open().await;
    let strict = Proxy::start(&place.sandbox, only_the_api).await;
    let url = format!("http://127.0.0.1:{}", strict.port);
    let gone = listen("127.0.0.1:0").await;
    let nobody = format!(
        "http://127.0.0.1:{}",
        gone.local_addr().expect("bound").port()
    );
    drop(gone);
    let session = ["session", "--command", "true"];

    let refused = place
        .axt(&session, &[("ALL_PROXY", &url), ("AXT_CA", &place.ca)])
        .await;
    let absent = place
        .axt(&session, &[("ALL_PROXY", &nobody), ("AXT_CA", &place.ca)])
        .await;

    assert_eq!(refused.status.code(), Some(255));
    let refused = told(&refused);
    let expected = format!(
        "the proxy 127.0.0.1:{} refused it: 403 Forbidden",
        strict.port
    );
    assert!(refused.contains(&expected), "{refused}");
    assert!(refused.contains("NO_PROXY"), "{refused}");
    let absent = told(&absent);
    assert!(absent.contains("the proxy 127.0.0.1"), "{absent}");
    assert!(absent.contains("cannot be reached"), "{absent}");
    place.sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn this_machine_is_not_asked_of_a_proxy() {
    let place = Place::open().await;
    let endpoint = place.sandbox.ready().api_https.clone();

    let output = place
        .axt(
            &["session", "--command", "echo straight"],
            &[
                ("HTTPS_PROXY", "http://127.0.0.1:1"),
                ("AXT_ENDPOINT", &endpoint),
                ("AXT_CA", &place.ca),
            ],
        )
        .await;

    assert_eq!(output.stdout, b"straight\n", "{}", told(&output));
    place.sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_setting_says_whom_to_trust_for_the_api_and_for_sessions() {
    let place = Place::open().await;
    let endpoint = place.sandbox.ready().api_https.clone();
    let session = ["session", "--command", "echo trusted"];
    let folder = place.home.path().join("roots");
    std::fs::create_dir(&folder).expect("made");
    std::fs::copy(&place.ca, folder.join("ca.pem")).expect("copied");
    let folder = folder.display().to_string();

    for trust in [
        ("AXT_CA", place.ca.as_str()),
        ("SSL_CERT_FILE", place.ca.as_str()),
        ("SSL_CERT_DIR", folder.as_str()),
    ] {
        let output = place
            .axt(&session, &[("AXT_ENDPOINT", &endpoint), trust])
            .await;
        assert_eq!(output.stdout, b"trusted\n", "{trust:?}: {}", told(&output));
    }
    let output = place.axt(&session, &[("AXT_ENDPOINT", &endpoint)]).await;

    assert_eq!(output.status.code(), Some(255));
    assert!(told(&output).contains("--ca FILE"), "{}", told(&output));
    place.sandbox.shutdown().await;
}
