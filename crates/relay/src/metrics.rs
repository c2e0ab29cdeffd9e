//! What Prometheus is told. No id, no address and no name is ever in a label: each has a closed set
//! of values.
//!
//! Counts of what happened are a view of the events, like history and the log ([`Metrics::see`]);
//! what there is now is looked up when somebody asks ([`Now`]).

use std::{fmt, sync::Arc, time::Duration};

use axt_control::admin::LimitsAnswer;
use axt_journal::Journal;
use axt_net::pump::Totals;
use axt_proto::{Direction, Event, EventKind};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, prometheus_text},
    metrics::{
        MetricType,
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::ConstGauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};

/// The type of the text, for whoever asks by HTTP.
pub(crate) const CONTENT_TYPE: &str = prometheus_text::CONTENT_TYPE;

/// One label with its value.
type Label = [(&'static str, &'static str); 1];

/// The metrics of one relay; cloning shares them.
#[derive(Clone, Debug)]
pub(crate) struct Metrics(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    events: Family<Label, Counter>,
    ends: Family<Label, Counter>,
    refusals: Family<Label, Counter>,
    calls: Family<[(&'static str, &'static str); 2], Counter>,
    opening: Histogram,
    commits: Histogram,
    registry: Registry,
}

impl Metrics {
    /// Nothing has happened yet.
    pub(crate) fn new(totals: Arc<Totals>, journal: Journal) -> Self {
        let mut registry = Registry::with_prefix("axt");
        let mut counts = Counts {
            events: Family::default(),
            ends: Family::default(),
            refusals: Family::default(),
            calls: Family::default(),
            opening: Histogram::new(exponential_buckets(0.001, 2.0, 15)),
            commits: Histogram::new(exponential_buckets(0.000_1, 2.0, 15)),
            registry: Registry::default(),
        };
        registry.register(
            "events",
            "What happened, by its name in /v1/events",
            counts.events.clone(),
        );
        registry.register(
            "connection_ends",
            "Connections that ended, by history's word for the reason",
            counts.ends.clone(),
        );
        registry.register(
            "upgrades_refused",
            "Clients with the right token whose websocket was refused, by code",
            counts.refusals.clone(),
        );
        registry.register(
            "api_calls",
            "Calls of the API, by action and by the code of the answer",
            counts.calls.clone(),
        );
        registry.register_with_unit(
            "connection_opening",
            "From a client's upgrade to its pairing with the agent's channel, in rule time",
            Unit::Seconds,
            counts.opening.clone(),
        );
        registry.register_with_unit(
            "journal_commit",
            "From a change to its being durable, where somebody waited for it",
            Unit::Seconds,
            counts.commits.clone(),
        );
        registry.register_collector(Box::new(Kept { totals, journal }));
        counts.registry = registry;
        Self(Arc::new(counts))
    }

    /// Something has happened.
    pub(crate) fn see(&self, event: &Event) {
        let count = |family: &Family<Label, Counter>, label, value| {
            family.get_or_create(&[(label, value)]).inc();
        };
        count(&self.0.events, "event", event.kind.name());
        match &event.kind {
            EventKind::ConnectionClosed { reason, .. }
            | EventKind::ConnectionFailed { reason, .. } => {
                count(&self.0.ends, "reason", reason.word());
            }
            EventKind::ConnectionRefused { code } => {
                count(
                    &self.0.refusals,
                    "code",
                    axt_registry::ConnectRefusal::known(code),
                );
            }
            _ => {}
        }
    }

    /// A client and its agent's channel were paired, so long after the client's upgrade.
    pub(crate) fn opened(&self, after: Duration) {
        self.0.opening.observe(after.as_secs_f64());
    }

    /// A change is durable, or failed, after so long.
    pub(crate) fn committed(&self, after: Duration) {
        self.0.commits.observe(after.as_secs_f64());
    }

    /// A call of the API was answered. Both are names from closed tables.
    pub(crate) fn called(&self, action: &'static str, code: &'static str) {
        let labels = [("action", action), ("code", code)];
        self.0.calls.get_or_create(&labels).inc();
    }

