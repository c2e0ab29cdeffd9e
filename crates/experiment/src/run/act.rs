//! What steps do.

use axt_client::session::{self, Announce, EndOfInput, Network, Started};
use axt_control::admin::{
    InstanceChange, RegionChange,
    fault::{Fault, FaultKind, Link, Stream},
};
use axt_net::link;
use axt_proto::{InstanceId, Secret, frame::Size};

use super::{Run, Trouble};
use crate::{
    format::{
        FaultText, free,
        step::{
            Action, Call, Connect, EndSession, Part, PartRef, SetInstance, SetRegion, StartClient,
            StartSession, Type,
        },
    },
    stage::{program, terminal::Terminal},
    timeline::Entry,
};

/// Pieces in which bytes are sent.
const PIECE: u64 = 16 * 1024;

/// What the names of the faults begin with that a pause is made of.
pub(super) const HOLD: &str = "step.paused.";

/// As long as a fault can be: 30 days, in milliseconds.
const LONG_MS: u64 = 30 * 86_400_000;

impl Run {
    pub(super) async fn act(&mut self, action: Action<'_>) -> Result<(), Trouble> {
        match action {
            Action::StartSession(start) => self.start_session(start).await,
            Action::EndSession(end) => self.end_session(end).await,
            Action::Connect(connect) => self.connect(connect).await,
            Action::StartClient(start) => self.start_client(start),
            Action::Type(one) => self.type_text(one).await,
            Action::Send(send) => self.send(send.terminal.as_deref(), send.bytes).await,
            Action::Resize(resize) => {
                let size = Size {
                    rows: resize.rows,
                    cols: resize.cols,
                };
                self.stage
                    .terminal(resize.terminal.as_deref())?
                    .resize(size);
                Ok(())
            }
            Action::HangUp(one) => {
                self.terminal_mut(one.terminal.as_deref())?.hang_up();
                Ok(())
            }
            Action::Advance(span) => {
                let moved = self.stage.sandbox.clock().advance(span.0).await;
                moved
                    .map(drop)
                    .map_err(|error| Trouble::plain(error.to_string()))
            }
            Action::Wait(span) => {
                link::sleep(span.0).await;
                Ok(())
            }
            Action::Freeze => {
                self.stage.sandbox.clock().freeze();
                Ok(())
            }
            Action::Release => {
                self.stage.sandbox.clock().release();
                Ok(())
            }
            Action::Kill(part) => self.kill(part),
            Action::Restart(part) => self.restart(part).await,
            Action::Pause(part) => self.pause(part, true).await,
            Action::Resume(part) => self.pause(part, false).await,
            Action::AddFault(fault) => self.add_fault(fault).await,
            Action::RemoveFault(name) => self.remove_fault(name).await,
            Action::Call(call) => self.call(call).await,
            Action::SetInstance(set) => self.set_instance(set).await,
            Action::SetRegion(set) => self.set_region(*set).await,
        }
    }

    fn terminal_mut(&mut self, name: Option<&str>) -> Result<&mut Terminal, Trouble> {
        let missing = || Trouble::plain("the terminal was not opened");
        self.stage.terminals.get_mut(name).ok_or_else(missing)
    }

    async fn start_session(&mut self, start: &StartSession) -> Result<(), Trouble> {
        let name = start.name.as_deref().unwrap_or("session");
        match start.times {
            None => self.start_one(start, name).await,
            Some(times) => {
                for number in 1..=times {
                    self.start_one(start, &format!("{name}-{number}")).await?;
                }
                Ok(())
            }
        }
    }

    async fn start_one(&mut self, start: &StartSession, name: &str) -> Result<(), Trouble> {
        let instance = self.stage.instance(start.instance.as_deref())?;
        let mut parameters = vec![("InstanceId.1".to_owned(), instance.to_string())];
        let mut add = |name: &str, value: Option<String>| {
            parameters.extend(value.map(|value| (name.to_owned(), value)));
        };
        add("CommandLine", start.command.clone());
        add("Username", start.user.clone());
        let port = start.port.as_ref().map(|port| {
            let server = self.stage.ports.get(port);
            server.map_or_else(|| port.clone(), |server| server.number().to_string())
        });
        add("PortNumber", port);
        add("TargetServer", start.target.clone());
        add("ClientToken", start.client_token.clone());
        for (name, value) in &start.parameters {
            add(name, Some(self.stage.fill(value)));
        }
        let parameters: Vec<_> = parameters
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let answer = self
            .stage
            .sandbox
            .api()
            .call("StartTerminalSession", &parameters)
            .await?;
        let started: Started = serde_json::from_value(answer.clone())
            .map_err(|_| Trouble::plain("the answer to StartTerminalSession has no session"))?;
        self.stage.answer = answer;
        self.stage.sessions.add(name, started);
        Ok(())
    }

    async fn end_session(&self, end: &EndSession) -> Result<(), Trouble> {
        let id = self.stage.session(end.session.as_deref())?.id.clone();
        let parameters = [("SessionId", id.as_str())];
        self.stage
            .sandbox
            .api()
            .call("EndTerminalSession", &parameters)
            .await?;
        Ok(())
    }

