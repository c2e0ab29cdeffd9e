//! The runner of one channel: does what [`axt_proto::channel::Channel`] decides, and moves the
//! bytes that the machine never sees.
//!
//! Input and output do not wait for one another: output has a task of its own, everything else is
//! one loop that waits for the next thing to happen.

mod errand;
mod feed;
mod open;
mod output;

use std::{
    collections::VecDeque,
    future::{Future, pending, ready},
    io,
    pin::{Pin, pin},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::Poll,
    time::Duration,
};

use axt_control::luban::SessionObject;
use axt_net::{
    clock::{Fired, Timer},
    link,
    tasks::Tasks,
    ws::WebSocket,
};
use axt_proto::{
    ChannelId, Message,
    channel::{Action, Channel, End, Fate, TargetKind},
};
use tokio::{sync::oneshot, task::AbortHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    calls::Relay,
    datalink::{Arrival, Link},
    shell::ShellEnd,
    target::{Control, NotOpened, Target, Wanted},
};
use errand::Errand;
use feed::{Fed, Feed};
use output::{OutputEnd, OutputPump};

pub(crate) use open::{refuse_duplicate, serve};

/// How long a shell waits for its terminal's size where it was not told beforehand. A relay that
/// has one sends it at once; a client that has none must not be kept waiting.
const SETTLE: Duration = Duration::from_millis(30);

/// How long what a shell leaves behind is waited for; its helper takes 3 s at most.
const REAP: Duration = Duration::from_secs(5);

type Slot<T> = Option<Pin<Box<dyn Future<Output = T> + Send>>>;

/// The next thing that happened.
enum Event {
    Stop,
    Idle(Fired),
    Settled,
    Opened(Result<Target, NotOpened>),
    Arrived(Arrival),
    Fed(io::Result<Fed>),
    Drained,
    OutputEnded(OutputEnd),
    Broken,
    ShellEnded(ShellEnd),
    ErrandDone,
    Redialled(Option<Box<WebSocket>>),
    Silence,
}

struct Runner {
    relay: Arc<Relay>,
    id: ChannelId,
    wanted: Wanted,
    /// Whether the relay may be told in words what went wrong.
    tells_detail: bool,
    detail: Option<String>,
    machine: Arc<Mutex<Channel>>,
    link: Link,
    tasks: Tasks,

    settling: Slot<()>,
    opening: Slot<Result<Target, NotOpened>>,
    redialling: Slot<Option<Box<WebSocket>>>,
    errands: VecDeque<Errand>,
    errand: Slot<()>,

    feed: Feed,
    /// How long a target that is to be left may take none of the input that it still has to get.
    draining: Slot<()>,
    control: Option<Control>,
    /// Cancelled when the shell has ended, so that its output is at its end when it falls silent.
    shell_ended: CancellationToken,
    output_end: Option<oneshot::Receiver<OutputEnd>>,
    /// A TCP connection that breaks while its output is held up, or is over.
    breaking: Slot<()>,
    pump: Option<Pump>,
    is_closed: bool,
}

impl Runner {
    fn new(
        relay: Arc<Relay>,
        object: &SessionObject,
        wanted: Wanted,
        socket: WebSocket,
        tasks: Tasks,
    ) -> Self {
        let around = relay.around();
        let machine = Channel::new(
            &open::opening(object, &wanted, relay.config()),
            around.clock.now(),
        );
        Self {
            id: object.channel_id.clone(),
            link: Link::new(
                object.channel_id.clone(),
                socket,
                around.clock.clone(),
                around.channel_tap(relay.instance(), &object.channel_id),
            ),
            relay,
            wanted,
            tells_detail: object.axt.is_some(),
            detail: None,
            machine: Arc::new(Mutex::new(machine)),
            tasks,
            settling: None,
            opening: None,
            redialling: None,
            errands: VecDeque::new(),
            errand: None,
            feed: Feed::default(),
            draining: None,
            control: None,
            shell_ended: CancellationToken::new(),
            output_end: None,
            breaking: None,
            pump: None,
            is_closed: false,
        }
    }

