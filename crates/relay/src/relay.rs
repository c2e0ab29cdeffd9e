//! Starting a relay, and holding one.

use std::{
    collections::BTreeMap,
    fmt, io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicBool},
};

use axt_journal::{CommitError, Journal, OpenError};
use axt_net::{
    accept, clock::Clock, fault::Ground, link, pump::Totals, tasks::Tasks, transport::Listener,
    wall::Wall,
};
use axt_openapi::paging::Seal;
use axt_proto::{AccountId, Event, InstanceId, Limits, RegionId, Secret};
use axt_registry::{RegionPatch, Registry, Row};
use axum::{
    Router, middleware,
    routing::{any, get},
};
use tokio::sync::watch;

use crate::{
    admin, api,
    config::{MetadataListener, RelayConfig, Urls},
    connection::{Context, Leftovers},
    desk::{Desk, DeskHandle, Setup},
    events::Follower,
    faults::{self, Faults},
    ids::Ids,
    luban::{self, Verifiers},
    metadata,
    metrics::Metrics,
    nonces::Nonces,
    rates::Rates,
    session,
    traces::{self, Traces},
    world::{Snapshot, Surroundings},
};

/// A relay that cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] OpenError),
    /// A fault that was declared is none.
    #[error("{0}")]
    Fault(String),
    /// A listener is not good for use.
    #[error("a listener does not tell its address: {0}")]
    Listener(#[from] io::Error),
    /// The admin API would be open to everyone.
    #[error(
        "the admin API listens on {0}, which is not this machine alone: set --admin-token, or \
         listen on 127.0.0.1"
    )]
    OpenAdmin(SocketAddr),
    /// The API would be open to everyone.
    #[error(
        "calls without a signature would be let in on {0}, which is not this machine alone: leave \
         --no-auth out, or listen on 127.0.0.1"
    )]
    OpenApi(SocketAddr),
}

/// Where a relay listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// The API.
    pub api: SocketAddr,
    /// Session URLs and agents; the API's when there is no listener of its own.
    pub axt: SocketAddr,
    /// The admin API.
    pub admin: SocketAddr,
    /// The metadata service, if there is one.
    pub metadata: Option<SocketAddr>,
}

/// The relay. See [`Relay::start`].
#[derive(Clone, Copy, Debug)]
pub struct Relay;

/// A relay that runs. Dropping it ends it at once; [`RelayHandle::shutdown`] is the orderly way.
pub struct RelayHandle {
    addresses: Addresses,
    shared: Arc<Shared>,
    carried: Arc<Totals>,
    tasks: Tasks,
}

/// What every part of a relay shares.
pub(crate) struct Shared {
    pub(crate) desk: DeskHandle,
    /// Whether a call of the API has to ask the desk for faults.
    pub(crate) has_api_faults: Arc<AtomicBool>,
    pub(crate) surroundings: Surroundings,
    pub(crate) clock: Clock,
    pub(crate) wall: Wall,
    pub(crate) limits: Limits,
    pub(crate) limit_sources: BTreeMap<String, String>,
    pub(crate) metrics: Metrics,
    pub(crate) journal: Journal,
    pub(crate) urls: Urls,
    pub(crate) axt_port: u16,
    pub(crate) region: RegionId,
    pub(crate) account: AccountId,
    pub(crate) next_tokens: Seal,
    pub(crate) verifiers: Verifiers,
    pub(crate) allow_unsigned: bool,
    pub(crate) metadata_instance: Option<InstanceId>,
    pub(crate) admin_token: Option<Secret>,
    pub(crate) tasks: Tasks,
    leftovers: Leftovers,
    pub(crate) traces: Arc<Traces>,
    ids: Mutex<Ids>,
}

