//! The registry after a restart.

use axt_proto::{Carried, Limits, Reason, Tick};

use crate::{Changes, Presence, Registry, Row, connection::Ending};

impl Registry {
    /// The registry that the journal's rows describe. Connections without an end are closed as
    /// `RelayRestarted`; every agent is offline until it is back, and commands that are not over are
    /// waited for anew; the numbers go on. What had not reached the journal never was.
    pub fn restore(
        limits: Limits,
        rows: impl IntoIterator<Item = Row>,
        now: Tick,
    ) -> (Self, Changes) {
        let mut registry = Self::new(limits);
        for row in rows {
            registry.load(row);
        }
        registry.rebuild_index();
        let close = |registry: &mut Self, step: &mut _| {
            let open: Vec<_> = registry.live_connections().map(|one| one.id).collect();
            for id in open {
                let ending = Ending::closed(Reason::RelayRestarted, Carried::default());
                registry.finish(step, id, ending);
            }
            registry.watch_all(step);
        };
        let ((), changes) = registry.step(now, close);
        (registry, changes)
    }

    /// Takes a row as it would be after its way through the journal: without what is not stored.
    fn load(&mut self, row: Row) {
        match row {
            Row::Region(region) => {
                self.regions.insert(region.id.clone(), region);
            }
            Row::Account(account) => {
                self.accounts.insert(account.id.clone(), account);
            }
            Row::Instance(mut instance) => {
                instance.presence = Presence::default();
                self.instances.insert(instance.spec.id.clone(), *instance);
            }
            Row::Activation(activation) => {
                self.activations.insert(activation.id.clone(), *activation);
            }
            Row::Session(mut session) => {
                session.is_committed = true;
                self.sessions.insert(session.id.clone(), *session);
            }
            Row::Connection(mut connection) => {
                connection.closing = None;
                self.connections.insert(connection.id, *connection);
            }
            Row::Token(token) => self.ledger.insert(*token),
            Row::Command(command) => {
                self.commands.insert(command.id.clone(), *command);
            }
            Row::Invocation(invocation) => {
                self.invocations.insert(invocation.id.clone(), *invocation);
            }
            Row::Run(run) => {
                let key = (run.invocation.clone(), run.instance.clone());
                self.runs.insert(key, *run);
            }
            Row::Counters(counters) => self.counters = counters,
        }
    }
}
