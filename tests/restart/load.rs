//! Traffic of all kinds, and what was answered to it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use axt_client::{
    Api,
    session::{self, Announce, EndOfInput, Network, Open, OpenError, Started},
};
use axt_net::tasks::Tasks;
use axt_proto::InstanceId;
use axt_sandbox::terminal::Terminal;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::Value;
use tokio::sync::{Notify, oneshot};

use crate::place::Place;

const WORKERS: u64 = 4;

/// How many answers come before the relay is killed, at most.
const ANSWERS: u64 = 60;

/// What is known of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Open,
    /// EndTerminalSession was not answered: it may have been carried out.
    Ending,
    Ended,
}

/// A connection that was up.
#[derive(Clone, Debug)]
struct Opened {
    session: String,
    /// Whether something that came later was answered as durable: then this is durable too.
    is_durable: bool,
}

/// What was answered.
#[derive(Default)]
pub(crate) struct Seen {
    sessions: BTreeMap<String, (Started, Fate)>,
    opened: Vec<Opened>,
    /// Calls of StartTerminalSession without an answer.
    unanswered: u64,
    terminals: Vec<Terminal>,
}

/// Workers that call, connect and type until nobody answers any more.
pub(crate) struct Load {
    workers: Vec<oneshot::Receiver<Seen>>,
    progress: Arc<Progress>,
    until: u64,
    _tasks: Tasks,
}

#[derive(Default)]
struct Progress {
    answers: AtomicU64,
    told: Notify,
    /// From now on nothing need be answered.
    is_killed: AtomicBool,
}

impl Progress {
    fn one_more(&self) {
        self.answers.fetch_add(1, Ordering::AcqRel);
        self.told.notify_one();
    }
}

impl Load {
    pub(crate) fn start(place: &Place, seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let tasks = Tasks::new();
        let progress = Arc::new(Progress::default());
        let workers = (0..WORKERS).map(|number| {
            let (api, network) = place.clients();
            let worker = Worker {
                api,
                network,
                instance: place.instance(),
                random: StdRng::seed_from_u64(seed.wrapping_mul(WORKERS).wrapping_add(number)),
                progress: Arc::clone(&progress),
                seen: Seen::default(),
            };
            let (done, over) = oneshot::channel();
            tasks.spawn("worker", async move {
                let _ = done.send(worker.run().await);
            });
            over
        });
        Self {
            workers: workers.collect(),
            until: random.random_range(0..ANSWERS),
            progress,
            _tasks: tasks,
        }
    }

    /// Waits for the seed's moment and kills the relay, whatever is under way.
    pub(crate) async fn kill_in_the_middle(&self, place: &mut Place) {
        while self.progress.answers.load(Ordering::Acquire) < self.until {
            self.progress.told.notified().await;
        }
        self.progress.is_killed.store(true, Ordering::Release);
        place.kill();
    }

    /// What was answered until then.
    pub(crate) async fn over(self) -> Seen {
        let mut seen = Seen::default();
        for worker in self.workers {
            seen.add(worker.await.expect("a worker that did not panic"));
        }
        seen
    }
}

struct Worker {
    api: Api,
    network: Network,
    instance: InstanceId,
    random: StdRng,
    progress: Arc<Progress>,
    seen: Seen,
}

impl Worker {
    async fn run(mut self) -> Seen {
        while self.step().await {
            self.progress.one_more();
        }
        let is_killed = self.progress.is_killed.load(Ordering::Acquire);
        assert!(is_killed, "the relay answered no more before it was killed");
        self.seen
    }

    /// Does something; false when it was not answered.
    async fn step(&mut self) -> bool {
        let open: Vec<_> = (self.seen.sessions.values())
            .filter(|(_, fate)| *fate == Fate::Open)
            .map(|(session, _)| session.clone())
            .collect();
        let Some(session) = open.get(self.random.random_range(0..=open.len())) else {
            return self.start().await;
        };
        match self.random.random_range(0..4) {
            0 => self.end(session).await,
            1 | 2 => self.connect(session).await,
            _ => self.start().await,
        }
    }

    async fn start(&mut self) -> bool {
        let Ok(session) = start(&self.api, &self.instance).await else {
            self.seen.unanswered += 1;
            return false;
        };
        let known = (session.clone(), Fate::Open);
        self.seen.sessions.insert(session.id, known);
        self.is_durable();
        true
    }

    async fn end(&mut self, session: &Started) -> bool {
        let id = session.id.as_str();
        self.seen.set(id, Fate::Ending);
        let parameters = [("SessionId", id)];
        let answer = self.api.call("EndTerminalSession", &parameters).await;
        if answer.is_ok() {
            self.seen.set(id, Fate::Ended);
            self.is_durable();
        }
        answer.is_ok()
    }

    async fn connect(&mut self, session: &Started) -> bool {
        let Ok(mut terminal) = terminal(&self.network, session).await else {
            return false;
        };
        if terminal.expect("ready").await.is_err() {
            return false;
        }
        self.seen.opened.push(Opened {
            session: session.id.clone(),
            is_durable: false,
        });
        self.seen.terminals.push(terminal);
        true
    }

