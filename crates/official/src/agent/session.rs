//! One session, from the kick to the status post (wire-protocol 9 and 10.4).

mod frames;
mod object;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axt_net::link;
use tokio_util::sync::CancellationToken;

use super::{
    Agent,
    calls::TEXT,
    lock,
    notify::{PING, PING_PAYLOAD},
    port::Port,
    pty::Pty,
    shell::Shell,
};
use crate::{
    socket::{self, Reader, Writer},
    wire::{self, kind},
};
use object::Object;

/// From the open data channel to the shell or the dial; input that comes before is lost.
const SLOW_START: Duration = Duration::from_secs(1);
/// From the shell to the first read of its output.
const FIRST_READ: Duration = Duration::from_secs(1);
/// How long no valid frame may come in.
const IDLE: Duration = Duration::from_secs(181);
/// The longest session.
const LONGEST: Duration = Duration::from_secs(3 * 60 * 60);
/// The waits before each dial of a lost data channel.
const REDIALS_MS: [u64; 11] = [
    0, 100, 200, 400, 800, 1_600, 2_000, 2_000, 2_000, 2_000, 2_000,
];
/// The waits between the polls of a list: 4 tries, a pause, 4 more.
const ASK_AGAIN: Duration = Duration::from_secs(2);
const ASK_ONCE_MORE: Duration = Duration::from_secs(3);

/// How it ended: the code of its status post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Code {
    Ok,
    Notified,
    Timeout,
    OpenChannelFailed,
    SessionIdDuplicate,
    OpenPtyFailed,
    OpenPortFailed,
    ProcessDataError,
    IoPortFailed,
}

impl Code {
    /// `status` and `errorcode`.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Ok => ("Success", "Ok"),
            Self::Notified => ("Success", "Notified"),
            Self::Timeout => ("Success", "Timeout"),
            Self::OpenChannelFailed => ("Failed", "Open_channel_failed"),
            Self::SessionIdDuplicate => ("Failed", "Session_id_duplicate"),
            Self::OpenPtyFailed => ("Failed", "Open_pty_failed"),
            Self::OpenPortFailed => ("Failed", "Open_port_failed"),
            Self::ProcessDataError => ("Failed", "Process_data_error"),
            Self::IoPortFailed => ("Failed", "IO_port_failed"),
        }
    }
}

/// What a kick sets off.
pub(super) async fn fetch_and_run(agent: Arc<Agent>, channel: String) {
    let objects = fetch(&agent, &channel).await;
    if objects.len() > 1 {
        agent.complaints.file(format!(
            "runs {} sessions one after the other",
            objects.len()
        ));
    }
    for object in objects {
        match Object::read(&object) {
            Ok(object) => run(&agent, object).await,
            Err(why) => agent.complaints.file(format!("cannot use {object}: {why}")),
        }
    }
}

/// Polls the session list as often as it does (wire-protocol 10.4).
async fn fetch(agent: &Agent, channel: &str) -> Vec<serde_json::Value> {
    let query = format!("channelId={channel}");
    for round in 0..2 {
        for poll in 0..4 {
            let list = agent.list("/luban/api/v1/session/list", &query).await;
            let code = list.as_ref().and_then(|list| list.get("code")?.as_i64());
            match list {
                Some(list) if code != Some(408) => {
                    let sessions = list.get("session").and_then(|it| it.as_array());
                    if let Some(sessions) = sessions.filter(|sessions| !sessions.is_empty()) {
                        return sessions.clone();
                    }
                    break;
                }
                None if poll == 3 => {}
                _ => link::sleep(ASK_AGAIN).await,
            }
        }
        if round == 0 {
            link::sleep(ASK_ONCE_MORE).await;
        }
    }
    Vec::new()
}

async fn run(agent: &Arc<Agent>, object: Object) {
    let stop = CancellationToken::new();
    let channel = object.channel.clone();
    let is_taken = {
        let mut live = lock(&agent.live);
        match live.get_mut(&channel) {
            Some(first) => {
                *first = None;
                true
            }
            None => {
                live.insert(channel.clone(), Some(stop.clone()));
                false
            }
        }
    };
    if is_taken {
        agent.complaints.file(format!(
            "{channel} was started twice, and cannot be stopped now"
        ));
        return post(agent, &channel, Code::SessionIdDuplicate).await;
    }
    let code = match Session::open(agent, object).await {
        Ok(mut session) => {
            let code = session.live(&stop).await;
            // The post first, then the connection is dropped without a close frame.
            post(agent, &channel, code).await;
            code
        }
        Err(code) => {
            post(agent, &channel, code).await;
            code
        }
    };
    lock(&agent.live).remove(&channel);
    if code.words().0 == "Failed" {
        agent
            .event("agent.session.failed", "SESSION", "ERROR")
            .await;
        agent.event("agent.task.failed", "TASK", "ERROR").await;
    }
}

