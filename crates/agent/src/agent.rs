//! One agent of one instance.

use std::sync::Arc;

use axt_net::{link, tasks::Tasks};
use axt_proto::InstanceId;
use tokio::sync::watch;

use crate::{
    beat,
    behaviour::Fate,
    calls::Relay,
    channels::Channels,
    commands::Commands,
    config::{AgentConfig, Surroundings},
    follow::Follower,
    notify, telemetry,
};

/// A running agent. It belongs to the [`Tasks`] that it was started in and ends with them: each of
/// its channels is stopped as if the relay had said so.
#[derive(Clone, Debug)]
pub struct Agent {
    instance: InstanceId,
    online: watch::Receiver<bool>,
    deregistered: watch::Receiver<bool>,
    fate: Fate,
}

impl Agent {
    /// Starts an agent: one task, and one more for each channel that it serves and each command
    /// that it runs. A relay that is not
    /// there is tried again and again.
    #[must_use]
    pub fn start(config: AgentConfig, around: Surroundings, tasks: &Tasks) -> Self {
        let instance = config.signer.instance().clone();
        let (online_sender, online) = watch::channel(false);
        let (over, deregistered) = watch::channel(false);
        let relay = Arc::new(Relay::new(config, around));
        let fate = relay.fate().clone();
        let commands = Arc::new(Commands::new(Arc::clone(&relay), tasks.child()));
        let channels = Channels::new(Arc::clone(&relay), Arc::clone(&commands), tasks.child());
        let channels = Arc::new(channels);
        let is_online = online.clone();
        let token = tasks.token().clone();
        tasks.spawn("agent", async move {
            let mut follower = Follower::new(Arc::clone(&relay));
            let (fate, clock) = (relay.fate(), &relay.around().clock);
            tokio::select! {
                biased;
                () = token.cancelled() => {}
                // As in a crash: what it holds is dropped, and nobody is told.
                () = fate.death() => return,
                () = channels.deregistered() => {
                    over.send_replace(true);
                }
                // Boxed is, here and below, what is done once in a while: a task is as large as the
                // largest thing that it ever does, and one process can be a thousand agents.
                ((), (), (), (), (), ()) = async {
                    Box::pin(follower.once()).await;
                    fate.start(clock).await;
                    tokio::join!(
                        notify::keep(Arc::clone(&relay), Arc::clone(&channels), online_sender),
                        fate.unless_silent(beat::keep(
                            Arc::clone(&relay),
                            Arc::clone(&commands),
                            is_online,
                        )),
                        beat::keep_signed(Arc::clone(&relay)),
                        fate.unless_silent(telemetry::keep(Arc::clone(&relay))),
                        Box::pin(follower.keep()),
                        fate.come(clock),
                    )
                } => {}
            }
            tokio::join!(
                Box::pin(channels.tasks().shutdown(link::SHUTDOWN)),
                Box::pin(commands.tasks().shutdown(link::SHUTDOWN)),
            );
        });
        Self {
            instance,
            online,
            deregistered,
            fate,
        }
    }

    /// Whose agent it is.
    #[must_use]
    pub fn instance(&self) -> &InstanceId {
        &self.instance
    }

    /// Whether its notify channel is open.
    #[must_use]
    pub fn is_online(&self) -> bool {
        *self.online.borrow()
    }

    /// Waits until its notify channel has been opened, or lost, since this was last asked, and says
    /// which; for ever when the agent has ended.
    pub async fn changed(&mut self) -> bool {
        if self.online.changed().await.is_err() {
            std::future::pending().await
        }
        *self.online.borrow_and_update()
    }

    /// Waits until the relay has told it to deregister, and it has: it has ended by then. For ever
    /// when it ends otherwise.
    pub async fn deregistered(&mut self) {
        let is_over = self.deregistered.wait_for(|is_over| *is_over).await.is_ok();
        if !is_over {
            std::future::pending().await
        }
    }

    /// Waits until it has died, as its [`Behaviour`](crate::Behaviour) said; for ever otherwise.
    pub async fn died(&self) {
        self.fate.death().await;
    }

    /// Waits until its notify channel is open; for ever when the agent has ended.
    pub async fn online(&mut self) {
        let is_online = self.online.wait_for(|online| *online).await.is_ok();
        if !is_online {
            std::future::pending().await
        }
    }
}
