use serde_json::json;

use super::*;

fn read(value: Value) -> Result<Fault, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

fn words(word: &str, pairs: &[(&str, &str)]) -> Result<Fault, String> {
    Fault::from_words(word, pairs.iter().copied()).map_err(|error| error.to_string())
}

/// Each kind with all its attributes.
fn every_kind() -> Vec<Fault> {
    let one = |kind: &KindWords| {
        let value = |key: &Attribute| match key.name {
            "average_size" => "9",
            "status" => "503",
            "code" if key.is_text() => "Throttling.User",
            "action" => "DescribeRegions",
            "reason" => "404",
            _ => "7",
        };
        let pairs = kind.attributes.iter().map(|key| (key.name, value(key)));
        Fault::from_words(kind.word, pairs).expect(kind.word)
    };
    KINDS.iter().map(one).collect()
}

#[test]
fn each_kind_of_the_table_reads_by_its_words_and_reads_back() {
    for (fault, words) in every_kind().into_iter().zip(&KINDS) {
        assert_eq!(fault.kind.word(), words.word);
        let text = serde_json::to_string(&fault).expect("serialises");
        assert_eq!(serde_json::from_str::<Fault>(&text).expect(&text), fault);
    }
}

#[test]
fn a_state_is_the_fault_and_two_numbers_in_one_table() {
    let mut fault = words("latency", &[("latency", "500"), ("link", "agent")]).expect("reads");
    fault.name = Some("slow".to_owned());
    let state = FaultState {
        acted: 3,
        left: Some(1),
        fault,
    };

    let value = serde_json::to_value(&state).expect("serialises");

    assert_eq!(
        value,
        json!({"acted": 3, "left": 1, "name": "slow", "type": "latency", "latency": 500, "jitter": 0,
            "link": "agent", "stream": "downstream"})
    );
    assert_eq!(
        serde_json::from_value::<FaultState>(value).expect("reads"),
        state
    );
}

#[test]
fn what_is_wrong_is_told_with_the_nearest_word() {
    let told = |result: Result<Fault, String>| result.expect_err("wrong");
    let tests = [
        (
            words("latancy", &[]),
            "there is no fault `latancy`; did you mean `latency`?",
        ),
        (
            words("latency", &[("jiter", "1")]),
            "latency has no `jiter`; did you mean `jitter`?",
        ),
        (
            words("latency", &[]),
            "latency has no `latency`: expected ms",
        ),
        (
            words("latency", &[("latency", "5s")]),
            "latency: `latency` cannot be 5s: expected ms",
        ),
        (
            words("latency", &[("latency", "-5")]),
            "latency: `latency` cannot be -5: expected ms",
        ),
        (
            words("latency", &[("latency", "5"), ("link", "clint")]),
            "there is no link `clint`; did you mean `client`?",
        ),
        (
            words("latency", &[("latency", "5"), ("toxicity", "2")]),
            "latency: toxicity 2 is not from 0 to 1",
        ),
        (
            words("drop_kick", &[("times", "0")]),
            "drop_kick: times 0 is never: expected a whole number from 1 on",
        ),
        (
            words("zero_date", &[("link", "notify")]),
            "zero_date: the notify channel has no frames: expected client or agent",
        ),
        (
            words("refuse_data_channel", &[("status", "99")]),
            "refuse_data_channel: status 99 is no answer's: expected 200 to 599",
        ),
        (
            words("send_status", &[("code", "256")]),
            "send_status cannot have code=256",
        ),
        (read(json!({})), "a fault has a `type`: latency, bandwidth"),
        (
            read(json!({"type": "drop_kick", "delay": 3})),
            "drop_kick has no `delay`; there are name, toxicity",
        ),
        (
            read(json!({"type": "api_error", "instance": "i-1"})),
            "api_error has no `instance`; there are code",
        ),
    ];
    for (result, start) in tests {
        let told = told(result);
        assert!(told.starts_with(start), "{told}");
    }
}

/// docs/faults.md is for people; that it is whole is for this test to say.
#[test]
fn every_kind_with_its_attributes_is_in_the_documentation() {
    let text = include_str!("../../../../../docs/faults.md");
    for kind in &KINDS {
        let mark = if kind.is_harmful { "| ! " } else { "| " };
        let start = format!("{mark}`{}` |", kind.word);
        let row = text.lines().find(|line| line.starts_with(&start));
        let row = row.unwrap_or_else(|| panic!("no row starts with {start}"));
        for key in kind.attributes {
            assert!(
                row.contains(&format!("`{}`", key.name)),
                "{}: {}",
                kind.word,
                key.name
            );
        }
    }
    for key in COMMON {
        assert!(text.contains(&format!("`{}`", key.name)), "{}", key.name);
    }
}
