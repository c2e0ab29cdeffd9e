//! `axt decode`.

use std::{
    io::{self, Read},
    process::ExitCode,
};

use axt_trace::{
    fields::{self, Fields},
    record::Hop,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;

use super::{print, trace::hop};
use crate::{
    failure::{Code, Failure},
    flags::decode::DecodeFlags,
};

/// The longest text that is read from stdin, in bytes: a message of the greatest size in hex, with
/// blanks.
const LONGEST: u64 = 8 * 1024 * 1024;

pub(super) fn run(flags: DecodeFlags) -> Result<ExitCode, Failure> {
    let text = if flags.message.is_empty() {
        let mut text = String::new();
        let stdin = io::stdin().lock();
        stdin
            .take(LONGEST)
            .read_to_string(&mut text)
            .map_err(|error| Failure::usage(format!("stdin is no hex and no base64: {error}")))?;
        text
    } else {
        flags.message.concat()
    };
    let message = bytes(&text)?;
    let hop = flags.framing.map_or_else(|| fields::guess(&message), hop);
    let fields = fields::read(hop, &message, true);
    let is_good = fields.error.is_none();
    print(&if flags.json {
        let mut value = serde_json::to_value(&fields).map_err(Failure::failed)?;
        if let Some(members) = value.as_object_mut() {
            members.insert("framing".to_owned(), hop.to_string().into());
        }
        serde_json::to_string_pretty(&value).map_err(Failure::failed)?
    } else {
        told(hop, &fields, message.len())
    })?;
    Ok(match is_good {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(Code::Failed as u8),
    })
}

/// Hex, or else base64: what could be both is hex, for a frame's first bytes are mostly zeros.
fn bytes(text: &str) -> Result<Bytes, Failure> {
    let dense: String = text
        .chars()
        .filter(|letter| !letter.is_whitespace() && *letter != ':')
        .collect();
    let dense = dense.strip_prefix("0x").unwrap_or(&dense);
    if dense.is_empty() {
        return Err(Failure::usage("there is no message").hint("pass it in hex or base64"));
    }
    hex::decode(dense)
        .or_else(|_| STANDARD.decode(dense))
        .map(Bytes::from)
        .map_err(|_| {
            let start: String = dense.chars().take(40).collect();
            Failure::usage(format!("`{start}` is neither hex nor base64"))
        })
}

fn told(hop: Hop, fields: &Fields, len: usize) -> String {
    let mut lines: Vec<(&str, String)> = Vec::new();
    let between = match hop {
        Hop::Client => "client: between client and relay",
        Hop::Agent => "agent: between relay and agent",
    };
    lines.push(("framing", between.to_owned()));
    lines.push(("message", format!("{len} bytes")));
    lines.push((
        "type",
        match fields.type_number {
            Some(number) => format!("{} ({number:#x})", fields.r#type),
            None => fields.r#type.clone(),
        },
    ));
    let mut say = |name, value: Option<String>| lines.extend(value.map(|value| (name, value)));
    if fields.r#type != "none" {
        say(
            "schema",
            Some(fields.schema.clone().unwrap_or_else(|| "1.01".to_owned())),
        );
    }
    say("session id", fields.session_field.clone());
    say("instance id", fields.instance_field.clone());
    say("channel id", fields.channel_field.clone());
    say("createdDate", fields.date_ms.map(date));
    say("sequence", fields.seq.map(|seq| seq.to_string()));
    say(
        "length",
        fields
            .length
            .map(|length| match u64::from(length) == fields.size {
                true => format!("{length}"),
                false => format!("{length} stated, {} there", fields.size),
            }),
    );
    say("rows", fields.rows.map(|rows| rows.to_string()));
    say("columns", fields.cols.map(|cols| cols.to_string()));
    say(
        "status",
        fields.code.map(|code| {
            let word = fields.status.as_deref().unwrap_or("unknown");
            format!("{code} {word}")
        }),
    );
    say("reason", fields.reason.clone());
    say("speed", fields.speed.map(|speed| format!("{speed} bit/s")));
    say("exit status", fields.exit.map(|exit| exit.to_string()));
    if fields.is_data() || fields.type_number.is_some() {
        let payload = fields::payload(fields);
        say(
            "payload",
            payload.map(|bytes| format!("{:?}", String::from_utf8_lossy(&bytes))),
        );
    }
    say("malformed", fields.error.clone());
    let lines: Vec<_> = lines
        .iter()
        .map(|(name, value)| format!("{name:<12} {value}"))
        .collect();
    lines.join("\n")
}

fn date(ms: u64) -> String {
    let at = i64::try_from(ms)
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    match at {
        Some(at) if ms > 0 => format!("{ms} ({at:.3})"),
        _ => ms.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_with_blanks_and_base64_are_the_same_message() {
        let hex = bytes("02 00:00\n00").expect("hex");
        let base64 = bytes("AgAAAA==").expect("base64");

        assert_eq!(hex, base64);
        assert!(bytes("zz").is_err());
        assert!(bytes(" ").is_err());
    }

    #[test]
    fn a_message_is_told_field_by_field() {
        let resize = "02000000312e3031000023355411a20100000000000000000000040000001e006400";
        let message = bytes(resize).expect("hex");

        let text = told(Hop::Client, &fields::read(Hop::Client, &message, true), 34);

        insta::assert_snapshot!(text, @r"
        framing      client: between client and relay
        message      34 bytes
        type         resize
        schema       1.01
        createdDate  1795587061027 (2026-11-25T06:11:01.027Z)
        sequence     0
        length       4
        rows         30
        columns      100
        ");
    }
}
