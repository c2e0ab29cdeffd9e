//! The cloud's names on this machine: a proxy on loopback that takes each of them to the sandbox, as a hosts file
//! would. It is for programs that take no endpoint, such as the official client: `HTTPS_PROXY={proxy}`.

use axt_net::transport::{BindError, Listener, Stream};
use axt_sandbox::Sandbox;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::server::Server;

/// How long a request's head may be, in bytes.
const HEAD: usize = 8 * 1024;

/// Under these the cloud's own names are.
const ZONES: [&str; 2] = [".aliyuncs.com", ".aliyun.com"];

/// A proxy that runs. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Cloud(Server);

/// The ports of the sandbox's listeners.
#[derive(Clone, Copy, Debug)]
struct Ports {
    api: u16,
    axt: u16,
}

impl Cloud {
    /// Starts one at a free port, for a sandbox on sockets.
    pub(crate) async fn start(sandbox: &Sandbox) -> Result<Self, BindError> {
        let ready = sandbox.ready();
        let ports = Ports {
            api: port_of(&ready.api_https),
            axt: port_of(&ready.axt),
        };
        let listener = Listener::bind(Server::ANYWHERE).await?;
        let names = ("cloud's names", "tunnel");
        let server = Server::start(listener, names, move |stream| serve(stream, ports))?;
        Ok(Self(server))
    }

    /// What `HTTPS_PROXY` is set to.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.0.port())
    }
}

/// The port at the end of a URL without a path.
fn port_of(url: &str) -> u16 {
    let port = url.rsplit_once(':').map_or("", |(_, port)| port);
    port.parse().unwrap_or_default()
}

async fn serve(mut client: Stream, ports: Ports) {
    let Some(head) = head(&mut client).await else {
        return;
    };
    let Some(port) = port_for(&head, ports) else {
        let told = "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\
                    X-Why: the sandbox is reached by CONNECT, and under aliyuncs.com and aliyun.com alone\r\n\r\n";
        let _ = client.write_all(told.as_bytes()).await;
        return;
    };
    let opened = "HTTP/1.1 200 Connection established\r\n\r\n";
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await else {
        return;
    };
    if client.write_all(opened.as_bytes()).await.is_ok() {
        // However it ends: both ends see that themselves.
        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
    }
}

/// Byte by byte, so that what follows it is left to the tunnel.
async fn head(client: &mut Stream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < HEAD {
        head.push(client.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}

/// Which of the sandbox's ports a request is for, if it may pass.
fn port_for(head: &str, ports: Ports) -> Option<u16> {
    let mut words = head.split_ascii_whitespace();
    if words.next() != Some("CONNECT") {
        return None;
    }
    let (host, _) = words.next()?.rsplit_once(':')?;
    let host = host.to_ascii_lowercase();
    let zone = ZONES.iter().find(|zone| host.ends_with(**zone))?;
    let name = host.strip_suffix(*zone)?;
    let is_axt = name.ends_with(".axt") || name.ends_with("-axt");
    Some(if is_axt { ports.axt } else { ports.api })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clouds_names_and_no_others_lead_to_the_sandbox() {
        let ports = Ports { api: 1, axt: 2 };
        let asked = |line: &str| port_for(&format!("{line} HTTP/1.1\r\nHost: x\r\n\r\n"), ports);

        assert_eq!(asked("CONNECT ecs-cn-hangzhou.aliyuncs.com:443"), Some(1));
        assert_eq!(asked("CONNECT ECS.aliyuncs.com:443"), Some(1));
        assert_eq!(asked("CONNECT cn-hangzhou.axt.aliyun.com:443"), Some(2));
        assert_eq!(asked("CONNECT cn-hangzhou-axt.aliyuncs.com:443"), Some(2));
        assert_eq!(asked("CONNECT example.com:443"), None);
        assert_eq!(asked("CONNECT notaliyuncs.com:443"), None);
        assert_eq!(asked("GET http://ecs.aliyuncs.com/"), None);
    }
}
