//! The processes: a relay that can be killed, an agent and a forward that outlive it.

use std::{cell::Cell, fs};

use axt_client::{Api, api::permanent, session::Network};
use axt_net::{
    clock::Clock, frames::Tap, http::HttpClient, tls::ClientTls, transport::Dialer, wall::Wall,
};
use axt_proto::{InstanceId, Secret};
use rustix::process::Signal;
use serde_json::Value;

use crate::{
    forward::{Echo, Portforward},
    load::Seen,
    process::{Home, Running, get, stderr, wait_for},
};

pub(crate) const INSTANCE: &str = "i-web1";

/// More of everything than the rounds need, and URLs that outlive them.
const LIMITS: &str = "url_validity_s=86400,sessions_per_region=100000,\
    connections_per_instance=1000,history_records=100000";

pub(crate) struct Place {
    home: Home,
    relay: Running,
    /// The flags that start it again where it was.
    flags: Vec<String>,
    killed_at: Cell<u64>,
    forward: Portforward,
    _agent: Running,
    _echo: Echo,
}

impl Place {
    pub(crate) fn new() -> Self {
        let home = Home::new();
        let key = home.path("agent.pem");
        let key = key.to_str().expect("UTF-8");
        let made = home.run(&["agent", "-i", INSTANCE, "--new-key", key]);
        assert!(made.status.success(), "{}", stderr(&made));
        fs::write(home.path("axt.toml"), &made.stdout).expect("written");
        let relay = home.relay(&[], &[("AXT_LIMIT", LIMITS)]);
        let authority = |name: &str| {
            let url = relay.ready(name);
            let port = url.rsplit(':').next().expect("a port");
            format!("127.0.0.1:{port}")
        };
        let flags = [
            ("--api-listen", authority("api_http")),
            ("--axt-listen", authority("axt")),
            ("--admin-listen", authority("admin")),
        ];
        let flags = flags.map(|(flag, address)| [flag.to_owned(), address]);
        let mut agent = Running::start(home.axt(&["agent", "-i", INSTANCE, "--key", key]));
        agent.says("online");
        let echo = Echo::start();
        let forward = Portforward::start(&home, echo.port);
        Self {
            home,
            relay,
            flags: flags.concat(),
            killed_at: Cell::new(0),
            forward,
            _agent: agent,
            _echo: echo,
        }
    }

    /// The API, and how its sessions are reached.
    pub(crate) fn clients(&self) -> (Api, Network) {
        let ready = |name| self.relay.ready(name).to_owned();
        let roots = fs::read_to_string(ready("ca_cert")).expect("the CA");
        let network = Network {
            dialer: Dialer::tcp(),
            tls: ClientTls::with_ca_pem(&roots).expect("roots"),
            clock: Clock::from_wall(&Wall::system(), 0),
            tap: Tap::none(),
        };
        let key = permanent(
            ready("access_key_id"),
            Secret::new(ready("access_key_secret")),
        );
        let api = Api::new(
            HttpClient::new(network.dialer.clone(), network.tls.clone()),
            &ready("api_http"),
            "cn-hangzhou".parse().expect("valid"),
            key,
            Wall::system(),
        );
        (api.expect("a URL"), network)
    }

    pub(crate) fn instance(&self) -> InstanceId {
        INSTANCE.parse().expect("valid")
    }

    /// SIGKILL, and nothing else.
    pub(crate) fn kill(&mut self) {
        self.killed_at
            .set(self.state()["now_ms"].as_u64().expect("a time"));
        self.relay.signal(Signal::KILL);
        self.relay.ended();
    }

    /// Rule time shortly before it was killed, Unix milliseconds.
    pub(crate) fn kill_time(&self) -> u64 {
        self.killed_at.get()
    }

    pub(crate) fn restart(&mut self) {
        let flags: Vec<&str> = self.flags.iter().map(String::as_str).collect();
        self.relay = self.home.relay(&flags, &[("AXT_LIMIT", LIMITS)]);
    }

    fn state(&self) -> Value {
        let answer = get(self.relay.ready("admin"), "/v1/state");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
        serde_json::from_str(body).expect("JSON")
    }

    pub(crate) fn shows_a_time_not_before(&self, before: u64) {
        assert!(self.state()["now_ms"].as_u64().expect("a time") >= before);
    }

    /// Every session that was answered for and not ended counts, and no connection does.
    pub(crate) fn counts_what_is_left(&self, seen: &Seen) {
        let state = self.state();
        let active = state["usage"][0]["sessions"].as_u64().unwrap_or(0);
        // The forward has a session of its own.
        let (least, most) = (seen.surely_active() + 1, seen.perhaps_active() + 1);
        assert!(
            (least..=most).contains(&active),
            "{active}: {least} to {most}"
        );
        assert_eq!(state["instances"][0]["connections"], 0, "{state}");
        assert_eq!(state["connections"].as_array().map(Vec::len), Some(0));
    }

    pub(crate) fn agent_is_back(&self) {
        wait_for("the agent", || {
            let online = self.state()["instances"][0]["agent_online"] == true;
            online.then_some(())
        });
    }

    pub(crate) async fn forward_carries_on(&mut self) {
        self.forward.echoes().await;
    }
}
