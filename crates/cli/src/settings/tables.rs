//! The tables of the settings file: the types that are read, with what people are told of them.

// The text is the file's too, in which `[relay]` is a table and no link.
#![allow(rustdoc::broken_intra_doc_links)]

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    path::PathBuf,
};

use axt_agent::Behaviour;
use axt_control::admin::fault::{Link, Stream};
use axt_proto::{AccountId, ConnectionId, InstanceId, RegionId, Secret, SessionId};
use axt_sandbox::{InstanceStatus, OsType};

use super::key::{Key, table};

table! {
    /// The relay: what `axt up` and `axt relay` listen on, keep, and hand out. Commands on the same
    /// machine look in `state_dir` for the sandbox that runs.
    RelayTable = "relay", list: false {
        /// Where the OpenAPI listens; port 0 picks a free one.
        api_listen: SocketAddr = Key::new("\"ADDR:PORT\"").default("\"127.0.0.1:7080\"").flag("--api-listen");
        /// Where sessions and agents connect; the same address as `api_listen` is allowed.
        axt_listen: SocketAddr = Key::new("\"ADDR:PORT\"").default("\"127.0.0.1:7443\"").flag("--axt-listen");
        /// Where health, metrics, state and the clock are served. Off loopback it wants a token.
        admin_listen: SocketAddr = Key::new("\"ADDR:PORT\"").default("\"127.0.0.1:7090\"").flag("--admin-listen");
        /// Where the metadata service listens, for agents that are not registered: the cloud has it at
        /// 100.100.100.200:80. It may be `api_listen`'s own address. Without this there is none.
        metadata_listen: SocketAddr = Key::new("\"ADDR:PORT\"").by_default("nowhere").example("\"100.100.100.200:80\"").flag("--metadata-listen");
        /// Whose metadata a caller gets whose address no instance has.
        metadata_instance: InstanceId = Key::new("an instance id").by_default("the only one that there is").example("\"i-example\"").flag("--metadata-instance");
        /// What callers of the admin listener have to send as a bearer token.
        admin_token: Secret = Key::new("a text").example("\"choose-one\"").flag("--admin-token").secret();
        /// Where sessions, keys and the CA are kept between runs.
        state_dir: PathBuf = Key::new("a folder, from this file's folder on")
            .by_default("~/.local/state/axt").example("\"/var/lib/axt\"").flag("--state-dir");
        /// Keep nothing: memory, and a temporary folder that goes at the end.
        ephemeral: bool = Key::switch("false").flag("--ephemeral");
        /// Write a further copy of ready.json here once everything answers.
        ready_file: PathBuf = Key::new("a file, from this file's folder on").example("\"ready.json\"").flag("--ready-file");
        /// The region of what names none, and of the simulated instances.
        region: RegionId = Key::new("a region id").default("\"cn-hangzhou\"").flag("--region");
        /// The account of what names none.
        account: AccountId = Key::new("an account id, digits in a text").default("\"1000000000000001\"");
        /// How many instances `axt up` simulates; `axt relay` simulates none.
        simulated: u16 = Key::new("a whole number up to 65535").default("1").flag("--instances");
        /// Make ids and tokens from this number, the same on every run.
        seed: u64 = Key::new("a whole number").by_default("chance").example("7").flag("--seed");
        /// The base of every session URL.
        public_url: String = Key::new("\"wss://HOST[:PORT]\"")
            .by_default("from the host that was called").example("\"wss://relay.example:7443\"").flag("--public-url");
        /// The same for sessions with ConnectionType=Intranet.
        intranet_url: String = Key::new("\"wss://HOST[:PORT]\"")
            .by_default("public_url").example("\"wss://10.0.0.5:7443\"").flag("--intranet-url");
        /// Hand out ws:// instead of wss:// where no base is set.
        advertise_plain: bool = Key::switch("false").flag("--advertise-plain");
        /// Domains whose hosts count as the cloud's own names, like aliyuncs.com.
        virtual_domains: BTreeSet<String> = Key::new("a list of domains").default("[]").example("[\"cloud.test\"]");
        /// Host names and addresses that the dev CA vouches for, beside localhost, the cloud's and
        /// private addresses. A CA that was made without one says so, and has to be made again.
        names: Vec<String> = Key::new("a list of names and addresses").default("[]").example("[\"relay.example\"]").flag("--name");
        /// Let calls without a signature in, as the account's own. Refused off loopback.
        no_auth: bool = Key::switch("false").flag("--no-auth");
        /// Let an agent whose instance has no public_key in without a signature, told apart by its
        /// metadata or by its address, which then is the instance's intranet_ip or internet_ip.
        allow_unsigned: bool = Key::switch("false").flag("--allow-unsigned");
        /// Refuse, over plain HTTP, the actions that the cloud takes over HTTPS only.
        enforce_tls: bool = Key::switch("false").flag("--enforce-tls");
        /// Write every frame and every control-plane call into this folder, without payload and secrets.
        trace: PathBuf = Key::new("a folder, from this file's folder on").by_default("nowhere").example("\"traces\"").flag("--trace");
        /// Write what people type and read into the trace too.
        trace_payload: bool = Key::switch("false").flag("--trace-payload");
    }
}

