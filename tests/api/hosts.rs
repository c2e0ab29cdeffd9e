//! The cloud's own names: whoever calls the API by one is handed the cloud's own session URL.

use std::net::SocketAddr;

use axt_client::{
    Api,
    api::permanent,
    session::{Announce, Network, Started, connect},
};
use axt_net::{http::HttpClient, transport::Dialer, wall::Wall};
use axt_proto::Secret;
use axt_sandbox::Sandbox;

use crate::{
    calls::text,
    harness::{sandbox, until},
};

const API_HOSTS: [&str; 2] = [
    "ecs.cn-hangzhou.aliyuncs.com",
    "ecs-cn-hangzhou.aliyuncs.com",
];
const AXT_HOSTS: [&str; 3] = [
    "cn-hangzhou.axt.aliyuncs.com",
    "cn-hangzhou-axt.aliyuncs.com",
    "cn-hangzhou.axt.aliyun.com",
];

/// A network whose names are set up as the hosts file of a container would.
fn network(sandbox: &Sandbox) -> Network {
    let address = |url: &str| -> SocketAddr {
        let (_, authority) = url.split_once("://").expect("a URL");
        let authority = authority.replace("localhost", "127.0.0.1");
        authority.parse().expect("an address")
    };
    let ready = sandbox.ready();
    let (api, axt) = (address(&ready.api_https), address(&ready.axt));
    let api = API_HOSTS.map(|host| (host.to_owned(), api));
    let axt = AXT_HOSTS.map(|host| (host.to_owned(), axt));
    Network {
        dialer: Dialer::tcp_with(api.into_iter().chain(axt)),
        ..sandbox.network().clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_by_the_clouds_name_gets_the_clouds_url_and_both_work_over_tls() {
    let sandbox = sandbox().await;
    let network = network(&sandbox);
    let http = HttpClient::new(network.dialer.clone(), network.tls.clone());
    let ready = sandbox.ready();
    let instance = sandbox.instance().to_string();
    let parameters = [
        ("InstanceId.1", instance.as_str()),
        ("CommandLine", "echo reached"),
    ];

    for host in API_HOSTS {
        let key = permanent(ready.access_key_id.clone(), ready.access_key_secret.clone());
        let endpoint = format!("https://{host}");
        let region = ready.region.clone();
        let api = Api::new(http.clone(), &endpoint, region, key, Wall::system());
        let api = api.expect("an endpoint");
        let answer = api.call("StartTerminalSession", &parameters).await;
        let answer = answer.expect("a session");
        let regions = api.call("DescribeRegions", &[]).await.expect("regions");
        let url = text(&answer, "/WebSocketUrl");
        let session = Started {
            id: text(&answer, "/SessionId").to_owned(),
            url: Secret::new(url),
            token: Secret::new(text(&answer, "/SecurityToken")),
        };
        let opened = connect(&network, &session, Announce::default()).await;

        assert!(
            url.starts_with("wss://cn-hangzhou.axt.aliyuncs.com/session?sessionId="),
            "{host}"
        );
        assert!(opened.is_ok(), "{host}: {:?}", opened.err());
        assert_eq!(text(&regions, "/Regions/Region/0/RegionEndpoint"), host);
    }
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_reach_the_relay_by_each_of_their_names() {
    let sandbox = sandbox().await;
    let network = network(&sandbox);
    let http = HttpClient::new(network.dialer.clone(), network.tls.clone());

    for host in AXT_HOSTS {
        let answer = until(host, async || {
            let request = http::Request::get(format!("https://{host}/luban/api/connection_detect"));
            let request = request.body(bytes::Bytes::new()).expect("a request");
            http.send(request).await.ok()
        })
        .await;

        assert_eq!(answer.body().as_ref(), b"ok", "{host}");
    }
    sandbox.shutdown().await;
}
