//! While both ends are there.

use std::{convert::Infallible, pin::pin, time::Duration};

use axt_net::{
    link,
    pump::{PumpEnd, Sink, Traffic},
    ws::WebSocket,
};
use axt_proto::{Direction, Message, Reason, Status};

use super::{
    End, Life,
    ends::{AgentEnds, Ending, cut_off, send_extras},
    idle_fired,
    leaving::{self, Leaving, Why},
};

/// How long an official agent drops what it is sent before its shell or dial is there, unless its
/// first output comes sooner (wire-protocol 9.1).
const OFFICIAL_DEAF: Duration = Duration::from_millis(1_200);

/// How long an official agent lets a session be in which it is sent nothing (wire-protocol 8).
const OFFICIAL_IDLE: Duration = Duration::from_secs(181);

/// What comes after it.
pub(super) enum After {
    /// The connection's end.
    End(End),
    /// The agent's channel is lost, and may come back.
    Lost,
    /// The agent has dialled anew.
    Replaced(Box<WebSocket>),
}

impl Life {
    /// Pumps both ways until something ends it.
    pub(super) async fn live(&mut self, agent: &mut AgentEnds, is_first: bool) -> After {
        let Self {
            client,
            line,
            up,
            down,
            traffic,
            clock,
            timer,
            idle,
            limits,
            is_official,
            is_port,
            hears_from,
            frames: [frames_of_client, frames_of_agent],
            ..
        } = self;
        let (is_official, is_port) = (*is_official, *is_port);
        let hears_from = *hears_from.get_or_insert_with(|| link::now() + OFFICIAL_DEAF);
        let speed = Message::Status(Status::Speed(limits.speed_bits()));
        let (passed_up, passed_down) = (
            traffic.passed(Direction::Up),
            traffic.passed(Direction::Down),
        );
        let mut client_broken =
            pin!(cut_off(client.hand.as_ref(), || traffic.bytes(Direction::Up)));
        let (from_client, to_client) = (&mut client.incoming, &client.outgoing);
        let patience = agent.incoming.patience();
        let (from_agent, to_agent) = (&mut agent.incoming, &agent.outgoing);
        let mut pump_up = pin!(async {
            // An official agent keeps its speed when it dials again, and any frame would have it dial
            // a target anew that has closed (wire-protocol 9.2). A shell is kept alive by it: the time
            // that it is sent nothing goes on over all its websockets.
            if (is_first || !is_official || !is_port)
                && let Err(broken) = to_agent.send(&speed).await
            {
                return PumpEnd::Sink(broken);
            }
            Box::pin(send_extras(frames_of_agent, to_agent)).await;
            if is_official {
                let hearing = async {
                    tokio::select! {
                        biased;
                        () = traffic.first(Direction::Down) => {}
                        () = link::sleep_until(hears_from) => {}
                    }
                };
                hold_until(hearing, up.hold(from_client)).await;
            }
            up.run(from_client, to_agent, &passed_up).await
        });
        let mut pump_down = pin!(down.run(from_agent, to_client, &passed_down));
        let outlasts = limits.idle_timeout() >= OFFICIAL_IDLE;
        let need = match (is_official, is_port) {
            (false, _) => Need::Nothing,
            (true, true) if !outlasts => Need::WhileOutputFlows,
            (true, _) => Need::Always,
        };
        let mut keep_alive = pin!(keep_alive(need, &*traffic, to_agent));
        let mut leaving: Option<Leaving> = None;
        let mut is_up_over = false;
        // What was ordered while the channel was on its way.
        line.orders.mark_changed();
        loop {
            tokio::select! {
                biased;
                changed = line.orders.changed() => {
                    let orders = line.orders.borrow_and_update().clone();
                    if changed.is_err() {
                        return After::End(End::new(Reason::RelayStopping, "the relay has ended"));
                    }
                    if is_official {
                        // Its notify channel is read whatever its data channels wait for.
                        patience.set(if orders.is_agent_gone {
                            link::DEAD_AFTER
                        } else {
                            link::OFFICIAL_DEAD_AFTER
                        });
                    }
                    match super::ordered(&orders, is_official, idle.as_ref(), traffic, clock) {
                        Some(end) if orders.end.is_some() => return After::End(end),
                        Some(end) => leaving::leave(&mut leaving, Why::Posted(end), traffic),
                        None => {}
                    }
                    Box::pin(send_extras(frames_of_client, to_client)).await;
                    Box::pin(send_extras(frames_of_agent, to_agent)).await;
                }
                fired = timer.fired() => {
                    if let Some(end) = idle_fired(idle.as_mut(), traffic, clock, timer, fired) {
                        return After::End(end);
                    }
                }
                Some(socket) = line.sockets.recv(),
                    if leaving.as_ref().is_none_or(Leaving::may_be_replaced) =>
                {
                    leaving::leave(&mut leaving, Why::Replaced(socket), traffic);
                }
                over = &mut pump_down => match over {
                    PumpEnd::Sink(_) => return After::End(End {
                        is_client_gone: true,
                        ..End::new(Reason::ClientClosed, "the client takes nothing any more")
                    }),
                    PumpEnd::Source(end) => match Ending::from(&end) {
                        Ending::Malformed(reason) => {
                            return After::End(End::new(reason, format!("the agent: {end}")));
                        }
                        Ending::Orderly | Ending::Lost => break,
                    },
                    PumpEnd::Done => break,
                    PumpEnd::Exceeded => return After::End(too_much("the agent")),
                },
                over = &mut pump_up, if !is_up_over => {
                    is_up_over = true;
                    match over {
                        PumpEnd::Source(end) if Ending::from(&end) != Ending::Orderly => {
                            return After::End(End::client(&end));
                        }
                        PumpEnd::Source(_) | PumpEnd::Done => {
                            leaving::leave(&mut leaving, Why::ClientDone, traffic);
                        }
                        PumpEnd::Exceeded => return After::End(too_much("the client")),
                        PumpEnd::Sink(_) => leaving::leave(&mut leaving, Why::Deaf, traffic),
                    }
                }
                () = &mut client_broken => return After::End(End {
                    is_client_gone: true,
                    ..End::new(Reason::ClientClosed, "the client was cut off")
                }),
                () = leaving::due(leaving.as_ref()) => {
                    let is_over = |it: &mut Leaving| it.is_over(traffic, is_official, is_port);
                    if leaving.as_mut().is_some_and(is_over) {
                        break;
                    }
                }
                never = &mut keep_alive => match never {},
            }
        }
        leaving.map_or(After::Lost, |leaving| leaving.after(line))
    }
}

