//! The life of one connection, as one task.
//!
//! ```text
//! wait for the agent ──dialled──▶ live ──channel lost──▶ wait again (15 s) ──▶ live …
//!        │ 20 s, left, told           │ idle, told, left, posted     │
//!        └────────────────────────────┴──────────────────────────────┴──▶ end: report, tell, close
//! ```
//!
//! What never is here: rules. The reasons are `proto`'s table, and who may connect the registry's.

mod ends;
mod finish;
mod leaving;
mod leftover;
mod live;
mod wait;

use std::sync::Arc;

use axt_control::luban::StatusCode;
use axt_net::{
    clock::{Clock, Fired, Timer},
    link,
    pump::{FramesEnd, Judged, Pump, Traffic},
    transport::KERNEL_BUFFER,
    ws::WebSocket,
};
use axt_proto::{
    Extensions, IdleTimer, Limits, Message, Reason, Status,
    frame::agent::Resumes,
    translate::{self, ToAgent, ToClient},
};

pub(crate) use self::leftover::Leftovers;
use self::{
    ends::{AgentEnds, ClientEnds, Ending},
    live::After,
};
use crate::{
    desk::{DeskHandle, Fate, Opened},
    faults::mangling::Mangling,
    pairing::{Line, Orders},
};

/// Kernel buffers on a limited connection, each way, so that the kernel does not hide seconds of
/// output from the meter (design, "One home for each rule").
const LIMITED_BUFFER: usize = 128 * 1024;

/// What the kernel may hold for a connection.
const fn kernel_buffer(limits: &Limits) -> usize {
    match limits.bandwidth_bytes_per_s {
        0 => KERNEL_BUFFER,
        _ => LIMITED_BUFFER,
    }
}

/// What every connection shares.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) desk: DeskHandle,
    pub(crate) clock: Clock,
    pub(crate) limits: Limits,
    pub(crate) leftovers: Leftovers,
}

/// Why it ends, and what its end needs to know.
struct End {
    reason: Reason,
    detail: String,
    /// What the agent said of it, in words.
    told: Option<String>,
    /// Whether the client is gone, so that nobody is there to be told.
    is_client_gone: bool,
    /// Whether the client takes nothing of what it is sent, so that it can be told by a reset alone.
    is_client_stuck: bool,
    /// The idle deadline that ended it: the clock moves on only when the end is done.
    fired: Option<Fired>,
}

impl End {
    fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self {
            reason,
            detail: detail.into(),
            told: None,
            is_client_gone: false,
            is_client_stuck: false,
            fired: None,
        }
    }

    /// The client's websocket has ended, one way or the other.
    fn client(end: &FramesEnd) -> Self {
        let ending = Ending::from(end);
        let reason = match ending {
            Ending::Orderly | Ending::Lost => Reason::ClientClosed,
            Ending::Malformed(reason) => reason,
        };
        Self {
            is_client_gone: ending == Ending::Lost,
            ..Self::new(reason, format!("the client: {end}"))
        }
    }
}

type Judge = Box<dyn FnMut(Message) -> Judged + Send>;

/// What a connection carries from phase to phase.
struct Life {
    client: ClientEnds,
    /// What is wrong with the frames that the client is sent, and with those for the agent.
    frames: [Arc<Mangling>; 2],
    line: Line,
    up: Pump<Judge, FramesEnd>,
    down: Pump<Judge, FramesEnd>,
    traffic: Arc<Traffic>,
    clock: Clock,
    timer: Timer,
    /// Runs from the moment that the agent's channel is there (limits-and-semantics R5).
    idle: Option<IdleTimer>,
    limits: Limits,
    /// Whether the agent is one whose ways have to be catered for (wire-protocol 12, 13).
    is_official: bool,
    /// Whether it leads to a port.
    is_port: bool,
    /// When an official agent hears at the latest, counted from its first channel.
    hears_from: Option<link::Instant>,
    granted: Extensions,
}