/// Sent once, and the reply is ignored.
async fn post(agent: &Agent, channel: &str, code: Code) {
    let (status, word) = code.words();
    let query = format!("channelId={channel}&status={status}&errorcode={word}");
    let path = "/luban/api/v1/session/status";
    agent.post(path, &query, TEXT, String::new()).await;
}

#[derive(Debug)]
enum Target {
    NotYet,
    Shell(Shell),
    Pty(Pty),
    Port(Port),
}

struct Session<'a> {
    agent: &'a Arc<Agent>,
    object: Object,
    reader: Reader,
    /// The current websocket's, which ping loops of lost ones use too (wire-protocol 12.14).
    writer: Arc<Mutex<Writer>>,
    target: Target,
    starts_at: link::Instant,
    reads_from: link::Instant,
    sends_from: link::Instant,
    idle_until: link::Instant,
    ends_at: link::Instant,
    interval: Duration,
    sequence: i64,
    frames: u64,
    is_deaf: bool,
    is_stopping: bool,
}

enum Happening {
    Stop,
    Start,
    Idle,
    Over,
    Frame(Option<bytes::Bytes>),
    Output(Option<Vec<u8>>),
}

impl<'a> Session<'a> {
    async fn open(agent: &'a Arc<Agent>, object: Object) -> Result<Self, Code> {
        let Some(interval) = wire::interval_ms(object.speed(), object.packet()) else {
            agent.crash(format!("flowLimit {} divides by zero", object.speed()));
            return std::future::pending().await;
        };
        let (reader, writer) = dial(agent, &object.channel)
            .await
            .ok_or(Code::OpenChannelFailed)?;
        let now = link::now();
        let session = Self {
            agent,
            object,
            reader,
            writer: Arc::new(Mutex::new(writer)),
            target: Target::NotYet,
            starts_at: now + SLOW_START,
            reads_from: now + SLOW_START + FIRST_READ,
            sends_from: now,
            idle_until: now + IDLE,
            ends_at: now + LONGEST,
            interval: Duration::from_millis(interval),
            sequence: 0,
            frames: 0,
            is_deaf: false,
            is_stopping: false,
        };
        session.keep_pinging();
        Ok(session)
    }

    fn keep_pinging(&self) {
        let writer = Arc::downgrade(&self.writer);
        self.agent.spawn(async move {
            while let Some(writer) = writer.upgrade() {
                let current = lock(&writer).clone();
                drop(writer);
                current.ping(PING_PAYLOAD).await;
                drop(current);
                link::sleep(PING).await;
            }
        });
    }

    async fn live(&mut self, stop: &CancellationToken) -> Code {
        loop {
            let end = match self.next(stop).await {
                Happening::Stop => self.stopped(),
                Happening::Start => self.start().await,
                Happening::Idle => self.idle(),
                Happening::Over => Some(Code::Timeout),
                Happening::Frame(Some(message)) => self.received(message).await,
                Happening::Frame(None) => self.redial().await,
                Happening::Output(output) => self.output(output).await,
            };
            if let Some(code) = end {
                return code;
            }
        }
    }

    async fn next(&mut self, stop: &CancellationToken) -> Happening {
        let Self {
            agent,
            reader,
            target,
            starts_at,
            reads_from,
            sends_from,
            idle_until,
            ends_at,
            is_deaf,
            is_stopping,
            ..
        } = self;
        let is_waiting = matches!(target, Target::NotYet);
        // It does not read while a write to the terminal blocks (wire-protocol 7).
        let has_room = !matches!(target, Target::Pty(pty) if !pty.has_room());
        let may_send = link::sleep_until((*reads_from).max(*sends_from));
        tokio::select! {
            biased;
            () = stop.cancelled(), if !*is_stopping => Happening::Stop,
            () = link::sleep_until(*starts_at), if is_waiting => Happening::Start,
            () = link::sleep_until(*idle_until) => Happening::Idle,
            () = link::sleep_until(*ends_at) => Happening::Over,
            () = agent.cut.notified() => Happening::Frame(None),
            message = socket::receive(reader), if !*is_deaf && has_room => Happening::Frame(message),
            output = produced(target, may_send) => Happening::Output(output),
        }
    }