    /// Everything, as text.
    pub(crate) fn text(&self, now: Now) -> String {
        let mut text = String::new();
        let mut gauges = Registry::with_prefix("axt");
        gauges.register_collector(Box::new(now));
        for registry in [&gauges, &self.0.registry] {
            // Writing to a string fails only when a collector does, and ours do not.
            let _ = prometheus_text::encode(&mut text, registry);
        }
        text
    }
}

/// What is counted where it happens.
#[derive(Debug)]
struct Kept {
    totals: Arc<Totals>,
    journal: Journal,
}

impl Collector for Kept {
    fn encode(&self, mut out: DescriptorEncoder<'_>) -> fmt::Result {
        let directions = [("up", Direction::Up), ("down", Direction::Down)];
        let help = "Payload that passed, from the client (up) and to it (down)";
        let mut bytes =
            out.encode_descriptor("payload", help, Some(&Unit::Bytes), MetricType::Counter)?;
        for (name, direction) in directions {
            let labels = [("direction", name)];
            let value = ConstCounter::new(self.totals.bytes(direction));
            value.encode(bytes.encode_family(&labels)?)?;
        }
        let help = "For how long payload waited for its session's bandwidth, in rule time";
        let mut held =
            out.encode_descriptor("held", help, Some(&Unit::Seconds), MetricType::Counter)?;
        for (name, direction) in directions {
            let labels = [("direction", name)];
            let value = ConstCounter::new(self.totals.held(direction).as_secs_f64());
            value.encode(held.encode_family(&labels)?)?;
        }
        let written = self.journal.written();
        for (name, help, value) in [
            (
                "journal_transactions",
                "Transactions that the journal wrote",
                written.transactions,
            ),
            (
                "journal_batches",
                "Changes in those transactions",
                written.batches,
            ),
            (
                "journal_failures",
                "Transactions that the journal could not write",
                written.failures,
            ),
        ] {
            let one = out.encode_descriptor(name, help, None, MetricType::Counter)?;
            ConstCounter::new(value).encode(one)?;
        }
        Ok(())
    }
}

/// What there is now.
#[derive(Debug, Default)]
pub(crate) struct Now {
    pub(crate) instances: usize,
    pub(crate) agents_online: usize,
    /// Sessions by state.
    pub(crate) sessions: Vec<(&'static str, usize)>,
    /// Connections that hold a slot, by state.
    pub(crate) connections: Vec<(&'static str, usize)>,
    /// Limits by name, each with the use of whoever is nearest.
    pub(crate) limits: LimitsAnswer,
    pub(crate) is_clock_frozen: bool,
}

impl Collector for Now {
    fn encode(&self, mut out: DescriptorEncoder<'_>) -> fmt::Result {
        for (name, help, value) in [
            (
                "instances",
                "Instances that are declared",
                as_number(self.instances),
            ),
            (
                "agents_online",
                "Instances whose agent is there",
                as_number(self.agents_online),
            ),
            (
                "clock_frozen",
                "Whether rule time stands still",
                i64::from(self.is_clock_frozen),
            ),
        ] {
            let one = out.encode_descriptor(name, help, None, MetricType::Gauge)?;
            ConstGauge::new(value).encode(one)?;
        }
        for (name, help, by_state) in [
            (
                "sessions",
                "Sessions that are remembered, by state",
                &self.sessions,
            ),
            (
                "connections",
                "Connections that hold a slot, by state",
                &self.connections,
            ),
        ] {
            let mut family = out.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for (state, count) in by_state {
                let labels = [("state", *state)];
                ConstGauge::new(as_number(*count)).encode(family.encode_family(&labels)?)?;
            }
        }
        let help = "The limits, each in the unit that its name ends with";
        let mut limits = out.encode_descriptor("limit", help, None, MetricType::Gauge)?;
        for (name, limit) in &self.limits {
            let labels = [("limit", name.as_str())];
            let value = i64::try_from(limit.value).unwrap_or(i64::MAX);
            ConstGauge::new(value).encode(limits.encode_family(&labels)?)?;
        }
        let help = "How much of a limit whoever is nearest to it has in use";
        let mut uses = out.encode_descriptor("limit_used", help, None, MetricType::Gauge)?;
        for (name, limit) in &self.limits {
            let Some(used) = limit.used else { continue };
            let labels = [("limit", name.as_str())];
            let used = i64::try_from(used).unwrap_or(i64::MAX);
            ConstGauge::new(used).encode(uses.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

fn as_number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
