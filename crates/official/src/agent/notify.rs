//! Its notify channel: commands, answers, and what becomes of it when it is lost (wire-protocol
//! 10.3).

use std::{sync::Arc, time::Duration};

use axt_net::link;
use bytes::Bytes;
use serde_json::json;

use super::{Agent, calls::JSON, lock, session, task};
use crate::socket::{self, Reader, Writer};

/// How often each websocket is pinged.
pub(super) const PING: Duration = Duration::from_secs(60);

/// What the pings carry.
pub(super) const PING_PAYLOAD: &str = "keepalive";

/// Keeps it open, as badly as the official agent does, from the first one on.
pub(super) async fn keep(agent: Arc<Agent>, first: Option<(Reader, Writer)>) {
    let mut dialled = Some(first);
    loop {
        let channel = match dialled.take() {
            Some(channel) => channel,
            None => dial(&agent).await,
        };
        let Some((reader, writer)) = channel else {
            // Four more tries are refused within itself, and then it waits for a timer.
            agent
                .complaints
                .file("the relay was not there: deaf for 30 minutes");
            link::sleep(Duration::from_secs(1_800)).await;
            continue;
        };
        listen(&agent, reader, writer).await;
        // Five failed reads.
        link::sleep(Duration::from_secs(5)).await;
        agent
            .report("switch_channel_in_wsk", "start:websocket: close 1006")
            .await;
        link::sleep(Duration::from_secs(1)).await;
    }
}

/// Opens it; `None` when the relay is not there.
pub(super) async fn dial(agent: &Agent) -> Option<(Reader, Writer)> {
    // `http` becomes `ws`, and `https` `wss`.
    let server = agent.setup.server.replacen("http", "ws", 1);
    let url = format!("{server}/luban/notify_server");
    lock(&agent.calls).push("GET /luban/notify_server?".to_owned());
    socket::open(&agent.network, &url, agent.headers())
        .await
        .ok()
}

async fn listen(agent: &Arc<Agent>, mut reader: Reader, writer: Writer) {
    let pings = async {
        while writer.ping(PING_PAYLOAD).await {
            link::sleep(PING).await;
        }
        std::future::pending::<()>().await;
    };
    let commands = async {
        while let Some(command) = socket::receive(&mut reader).await {
            match answer(&command) {
                Some((answer, command)) => {
                    if !writer.send_text(answer).await {
                        return;
                    }
                    obey(agent, command);
                }
                None => {
                    let command = String::from_utf8_lossy(&command);
                    agent
                        .complaints
                        .file(format!("deaf for good after `{command}`"));
                    std::future::pending::<()>().await;
                }
            }
        }
    };
    tokio::select! {
        biased;
        () = agent.cut_off.notified() => {}
        () = commands => {}
        () = pings => {}
    }
}

enum Command {
    Fetch,
    Start(String),
    Stop(String),
    Task(String),
    Deregister,
    Nothing,
}

/// The answer, and what it does; `None` when the reader dies of it.
fn answer(text: &Bytes) -> Option<(String, Command)> {
    let text = String::from_utf8_lossy(text).into_owned();
    let words: Vec<&str> = text.split(' ').collect();
    let accept = |command| Some((format!("accept:{text}"), command));
    let unknown = |command| Some((format!("unknow:{text}"), command));
    match words.as_slice() {
        ["kick_vm"] => accept(Command::Fetch),
        [_, "noop", ..] => accept(Command::Nothing),
        [_, "session" | "task" | "agent" | "file" | "status"] => None,
        [_, "session", "start", channel] => accept(Command::Start((*channel).to_owned())),
        [_, "session", "stop", channel] => accept(Command::Stop((*channel).to_owned())),
        [_, "task" | "file", "run" | "stop" | "create", id] => {
            accept(Command::Task((*id).to_owned()))
        }
        [_, "agent", "stop" | "remove" | "update"] | [_, "status", "network", ..] => {
            accept(Command::Nothing)
        }
        [_, "agent", "deregister"] => unknown(Command::Deregister),
        _ => unknown(Command::Nothing),
    }
}

/// Each command has a thread of its own (wire-protocol 9.5).
fn obey(agent: &Arc<Agent>, command: Command) {
    // Until start-up is complete nothing is fetched.
    let is_ready = *agent.ready.borrow();
    let it = Arc::clone(agent);
    match command {
        Command::Start(channel) if is_ready => agent.spawn(session::fetch_and_run(it, channel)),
        Command::Stop(channel) => {
            if let Some(Some(stop)) = lock(&agent.live).get(&channel) {
                stop.cancel();
            }
        }
        Command::Fetch if is_ready => agent.spawn(fetch(it, "reason=kickoff".to_owned())),
        Command::Task(id) if is_ready => {
            agent.spawn(fetch(it, format!("reason=kickoff&taskId={id}")));
        }
        Command::Deregister => agent.spawn(deregister(it)),
        _ => {}
    }
}

async fn fetch(agent: Arc<Agent>, query: String) {
    let query = format!(
        "{query}&currentTime={}&offset=0&timeZone=Etc%2FUTC",
        agent.now_ms()
    );
    // 4 tries, 2 s apart, as for a session list (wire-protocol 10.4).
    for _ in 0..4 {
        if let Some(list) = agent.list("/luban/api/v1/task/list", &query).await {
            return task::take(&agent, &list);
        }
        link::sleep(Duration::from_secs(2)).await;
    }
}

/// A reply that is not JSON is a success, and another code leaves its files in place (wire-protocol
/// 10.2).
async fn deregister(agent: Arc<Agent>) {
    let path = "/luban/api/instance/deregister";
    let Some(answer) = agent.post(path, "", JSON, String::new()).await else {
        return;
    };
    let is_refused = serde_json::from_slice::<serde_json::Value>(&answer)
        .is_ok_and(|answer| answer.get("code") != Some(&json!(200)));
    if is_refused {
        agent
            .complaints
            .file("is not deregistered though it was told to");
        return;
    }
    agent
        .event("agent.hybrid.unregister", "HYBRID", "INFO")
        .await;
    // It ends with its service.
    agent.process.cancel();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(command: &'static str) -> Option<String> {
        answer(&Bytes::from_static(command.as_bytes())).map(|(answer, _)| answer)
    }

    #[test]
    fn it_answers_as_it_was_heard_to() {
        for (command, answer) in [
            ("kick_vm", "accept:kick_vm"),
            ("kick_vm noop", "accept:kick_vm noop"),
            ("anything noop", "accept:anything noop"),
            ("hello", "unknow:hello"),
            ("kick_vm bogus x", "unknow:kick_vm bogus x"),
            ("kick_vm session pause x", "unknow:kick_vm session pause x"),
            (
                "kick_vm session stop nosuch",
                "accept:kick_vm session stop nosuch",
            ),
            (
                "kick_vm agent deregister",
                "unknow:kick_vm agent deregister",
            ),
            (
                "kick_vm status network --refresh --vpc",
                "accept:kick_vm status network --refresh --vpc",
            ),
        ] {
            assert_eq!(answered(command).as_deref(), Some(answer));
        }
    }

    #[test]
    fn two_words_make_it_deaf() {
        for word in ["session", "task", "agent", "file", "status"] {
            let command = Bytes::from(format!("kick_vm {word}"));
            assert!(answer(&command).is_none(), "{word}");
        }
    }
}
