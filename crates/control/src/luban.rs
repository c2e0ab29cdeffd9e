//! The agents' control plane, as the official agent speaks it (wire-protocol 10).
//!
//! What lives here: names, the signature, and every body and command as a type. What never does:
//! who calls whom when; the relay and the agent do that.

pub mod beat;
pub mod clock;
pub mod gshell;
pub mod identity;
pub mod key;
pub mod notify;
pub mod plugin;
pub mod pool;
pub mod register;
pub mod report;
pub mod session;
pub mod state;
pub mod task;
pub mod telemetry;

pub use clock::ClockState;
pub use identity::{BadSignature, Identity, Signer, Verifier};
pub use key::{AgentKey, MalformedKey, PublicKey};
pub use notify::{Answer, Notify};
pub use pool::SignedAhead;
pub use report::{TaskEnd, TaskNews, TaskReport};
pub use session::{SessionList, SessionObject, StatusCode, StatusPost};

/// Paths below the server's root (wire-protocol 10.2 to 10.5).
pub mod path {
    /// Registration of a managed instance, POST, unsigned (10.2).
    pub const REGISTER: &str = "/luban/api/instance/register";
    /// The end of a registration, POST (10.2).
    pub const DEREGISTER: &str = "/luban/api/instance/deregister";
    /// The notify channel's websocket (10.3).
    pub const NOTIFY: &str = "/luban/notify_server";
    /// The session list, POST (10.4).
    pub const SESSION_LIST: &str = "/luban/api/v1/session/list";
    /// How a session ended, POST (10.4).
    pub const SESSION_STATUS: &str = "/luban/api/v1/session/status";
    /// A data channel's websocket (9.1).
    pub const SESSION_BACKEND: &str = "/luban/session/backend";
    /// The heart-beat, GET (10.5).
    pub const HEART_BEAT: &str = "/luban/api/heart-beat";
    /// The task list, POST (10.5, 10.7).
    pub const TASK_LIST: &str = "/luban/api/v1/task/list";
    /// What the reports on a run begin with, POST (10.7).
    pub const TASK_REPORT: &str = "/luban/api/v1/task/";
    /// The update check, POST (10.5).
    pub const UPDATE_CHECK: &str = "/luban/api/v1/update/update_check";
    /// The relay's rule time, GET: for agents of ours that follow it ([`clock`](super::clock)).
    pub const CLOCK: &str = "/luban/axt/clock";
    /// Events of the agent, POST (10.5).
    pub const METRICS: &str = "/luban/api/metrics";
    /// What went wrong in an agent, POST (10.5).
    pub const CLIENT_REPORT: &str = "/luban/api/v1/exception/client_report";
    /// The plugins that there are, POST (10.5).
    pub const PLUGIN_LIST: &str = "/luban/api/v1/plugin/list";
    /// How an agent's plugins do, POST (10.5).
    pub const PLUGIN_STATUS: &str = "/luban/api/v1/plugin/report_status";
    /// Newer plugins, POST (10.5).
    pub const PLUGIN_UPDATES: &str = "/luban/api/v2/plugin/update_check";
    /// State configurations, POST (10.5).
    pub const STATE_CONFIGURATIONS: &str = "/luban/api/instance/list_instance_state_configurations";
    /// One configuration's template, POST (10.5).
    pub const STATE_TEMPLATE: &str = "/luban/api/instance/get_template";
    /// What became of a configuration, POST (10.5).
    pub const STATE_REPORT: &str = "/luban/api/instance/put_instance_state_report";
    /// What is installed on a machine, POST (10.5).
    pub const INVENTORY: &str = "/luban/api/instance/put_inventory";
    /// The virtio shell's settings, POST (10.5).
    pub const GSHELL: &str = "/luban/api/gshell";
    /// The probe of a host search, GET, answered by the two bytes `ok` (10.5).
    pub const CONNECTION_DETECT: &str = "/luban/api/connection_detect";
    /// The region of a server that a host search came upon, GET, answered by its id alone (10).
    pub const CLASSIC_REGION: &str = "/luban/api/classic/region-id";
}

/// Names of headers, in lower case.
pub mod header {
    /// Who signed (10.1).
    pub const INSTANCE_ID: &str = "x-acs-instance-id";
    /// When, Unix milliseconds in decimal (10.1).
    pub const TIMESTAMP: &str = "x-acs-timestamp";
    /// A fresh UUID for each request (10.1).
    pub const REQUEST_ID: &str = "x-acs-request-id";
    /// The signature in base64 (10.1).
    pub const SIGNATURE: &str = "x-acs-signature";
    /// The agent's own address, if it knows one (10.1).
    pub const CLIENT_IP: &str = "x-client-ip";
    /// The unsigned identity of an agent that never registered (10.1).
    pub const CLIENT_INSTANCE_ID: &str = "x-client-instance-id";
    /// A session's token on the client's upgrade; an empty one is none (9.1).
    pub const SESSION_TOKEN: &str = "x-acs-session-token";
    /// Extensions: announced in a request, granted in a 101 answer (design, "Extensions").
    pub const EXTENSIONS: &str = "x-axt-ext";
    /// The client's terminal size, `ROWSxCOLS` (design, "Extensions").
    pub const SIZE: &str = "x-axt-size";
    /// The idle timeout in seconds, in the 101 answer to a client that announced extensions: for
    /// what it shows its person.
    pub const IDLE: &str = "x-axt-idle";
}

/// The name of the query parameter that carries a channel, never escaped (12.15).
pub const CHANNEL_QUERY: &str = "channelId";

/// The plain answer to everything under `/luban/` that wants no other (10.5).
pub const CALM_ANSWER: &str = r#"{"code":200}"#;

/// The `code` of success in every answer (10.2, 10.4).
pub const CODE_OK: i64 = 200;
