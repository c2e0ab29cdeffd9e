//! The URL that is handed out (design, "URL that is handed out").

use axt_proto::RegionId;
use axt_registry::ConnectionType;

use crate::config::Urls;

/// The base of a session's URL, without a trailing slash.
///
/// A setting wins. Where the caller reached the API under the cloud's own names, it gets the
/// cloud's own name; else the name that it used, with the axt listener's port.
pub(super) fn base_url(
    urls: &Urls,
    host: &str,
    region: &RegionId,
    connection_type: ConnectionType,
    axt_port: u16,
) -> String {
    let set = match connection_type {
        ConnectionType::Internet => urls.public.as_ref(),
        ConnectionType::Intranet => urls.intranet.as_ref().or(urls.public.as_ref()),
    };
    if let Some(base) = set {
        return base.trim_end_matches('/').to_owned();
    }
    let scheme = if urls.advertise_plain { "ws" } else { "wss" };
    let name = match host_name(host) {
        name if urls.local_only && is_virtual(name, urls) => "localhost",
        name => name,
    };
    if is_virtual(name, urls) {
        return format!("{scheme}://{region}.axt.aliyuncs.com");
    }
    let name = if name.is_empty() { "localhost" } else { name };
    format!("{scheme}://{name}:{axt_port}")
}

fn is_virtual(name: &str, urls: &Urls) -> bool {
    let name = name.to_ascii_lowercase();
    let is_under = |domain: &str| {
        name.strip_suffix(domain)
            .is_some_and(|rest| rest.ends_with('.'))
    };
    is_under("aliyuncs.com") || urls.virtual_domains.iter().any(|domain| is_under(domain))
}

/// The name in a `Host` header, without its port; an IPv6 address keeps its brackets.
pub(crate) fn host_name(host: &str) -> &str {
    if host.starts_with('[') {
        let end = host.find(']').map_or(host.len(), |place| place + 1);
        return host.get(..end).unwrap_or(host);
    }
    host.split(':').next().unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(urls: &Urls, host: &str) -> String {
        let region = "cn-hangzhou".parse().expect("valid");
        base_url(urls, host, &region, ConnectionType::Internet, 7_443)
    }

    #[test]
    fn the_name_that_was_called_is_the_name_that_is_handed_out() {
        let urls = Urls::default();

        assert_eq!(base(&urls, "localhost:7080"), "wss://localhost:7443");
        assert_eq!(base(&urls, "[::1]:7080"), "wss://[::1]:7443");
        assert_eq!(base(&urls, "relay"), "wss://relay:7443");
        assert_eq!(
            base(&urls, "ecs.cn-hangzhou.aliyuncs.com"),
            "wss://cn-hangzhou.axt.aliyuncs.com"
        );
        assert_eq!(
            base(&urls, "ecs-cn-hangzhou.aliyuncs.com:443"),
            "wss://cn-hangzhou.axt.aliyuncs.com"
        );
        assert_eq!(base(&urls, "notaliyuncs.com"), "wss://notaliyuncs.com:7443");
    }

    #[test]
    fn one_to_whom_the_clouds_names_lead_nowhere_is_not_sent_there() {
        let urls = Urls {
            local_only: true,
            ..Urls::default()
        };

        assert_eq!(
            base(&urls, "ecs-cn-hangzhou.aliyuncs.com"),
            "wss://localhost:7443"
        );
        assert_eq!(base(&urls, "127.0.0.1:7080"), "wss://127.0.0.1:7443");
    }

    #[test]
    fn a_setting_wins_and_the_private_one_falls_back_to_the_public_one() {
        let urls = Urls {
            public: Some("wss://relay.example/".to_owned()),
            ..Urls::default()
        };
        let region = "cn-hangzhou".parse().expect("valid");

        assert_eq!(base(&urls, "localhost"), "wss://relay.example");
        assert_eq!(
            base_url(&urls, "x", &region, ConnectionType::Intranet, 1),
            "wss://relay.example"
        );
    }
}
