//! The session list, and how a session ended (wire-protocol 10.4).

use std::{fmt, str::FromStr};

use axt_proto::{ChannelId, Extensions, InstanceId};
use serde::{Deserialize, Deserializer, Serialize};

use super::{CHANNEL_QUERY, CODE_OK, task::Task};

/// What an agent is to open for one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionObject {
    /// The command line; empty for the user's shell.
    #[serde(default)]
    pub cmd_content: String,
    /// The user; empty for the agent's default.
    #[serde(default)]
    pub username: String,
    /// Unused on Linux.
    #[serde(default)]
    pub windows_password_name: String,
    /// The channel, which goes into the data channel's URL and into each frame.
    pub channel_id: ChannelId,
    /// Ignored by the official agent, which always dials its own host.
    #[serde(default)]
    pub websocket_url: String,
    /// Where to dial; empty for `localhost`.
    #[serde(default)]
    pub target_host: String,
    /// A decimal number **as text**; not empty makes it a port session.
    #[serde(default)]
    pub port_number: String,
    /// Bits a second; 0 for the agent's default. Never a small value: it kills official agents
    /// (wire-protocol 7).
    #[serde(default)]
    pub flow_limit: u32,
    /// What was granted; only to an agent that announced extensions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub axt: Option<Granted>,
}

impl SessionObject {
    /// Whether the agent is to dial a port rather than start a shell.
    #[must_use]
    pub fn is_port(&self) -> bool {
        !self.port_number.is_empty()
    }
}

/// The member `axt` of a session object (design, "Extensions").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    /// The granted extensions; `pipe` among them means: no PTY.
    pub ext: Extensions,
    /// The size to start the PTY with, if the client told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u16>,
    /// See `rows`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cols: Option<u16>,
    /// Seconds without payload after which the relay closes; the agent's own timer is 1 s longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_s: Option<u64>,
}

/// The answer to a request for the session list or the task list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionList {
    /// [`CODE_OK`]; 408 makes the agent ask again every 2 s.
    #[serde(default)]
    pub code: i64,
    /// Whose; a service need not say, and may say it with an empty text.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "usable"
    )]
    pub instance_id: Option<InstanceId>,
    /// Tasks to run.
    #[serde(default, deserialize_with = "or_none")]
    pub run: Vec<Task>,
    /// Tasks to stop.
    #[serde(default, deserialize_with = "or_none")]
    pub stop: Vec<Task>,
    /// Tasks to check only.
    #[serde(default, deserialize_with = "or_none")]
    pub test: Vec<Task>,
    /// Files to create; never used here.
    #[serde(default, deserialize_with = "or_none")]
    pub file: Vec<serde_json::Value>,
    /// Sessions to open: **one** at most, for all in one reply run one after the other (9.5).
    #[serde(default, deserialize_with = "or_none")]
    pub session: Vec<SessionObject>,
}

/// An id, where the text is one.
fn usable<'de, D: Deserializer<'de>>(told: D) -> Result<Option<InstanceId>, D::Error> {
    let told: Option<String> = Option::deserialize(told)?;
    Ok(told.and_then(|told| told.parse().ok()))
}

/// A list, where `null` is an empty one, as the official agent takes it.
fn or_none<'de, D: Deserializer<'de>, T: Deserialize<'de>>(told: D) -> Result<Vec<T>, D::Error> {
    let told: Option<Vec<T>> = Option::deserialize(told)?;
    Ok(told.unwrap_or_default())
}

impl SessionList {
    /// An answer with nothing to do.
    #[must_use]
    pub fn empty(instance: InstanceId) -> Self {
        Self {
            code: CODE_OK,
            instance_id: Some(instance),
            ..Self::default()
        }
    }

    /// An answer with one session to open.
    #[must_use]
    pub fn one(instance: InstanceId, session: SessionObject) -> Self {
        Self {
            session: vec![session],
            ..Self::empty(instance)
        }
    }
}

/// The agent's own word for how a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StatusCode {
    /// The shell ended by itself.
    Ok,
    /// `session stop`.
    Notified,
    /// Idle, at the longest session's end, or the data channel was lost for good.
    Timeout,
    /// No host to dial.
    InitChannelFailed,
    /// The first dial of the data channel failed.
    OpenChannelFailed,
    /// The channel id is served already.
    SessionIdDuplicate,
    /// User or program trouble.
    OpenPtyFailed,
    /// Output could not be framed.
    ProcessDataError,
    /// The TCP dial failed.
    OpenPortFailed,
    /// Reading from the port failed.
    ReadPortFailed,
    /// The port's connection broke.
    IoPortFailed,
    /// A fault inside the agent.
    UnknownError,
}