/// Serves one connection from its upgrade to its end.
pub(crate) async fn run(mut websocket: WebSocket, opened: Opened, context: Context) {
    let Opened {
        who,
        granted,
        fate,
        frames,
        hook,
        tap,
    } = opened;
    if let Some(hook) = hook {
        websocket.put_hook(hook);
    }
    // A kernel that refuses leaves the connection as good as it was.
    let _ = websocket.set_kernel_buffers(kernel_buffer(&context.limits));
    let client = ClientEnds::new(websocket, &context.clock, &frames, tap.clone());
    client.outgoing.opened().await;
    let waiting = match fate {
        // Left in its box: an idle connection's future is memory that counts.
        Fate::Wait(waiting) => waiting,
        Fate::Fail(reason) => {
            let told = async {
                finish::tell(&client, reason, None, who.is_port).await;
                client.drain().await;
            };
            return Box::pin(told).await;
        }
    };
    let mut life = Life {
        client,
        frames: [frames, Arc::clone(&waiting.frames)],
        line: waiting.line,
        up: Pump::new(up(granted, who.is_port), waiting.paces.up.clone()),
        down: Pump::new(down(granted), waiting.paces.down.clone()),
        traffic: Arc::clone(&waiting.traffic),
        timer: context.clock.timer("idle"),
        clock: context.clock.clone(),
        idle: None,
        limits: context.limits.clone(),
        is_official: waiting.is_official,
        is_port: who.is_port,
        hears_from: None,
        granted,
    };
    // Without it the official client stays at its own slow pace (limits-and-semantics R8).
    let speed = Message::Status(Status::Speed(context.limits.speed_bits()));
    let _ = Box::pin(life.client.tell(&speed)).await;
    let [frames, _] = &life.frames;
    Box::pin(ends::send_extras(frames, &life.client.outgoing)).await;
    let mut agent = None;
    let mut replacement = None;
    let end = loop {
        let socket = match replacement.take() {
            Some(socket) => socket,
            None => match Box::pin(life.wait()).await {
                Ok(socket) => socket,
                Err(end) => break end,
            },
        };
        let _ = socket.set_kernel_buffers(kernel_buffer(&context.limits));
        let channel = &waiting.object.channel_id;
        // A terminal can do with less than what a connection or a pipe must not miss.
        let exact = (who.is_port || granted.pipe).then_some(if waiting.is_official {
            Resumes::Perhaps
        } else {
            Resumes::Exactly
        });
        let (clock, former) = (&context.clock, agent.as_ref());
        let frames = &waiting.frames;
        let ends = AgentEnds::new(
            *socket,
            channel,
            clock,
            (former, exact),
            (frames, tap.clone()),
        );
        ends.outgoing.opened().await;
        let ends = agent.insert(ends);
        let is_first = life.idle.is_none();
        Box::pin(life.begin(&context.desk, who.connection)).await;
        match life.live(ends, is_first).await {
            After::End(end) => break end,
            After::Lost => {}
            After::Replaced(socket) => replacement = Some(socket),
        }
    };
    let kept = Box::pin(life.finish(end, agent, waiting.report, &who)).await;
    if let Some(agent) = kept {
        Box::pin(context.leftovers.keep(agent)).await;
    }
}

impl Life {
    /// The agent's channel is there. The first time the connection becomes live by it.
    async fn begin(&mut self, desk: &DeskHandle, connection: axt_proto::ConnectionId) {
        // A relay that is stopping will tell the connection so.
        let _ = desk.ask(move |desk| desk.live(connection)).await;
        if self.idle.is_none() {
            let idle = IdleTimer::new(self.clock.now(), self.limits.idle_timeout());
            self.timer.set(Some(idle.deadline()));
            self.idle = Some(idle);
        }
    }

    /// The idle deadline has come, or has moved on since it was armed.
    fn idle_fired(&mut self, fired: Fired) -> Option<End> {
        idle_fired(
            self.idle.as_mut(),
            &self.traffic,
            &self.clock,
            &mut self.timer,
            fired,
        )
    }

    /// What the orders say, if they say that it is over.
    fn ordered(&self, orders: &Orders) -> Option<End> {
        ordered(
            orders,
            self.is_official,
            self.idle.as_ref(),
            &self.traffic,
            &self.clock,
        )
    }
}

fn ordered(
    orders: &Orders,
    is_official: bool,
    idle: Option<&IdleTimer>,
    traffic: &Traffic,
    clock: &Clock,
) -> Option<End> {
    if let Some((reason, detail)) = &orders.end {
        return Some(End::new(*reason, detail.clone()));
    }
    let posted = orders.posted.as_ref()?;
    if posted.code == StatusCode::Notified && !is_official {
        // Not by us, who would not ask any more: so somebody stops the agent, and whatever it did
        // for this client is cut off. (An official agent that is stopped posts nothing.)
        return Some(End::new(Reason::AgentTimeout, "the agent was stopped"));
    }
    let was_idle = idle.is_some_and(|idle| {
        let mut idle = idle.clone();
        idle.data(traffic.last());
        idle.is_expired(clock.now())
    });
    let word = posted.code.word();
    let reason = Reason::from_agent(word, was_idle);
    Some(match &posted.detail {
        Some(detail) => End {
            told: Some(detail.clone()),
            ..End::new(reason, detail.clone())
        },
        None => End::new(reason, format!("the agent reported {word}")),
    })
}

/// Data only notes its instant; the timer is armed anew when it fires too early. So a busy
/// connection costs its clock nothing.
fn idle_fired(
    idle: Option<&mut IdleTimer>,
    traffic: &Traffic,
    clock: &Clock,
    timer: &mut Timer,
    fired: Fired,
) -> Option<End> {
    let idle = idle?;
    idle.data(traffic.last());
    if !idle.is_expired(clock.now()) {
        timer.set(Some(idle.deadline()));
        return None;
    }
    Some(End {
        fired: Some(fired),
        ..End::new(Reason::IdleTimeout, "no data either way")
    })
}

/// Judges what the client sends.
fn up(granted: Extensions, is_port: bool) -> Judge {
    Box::new(
        move |message| match translate::to_agent(message, granted, is_port) {
            ToAgent::Send(message) => Judged::Pass(message),
            ToAgent::Stop => Judged::Done,
            ToAgent::Ignore => Judged::Ignore,
        },
    )
}

/// Judges what the agent sends.
fn down(granted: Extensions) -> Judge {
    Box::new(
        move |message| match translate::to_client(message, granted) {
            ToClient::Send(message) => Judged::Pass(message),
            ToClient::Ignore => Judged::Ignore,
        },
    )
}
