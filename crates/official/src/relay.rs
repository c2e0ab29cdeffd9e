//! The official service as a strict stand-in: it lets an agent do what the official one was seen to do
//! and nothing else (wire-protocol 3, 8 to 10).
//!
//! What lives here: the checks of every call (its form, its order, its signature), and a relay by
//! script behind them. Whatever the service would not have been sent is a [`Complaint`](Complaints),
//! and fails the test when the relay is dropped. What it passes over is what our own agent announces
//! itself by (`x-axt-ext`), and that it is faster.

mod call;
mod channel;
mod form;
mod identity;
mod line;
mod notify;
mod order;
mod script;

use std::{
    collections::{BTreeMap, VecDeque},
    convert::Infallible,
    net::Ipv4Addr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axt_net::{accept, link, tasks::Tasks, tls::ServerTls, transport::Listener, wall::Wall};
use http::StatusCode;
use serde_json::Value;
use tokio::sync::{Notify, mpsc};

pub use self::{call::Call, channel::DataChannel, notify::NotifyChannel};
use self::{identity::Known, order::Order};
use crate::Complaints;

/// Against hanging; nothing is measured by it. Link time.
const GUARD: Duration = Duration::from_secs(3_600);

/// Who is registered.
#[derive(Clone, Debug)]
pub struct Registered {
    /// The id.
    pub instance: String,
    /// What it signs beside that.
    pub machine_id: String,
    /// Its public key, PEM.
    pub public_key: String,
}

/// A strict relay.
#[derive(Debug)]
pub struct StrictRelay {
    shared: Arc<Shared>,
    notify: mpsc::Receiver<NotifyChannel>,
    data: mpsc::Receiver<DataChannel>,
    _tasks: Tasks,
}

#[derive(Debug)]
struct Shared {
    complaints: Complaints,
    known: Known,
    state: Mutex<State>,
    /// Told when a call has come in.
    called: Notify,
    notify: mpsc::Sender<NotifyChannel>,
    data: mpsc::Sender<DataChannel>,
    tasks: Tasks,
}

#[derive(Debug, Default)]
struct State {
    order: Order,
    /// Calls that no test has asked for yet.
    calls: VecDeque<Call>,
    /// Session objects, by channel.
    sessions: BTreeMap<String, Value>,
    /// What a kick for tasks finds.
    tasks: BTreeMap<&'static str, Vec<Value>>,
    /// What the next calls of a path are answered with instead.
    instead: BTreeMap<String, VecDeque<(StatusCode, String)>>,
}

impl StrictRelay {
    /// Serves `listener` for one agent, with TLS where it has any.
    #[must_use]
    pub fn start(
        listener: Listener,
        tls: Option<ServerTls>,
        agent: Registered,
        wall: Wall,
    ) -> Self {
        let tasks = Tasks::new();
        let (notify_sender, notify) = mpsc::channel(8);
        let (data_sender, data) = mpsc::channel(8);
        let shared = Arc::new(Shared {
            complaints: Complaints::default(),
            known: Known::new(agent, wall),
            state: Mutex::default(),
            called: Notify::new(),
            notify: notify_sender,
            data: data_sender,
            tasks: tasks.child(),
        });
        let inner = Arc::clone(&shared);
        let service = tower::service_fn(move |request| {
            let inner = Arc::clone(&inner);
            async move { Ok::<_, Infallible>(inner.answer(request).await) }
        });
        tasks.spawn(
            "strict relay",
            accept::serve(listener, tls, service, tasks.child()),
        );
        Self {
            shared,
            notify,
            data,
            _tasks: tasks,
        }
    }

    /// The agent's next notify channel.
    pub async fn notified(&mut self) -> NotifyChannel {
        soon("a notify channel", self.notify.recv())
            .await
            .expect("the relay runs")
    }

    /// The agent's next data channel.
    pub async fn dialled(&mut self) -> DataChannel {
        soon("a data channel", self.data.recv())
            .await
            .expect("the relay runs")
    }

    /// Waits for the next call of a path; earlier ones of others stay for whoever asks.
    pub async fn call(&self, path: &str) -> Call {
        let waiting = async {
            loop {
                let called = self.shared.called.notified();
                let found = {
                    let mut state = self.shared.state();
                    let at = state.calls.iter().position(|call| call.path == path);
                    at.and_then(|at| state.calls.remove(at))
                };
                if let Some(call) = found {
                    return call;
                }
                called.await;
            }
        };
        soon(path, waiting).await
    }

    /// The paths of all calls so far that no test has asked for, in order.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        let state = self.shared.state();
        state.calls.iter().map(|call| call.path.clone()).collect()
    }

    /// What a channel is to open: members of a session object beside its id (wire-protocol 10.4).
    pub fn lists(&self, channel: &str, members: Value) {
        let mut object = serde_json::json!({
            "cmdContent": "", "username": "", "windowsPasswordName": "", "channelId": channel,
            "websocketUrl": "", "targetHost": "", "portNumber": "", "flowLimit": 0,
        });
        for (name, value) in members.as_object().expect("members") {
            let object = object.as_object_mut().expect("an object");
            object.insert(name.clone(), value.clone());
        }
        let mut state = self.shared.state();
        state.sessions.insert(channel.to_owned(), object);
    }

    /// What a kick for tasks finds from now on: elements of `run` or `stop` (wire-protocol 10.7).
    pub fn lists_tasks(&self, list: &'static str, tasks: Vec<Value>) {
        self.shared.state().tasks.insert(list, tasks);
    }

    /// Answers the next call of a path otherwise.
    pub fn answers(&self, path: &str, status: StatusCode, body: &str) {
        let mut state = self.shared.state();
        let queue = state.instead.entry(path.to_owned()).or_default();
        queue.push_back((status, body.to_owned()));
    }

    /// Waits until the agent has told all that it owes: failures, losses, ends of channels.
    pub async fn owed_nothing(&self) {
        let waiting = async {
            loop {
                let called = self.shared.called.notified();
                if self.shared.state().order.owes().is_empty() {
                    return;
                }
                called.await;
            }
        };
        if link::timeout(GUARD, waiting).await.is_err() {
            panic!("the agent owes {:?}", self.shared.state().order.owes());
        }
    }

    /// What the service would not have been sent so far.
    #[must_use]
    pub fn complaints(&self) -> &Complaints {
        &self.shared.complaints
    }
}

impl Drop for StrictRelay {
    fn drop(&mut self) {
        self.shared.complaints.settle("service");
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn complain(&self, call: &str, what: impl std::fmt::Display) {
        self.complaints.file(format!("{call}: {what}"));
    }
}

/// Whether a text is the address of an interface.
fn is_address(text: &str) -> bool {
    text.parse::<Ipv4Addr>().is_ok_and(|ip| !ip.is_loopback())
}

async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    link::timeout(GUARD, future)
        .await
        .unwrap_or_else(|_| panic!("{what} did not come"))
}

#[cfg(test)]
mod tests;