impl StatusCode {
    const WORDS: [(Self, &'static str); 12] = [
        (Self::Ok, "Ok"),
        (Self::Notified, "Notified"),
        (Self::Timeout, "Timeout"),
        (Self::InitChannelFailed, "Init_channel_failed"),
        (Self::OpenChannelFailed, "Open_channel_failed"),
        (Self::SessionIdDuplicate, "Session_id_duplicate"),
        (Self::OpenPtyFailed, "Open_pty_failed"),
        (Self::ProcessDataError, "Process_data_error"),
        (Self::OpenPortFailed, "Open_port_failed"),
        (Self::ReadPortFailed, "Read_port_failed"),
        (Self::IoPortFailed, "IO_port_failed"),
        (Self::UnknownError, "Unknown_error"),
    ];

    /// The word on the wire, which [`axt_proto::Reason::from_agent`] maps.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS
            .iter()
            .find(|(code, _)| *code == self)
            .map_or("Unknown_error", |(_, word)| word)
    }

    /// `Success` or `Failed`, the `status` that goes with it.
    #[must_use]
    pub const fn status(self) -> &'static str {
        match self {
            Self::Ok | Self::Notified | Self::Timeout => "Success",
            _ => "Failed",
        }
    }
}

impl From<&str> for StatusCode {
    /// Reads the word; one that is not known is an unknown error.
    fn from(word: &str) -> Self {
        Self::WORDS
            .iter()
            .find(|(_, known)| *known == word)
            .map_or(Self::UnknownError, |(code, _)| *code)
    }
}

/// How a session ended, as the query of a POST with an empty body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusPost {
    /// Which.
    pub channel: ChannelId,
    /// How.
    pub code: StatusCode,
    /// What went wrong, for people. Only our agent tells it, and only to a relay of ours; the
    /// official one has no such parameter.
    pub detail: Option<String>,
}

/// A status post that names no channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no well-formed channelId in the query")]
pub struct NoChannel;

impl fmt::Display for StatusPost {
    /// The query string.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (channel, status, word) = (&self.channel, self.code.status(), self.code.word());
        write!(
            out,
            "{CHANNEL_QUERY}={channel}&status={status}&errorcode={word}"
        )?;
        match &self.detail {
            Some(detail) => {
                let mut query = form_urlencoded::Serializer::new(String::new());
                query.append_pair("detail", detail);
                write!(out, "&{}", query.finish())
            }
            None => Ok(()),
        }
    }
}

impl FromStr for StatusPost {
    type Err = NoChannel;

    /// Reads the query string.
    fn from_str(query: &str) -> Result<Self, NoChannel> {
        let get = |name: &str| {
            form_urlencoded::parse(query.as_bytes())
                .find(|(key, _)| key == name)
                .map(|(_, value)| value)
        };
        Ok(Self {
            channel: get(CHANNEL_QUERY)
                .and_then(|text| text.parse().ok())
                .ok_or(NoChannel)?,
            code: StatusCode::from(get("errorcode").as_deref().unwrap_or_default()),
            detail: get("detail").map(|text| text.chars().take(512).collect()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_official_agent_sees_exactly_the_documented_members() {
        let object = SessionObject {
            cmd_content: String::new(),
            username: String::new(),
            windows_password_name: String::new(),
            channel_id: "ch-1".parse().expect("valid"),
            websocket_url: String::new(),
            target_host: String::new(),
            port_number: "22".to_owned(),
            flow_limit: 1_638_400,
            axt: None,
        };

        assert_eq!(
            serde_json::to_string(&object).expect("serialises"),
            concat!(
                r#"{"cmdContent":"","username":"","windowsPasswordName":"","channelId":"ch-1","#,
                r#""websocketUrl":"","targetHost":"","portNumber":"22","flowLimit":1638400}"#
            )
        );
    }

    #[test]
    fn a_list_of_a_service_that_names_nobody_and_has_nothing_reads() {
        let told = r#"{"code":200,"instanceId":"","run":null,"stop":[],"session":null}"#;

        let list: SessionList = serde_json::from_str(told).expect("reads");

        assert_eq!(list.code, CODE_OK);
        assert_eq!(list.instance_id, None);
        assert_eq!(list.session, []);
    }

    #[test]
    fn every_member_but_the_channel_may_be_left_out() {
        let list: SessionList =
            serde_json::from_str(r#"{"code":200,"session":[{"channelId":"ch-1"}]}"#)
                .expect("reads");

        assert_eq!(list.session.len(), 1);
        assert!(!list.session[0].is_port());
    }

    #[test]
    fn a_status_post_reads_back() {
        let post = StatusPost {
            channel: "ch-1".parse().expect("valid"),
            code: StatusCode::OpenPtyFailed,
            detail: Some("no user `nobody 2` & co".to_owned()),
        };

        let query = post.to_string();

        assert!(query.starts_with("channelId=ch-1&status=Failed&errorcode=Open_pty_failed&"));
        assert_eq!(query.parse(), Ok(post));
    }

    #[test]
    fn every_code_reads_back_by_its_word() {
        for (code, word) in StatusCode::WORDS {
            assert_eq!(StatusCode::from(word), code);
            assert_eq!(code.word(), word);
        }
        assert_eq!(StatusCode::from("Boom"), StatusCode::UnknownError);
    }
}