    /// A port whose target is open and silent holds a stop back (wire-protocol 9.2).
    fn stopped(&mut self) -> Option<Code> {
        self.is_stopping = true;
        match &self.target {
            Target::Port(port) if port.is_open() => None,
            _ => Some(Code::Notified),
        }
    }

    fn idle(&mut self) -> Option<Code> {
        match &self.target {
            // It has ended for itself, and waits for its target to notice.
            Target::Port(port) if port.is_open() => {
                self.is_deaf = true;
                self.idle_until = self.ends_at + LONGEST;
                None
            }
            _ => Some(Code::Timeout),
        }
    }

    async fn start(&mut self) -> Option<Code> {
        if self.object.port.is_empty() {
            let user = &self.object.username;
            if !user.is_empty() && !self.agent.setup.users.contains(user) {
                return Some(Code::OpenPtyFailed);
            }
            if !self.agent.setup.has_terminals {
                self.target = Target::Shell(Shell::start(&self.object.command));
                return None;
            }
            return match Pty::start(&self.object.command) {
                Ok(pty) => {
                    self.target = Target::Pty(pty);
                    None
                }
                Err(_) => Some(Code::OpenPtyFailed),
            };
        }
        let (host, port) = (&self.object.host, &self.object.port);
        match Port::open(&self.agent.setup.targets, host, port).await {
            Some(port) => {
                self.target = Target::Port(port);
                self.reads_from = link::now();
                None
            }
            None => Some(Code::OpenPortFailed),
        }
    }

    async fn output(&mut self, output: Option<Vec<u8>>) -> Option<Code> {
        let Some(payload) = output else {
            return match &mut self.target {
                Target::Port(port) => {
                    // Neither a frame nor a post: nobody learns of it.
                    port.forget();
                    self.is_stopping.then_some(Code::Notified)
                }
                _ => Some(Code::Ok),
            };
        };
        // Never an empty payload: what is held back waits.
        if payload.is_empty() {
            return None;
        }
        if self.object.channel.len() > 32 {
            return Some(Code::ProcessDataError);
        }
        let now_ms = self.agent.now_ms();
        let channel = &self.object.channel;
        let frame = wire::write_at_agent(kind::OUTPUT, channel, now_ms, self.sequence, &payload);
        self.sequence += 1;
        self.sends_from = link::now() + self.interval;
        let writer = lock(&self.writer).clone();
        // A websocket that is lost is noticed where it is read.
        writer.send(frame).await;
        None
    }

    /// Dials a lost data channel again; the target does not notice.
    async fn redial(&mut self) -> Option<Code> {
        for wait in REDIALS_MS {
            link::sleep(Duration::from_millis(wait)).await;
            if let Some((reader, writer)) = dial(self.agent, &self.object.channel).await {
                self.reader = reader;
                *lock(&self.writer) = writer;
                self.keep_pinging();
                return None;
            }
        }
        Some(Code::Timeout)
    }
}

async fn dial(agent: &Agent, channel: &str) -> Option<(Reader, Writer)> {
    let server = agent.setup.server.replacen("http", "ws", 1);
    let url = format!("{server}/luban/session/backend?channelId={channel}");
    lock(&agent.calls).push(format!("GET /luban/session/backend?channelId={channel}"));
    socket::open(&agent.network, &url, agent.headers())
        .await
        .ok()
}

/// The target's next output, as soon as it may be sent; `None` at its end.
async fn produced(target: &mut Target, may_send: impl Future<Output = ()>) -> Option<Vec<u8>> {
    match target {
        Target::Shell(shell) if shell.is_readable() => {
            may_send.await;
            shell.read()
        }
        Target::Pty(pty) => pty.turn(may_send).await,
        Target::Port(port) if port.is_open() => {
            may_send.await;
            port.read().await
        }
        _ => std::future::pending().await,
    }
}