    fn machine(&self) -> MutexGuard<'_, Channel> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn run(mut self, stop: CancellationToken) {
        let mut idle = self.relay.around().clock.timer("agent idle");
        let mut stopping = false;
        loop {
            while let Some(action) = self.next_action() {
                self.act(action);
            }
            self.start_errand();
            if self.is_closed {
                break;
            }
            let deadline = self.machine().deadline();
            if idle.deadline() != deadline {
                idle.set(deadline);
            }
            let event = self.wait(&stop, stopping, &mut idle).await;
            if matches!(event, Event::Silence) {
                // Neither is read any more, nor anything said, and the websocket stays open.
                idle.set(None);
                let _open = self.link.mute();
                return stop.cancelled().await;
            }
            stopping |= matches!(event, Event::Stop);
            self.handle(event, &mut idle);
        }
        // Told to stop, the relay wants nothing more from it.
        tokio::select! {
            biased;
            () = stop.cancelled() => self.link.close().await,
            () = self.link.finish() => {}
        }
        self.reap().await;
    }

    fn next_action(&self) -> Option<Action> {
        self.machine().next_action()
    }

    async fn wait(&mut self, stop: &CancellationToken, stopping: bool, idle: &mut Timer) -> Event {
        let is_listening = self.machine().is_listening() && self.feed.has_room();
        if is_listening && self.feed.gathers() {
            let next = pin!(self.link.next(true));
            if let Poll::Ready(arrival) = futures_util::poll!(next) {
                return Event::Arrived(arrival);
            }
        }
        tokio::select! {
            biased;
            () = stop.cancelled(), if !stopping => Event::Stop,
            () = self.relay.fate().silence() => Event::Silence,
            fired = idle.fired() => Event::Idle(fired),
            end = output_ended(&mut self.output_end) => Event::OutputEnded(end),
            () = filled(&mut self.breaking) => Event::Broken,
            end = shell_ended(&mut self.control) => Event::ShellEnded(end),
            () = filled(&mut self.errand) => Event::ErrandDone,
            socket = filled(&mut self.redialling) => Event::Redialled(socket),
            target = filled(&mut self.opening) => Event::Opened(target),
            () = filled(&mut self.settling) => Event::Settled,
            fed = self.feed.step() => Event::Fed(fed),
            arrival = self.link.next(is_listening) => Event::Arrived(arrival),
            // Last: by now nothing is held, and nothing has come in.
            () = ready(()), if self.draining.is_some() && self.feed.is_empty() => Event::Drained,
            () = filled(&mut self.draining) => Event::Drained,
        }
    }

    fn handle(&mut self, event: Event, idle: &mut Timer) {
        match event {
            Event::Stop => self.machine().stop(),
            Event::Silence => {}
            Event::Idle(fired) => {
                let now = self.relay.around().clock.now();
                self.machine().tick(now);
                idle.set(self.machine().deadline());
                drop(fired);
            }
            Event::Settled => {
                self.settling = None;
                self.machine().settled();
            }
            Event::Opened(Ok(target)) => self.opened(target),
            Event::Opened(Err(NotOpened(why))) => {
                self.opening = None;
                self.detail = Some(why);
                self.machine().not_opened();
            }
            Event::Arrived(arrival) => self.arrived(arrival),
            Event::Fed(Ok(fed)) => {
                if self.draining.is_some() {
                    self.drain();
                }
                if fed == Fed::All {
                    self.machine().input_finished();
                }
            }
            Event::Fed(Err(error)) => {
                // Nobody reads it any more.
                self.feed.give_up();
                if self.wanted.kind() == TargetKind::Port {
                    self.detail.get_or_insert_with(|| error.to_string());
                }
                self.machine().input_broken();
            }
            Event::Drained => {
                self.draining = None;
                self.machine().drained();
            }
            Event::OutputEnded(end) => {
                self.output_end = None;
                match end {
                    OutputEnd::Orderly => self.machine().output_ended(),
                    OutputEnd::Broken(why) => {
                        self.detail = Some(why);
                        self.machine().broken();
                    }
                }
            }
            Event::Broken => {
                self.breaking = None;
                self.detail
                    .get_or_insert_with(|| "the connection was reset".to_owned());
                self.machine().broken_unnoticed();
            }
            Event::ShellEnded(end) => {
                self.control = None;
                self.shell_ended.cancel();
                match end {
                    ShellEnd::Exited(status) => self.machine().exited(status),
                    ShellEnd::Failed(why) => {
                        self.detail = Some(why);
                        self.machine().not_opened();
                    }
                }
            }
            Event::ErrandDone => self.errand_done(),
            Event::Redialled(socket) => {
                self.redialling = None;
                match socket {
                    Some(socket) => {
                        // Only a relay of ours is known to count on, and it tells words.
                        let is_exact =
                            self.tells_detail && self.wanted.kind() != TargetKind::Terminal;
                        self.link.redialled(*socket, is_exact);
                        self.machine().link_up();
                    }
                    None => {
                        self.machine().link_given_up();
                        self.forget_sends();
                    }
                }
            }
        }
    }

    fn arrived(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Message(message) => {
                let now = self.relay.around().clock.now();
                let fate = self.machine().received(now, &message);
                if let (Fate::Deliver | Fate::Keep, Message::Input(data)) = (fate, message) {
                    self.relay.fate().has_carried(data.len());
                    self.feed.push(data);
                }
            }
            Arrival::Garbage(why) => {
                tracing::warn!(channel = %self.id, why, "the relay sent what is no frame");
                self.detail = Some(why);
                self.machine().received_garbage();
            }
            Arrival::Lost(why) => {
                tracing::debug!(channel = %self.id, why, "the data channel was lost");
                self.link.lose();
                self.machine().link_lost();
                self.forget_sends();
            }
        }
    }

    fn opened(&mut self, target: Target) {
        self.opening = None;
        self.machine().opened();
        let (sender, receiver) = oneshot::channel();
        let sent = Arc::new(AtomicU64::new(0));
        if let Some(ending) = target.control.ending() {
            let sent = Arc::clone(&sent);
            self.breaking = Some(Box::pin(async move {
                ending
                    .broken_unnoticed(|| sent.load(Ordering::Relaxed))
                    .await;
            }));
        }
        let pump = OutputPump {
            machine: Arc::clone(&self.machine),
            clock: self.relay.around().clock.clone(),
            writer: self.link.writer(),
            shell_ended: self.shell_ended.clone(),
            sent,
            relay: Arc::clone(&self.relay),
        };
        let pump = self.tasks.spawn("agent output", async move {
            // Nobody listens any more when the channel was ended otherwise.
            let _ = sender.send(pump.run(target.output).await);
        });
        self.pump = Some(Pump(pump));
        self.output_end = Some(receiver);
        self.feed.open(target.input);
        self.control = Some(target.control);
    }

    fn act(&mut self, action: Action) {
        tracing::trace!(channel = %self.id, ?action);
        match action {
            Action::Settle => self.settling = Some(Box::pin(link::sleep(SETTLE))),
            Action::Open(size) => {
                self.settling = None;
                let shells = self.relay.config().shells.clone();
                let around = self.relay.around().clone();
                self.opening = Some(Box::pin(self.wanted.clone().open(size, shells, around)));
            }
            Action::Resize(size) => self.feed.resize(size),
            Action::FinishInput => self.feed.finish(),
            Action::Drain => self.drain(),
            Action::ResetTarget => {
                if let Some(control) = &mut self.control {
                    control.reset();
                }
                self.let_go();
            }
            Action::StopTarget => {
                if let Some(control) = &mut self.control {
                    control.stop();
                }
                self.let_go();
            }
            Action::Send(message) => self.errands.push_back(Errand::Send(message)),
            Action::Redial => {
                let redial = open::redial(Arc::clone(&self.relay), self.id.clone());
                self.redialling = Some(Box::pin(redial));
            }
            Action::Report(end) => {
                if end == End::Done
                    && let Some(control) = &mut self.control
                {
                    control.done();
                }
                let report = self.report(end);
                self.errands.push_back(report);
            }
            Action::Close => self.is_closed = true,
        }
    }

    /// From now on the target has so long to take more of its input.
    fn drain(&mut self) {
        self.draining = Some(Box::pin(link::sleep(link::DRAIN)));
    }

    /// Takes no more part in what the target does.
    fn let_go(&mut self) {
        self.draining = None;
        self.settling = None;
        self.opening = None;
        self.redialling = None;
        self.errands.clear();
        self.errand = None;
        self.feed.give_up();
        self.output_end = None;
        self.breaking = None;
        self.pump = None;
        // A port's connection ends with its last hand, which is this one; a shell is reaped first.
        self.control.take_if(|control| !control.leaves_something());
    }

    /// What a shell left behind is gone, and its helper reaped, before the channel is.
    async fn reap(mut self) {
        if let Some(control) = &mut self.control
            && control.leaves_something()
            && link::timeout(REAP, control.ended()).await.is_err()
        {
            tracing::warn!(channel = %self.id, "what the shell started does not end");
        }
    }
}

/// The output's task, ended when it is let go.
struct Pump(AbortHandle);

impl Drop for Pump {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn filled<T>(slot: &mut Slot<T>) -> T {
    match slot {
        Some(future) => future.await,
        None => pending().await,
    }
}

async fn output_ended(slot: &mut Option<oneshot::Receiver<OutputEnd>>) -> OutputEnd {
    match slot {
        // A pump that was lost without a word has panicked; the log says how.
        Some(end) => end
            .await
            .unwrap_or_else(|_| OutputEnd::Broken("the output was lost".to_owned())),
        None => pending().await,
    }
}

async fn shell_ended(control: &mut Option<Control>) -> ShellEnd {
    match control {
        Some(control) => control.ended().await,
        None => pending().await,
    }
}