impl Relay {
    /// Starts a relay on `tasks`: it serves from now on.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn start(config: RelayConfig, tasks: &Tasks) -> Result<RelayHandle, StartError> {
        let tasks = tasks.child();
        let addresses = Addresses::of(&config)?;
        let is_open = !addresses.admin.ip().is_loopback() && config.admin_token.is_none();
        if is_open {
            return Err(StartError::OpenAdmin(addresses.admin));
        }
        let public = [addresses.api, addresses.axt];
        let public = public.into_iter().find(|at| !at.ip().is_loopback());
        if let (Some(_), Some(public)) = (&config.no_auth, public) {
            return Err(StartError::OpenApi(public));
        }
        let now = config.clock.now();
        let rows = config.journal.replay()?;
        let seed = config.seed.map(|seed| life(seed, &rows));
        let (registry, restored) = Registry::restore(config.limits.clone(), rows, now);
        let mut first = Snapshot::default();
        first.take(registry.rows());
        let (snapshot, switches) = watch::channel(first);
        let mut ids = Ids::new(seed);
        let next_tokens = Seal::new(ids.bytes());
        // Two sources, so that request ids never wait for the desk; with a seed they differ too.
        let request_ids = Ids::new(seed.map(|seed| seed ^ u64::MAX));
        let totals = Arc::<Totals>::default();
        let metrics = Metrics::new(Arc::clone(&totals), config.journal.clone());
        let carried = Arc::clone(&totals);
        let (handle, jobs) = Desk::jobs();
        let ground = Ground::new(config.clock.clone(), tasks.child());
        let mut faults = Faults::new(seed, ground);
        for fault in config.faults {
            let bad = |error: String| StartError::Fault(error);
            faults::api::check(&fault.kind).map_err(bad)?;
            faults.add(fault).map_err(|taken| bad(taken.to_string()))?;
        }
        let has_api_faults = faults.has_api();
        let traces = Arc::new(Traces::new(config.traces, config.clock.clone()));
        let mut desk = Desk::new(Setup {
            registry,
            journal: config.journal.clone(),
            clock: config.clock.clone(),
            limits: config.limits.clone(),
            letters: config.regions.clone(),
            ids,
            snapshot,
            totals,
            metrics: metrics.clone(),
            faults,
            region: config.region.clone(),
            handle: handle.downgrade(),
            traces: Arc::clone(&traces),
        });
        desk.apply(restored);
        for spec in config.instances {
            let changes = desk.registry.declare_instance(now, spec);
            desk.apply(changes);
        }
        for (id, region) in &config.regions {
            if region.switches != RegionPatch::default() {
                let changes = desk.registry.change_region(now, id, region.switches);
                desk.apply(changes);
            }
        }
        for (id, account) in &config.accounts {
            if let Some(is_on) = account.session_manager {
                let changes = desk.registry.set_session_manager(now, id, is_on);
                desk.apply(changes);
            }
        }
        let shared = Arc::new(Shared {
            desk: handle,
            has_api_faults,
            surroundings: Surroundings {
                access_keys: config.access_keys,
                no_auth: config.no_auth,
                regions: config.regions,
                accounts: config.accounts,
                enforce_tls: config.enforce_tls,
                snapshot: switches,
                nonces: Nonces::new(),
                rates: Rates::new(&config.limits),
                wall: config.wall.clone(),
            },
            clock: config.clock,
            wall: config.wall,
            limits: config.limits,
            limit_sources: config.limit_sources,
            metrics,
            journal: config.journal,
            axt_port: config.urls.axt_port.unwrap_or(addresses.axt.port()),
            urls: config.urls,
            region: config.region,
            account: config.account,
            next_tokens,
            verifiers: Verifiers::default(),
            allow_unsigned: config.allow_unsigned,
            metadata_instance: config.metadata_instance,
            admin_token: config.admin_token,
            tasks: tasks.child(),
            leftovers: Leftovers::new(tasks.token().clone()),
            traces,
            ids: Mutex::new(request_ids),
        });
        tasks.spawn("desk", desk.run(jobs, tasks.token().clone()));
        let mut router = router(&shared);
        if let Some(MetadataListener::Api) = config.listeners.metadata {
            router = router.merge(metadata::routes(&shared));
        }
        let serve = |name, listener: Listener, router: Router, tls| {
            tasks.spawn(
                name,
                accept::serve(listener, tls, router, shared.tasks.child()),
            );
        };
        let (listeners, tls) = (config.listeners, config.tls);
        if let Some(axt) = listeners.axt {
            serve("axt listener", axt, router.clone(), tls.clone());
        }
        serve("api listener", listeners.api, router, tls);
        let admin = admin::router(&shared);
        serve("admin listener", listeners.admin, admin, None);
        if let Some(MetadataListener::Own(listener)) = listeners.metadata {
            serve(
                "metadata listener",
                listener,
                metadata::router(&shared),
                None,
            );
        }
        Ok(RelayHandle {
            addresses,
            shared,
            carried,
            tasks,
        })
    }
}

