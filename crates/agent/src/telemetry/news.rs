//! What an agent has to tell, in words (wire-protocol 10.4, 10.5).

use axt_control::luban::{
    StatusPost,
    telemetry::{CHANNEL_LOST, ClientReport, Common, EventKind, Keywords, MetricsEvent},
};

use crate::calls::Relay;

/// What an event says where the official agent would ask the machine, or its metadata service.
const UNKNOWN: &str = "unknown";

impl Relay {
    /// It has started, and has its first task list.
    pub(crate) fn tell_startup(&self) {
        let config = self.config();
        let kind = match config.is_cold_start {
            true => "cold start",
            false => "not cold start",
        };
        self.tell_event(
            EventKind::Startup,
            Keywords::from([
                ("osName", config.machine.os_version.clone()),
                ("type", kind.to_owned()),
            ]),
        );
    }

    /// A session has failed: two events, as its end is posted. One that ended is none.
    pub(crate) fn tell_failure(&self, post: &StatusPost, why: &str) {
        if post.code.status() != "Failed" {
            return;
        }
        let channel = post.channel.to_string();
        let keywords = |session: &'static str| {
            Keywords::from([
                ("code", post.code.word().to_owned()),
                ("errormsg", why.to_owned()),
                (session, channel.clone()),
                ("taskid", channel.clone()),
                // What a session object says of it is ignored (10.4).
                ("wsURL", String::new()),
            ])
        };
        self.tell_event(EventKind::SessionFailed, keywords("sessionId"));
        self.tell_event(EventKind::TaskFailed, keywords("sessionid"));
    }

    /// Its notify channel was lost.
    pub(crate) fn tell_channel_lost(&self, why: &str) {
        self.telemetry().report(ClientReport {
            kind: CHANNEL_LOST.to_owned(),
            info: format!("start:{why}"),
        });
    }

    /// It is registered no longer; of nobody, for that is what it is now.
    pub(crate) async fn tell_unregistered(&self) {
        let keywords = Keywords::from([("status", "success".to_owned())]);
        let event = self.event(EventKind::Unregistered, &keywords);
        let told = match serde_json::to_vec(&event) {
            Ok(body) => self.post_anonymous_event(body.into()).await,
            Err(error) => Err(error.into()),
        };
        if let Err(error) = told {
            tracing::debug!(%error, "the end of the registration was not taken note of");
        }
    }

    fn tell_event(&self, kind: EventKind, keywords: Keywords) {
        self.telemetry().event(self.event(kind, &keywords));
    }

    fn event(&self, kind: EventKind, keywords: &Keywords) -> MetricsEvent {
        let machine = &self.config().machine;
        let common = Common {
            arch: machine.architecture.clone(),
            instance_id: self.instance().to_string(),
            os_version: machine.os_version.clone(),
            virtual_type: UNKNOWN.to_owned(),
            distribution: format!("{} {}", machine.platform, machine.platform_version),
            kernel_version: machine.kernel_version.clone(),
        };
        MetricsEvent::new(kind, self.now_ms(), &common, keywords)
    }
}