table! {
    /// The agent that `axt agent` runs; what it says of its machine, `version`, `keep_background` and
    /// `no_extensions` are for those of `axt up` too.
    AgentTable = "agent", list: false {
        /// The relay that it serves.
        server: String = Key::new("\"https://HOST:PORT\"")
            .by_default("the relay that runs on this machine").example("\"https://relay.example:7443\"").flag("--server");
        /// Certificates to trust beside the system's, such as the relay's ca.pem.
        ca: PathBuf = Key::new("a PEM file, from this file's folder on")
            .by_default("that of the relay on this machine").example("\"ca.pem\"").flag("--ca");
        /// The instance whose agent it is.
        instance: InstanceId = Key::new("an instance id").example("\"i-example\"").flag("--instance");
        /// Its private key; `axt agent --new-key FILE` makes one.
        key: PathBuf = Key::new("a PEM file, from this file's folder on").example("\"agent.pem\"").flag("--key");
        /// What it signs beside its id: the same as in the relay's [[instances]].
        machine_id: String = Key::new("a text").default("\"\"").flag("--machine-id");
        /// Which of this machine's registered agents it is: agents/NAME in `state_dir` of [relay].
        agent_name: String = Key::new("a word").default("\"default\"").flag("--agent-name");
        /// The activation that it registers with.
        activation_id: String = Key::new("an activation id").example("\"…\"").flag("--activation-id");
        /// Its code; `-` reads it from stdin.
        activation_code: Secret = Key::new("a text").example("\"…\"").flag("--activation-code").secret();
        /// The activation's region.
        region: RegionId = Key::new("a region id").by_default("the relay's own, or cn-hangzhou").example("\"cn-hangzhou\"").flag("--region");
        /// What the instance is to be called.
        instance_name: String = Key::new("a text").by_default("the host's name").example("\"web\"").flag("--instance-name");
        /// How many instances it registers as and runs as: NAME, NAME-2 and so on, with one key.
        instances: std::num::NonZeroU16 = Key::new("a whole number from 1 to 65535").by_default("1, or as many as it has registered as").example("100").flag("--instances");
        /// The instance's tags.
        tags: BTreeMap<String, String> = Key::new("a table of texts").default("{}").example("{ env = \"dev\" }");
        /// The operating system that it says it has.
        os_type: String = Key::new("\"linux\", \"windows\" or \"freebsd\"").default("\"linux\"").flag("--os-type");
        /// The operating system's version that it says it has.
        os_version: String = Key::new("a text").by_default("this machine's").example("\"Linux_#1 SMP_x86_64\"").flag("--os-version");
        /// The name that it says its machine has.
        host_name: String = Key::new("a text").by_default("this machine's").example("\"web-1\"").flag("--host-name");
        /// The address that it says its machine has.
        ip: std::net::Ipv4Addr = Key::new("an IPv4 address in a text").by_default("the first one of this machine").example("\"10.0.0.5\"").flag("--ip");
        /// The version that it says it has.
        version: String = Key::new("four numbers with dots").default("\"2.2.4.1065\"").flag("--agent-version");
        /// What is wrong with it: `axt agent --help` lists the words.
        behave: Behaviour = Key::new("a list of words").default("[]").example("[\"posts_late=5s\"]").flag("--behave");
        /// Let background jobs outlive their shell, as the official agent does.
        keep_background: bool = Key::switch("false").flag("--keep-background");
        /// Speak the base protocol only, as the official agent does.
        no_extensions: bool = Key::switch("false").flag("--no-extensions");
        /// Let the clock of `axt agent` be the relay's, frozen and moved with it.
        follow_clock: bool = Key::switch("false").flag("--follow-clock");
        /// Write every frame and every control-plane call into this folder, without payload and secrets.
        trace: PathBuf = Key::new("a folder, from this file's folder on").by_default("nowhere").example("\"traces\"").flag("--trace");
        /// Write what people type and read into the trace too.
        trace_payload: bool = Key::switch("false").flag("--trace-payload");
    }
}