/// The seed of this life of a relay: one that goes on from a journal must not give the ids out again
/// that are in it. The first life's is the seed itself.
fn life(seed: u64, rows: &[Row]) -> u64 {
    let events = rows.iter().find_map(|row| match row {
        Row::Counters(counters) => Some(counters.next_seq),
        _ => None,
    });
    seed.wrapping_add(events.unwrap_or_default())
}

fn router(shared: &Arc<Shared>) -> Router {
    Router::new()
        .route("/session", get(session::connect))
        .route("/luban/{*rest}", any(luban::serve))
        .route("/errors/{code}", get(api::explain))
        .fallback(api::call)
        .layer(middleware::from_fn_with_state(
            Arc::clone(shared),
            traces::see,
        ))
        .with_state(Arc::clone(shared))
}

impl Addresses {
    fn of(config: &RelayConfig) -> io::Result<Self> {
        let api = config.listeners.api.local_addr()?;
        let axt = config.listeners.axt.as_ref().map(Listener::local_addr);
        Ok(Self {
            api,
            axt: axt.transpose()?.unwrap_or(api),
            admin: config.listeners.admin.local_addr()?,
            metadata: match &config.listeners.metadata {
                Some(MetadataListener::Own(listener)) => Some(listener.local_addr()?),
                Some(MetadataListener::Api) => Some(api),
                None => None,
            },
        })
    }
}

impl RelayHandle {
    /// Where it listens.
    #[must_use]
    pub const fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// Its rule time.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// What all its connections together have carried so far, and for how long they were held back.
    #[must_use]
    pub fn carried(&self) -> Arc<Totals> {
        Arc::clone(&self.carried)
    }

    /// The latest events after `since` (their `seq`), and a follower that goes on from there
    /// without a gap.
    ///
    /// `None` when the relay has ended.
    pub async fn events(&self, since: u64) -> Option<(Vec<Arc<Event>>, Follower)> {
        let follow = move |desk: &mut Desk| desk.follow(since);
        self.shared.desk.ask(follow).await.ok()
    }

    /// Checks what holds whenever nothing is under way ([`Registry::invariants`]): for tests and
    /// simulations. A relay that has ended holds everything.
    ///
    /// # Errors
    /// Says what does not hold.
    pub async fn invariants(&self) -> Result<(), String> {
        let check = self.shared.desk.ask(|desk| desk.registry.invariants());
        check.await.unwrap_or(Ok(()))
    }

    /// Ends everything in good order: connections are told `RelayStopping`, and the journal has
    /// what happened. The answer names what was left after [`link::SHUTDOWN`].
    ///
    /// # Errors
    /// When the clock's offset could not be kept.
    pub async fn shutdown(self) -> Result<Vec<&'static str>, CommitError> {
        let left = self.tasks.shutdown(link::SHUTDOWN).await;
        let offset = self.shared.clock.offset_from(&self.shared.wall);
        self.shared.journal.store_clock_offset(offset).await?;
        Ok(left)
    }
}

impl fmt::Debug for RelayHandle {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("RelayHandle")
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}

impl Shared {
    /// A request id that was never used.
    pub(crate) fn request_id(&self) -> String {
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        ids.request()
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.tasks.token().is_cancelled()
    }

    /// What connections share.
    pub(crate) fn connections(&self) -> Context {
        Context {
            desk: self.desk.clone(),
            clock: self.clock.clone(),
            limits: self.limits.clone(),
            leftovers: self.leftovers.clone(),
        }
    }
}