    /// A call was answered, so all that came before it is in the journal.
    fn is_durable(&mut self) {
        for opened in &mut self.seen.opened {
            opened.is_durable = true;
        }
    }
}

/// A session whose connections say `ready` and then a lot, if they are let.
async fn start(api: &Api, instance: &InstanceId) -> Result<Started, OpenError> {
    let wanted = Open {
        instance: instance.clone(),
        command_line: Some("echo ready; sleep 0.1; seq 100000; exec cat".to_owned()),
        username: None,
    };
    session::start(api, &wanted).await
}

async fn terminal(network: &Network, session: &Started) -> Result<Terminal, OpenError> {
    let link = session::connect(network, session, Announce::default()).await?;
    Ok(Terminal::start(link, EndOfInput::Closes))
}

impl Seen {
    pub(crate) fn add(&mut self, other: Self) {
        self.sessions.extend(other.sessions);
        self.opened.extend(other.opened);
        self.unanswered += other.unanswered;
        self.terminals.extend(other.terminals);
    }

    fn set(&mut self, session: &str, fate: Fate) {
        if let Some((_, known)) = self.sessions.get_mut(session) {
            *known = fate;
        }
    }

    fn count(&self, fate: Fate) -> u64 {
        let counted = self.sessions.values().filter(|(_, known)| *known == fate);
        u64::try_from(counted.count()).expect("fits")
    }

    pub(crate) fn surely_active(&self) -> u64 {
        self.count(Fate::Open)
    }

    pub(crate) fn perhaps_active(&self) -> u64 {
        self.count(Fate::Open) + self.count(Fate::Ending) + self.unanswered
    }

    /// History has every session that was answered for, and none that nobody asked for.
    pub(crate) async fn sessions_are_all_there(&self, place: &Place) {
        let history = history(place).await;
        for session in self.sessions.keys() {
            assert!(history.contains_key(session), "{session} is lost");
        }
        let strangers = history.len() - self.sessions.len() - 1;
        assert!(strangers as u64 <= self.unanswered, "{strangers} too many");
    }

    /// What was ended stays ended; what was not opens.
    pub(crate) async fn urls_are_what_they_were(&mut self, place: &Place) {
        let (_, network) = place.clients();
        let mut opens = 0;
        for (session, fate) in self.sessions.values() {
            match fate {
                Fate::Ended => {
                    let refused = terminal(&network, session).await.expect_err("it is over");
                    assert!(
                        matches!(&refused, OpenError::Refused { code, .. } if code == "SessionUrl.Ended"),
                        "{refused}"
                    );
                }
                // Each starts a shell; a few of them will do.
                Fate::Open if opens < 3 => {
                    opens += 1;
                    let mut terminal = terminal(&network, session).await.expect("its URL opens");
                    terminal.expect("ready").await.expect("a shell");
                }
                Fate::Open | Fate::Ending => {}
            }
        }
    }

    /// Whoever was connected is told or cut off, and history has the reason.
    pub(crate) async fn connections_say_why_they_ended(&mut self, place: &Place) {
        for terminal in self.terminals.drain(..) {
            terminal.end().await.expect("an end");
        }
        let history = history(place).await;
        for (session, connections) in &history {
            let of_it = self.opened.iter().filter(|one| one.session == *session);
            let durable = of_it.filter(|one| one.is_durable).count();
            assert!(connections.len() >= durable, "{session} lost connections");
            for one in connections
                .iter()
                .filter(|one| one["Status"] != "Connected")
            {
                let (status, reason) = (&one["Status"], &one["ClosedReason"]);
                let reasons = ["RelayRestarted", "EndTerminalSession", "ClientClosed"];
                assert_eq!(status, "Terminated", "{session}: {one}");
                assert!(
                    reasons.iter().any(|known| reason == known),
                    "{session}: {one}"
                );
                assert!(one["EndTime"].is_string(), "{one}");
            }
        }
        for one in self.opened.iter().filter(|one| one.is_durable) {
            let (_, fate) = &self.sessions[&one.session];
            let restarted = |connection: &Value| connection["ClosedReason"] == "RelayRestarted";
            let says_so = history[&one.session].iter().any(restarted);
            assert!(
                *fate != Fate::Open || says_so,
                "{} does not say why",
                one.session
            );
        }
    }
}

/// DescribeTerminalSessions, page by page: each session's connections.
async fn history(place: &Place) -> BTreeMap<String, Vec<Value>> {
    let (api, _) = place.clients();
    let mut all = BTreeMap::new();
    let mut next = String::new();
    loop {
        let mut parameters = vec![("MaxResults", "50")];
        if !next.is_empty() {
            parameters.push(("NextToken", &next));
        }
        let page = api.call("DescribeTerminalSessions", &parameters).await;
        let page = page.expect("a page");
        for session in page["Sessions"]["Session"].as_array().expect("a list") {
            let id = session["SessionId"].as_str().expect("an id").to_owned();
            let connections = &session["Connections"]["Connection"];
            let connections = connections.as_array().expect("a list").clone();
            assert_eq!(all.insert(id, connections), None, "told twice");
        }
        match page["NextToken"].as_str().filter(|token| !token.is_empty()) {
            Some(token) => next = token.to_owned(),
            None => return all,
        }
    }
}