/// The bandwidth closes where it does not make wait (limits-and-semantics R8).
fn too_much(who: &str) -> End {
    let detail = format!("{who} sent more than the bandwidth allows");
    End::new(Reason::FlowExceedLimit, detail)
}

/// Lets a hold go on until something else is done.
async fn hold_until(done: impl Future<Output = ()>, hold: impl Future<Output = ()>) {
    let hold = async {
        hold.await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        biased;
        () = done => {}
        () = hold => {}
    }
}

/// What keeps an agent from ending a session by itself, which is for the relay to judge
/// (wire-protocol 9.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    /// An agent of ours waits for that judgement.
    Nothing,
    /// An official agent's shell.
    Always,
    /// An official agent's port. Where its target has closed, which it tells nobody, any frame would
    /// have it dialled anew (9.2): what the new connection says would come behind the old one's end.
    /// So there is none, unless only output has flowed for a while.
    WhileOutputFlows,
}

async fn keep_alive(need: Need, traffic: &Traffic, agent: &impl Sink) -> Infallible {
    if need == Need::Nothing {
        return std::future::pending().await;
    }
    // Boxed, so that an agent of ours does not pay for it.
    let beat = async {
        let mut interval = link::interval(link::KEEP_ALIVE);
        let mut printed = traffic.bytes(Direction::Down);
        let mut fed = link::now();
        loop {
            interval.tick().await;
            let before = std::mem::replace(&mut printed, traffic.bytes(Direction::Down));
            if let Some(quiet) = traffic.quiet_for(Direction::Up) {
                fed = fed.max(link::now() - quiet);
            }
            let is_fed = link::now() - fed < link::KEEP_ALIVE * 2;
            if need == Need::WhileOutputFlows && (is_fed || before == printed) {
                continue;
            }
            fed = link::now();
            // A channel that is lost is noticed where it is read.
            let _ = agent.send(&Message::Status(Status::KeepAlive)).await;
        }
    };
    Box::pin(beat).await
}

/// Reads on until the agent has let go of its channel, so that it need not dial again in vain; whether
/// it has. One of ours that keeps it is refused when it dials again.
pub(super) async fn let_go(agent: &mut AgentEnds) -> bool {
    link::timeout(link::DRAIN, agent.gone()).await.is_ok()
}
