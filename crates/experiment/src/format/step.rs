//! A step: what is done, and what is expected then.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{
    FaultText, Span,
    brief::{Brief, InBrief},
    expect::{ExpectBytes, ExpectCount, ExpectDuration, ExpectEvent, ExpectReason, ExpectText},
};

/// A step of the story. It does one thing at most; what it expects is looked at afterwards, in the
/// order of the keys below.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Step {
    /// What it is, in words. Expectations of durations call it so.
    pub name: String,
    /// How long it may take, in link time; absent: 20 s.
    pub within: Option<Span>,

    /// StartTerminalSession. In brief: the session's name.
    pub start_session: Option<Brief<StartSession>>,
    /// EndTerminalSession. In brief: the session's name; `""` is the latest.
    pub end_session: Option<Brief<EndSession>>,
    /// Open the session's URL as a client of axt's own. In brief: the session's name; `""` is the latest.
    pub connect: Option<Brief<Connect>>,
    /// Start the program of `[client]`. In brief: the session's name; `""` is the latest.
    pub start_client: Option<Brief<StartClient>>,
    /// Type a line on a terminal. In brief: the line.
    #[serde(rename = "type")]
    pub types: Option<Brief<Type>>,
    /// Send so many bytes through a connection. In brief: the number.
    pub send: Option<Brief<Send>>,
    /// Change a terminal's window.
    pub resize: Option<Resize>,
    /// Close a terminal, as a client that goes. In brief: the terminal's name; `""` is the latest.
    pub hang_up: Option<Brief<HangUp>>,
    /// Move rule time on, from deadline to deadline.
    pub advance: Option<Span>,
    /// Let link time go by: at once in a simulated scenario, really in a real one.
    pub wait: Option<Span>,
    /// `true`: let rule time stand.
    pub freeze: Option<bool>,
    /// `true`: let rule time run.
    pub release: Option<bool>,
    /// End a part as a crash would. In brief: `agent`, `relay` or `client`.
    pub kill: Option<Brief<PartRef>>,
    /// Start a part again that was killed. In brief: `agent`, `relay` or `client`.
    pub restart: Option<Brief<PartRef>>,
    /// Stop a part without ending it: it neither reads nor writes. A program of your own is stopped by a
    /// signal, parts of axt's own stand still on their websockets. In brief: `agent`, `relay` or `client`.
    pub pause: Option<Brief<PartRef>>,
    /// Let a part go on that was paused. In brief: `agent`, `relay` or `client`.
    pub resume: Option<Brief<PartRef>>,
    /// Add a fault, for whoever it is for by then and later.
    pub add_fault: Option<FaultText>,
    /// Remove a fault by its name; `""` removes all.
    pub remove_fault: Option<String>,
    /// Call an action of the API. In brief: its name.
    pub call: Option<Brief<Call>>,
    /// Change what is said of an instance, by the admin API.
    pub set_instance: Option<SetInstance>,
    /// Change the region's switches, by the admin API.
    pub set_region: Option<SetRegion>,

    /// What is done is refused with this code: an error of the API, or of a refused connection.
    pub expect_error: Option<String>,
    /// What the latest call answered: for each path of members and numbers with dots between them
    /// (`Instances.0.Status`), its value.
    pub expect_answer: Option<BTreeMap<String, Value>>,
    /// A text comes on a terminal. In brief: the text.
    pub expect_text: Option<Brief<ExpectText>>,
    /// So many bytes come on a terminal. In brief: the number.
    pub expect_bytes: Option<Brief<ExpectBytes>>,
    /// A terminal ends, and its client is told why. In brief: the reason's word.
    pub expect_reason: Option<Brief<ExpectReason>>,
    /// An event happens, since the latest step that did something began. In brief: its name.
    pub expect_event: Option<Brief<ExpectEvent>>,
    /// There are so many of something.
    pub expect_count: Option<ExpectCount>,
    /// So much rule time has gone by.
    pub expect_duration: Option<ExpectDuration>,
}

