use proptest::prelude::*;

use super::*;

fn read(spec: &str) -> ForwardSpec {
    spec.parse().expect("well-formed")
}

fn problem(spec: &str) -> String {
    let error = spec.parse::<ForwardSpec>().expect_err("malformed");
    error.to_string()
}

#[test]
fn each_part_is_found_in_its_place() {
    let table = [
        // spec, bind, local, target, remote
        ("8080:80", None, 8080, None, 80),
        ("0:80", None, 0, None, 80),
        (":80", None, 0, None, 80),
        ("8080:80/tcp", None, 8080, None, 80),
        ("5432:db:5433", None, 5432, Some("db"), 5433),
        (":db:5432", None, 0, Some("db"), 5432),
        ("5432:10.0.0.7:5433", None, 5432, Some("10.0.0.7"), 5433),
        ("5432:[fd00::1]:5433", None, 5432, Some("fd00::1"), 5433),
        ("localhost:8080:80", None, 8080, None, 80),
        ("localhost::80", None, 0, None, 80),
        ("0.0.0.0:8080:80", Some("0.0.0.0"), 8080, None, 80),
        ("[::1]:8080:80", Some("::1"), 8080, None, 80),
        (
            "[::]:1:db.internal:2",
            Some("::"),
            1,
            Some("db.internal"),
            2,
        ),
        (
            "127.0.0.1:1:[::1]:65535",
            Some("127.0.0.1"),
            1,
            Some("::1"),
            65535,
        ),
    ];

    for (spec, bind, local, target, remote) in table {
        let read = read(spec);

        let expected = bind.map_or(BindTo::Localhost, |address| {
            BindTo::Address(address.parse().expect("an address"))
        });
        assert_eq!(read.bind, expected, "{spec}");
        assert_eq!(read.local, local, "{spec}");
        assert_eq!(
            read.remote.host.as_ref().map(TargetHost::as_str),
            target,
            "{spec}"
        );
        assert_eq!(read.remote.port, remote, "{spec}");
    }
}

#[test]
fn what_is_wrong_is_said_with_what_would_be_right() {
    let table = [
        ("", "expected [ADDR:]LOCAL:[TARGET:]REMOTE"),
        (
            "80",
            "write `80:80` for the same port on both sides, `:80` for any free local one",
        ),
        ("web", "expected [ADDR:]LOCAL:[TARGET:]REMOTE"),
        ("8080:", "the remote port is missing"),
        ("8080:0", "the remote port has to be 1 to 65535"),
        ("8080:65536", "the remote port 65536 is above 65535"),
        ("70000:db:80", "the local port 70000 is above 65535"),
        ("8080:http", "`http` is no remote port: expected a number"),
        ("8080:+80", "`+80` is no remote port: expected a number"),
        ("-1:80", "`-1` is no local port: expected a number"),
        ("8080::80", "the target is missing between two colons"),
        ("53:53/udp", "UDP cannot be forwarded, only TCP"),
        (
            "web:8080:80",
            "`web` is no address to listen on: expected localhost or an IP address (0.0.0.0 or [::] for all)",
        ),
        (
            "*:8080:80",
            "`*` is no address to listen on: expected localhost or an IP address (0.0.0.0 or [::] for all)",
        ),
        (
            "8080:[db]:80",
            "`db` is no IPv6 address, and only those stand in brackets",
        ),
        ("[::1:8080:80", "a bracket is not closed"),
        ("[::1]8080:80", "after a closing bracket comes a colon"),
        (
            "8080:[::1]",
            "an address, ::1, stands where the remote port belongs",
        ),
        (
            "8080:a b:80",
            "`a b` is no host: expected an IP address or a name",
        ),
        (
            "fd00::1:8080:80",
            "expected [ADDR:]LOCAL:[TARGET:]REMOTE, and an IPv6 address stands in brackets",
        ),
    ];

    for (spec, problem_told) in table {
        assert_eq!(
            problem(spec),
            format!("`{spec}` is no forward: {problem_told}")
        );
    }
}

#[test]
fn a_target_may_have_128_characters_and_no_more() {
    let longest = "a".repeat(128);

    assert_eq!(
        read(&format!("1:{longest}:2")).remote.host,
        Some(TargetHost(longest))
    );
    assert!(problem(&format!("1:{}:2", "a".repeat(129))).ends_with("more than 128 characters"));
}

#[test]
fn only_what_other_machines_reach_is_warned_of() {
    assert_eq!(read("8080:80").bind.warning(), None);
    assert_eq!(read("127.0.0.2:8080:80").bind.warning(), None);
    assert_eq!(
        read("0.0.0.0:8080:80").bind.warning().as_deref(),
        Some("0.0.0.0 is more than this machine: whoever reaches it can use the forward")
    );
}

fn specs() -> impl Strategy<Value = ForwardSpec> {
    let bind = prop_oneof![
        Just(BindTo::Localhost),
        any::<IpAddr>().prop_map(BindTo::Address),
    ];
    let host = prop_oneof![
        any::<IpAddr>().prop_map(|address| address.to_string()),
        "[a-z][a-z0-9.-]{0,40}",
    ];
    let remote = (
        proptest::option::of(host.prop_map(TargetHost)),
        1..=u16::MAX,
    )
        .prop_map(|(host, port)| Remote { host, port });
    (bind, any::<u16>(), remote).prop_map(|(bind, local, remote)| ForwardSpec {
        bind,
        local,
        remote,
    })
}

proptest! {
    #[test]
    fn every_specification_reads_back_from_what_it_is_written_as(spec in specs()) {
        prop_assert_eq!(spec.to_string().parse(), Ok(spec));
    }

    #[test]
    fn arbitrary_text_is_read_or_refused_on_one_line(text in "[0-9a-z\\[\\]:./ \n]{0,24}|\\PC{0,40}") {
        match text.parse::<ForwardSpec>() {
            Ok(spec) => prop_assert_eq!(spec.to_string().parse(), Ok(spec)),
            Err(error) => prop_assert!(!error.to_string().contains('\n')),
        }
    }
}
