use super::*;

fn refusal(text: &str) -> String {
    parse(Path::new("axt.toml"), text)
        .expect_err("wrong")
        .to_string()
}

#[test]
fn everything_that_can_be_wrong_names_file_line_and_what_was_meant() {
    let wrong = [
        "[limits]\nidle_timout_s = 20",
        "[limits]\nidle_timeout_ms = 20000",
        "[limits]\nidle_timeout = 20",
        "[limits]\nclient_token_days = 1",
        "[limits]\nbandwidth_kbps = 200",
        "[limits]\nidle_timeout_s = \"3min\"",
        "[limits]\nidle_timeout_s = -5",
        "[limits]\nidle_timeout_s = 2.5",
        "[limits]\ncolour = 1",
        "[relay]\nidle_timeout_s = 20",
        "idle_timeout_s = 20",
        "colour = 1",
        "[relais]\n",
        "[colours]\n",
        "[relay]\napi_listen = \"7080\"",
        "[relay]\napi_listen = 7080",
        "[relay]\nregion = \"cn hangzhou\"",
        "[relay]\nephemeral = \"yes\"",
        "[relay]\nsimulated = 70000",
        "[relay]\n\nadmin_token = 12345",
        "[relay.api_listen]\nport = 1",
        "[[relay]]\n",
        "[instances]\nid = \"i-1\"",
        "instances = [1]",
        "\n[[instances]]\nname = \"x\"",
        "[[instances]]\nid = \"web 1\"",
        "[[instances]]\nid = \"i-1\"\nstatus = \"Up\"",
        "[[instances]]\nid = \"i-1\"\ndenied_ports = [\"ssh\"]",
        "[[access_keys]]\nid = \"LTAI\"\nsecret = \"s\"\npolicy = '{\"Statement\": 1}'",
        "[[access_keys]]\nid = \"LTAI\"\nsecret = \"s\"\nexpires = \"tomorrow\"",
        "[relay]\nregion = \"cn-hangzhou\"\nregion = \"cn-beijing\"",
        "[relay\n",
    ];

    let told: Vec<_> = wrong
        .iter()
        .map(|text| {
            format!(
                "{}\n    {}",
                text.trim().replace('\n', " ⏎ "),
                refusal(text)
            )
        })
        .collect();

    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_secret_is_in_no_error() {
    let told = refusal("[relay]\nadmin_token = [\"hunter2\"]");

    assert!(!told.contains("hunter2"), "{told}");
}

#[test]
fn an_instant_is_written_with_quotes_or_without() {
    let text = "[[access_keys]]\nid = \"a\"\nsecret = \"s\"\nexpires = 2030-01-01T00:00:00Z\n\
                [[access_keys]]\nid = \"b\"\nsecret = \"s\"\nexpires = \"2030-01-01T00:00:00Z\"\n";

    let settings = parse(Path::new("axt.toml"), text).expect("a file");

    let expires: Vec<_> = settings
        .access_keys
        .iter()
        .filter_map(|key| key.expires.as_ref().map(|expires| expires.value))
        .collect();
    assert_eq!(expires.len(), 2);
    assert_eq!(expires[0], expires[1]);
}

#[test]
fn the_named_file_is_read_before_any_other_and_an_empty_name_is_none() {
    let nowhere = |_: &str| None;

    let named = find(Some("/x/named.toml".into()), &nowhere);
    let empty = find(Some(PathBuf::new()), &nowhere);

    assert_eq!(named, Some("/x/named.toml".into()));
    assert_eq!(empty, None);
}

#[test]
fn a_persons_own_file_is_found_in_their_configuration_folder() {
    let home = tempfile::tempdir().expect("a folder");
    let own = home.path().join(".config/axt/axt.toml");
    fs::create_dir_all(own.parent().expect("a folder")).expect("made");
    fs::write(&own, "").expect("written");
    let path = home.path().display().to_string();
    let environment = move |name: &str| (name == "HOME").then(|| path.clone());

    assert_eq!(find(None, &environment), Some(own));
}