/// What a step does, if it does something.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)] // as in `Step`
pub enum Action<'a> {
    StartSession(&'a StartSession),
    EndSession(&'a EndSession),
    Connect(&'a Connect),
    StartClient(&'a StartClient),
    Type(&'a Type),
    Send(&'a Send),
    Resize(&'a Resize),
    HangUp(&'a HangUp),
    Advance(Span),
    Wait(Span),
    Freeze,
    Release,
    Kill(&'a PartRef),
    Restart(&'a PartRef),
    Pause(&'a PartRef),
    Resume(&'a PartRef),
    AddFault(&'a FaultText),
    RemoveFault(&'a str),
    Call(&'a Call),
    SetInstance(&'a SetInstance),
    SetRegion(&'a SetRegion),
}

impl Step {
    /// What it does: the keys that are there, with what they say. More than one is a mistake.
    #[must_use]
    pub fn actions(&self) -> Vec<(&'static str, Action<'_>)> {
        [
            brief(
                "start_session",
                self.start_session.as_deref().map(Action::StartSession),
            ),
            brief(
                "end_session",
                self.end_session.as_deref().map(Action::EndSession),
            ),
            brief("connect", self.connect.as_deref().map(Action::Connect)),
            brief(
                "start_client",
                self.start_client.as_deref().map(Action::StartClient),
            ),
            brief("type", self.types.as_deref().map(Action::Type)),
            brief("send", self.send.as_deref().map(Action::Send)),
            brief("resize", self.resize.as_ref().map(Action::Resize)),
            brief("hang_up", self.hang_up.as_deref().map(Action::HangUp)),
            brief("advance", self.advance.map(Action::Advance)),
            brief("wait", self.wait.map(Action::Wait)),
            brief("freeze", self.freeze.map(|_| Action::Freeze)),
            brief("release", self.release.map(|_| Action::Release)),
            brief("kill", self.kill.as_deref().map(Action::Kill)),
            brief("restart", self.restart.as_deref().map(Action::Restart)),
            brief("pause", self.pause.as_deref().map(Action::Pause)),
            brief("resume", self.resume.as_deref().map(Action::Resume)),
            brief("add_fault", self.add_fault.as_ref().map(Action::AddFault)),
            brief(
                "remove_fault",
                self.remove_fault.as_deref().map(Action::RemoveFault),
            ),
            brief("call", self.call.as_deref().map(Action::Call)),
            brief(
                "set_instance",
                self.set_instance.as_ref().map(Action::SetInstance),
            ),
            brief(
                "set_region",
                self.set_region.as_ref().map(Action::SetRegion),
            ),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Whether it expects anything.
    #[must_use]
    pub const fn expects(&self) -> bool {
        self.expect_error.is_some()
            || self.expect_answer.is_some()
            || self.expect_text.is_some()
            || self.expect_bytes.is_some()
            || self.expect_reason.is_some()
            || self.expect_event.is_some()
            || self.expect_count.is_some()
            || self.expect_duration.is_some()
    }
}

/// A key that is there, with what it says.
fn brief<'a>(name: &'static str, action: Option<Action<'a>>) -> Option<(&'static str, Action<'a>)> {
    Some((name, action?))
}

/// StartTerminalSession.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StartSession {
    /// What the session is called; absent: `session`.
    #[serde(rename = "as")]
    pub name: Option<String>,
    /// On which instance; absent: the first.
    pub instance: Option<String>,
    /// The command line to run instead of a login shell.
    pub command: Option<String>,
    /// As which user.
    pub user: Option<String>,
    /// Forward to this port: its name in `[[ports]]`, or a number in a text.
    pub port: Option<String>,
    /// Forward to a port of this host instead of the instance's own.
    pub target: Option<String>,
    /// The ClientToken of the call.
    pub client_token: Option<String>,
    /// More parameters of the call, as the API names them; placeholders are filled in.
    pub parameters: BTreeMap<String, String>,
    /// How many to start, one after another, called `NAME-1` and so on; absent: one.
    pub times: Option<u32>,
}

/// EndTerminalSession.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EndSession {
    /// Which session; absent: the latest.
    pub session: Option<String>,
}

/// Opening a session's URL.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Connect {
    /// Which session; absent: the latest.
    pub session: Option<String>,
    /// What the terminal is called; absent: `terminal`, then `terminal-2` and so on.
    #[serde(rename = "as")]
    pub name: Option<String>,
    /// Whether the client announces axt's extensions; absent: it speaks the base protocol alone.
    pub extensions: bool,
    /// A token to come with instead of the session's own.
    pub token: Option<String>,
    /// How many to open, one after another; absent: one.
    pub times: Option<u32>,
}

/// Starting the program of `[client]`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StartClient {
    /// For which session; absent: the latest, or none.
    pub session: Option<String>,
    /// What its terminal is called; absent: `client`.
    #[serde(rename = "as")]
    pub name: Option<String>,
}

/// Typing.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Type {
    /// What is typed.
    pub text: String,
    /// On which terminal; absent: the latest.
    #[serde(default)]
    pub terminal: Option<String>,
    /// Whether Enter is pressed after it; absent: it is.
    #[serde(default)]
    pub enter: Option<bool>,
}

/// Sending bytes.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Send {
    /// How many.
    pub bytes: u64,
    /// Through which terminal or connection; absent: the latest.
    #[serde(default)]
    pub terminal: Option<String>,
}

/// Changing a window.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resize {
    /// Lines.
    pub rows: u16,
    /// Columns.
    pub cols: u16,
    /// Of which terminal; absent: the latest.
    #[serde(default)]
    pub terminal: Option<String>,
}

/// Closing a terminal.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HangUp {
    /// Which terminal; absent: the latest.
    pub terminal: Option<String>,
}

/// A part of what runs.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartRef {
    /// Which part.
    pub part: Part,
    /// Of which instance, for an agent; absent: the first.
    #[serde(default)]
    pub instance: Option<String>,
    /// Which client's terminal; absent: the latest.
    #[serde(default)]
    pub terminal: Option<String>,
}

/// The parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// An instance's agent.
    Agent,
    /// The relay.
    Relay,
    /// A terminal's client.
    Client,
}

impl Part {
    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Relay => "relay",
            Self::Client => "client",
        }
    }
}

/// A call of the API.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// Which action.
    pub action: String,
    /// Its parameters, as the API names them; placeholders such as `{session}` and `{instance}` are
    /// filled in.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
}

/// What is said of an instance.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SetInstance {
    /// Which; absent: the first.
    pub instance: Option<String>,
    /// Where it stands in its power cycle.
    pub status: Option<super::Status>,
    /// Its operating system.
    pub os_type: Option<super::OsType>,
    /// The version that its agent passes for; `""` is what it says.
    pub agent_version: Option<String>,
    /// Ports that its security group denies.
    pub denied_ports: Option<Vec<u16>>,
}

/// The region's switches.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SetRegion {
    /// Whether the session API exists there.
    pub api_supported: Option<bool>,
    /// Whether ports can be forwarded.
    pub port_forwarding: Option<bool>,
    /// Whether there is an intranet endpoint.
    pub intranet: Option<bool>,
    /// Whether StartTerminalSession fails as `InternalError.Dispatch`.
    pub dispatch_failure: Option<bool>,
    /// Whether sessions may start while the agent is away.
    pub start_without_agent: Option<bool>,
    /// Whether a shell session may have one live connection only.
    pub one_shell_connection: Option<bool>,
}

/// A name, where an empty text stands for "the latest".
fn named(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

macro_rules! text_in_brief {
    ($($type:ident { $key:literal: |$text:ident| $made:expr })*) => {
        $(impl InBrief for $type {
            const TYPE: &'static str = "string";
            const KEY: &'static str = $key;

            fn from_text($text: &str) -> Result<Self, String> {
                Ok($made)
            }
        })*
    };
}

text_in_brief! {
    StartSession { "as": |text| Self { name: named(text), ..Self::default() } }
    EndSession { "session": |text| Self { session: named(text) } }
    Connect { "session": |text| Self { session: named(text), ..Self::default() } }
    StartClient { "session": |text| Self { session: named(text), ..Self::default() } }
    Type { "text": |text| Self { text: text.to_owned(), ..Self::default() } }
    HangUp { "terminal": |text| Self { terminal: named(text) } }
    Call { "action": |text| Self { action: text.to_owned(), ..Self::default() } }
}

impl InBrief for Send {
    const TYPE: &'static str = "integer";
    const KEY: &'static str = "bytes";

    fn from_number(bytes: u64) -> Result<Self, String> {
        Ok(Self {
            bytes,
            ..Self::default()
        })
    }
}

impl InBrief for PartRef {
    const TYPE: &'static str = "string";
    const KEY: &'static str = "part";

    fn from_text(text: &str) -> Result<Self, String> {
        let part = match text {
            "agent" => Part::Agent,
            "relay" => Part::Relay,
            "client" => Part::Client,
            other => {
                return Err(format!(
                    "unknown variant `{other}`, expected one of `agent`, `relay`, `client`"
                ));
            }
        };
        Ok(Self {
            part,
            instance: None,
            terminal: None,
        })
    }
}
