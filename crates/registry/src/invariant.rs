//! What holds after every command, for tests to check.

use crate::{ConnectionStatus, Phase, Registry};

impl Registry {
    /// Checks what holds after every command. Costs a rebuild of all that is derived.
    ///
    /// # Errors
    /// Says what does not hold.
    pub fn invariants(&self) -> Result<(), String> {
        let mut rebuilt = self.clone();
        rebuilt.rebuild_index();
        if rebuilt.index != self.index {
            return Err(format!(
                "the index is not what the state says: {:?} instead of {:?}",
                self.index, rebuilt.index
            ));
        }
        for connection in self.connections.values() {
            let has_ended = connection.end.is_some();
            if has_ended == connection.status.is_live() {
                return Err(format!(
                    "{} is live with an end, or the reverse",
                    connection.id
                ));
            }
            let is_connected = connection.status == ConnectionStatus::Connected;
            if is_connected && connection.connected.is_none() {
                return Err(format!("{} is connected since never", connection.id));
            }
            let session = self.sessions.get(&connection.session);
            if session.is_none_or(|session| !session.is_committed) {
                return Err(format!("{} has no session", connection.id));
            }
            if connection.id.0 >= self.counters.next_connection {
                return Err(format!("{} will be given again", connection.id));
            }
        }
        for session in self.sessions.values() {
            if session.is_committed && (session.phase == Phase::Open) == session.closed_at.is_some()
            {
                return Err(format!(
                    "{} is open since its end, or the reverse",
                    session.id
                ));
            }
            if session.is_committed == self.ledger.is_committing(&session.id) {
                return Err(format!("{} waits for no commit, or for ever", session.id));
            }
        }
        Ok(())
    }
}
