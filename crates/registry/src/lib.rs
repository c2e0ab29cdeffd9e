//! Accounts, instances, sessions and quotas: every rule that needs to know what exists.
//!
//! What lives here: one pure [`Registry`], `(state, now, command) → (answer, changes)`, and the
//! types of what it holds. Each rule of limits-and-semantics 1, 2, 4 and 5 has its one home here;
//! every number comes from [`Limits`](axt_proto::Limits).
//!
//! What never does: a clock, randomness, tasks, sockets, files, HTTP. The instant, fresh ids and
//! secrets are arguments; what to do on the wire and what to write are parts of the answer.

mod account;
mod activation;
mod agent;
mod changes;
mod command;
mod commit;
mod connect;
mod connection;
mod deadline;
mod end;
mod fault;
mod index;
mod instance;
mod invariant;
mod invocations;
mod invoke;
mod ledger;
mod nearest;
mod output;
mod region;
mod registration;
mod registry;
mod restore;
mod row;
mod run;
mod session;
mod start;
mod token;
mod version;
mod view;

pub use activation::{Activation, ActivationId, ActivationSpec};
pub use changes::{Changes, Effect};
pub use command::{Command, CommandKind, CommandSpec, Invocation, Run, RunStatus, Trouble};
pub use connect::{ConnectRefusal, ConnectRequest, Connecting, Verdict};
pub use end::EndRefusal;
pub use fault::Struck;
pub use instance::{
    AgentInfo, Instance, InstancePatch, InstanceSpec, InstanceStatus, OsType, Presence, Registered,
};
pub use invoke::{InvokeRefusal, InvokeRequest};
pub use nearest::Nearest;
pub use output::RunOutput;
pub use region::{Account, Region, RegionPatch, RegionSwitches};
pub use registration::{ActivationRefusal, RegisterRefusal, Registration};
pub use registry::{Registry, UnknownInstance};
pub use row::{Counters, ROW_SCHEMA, Row, RowChange, RowKey};
pub use run::{RunNews, RunReport, UnknownInvocation};
pub use session::{
    Connection, ConnectionStatus, ConnectionType, End, Phase, Session, SessionTarget, Starter,
};
pub use start::{Fresh, StartRefusal, StartRequest, Started};
pub use token::{
    Answer, ClientToken, Fingerprint, RememberedToken, TokenAction, TokenKey, TokenRefusal,
};
pub use version::supports_session_manager;
pub use view::Usage;
