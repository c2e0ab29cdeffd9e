use axt_proto::{
    Message, Status,
    frame::{Framing, agent::AgentFraming},
};

use super::*;
use crate::record::{Header, Ids, VERSION};

/// A run of one connection, seen by the relay: what went up, and what came down.
fn run(up: &[Message], down: &[Message], seq_step: i64) -> Trace {
    let channel = "ch-1".parse().expect("valid");
    let mut records = Vec::new();
    for (dir, messages) in [(Dir::Up, up), (Dir::Down, down)] {
        let mut framing = AgentFraming::new(axt_proto::ChannelId::clone(&channel));
        for (message, number) in messages.iter().zip(0..) {
            let bytes = framing.encode(1, message);
            let mut read = fields::read(Hop::Agent, &bytes, true);
            read.seq = Some(number * seq_step);
            records.push(Record {
                n: 0,
                rule_us: 0,
                link_us: 0,
                hop: Hop::Agent,
                dir,
                ids: Ids::default(),
                what: What::Frame(Box::new(read)),
            });
        }
    }
    Trace {
        path: "x.jsonl".into(),
        header: Header {
            axt_trace: VERSION,
            seen_by: "relay".to_owned(),
            version: String::new(),
            started: String::new(),
            payload: true,
            ids: Ids {
                channel: Some("ch-1".to_owned()),
                ..Ids::default()
            },
        },
        records,
    }
}

fn output(text: &'static str) -> Message {
    Message::Output(text.as_bytes().into())
}

fn lines(a: &Trace, b: &Trace, closeness: Closeness) -> String {
    let lines = diff(std::slice::from_ref(a), std::slice::from_ref(b), closeness);
    let lines = lines.iter().map(|line| match line {
        Line::Lane(text) => text.clone(),
        Line::Same(text) => format!("  {text}"),
        Line::First(text) => format!("- {text}"),
        Line::Second(text) => format!("+ {text}"),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn chunks_do_not_matter_and_what_was_sent_does() {
    let speed = Message::Status(Status::Speed(20_000));
    let a = run(
        std::slice::from_ref(&speed),
        &[output("one "), output("two")],
        1,
    );
    let b = run(&[speed], &[output("one two"), Message::Exit(3)], 1);

    let text = lines(&a, &b, Closeness::default());

    assert_eq!(
        text,
        "relay: connection 1, agent > relay\n  output\n+ exit exit 3\n\
         relay: connection 1, relay > agent\n  status code 7 speed, 20000 bit/s"
    );
}

#[test]
fn a_sequence_that_does_not_count_is_a_difference() {
    let a = run(&[], &[output("a"), output("b")], 1);
    let b = run(&[], &[output("a"), output("b")], 0);

    let text = lines(&a, &b, Closeness::default());

    assert!(
        text.contains("+ output [the sequence goes on by 0]"),
        "{text}"
    );
}

#[test]
fn data_is_compared_where_that_is_wanted() {
    let a = run(&[], &[output("a")], 1);
    let b = run(&[], &[output("bb")], 1);
    let close = |sizes, data| {
        let closeness = Closeness {
            sizes,
            data,
            background: false,
        };
        let lines = diff(
            std::slice::from_ref(&a),
            std::slice::from_ref(&b),
            closeness,
        );
        differs(&lines)
    };

    assert!(!close(false, false));
    assert!(close(true, false));
    assert!(close(false, true));
}

#[test]
fn ids_in_a_command_do_not_matter() {
    assert_eq!(
        notify("accept:kick_vm session start ch-0a1"),
        "notify accept:kick_vm session start …"
    );
}
