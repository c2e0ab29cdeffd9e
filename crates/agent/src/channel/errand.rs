//! What a channel has to say, one thing after the other: behind its output, and never in the way of
//! its input.

use std::sync::Arc;

use axt_control::luban::{StatusCode, StatusPost};
use axt_proto::{
    Message,
    channel::{End, TargetKind},
};

use super::Runner;
use crate::{behaviour::Posts, calls::Relay};

#[derive(Debug)]
pub(super) enum Errand {
    /// A message without payload, on the data channel.
    Send(Message),
    /// How the channel ended, by a call of its own, and why in words.
    Report(StatusPost, String),
}

/// Posts how a channel ended: once, unless the agent has another habit.
async fn report(relay: Arc<Relay>, post: StatusPost, why: String) {
    let posts = relay.config().behaviour.posts;
    if let Posts::Late(late) = posts {
        let clock = &relay.around().clock;
        let mut timer = clock.timer("agent posts late");
        timer.set(Some(clock.now() + late));
        drop(timer.fired().await);
    }
    let times = match posts {
        Posts::Once | Posts::Late(_) => 1,
        Posts::Twice => 2,
        Posts::Never => 0,
    };
    for _ in 0..times {
        super::open::report(&relay, post.clone(), &why).await;
    }
}

impl Runner {
    /// Sets out on the next errand, when none is under way.
    pub(super) fn start_errand(&mut self) {
        if self.errand.is_some() {
            return;
        }
        self.errand = match self.errands.front() {
            None => None,
            Some(Errand::Send(message)) => {
                let mut writer = self.link.writer();
                let message = message.clone();
                Some(Box::pin(async move { writer.send(&message).await }))
            }
            Some(Errand::Report(post, why)) => {
                let report = report(Arc::clone(&self.relay), post.clone(), why.clone());
                Some(Box::pin(report))
            }
        };
    }

    pub(super) fn errand_done(&mut self) {
        self.errand = None;
        if let Some(Errand::Report(..)) = self.errands.pop_front() {
            self.machine().reported();
        }
    }

    /// Once the end is decided, a link that is lost is not dialled again, and nobody is there to be
    /// sent anything.
    pub(super) fn forget_sends(&mut self) {
        if !self.machine().is_over() {
            return;
        }
        if let Some(Errand::Send(_)) = self.errands.front() {
            self.errand = None;
        }
        self.errands
            .retain(|errand| !matches!(errand, Errand::Send(_)));
    }

    /// To tell how the channel ended.
    pub(super) fn report(&mut self, end: End) -> Errand {
        let code = match (end, self.wanted.kind()) {
            (End::Exited(_) | End::Done, _) => StatusCode::Ok,
            (End::Stopped, _) => StatusCode::Notified,
            (End::TimedOut, _) => StatusCode::Timeout,
            (End::NotOpened, TargetKind::Port) => StatusCode::OpenPortFailed,
            (End::NotOpened, _) => StatusCode::OpenPtyFailed,
            (End::Broken, _) => StatusCode::IoPortFailed,
            (End::BadData, _) => StatusCode::ProcessDataError,
        };
        let detail = self.detail.take();
        tracing::info!(
            channel = %self.id, code = code.word(), detail = detail.as_deref(), "a channel ended"
        );
        let post = StatusPost {
            channel: self.id.clone(),
            code,
            detail: detail.clone().filter(|_| self.tells_detail),
        };
        let why = detail.unwrap_or_else(|| code.word().to_owned());
        Errand::Report(post, why)
    }
}