table! {
    /// The sandbox that client commands talk to. Without any of these it is the one whose ready.json
    /// lies in `state_dir` of [relay].
    ClientTable = "client", list: false {
        /// The API.
        endpoint: String = Key::new("a URL").by_default("that of ready.json").example("\"https://localhost:7080\"").flag("--endpoint");
        /// The region.
        region: RegionId = Key::new("a region id").by_default("that of ready.json").example("\"cn-hangzhou\"").flag("--region");
        /// Certificates to trust beside the system's.
        ca: PathBuf = Key::new("a PEM file, from this file's folder on").by_default("that of ready.json").example("\"ca.pem\"").flag("--ca");
        /// The access key.
        access_key_id: String = Key::new("a text").by_default("that of ready.json").example("\"LTAI…\"").flag("--access-key-id");
        /// Its secret.
        access_key_secret: Secret = Key::new("a text").by_default("that of ready.json").example("\"…\"").flag("--access-key-secret").secret();
        /// The STS token of a temporary key.
        security_token: Secret = Key::new("a text").example("\"…\"").flag("--security-token").secret();
        /// Take the key, and the region where nothing else says one, from this profile of the aliyun CLI.
        profile: String = Key::new("the name of a profile in ~/.aliyun/config.json").example("\"default\"").flag("--profile");
        /// The instance of commands that take one.
        instance: InstanceId = Key::new("an instance id").by_default("the only one that there is").example("\"i-example\"").flag("--instance");
        /// The admin listener.
        admin: String = Key::new("a URL").by_default("that of ready.json").example("\"http://127.0.0.1:7090\"").flag("--admin");
        /// Its token.
        admin_token: Secret = Key::new("a text").by_default("admin_token of [relay]").example("\"choose-one\"").flag("--admin-token").secret();
        /// Speak the base protocol only, as the official client does.
        no_extensions: bool = Key::switch("false").flag("--no-extensions");
        /// The key that begins an escape in `axt session`.
        escape_char: axt_client::session::escape::EscapeKey = Key::new("a character, `^` and a letter, or none, in a text").default("\"~\"").example("\"^]\"").flag("--escape-char");
        /// Keep quiet forwarded connections from the idle timeout: say so often that they are in use.
        keepalive: u32 = Key::new("seconds, 1 to 3600").by_default("off").example("60").flag("--keepalive");
    }
}

table! {
    /// Accounts of which there is something to say; any other exists as well.
    AccountTable = "accounts", list: true {
        /// Its id.
        id: AccountId = Key::new("an account id, digits in a text").example("\"1000000000000001\"").required();
        /// Switch its session manager on or off at each start.
        session_manager: bool = Key::new("true or false").by_default("on, and then as the API has left it").example("true");
        /// The KMS keys that it has.
        kms_keys: BTreeSet<String> = Key::new("a list of key ids").by_default("every well-formed id is one").example("[\"key-hzz62f1cb66fa42qo8i20\"]");
    }
}

