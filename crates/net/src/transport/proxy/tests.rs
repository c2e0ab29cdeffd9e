use super::*;

fn proxies(environment: &[(&str, &str)]) -> Result<Option<Proxies>, BadProxy> {
    let read = |name: &str| {
        let found = environment.iter().find(|(variable, _)| *variable == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    Proxies::from_environment(&read, &ClientTls::system())
}

fn chosen(environment: &[(&str, &str)], is_tls: bool, host: &str, port: u16) -> Option<String> {
    let proxies = proxies(environment).expect("proxies").expect("some");
    proxies
        .proxy_for(is_tls, host, port)
        .map(ToString::to_string)
}

#[test]
fn each_scheme_has_its_proxy_and_all_proxy_is_for_the_rest() {
    let both = [("HTTPS_PROXY", "http://s:1"), ("HTTP_PROXY", "p:2")];
    let all = [("ALL_PROXY", "http://a:3"), ("https_proxy", "http://s:1")];

    assert_eq!(chosen(&both, true, "ecs.test", 443).as_deref(), Some("s:1"));
    assert_eq!(chosen(&both, false, "ecs.test", 80).as_deref(), Some("p:2"));
    assert_eq!(chosen(&all, true, "ecs.test", 443).as_deref(), Some("s:1"));
    assert_eq!(chosen(&all, false, "ecs.test", 80).as_deref(), Some("a:3"));
    assert!(proxies(&[]).expect("none").is_none());
    assert!(proxies(&[("HTTPS_PROXY", " ")]).expect("none").is_none());
}

#[test]
fn lower_case_comes_first_and_a_cgi_program_does_not_read_http_proxy() {
    let twice = [("https_proxy", "one:1"), ("HTTPS_PROXY", "two:2")];
    let cgi = [("REQUEST_METHOD", "GET"), ("HTTP_PROXY", "evil:1")];

    assert_eq!(
        chosen(&twice, true, "ecs.test", 443).as_deref(),
        Some("one:1")
    );
    assert!(proxies(&cgi).expect("none").is_none());
}

#[test]
fn this_machine_and_what_no_proxy_names_need_none() {
    let environment = [
        ("HTTPS_PROXY", "p:1"),
        (
            "NO_PROXY",
            "aliyuncs.com, .internal,10.0.0.0/8,[fd00::]/8,192.0.2.7,one.test:8443,fd00::/8",
        ),
    ];
    let direct = |host: &str, port| chosen(&environment, true, host, port).is_none();

    for host in [
        "localhost",
        "LOCALHOST.",
        "axt.localhost",
        "127.0.0.9",
        "[::1]",
        "::ffff:127.0.0.1",
        "aliyuncs.com",
        "ecs.cn-hangzhou.ALIYUNCS.com",
        "db.internal",
        "10.200.0.1",
        "192.0.2.7",
        "[fd00::7]",
    ] {
        assert!(direct(host, 443), "{host}");
    }
    for host in [
        "notaliyuncs.com",
        "11.0.0.1",
        "192.0.2.8",
        "one.test",
        "fe80::1",
    ] {
        assert!(!direct(host, 443), "{host}");
    }
    assert!(direct("one.test", 8443));
    assert!(
        chosen(
            &[("ALL_PROXY", "p:1"), ("no_proxy", "*")],
            true,
            "x.test",
            1
        )
        .is_none()
    );
}

#[test]
fn what_is_no_proxy_says_why_and_keeps_its_password_to_itself() {
    let problems = [
        "socks5://u:hunter2@p:1",
        "ftp://u:hunter2@p:1",
        "http://u:hunter2@/",
        "http://u:hunter2@p:port",
    ]
    .map(|value| {
        let bad = proxies(&[("HTTPS_PROXY", value)]).expect_err("bad");
        bad.to_string()
    });

    insta::assert_debug_snapshot!(problems);
    assert!(!problems.concat().contains("hunter2"));
}

#[test]
fn an_agents_proxy_is_for_all_but_this_machine() {
    let tls = ClientTls::system();
    let proxies = Proxies::of_agent("ALIYUN_ASSIST_PROXY", "p.test:3128", &tls).expect("a proxy");
    let chosen = |is_tls, host| {
        proxies
            .proxy_for(is_tls, host, 443)
            .map(ToString::to_string)
    };

    assert_eq!(chosen(true, "relay.test").as_deref(), Some("p.test:3128"));
    assert_eq!(chosen(false, "relay.test").as_deref(), Some("p.test:3128"));
    assert_eq!(chosen(true, "localhost"), None);
    let bad = Proxies::of_agent("ALIYUN_ASSIST_PROXY", "socks5://u:hunter2@p:1", &tls);
    let bad = bad.expect_err("bad").to_string();
    assert!(
        bad.starts_with("ALIYUN_ASSIST_PROXY names no proxy"),
        "{bad}"
    );
    assert!(!bad.contains("hunter2"), "{bad}");
}

#[test]
fn a_user_and_a_password_are_decoded_and_never_shown() {
    let proxy = Proxy::parse("HTTPS_PROXY", "http://us%40er:p%3Ass@p.test").expect("a proxy");

    let credentials = proxy.credentials.clone().expect("some");
    // us@er:p:ss
    assert_eq!(credentials.expose(), "Basic dXNAZXI6cDpzcw==");
    assert_eq!(proxy.to_string(), "p.test:80");
    assert!(!format!("{proxy:?}").contains("dXNA"));
}