    async fn connect(&mut self, connect: &Connect) -> Result<(), Trouble> {
        let names = self.stage.terminals.names();
        let name = connect
            .name
            .clone()
            .unwrap_or_else(|| free(&names, "terminal"));
        match connect.times {
            None => self.connect_one(connect, &name).await,
            Some(times) => {
                for number in 1..=times {
                    self.connect_one(connect, &format!("{name}-{number}"))
                        .await?;
                }
                Ok(())
            }
        }
    }

    async fn connect_one(&mut self, connect: &Connect, name: &str) -> Result<(), Trouble> {
        let mut started = self.stage.session(connect.session.as_deref())?.clone();
        if let Some(token) = &connect.token {
            let (path, _) = started
                .url
                .expose()
                .split_once("&token=")
                .unwrap_or((started.url.expose(), ""));
            started.url = Secret::new(format!("{path}&token={token}"));
            started.token = Secret::new(token.clone());
        }
        let network = Network {
            tap: self.stage.samples.tap(),
            ..self.stage.sandbox.network().clone()
        };
        let announce = match connect.extensions {
            true => Announce {
                extensions: EndOfInput::Closes.extensions(),
                size: None,
            },
            false => Announce::default(),
        };
        let link = session::connect(&network, &started, announce).await?;
        self.stage.terminals.add(name, Terminal::session(link));
        Ok(())
    }

    fn start_client(&mut self, start: &StartClient) -> Result<(), Trouble> {
        let missing = || Trouble::plain("there is no [client]");
        let client = self.stage.scenario.client.clone().ok_or_else(missing)?;
        let line = self.stage.fill(&client.command);
        let mut own = Vec::new();
        if let Ok(session) = self.stage.session(start.session.as_deref()) {
            own.push(("session", session.id.clone()));
            own.push(("url", session.url.expose().to_owned()));
            own.push(("token", session.token.expose().to_owned()));
        }
        if let Ok(instance) = self.stage.instance(None) {
            own.push(("instance", instance.to_string()));
        }
        let number = self.stage.terminals.names().len();
        let terminal = program::client(
            &line,
            (&self.stage.helper, client.pipes),
            (&self.stage.place, number),
            &own,
        )?;
        let name = start.name.as_deref().unwrap_or("client");
        self.stage.terminals.add(name, terminal);
        Ok(())
    }

    async fn type_text(&mut self, one: &Type) -> Result<(), Trouble> {
        let mut text = self.stage.fill(&one.text);
        if one.enter.unwrap_or(true) {
            text.push('\r');
        }
        self.terminal_mut(one.terminal.as_deref())?
            .send(text.as_bytes())
            .await
    }

    async fn send(&mut self, terminal: Option<&str>, bytes: u64) -> Result<(), Trouble> {
        let terminal = self.terminal_mut(terminal)?;
        let mut left = bytes;
        while left > 0 {
            let length = left.min(PIECE);
            let piece = vec![b'x'; usize::try_from(length).unwrap_or_default()];
            terminal.send(&piece).await?;
            left = left.saturating_sub(length);
        }
        Ok(())
    }

    fn kill(&mut self, part: &PartRef) -> Result<(), Trouble> {
        match part.part {
            Part::Relay => {
                self.stage.sandbox.lose_relay();
                Ok(())
            }
            Part::Client => {
                self.terminal_mut(part.terminal.as_deref())?.cut();
                Ok(())
            }
            Part::Agent => {
                let name = self.name_of(part);
                if self.stage.agents.remove(&name).is_some() {
                    return Ok(());
                }
                let instance = self.stage.instance(part.instance.as_deref())?;
                match self.stage.sandbox.lose_agent(&instance) {
                    true => Ok(()),
                    false => Err(Trouble::plain(format!("no agent of `{name}` runs"))),
                }
            }
        }
    }

    async fn restart(&mut self, part: &PartRef) -> Result<(), Trouble> {
        match part.part {
            Part::Relay => {
                let again = self.stage.sandbox.restart_relay().await;
                again.map_err(|error| Trouble::plain(error.to_string()))?;
                self.stage.samples.go_on(self.stage.sandbox.carried());
                self.stage.events.follow_again(&self.stage.sandbox).await;
                Ok(())
            }
            Part::Client => Err(Trouble::plain("a client is not restarted")),
            Part::Agent => {
                let name = self.name_of(part);
                let instance = self.stage.instance(part.instance.as_deref())?;
                if self.stage.sandbox.start_agent(&instance) {
                    return Ok(());
                }
                match self.stage.scenario.agent.clone() {
                    Some(program) => self.stage.start_program(&program, &name, None).await,
                    None => Err(Trouble::plain(format!("`{name}` has no agent"))),
                }
            }
        }
    }