table! {
    /// Access keys beside the one that the state folder keeps.
    AccessKeyTable = "access_keys", list: true {
        /// Its id.
        id: String = Key::new("a text").example("\"LTAI-example\"").required();
        /// What signatures are made with.
        secret: Secret = Key::new("a text").example("\"example-secret\"").required().secret();
        /// Whose it is.
        account: AccountId = Key::new("an account id, digits in a text").by_default("account of [relay]").example("\"1000000000000001\"");
        /// Whether it works; one that does not is refused as inactive.
        enabled: bool = Key::switch("true");
        /// The STS token that has to come with it.
        security_token: Secret = Key::new("a text").example("\"example-token\"").secret();
        /// When that token ends, on the clock that `axt clock` moves.
        expires: jiff::Timestamp = Key::new("an instant with its zone").example("2030-01-01T00:00:00Z");
        /// The RAM user that it is of; neither this nor `role`: the account itself.
        ram_user: String = Key::new("the user's id").example("\"200000000000000001\"");
        /// The role that it was assumed in.
        role: String = Key::new("the role's id").example("\"300000000000000001\"");
        /// What it may do: a policy as RAM writes it.
        policy: super::declared::PolicyText = Key::new("JSON in a text").by_default("everything")
            .example("'{\"Statement\": [{\"Effect\": \"Allow\", \"Action\": \"ecs:*\", \"Resource\": \"*\"}]}'");
    }
}

table! {
    /// Regions beside the public ones, which are all known, and switches of either.
    RegionTable = "regions", list: true {
        /// Its id.
        id: RegionId = Key::new("a region id").example("\"cn-example\"").required();
        /// Letters of its city, which session ids carry.
        letters: String = Key::new("two lower-case letters").by_default("the public region's, else \"xx\"").example("\"ex\"");
        /// Its name in DescribeRegions.
        name: String = Key::new("a text").by_default("the public region's, else its id").example("\"Example\"");
        /// Whether the session API exists there. This switch and those below hold at each start.
        api_supported: bool = Key::switch("true");
        /// Whether ports can be forwarded.
        port_forwarding: bool = Key::switch("true");
        /// Whether there is an intranet endpoint.
        intranet: bool = Key::switch("false");
        /// Make StartTerminalSession fail as InternalError.Dispatch.
        dispatch_failure: bool = Key::switch("false");
        /// Keep StartTerminalSession between admission and commit until this is released.
        hold_commit: bool = Key::switch("false");
        /// Let sessions start while the agent is away.
        start_without_agent: bool = Key::switch("false");
        /// Let a shell session have one live connection only.
        one_shell_connection: bool = Key::switch("false");
    }
}

table! {
    /// Instances whose agents come from elsewhere: `axt agent`, or an official one.
    InstanceTable = "instances", list: true {
        /// Its id.
        id: InstanceId = Key::new("an instance id").example("\"i-example\"").required();
        /// Its display name.
        name: String = Key::new("a text").by_default("its id").example("\"web-1\"");
        /// Its host name.
        host_name: String = Key::new("a text").by_default("its id").example("\"web-1\"");
        /// Its region.
        region: RegionId = Key::new("a region id").by_default("region of [relay]").example("\"cn-hangzhou\"");
        /// Whose it is.
        account: AccountId = Key::new("an account id, digits in a text").by_default("account of [relay]").example("\"1000000000000001\"");
        /// Where it stands in its power cycle.
        status: InstanceStatus = Key::new("Pending, Starting, Running, Stopping or Stopped").default("\"Running\"");
        /// Its operating system.
        os_type: OsType = Key::new("Linux, Windows or FreeBSD").default("\"Linux\"");
        /// The operating system's version.
        os_version: String = Key::new("a text").default("\"\"");
        /// The agent's version when it shall pass for another than the agent itself says.
        agent_version: String = Key::new("four numbers with dots").by_default("what the agent says").example("\"2.2.4.1065\"");
        /// The key that its agent signs with; `axt agent --new-key FILE` prints it.
        public_key: String = Key::new("PEM in a text").example("\"\"\"\n-----BEGIN PUBLIC KEY-----\n…\n-----END PUBLIC KEY-----\n\"\"\"");
        /// What its agent signs beside its id.
        machine_id: String = Key::new("a text").default("\"\"");
        /// Ports that its security group denies.
        denied_ports: BTreeSet<u16> = Key::new("a list of port numbers").default("[]").example("[22, 3389]");
        /// Its private address.
        intranet_ip: String = Key::new("an address").default("\"\"").example("\"10.0.0.5\"");
        /// Its public address.
        internet_ip: String = Key::new("an address").default("\"\"").example("\"203.0.113.5\"");
        /// Its tags.
        tags: BTreeMap<String, String> = Key::new("a table of texts").default("{}").example("{ role = \"web\" }");
    }
}

