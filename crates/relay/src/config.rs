//! What a relay is started with.

use std::collections::{BTreeMap, BTreeSet};

use axt_control::admin::fault::Fault;
use axt_journal::Journal;
use axt_net::{clock::Clock, tls::ServerTls, transport::Listener, wall::Wall};
use axt_openapi::{AccessKey, Caller};
use axt_proto::{AccountId, InstanceId, Limits, RegionId, Secret};
use axt_registry::{InstanceSpec, RegionPatch};

use crate::traces::TraceConfig;

/// What a relay is started with. Everything that is random, timed or on disk comes in here.
#[derive(Debug)]
pub struct RelayConfig {
    /// Where it listens, bound already.
    pub listeners: Listeners,
    /// TLS for the api and the axt listeners, which serve plain HTTP on the same ports too; plain
    /// HTTP alone without.
    pub tls: Option<ServerTls>,
    /// Rule time.
    pub clock: Clock,
    /// Wall time, which judges signatures.
    pub wall: Wall,
    /// The limits, checked.
    pub limits: Limits,
    /// Where limits were set that are not at their defaults: name → `flag`, `environment` or a
    /// file.
    pub limit_sources: BTreeMap<String, String>,
    /// The journal, opened.
    pub journal: Journal,
    /// The region of what names none.
    pub region: RegionId,
    /// The account of what names none.
    pub account: AccountId,
    /// Regions beside the built-in table, and what is said of those in it.
    pub regions: BTreeMap<RegionId, RegionSettings>,
    /// What is said of accounts; one of which nothing is said is as it was.
    pub accounts: BTreeMap<AccountId, AccountSettings>,
    /// Who may call the API.
    pub access_keys: BTreeMap<String, AccessKey>,
    /// Whom calls without any signature are from (`--no-auth`); such calls need a loopback `Host`
    /// and no `Origin`.
    pub no_auth: Option<Caller>,
    /// Instances that are declared at start.
    pub instances: Vec<InstanceSpec>,
    /// Whether an agent may come without a signature, told apart by `X-Client-Instance-ID` or by its
    /// address.
    pub allow_unsigned: bool,
    /// Whose metadata a caller gets whose address no instance has; absent: the only instance's, if
    /// there is but one.
    pub metadata_instance: Option<InstanceId>,
    /// What session URLs are made of.
    pub urls: Urls,
    /// What the admin API wants as a bearer; needed off loopback.
    pub admin_token: Option<Secret>,
    /// Faults that are there from the start.
    pub faults: Vec<Fault>,
    /// What ids and tokens are made of instead of the system's randomness.
    pub seed: Option<u64>,
    /// Actions that the metadata calls HTTPS-only are refused over plain HTTP.
    pub enforce_tls: bool,
    /// What is traced, and where that goes.
    pub traces: TraceConfig,
}

/// What is said of a region at start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegionSettings {
    /// The two letters of its city, which ids carry; absent: the built-in table's, else `xx`.
    pub letters: Option<String>,
    /// Its name in DescribeRegions; absent: the built-in table's, else its id.
    pub name: Option<String>,
    /// Its switches; what is absent stays as the journal has it.
    pub switches: RegionPatch,
}

/// What is said of an account at start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountSettings {
    /// Whether its session manager is on; absent: as the journal has it.
    pub session_manager: Option<bool>,
    /// The KMS keys that it has; absent: every well-formed id counts as one.
    pub kms_keys: Option<BTreeSet<String>>,
}

/// The relay's listeners. The api and the axt listener serve the same; one may stand for both.
#[derive(Debug)]
pub struct Listeners {
    /// Stands for `ecs.REGION.aliyuncs.com`.
    pub api: Listener,
    /// Stands for `REGION.axt.aliyuncs.com`; absent: the api listener does.
    pub axt: Option<Listener>,
    /// The admin API.
    pub admin: Listener,
    /// The metadata service, which stands for 100.100.100.200; absent: there is none.
    pub metadata: Option<MetadataListener>,
}

/// Where the metadata service is served.
#[derive(Debug)]
pub enum MetadataListener {
    /// At an address of its own.
    Own(Listener),
    /// At the api listener's address, beside the API: on a network where one machine stands for both.
    Api,
}

/// What session URLs are made of (design, "URL that is handed out").
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Urls {
    /// The base of every URL, such as `wss://relay.example:443`.
    pub public: Option<String>,
    /// The same for `ConnectionType=Intranet`.
    pub intranet: Option<String>,
    /// `ws` instead of `wss` where no base is set.
    pub advertise_plain: bool,
    /// The port that URLs name where no base is set; absent: the axt listener's own.
    pub axt_port: Option<u16>,
    /// Hosts that count as virtual hosts of regions beside `aliyuncs.com`.
    pub virtual_domains: BTreeSet<String>,
    /// Whether who calls by one of the cloud's names is given `localhost` all the same: for callers that come
    /// through a proxy, to whom the names themselves lead nowhere.
    pub local_only: bool,
}