    /// A program is stopped by a signal; what is in this process by faults on its links.
    async fn pause(&mut self, part: &PartRef, is_paused: bool) -> Result<(), Trouble> {
        let name = self.name_of(part);
        match part.part {
            Part::Client => {
                self.stage
                    .terminal(part.terminal.as_deref())?
                    .pause(is_paused);
                Ok(())
            }
            Part::Agent => {
                if let Some(program) = self.stage.agents.get(&name) {
                    program.pause(is_paused);
                    return Ok(());
                }
                let instance = self.stage.instance(part.instance.as_deref())?;
                self.hold(
                    &format!("paused-{name}"),
                    Some(instance),
                    &[Link::Agent, Link::Notify],
                    is_paused,
                )
                .await
            }
            Part::Relay => {
                self.hold(
                    "paused-relay",
                    None,
                    &[Link::Client, Link::Agent, Link::Notify],
                    is_paused,
                )
                .await
            }
        }
    }

    /// Lets nothing through those websockets, either way, or lets it through again.
    async fn hold(
        &mut self,
        name: &str,
        instance: Option<InstanceId>,
        links: &[Link],
        is_held: bool,
    ) -> Result<(), Trouble> {
        let admin = self.stage.sandbox.admin().clone();
        // Bytes and ends are held, not dropped: they come when it goes on.
        let holds = [
            FaultKind::Latency {
                latency: LONG_MS,
                jitter: 0,
            },
            FaultKind::SlowClose { delay: LONG_MS },
        ];
        let ways = [Stream::Upstream, Stream::Downstream];
        let all = links.iter().flat_map(|link| ways.map(|way| (*link, way)));
        let all = all.flat_map(|place| holds.clone().map(|hold| (place, hold)));
        for (index, ((link, stream), hold)) in all.enumerate() {
            let name = format!("{HOLD}{name}.{index}");
            if !is_held {
                admin.remove_fault(Some(&name)).await?;
                continue;
            }
            let mut fault = Fault::new(hold).on(link).going(stream);
            fault.name = Some(name);
            fault.scope.instance.clone_from(&instance);
            admin.add_fault(&fault).await?;
        }
        let at = self.ms(self.now());
        self.timeline.add(match is_held {
            true => Entry::fault(at, name, name),
            false => Entry::fault_removed(at, name),
        });
        Ok(())
    }

    pub(super) async fn add_fault(&mut self, text: &FaultText) -> Result<(), Trouble> {
        let instance = match &text.instance {
            Some(name) => Some(self.stage.instance(Some(name))?.to_string()),
            None => None,
        };
        let session = match &text.session {
            Some(name) => Some(self.stage.session(Some(name))?.id.clone()),
            None => None,
        };
        let fault = text
            .fault(instance.as_deref(), session.as_deref())
            .map_err(Trouble::plain)?;
        let name = self.stage.sandbox.admin().add_fault(&fault).await?;
        self.timeline
            .add(Entry::fault(self.ms(self.now()), &name, &text.words()));
        Ok(())
    }

    async fn remove_fault(&mut self, name: &str) -> Result<(), Trouble> {
        let admin = self.stage.sandbox.admin().clone();
        let at = self.ms(self.now());
        if !name.is_empty() {
            admin.remove_fault(Some(name)).await?;
            self.timeline.add(Entry::fault_removed(at, name));
            return Ok(());
        }
        for fault in admin.faults().await? {
            self.timeline.add(Entry::fault_removed(
                at,
                fault.fault.name.as_deref().unwrap_or_default(),
            ));
        }
        Ok(admin.remove_fault(None).await?)
    }

    /// The name of the instance whose agent is meant.
    fn name_of(&self, part: &PartRef) -> String {
        let first = || self.stage.instances.first().map(|(name, _)| name.clone());
        part.instance.clone().or_else(first).unwrap_or_default()
    }

    async fn call(&mut self, call: &Call) -> Result<(), Trouble> {
        let parameters = call
            .parameters
            .iter()
            .map(|(name, value)| (name.clone(), self.stage.fill(value)));
        let parameters: Vec<_> = parameters.collect();
        let parameters: Vec<_> = parameters
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        self.stage.answer = self
            .stage
            .sandbox
            .api()
            .call(&call.action, &parameters)
            .await?;
        Ok(())
    }

    async fn set_instance(&self, set: &SetInstance) -> Result<(), Trouble> {
        let instance = self.stage.instance(set.instance.as_deref())?;
        let change = InstanceChange {
            status: set.status.map(Into::into),
            os_type: set.os_type.map(Into::into),
            agent_version: set.agent_version.clone(),
            denied_ports: set.denied_ports.clone(),
            ..InstanceChange::default()
        };
        Ok(self
            .stage
            .sandbox
            .admin()
            .change_instance(&instance, &change)
            .await?)
    }

    async fn set_region(&self, set: SetRegion) -> Result<(), Trouble> {
        let change = RegionChange {
            api_supported: set.api_supported,
            port_forwarding: set.port_forwarding,
            intranet: set.intranet,
            dispatch_failure: set.dispatch_failure,
            start_without_agent: set.start_without_agent,
            one_shell_connection: set.one_shell_connection,
            ..RegionChange::default()
        };
        let region = &self.stage.sandbox.ready().region;
        Ok(self
            .stage
            .sandbox
            .admin()
            .change_region(region, &change)
            .await?)
    }
}