table! {
    /// Simulated instances of `axt up` that misbehave: `axt up --help` lists the words. Flags stand over
    /// all of these.
    BehaviourTable = "behaviours", list: true {
        /// How many of the instances: of those that the shares above this one have left, the first.
        share: String = Key::new("a share such as \"30%\"").by_default("all").example("\"30%\"");
        /// Which instance instead.
        instance: String = Key::new("a name such as \"local-3\"").by_default("all").example("\"local-3\"");
        /// What is wrong with them.
        behave: Behaviour = Key::new("a list of words").example("[\"never_dials\", \"posts_late=5s\"]").required();
    }
}

table! {
    /// Faults that are there from the start: `axt fault add --help` says what each type has of these, and
    /// in which unit.
    FaultTable = "faults", list: true {
        /// What goes wrong.
        kind as "type": String = Key::new("a word").example("\"latency\"").required();
        /// What it is removed by.
        name: String = Key::new("a word").by_default("type and number").example("\"slow\"");
        /// On which websocket.
        link: Link = Key::new("\"client\", \"agent\" or \"notify\"").default("\"client\"");
        /// Which way: towards the relay or from it.
        stream: Stream = Key::new("\"upstream\" or \"downstream\"").default("\"downstream\"");
        /// How likely it strikes.
        toxicity: f64 = Key::new("0 to 1").default("1.0");
        /// How often it strikes before it is spent.
        times: u32 = Key::new("a whole number from 1 on").by_default("always").example("1");
        /// For which instance.
        instance: InstanceId = Key::new("an instance id").by_default("all").example("\"i-example\"");
        /// For which session.
        session: SessionId = Key::new("a session id").by_default("all").example("\"s-hz0example\"");
        /// For which connection.
        connection: ConnectionId = Key::new("a connection's number").by_default("all").example("12");
        /// By how much bytes are late.
        latency: u64 = Key::new("ms").example("500");
        /// By how much more or less.
        jitter: u64 = Key::new("ms").default("0");
        /// How much gets through.
        rate: u64 = Key::new("KB/s").example("64");
        /// How much later; of a slicer, how far apart.
        delay: u64 = Key::new("ms; of a slicer µs").example("1000");
        /// After how long.
        timeout: u64 = Key::new("ms").default("0");
        /// How long pieces are.
        average_size: u64 = Key::new("bytes").example("64");
        /// How much longer or shorter.
        size_variation: u64 = Key::new("bytes").default("0");
        /// After how much.
        bytes: u64 = Key::new("bytes").example("4096");
        /// Which answer an agent's dial gets.
        status: u16 = Key::new("an HTTP status").example("503");
        /// Which length a header states.
        length: u32 = Key::new("bytes").example("0");
        /// Which type a frame has.
        number: u32 = Key::new("a message type").example("9");
        /// Which status is sent (a number), or which error the API answers with (a text).
        code: toml::Value = Key::new("a number, or a text").example("\"Throttling.User\"");
        /// What the status says.
        reason: String = Key::new("a text").default("\"\"");
        /// Which speed is sent.
        bits: u32 = Key::new("bits/s").example("0");
        /// Which action of the API.
        action: String = Key::new("an action").by_default("all").example("\"StartTerminalSession\"");
    }
}
