//! `axt portforward` as a process, and a target that gives back what it gets.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Stdio},
    time::Duration,
};

use axt_net::{link, tasks::Tasks};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::process::Home;

const GUARD: Duration = Duration::from_secs(30);

/// A target that gives back what it gets.
pub(crate) struct Echo {
    pub(crate) port: u16,
    _tasks: Tasks,
}

impl Echo {
    pub(crate) fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("set");
        let port = listener.local_addr().expect("bound").port();
        let listener = TcpListener::from_std(listener).expect("a listener");
        let tasks = Tasks::new();
        let each = tasks.child();
        tasks.spawn("echo", async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                each.spawn("echo of one", async move {
                    let (mut from, mut to) = socket.split();
                    // How it ends is the other end's business.
                    let _ = tokio::io::copy(&mut from, &mut to).await;
                });
            }
        });
        Self {
            port,
            _tasks: tasks,
        }
    }
}

/// `axt portforward`, killed when dropped.
pub(crate) struct Portforward {
    child: Child,
    local: u16,
    /// A connection that is open when the relay is killed.
    open: Option<TcpStream>,
}

impl Portforward {
    pub(crate) fn start(home: &Home, target: u16) -> Self {
        let forward = format!(":{target}");
        let mut command = home.axt(&["portforward", &forward]);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("axt starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("UTF-8");
        let local = line
            .strip_prefix("Forwarding from 127.0.0.1:")
            .and_then(|rest| rest.split(' ').next())
            .unwrap_or_else(|| panic!("{line}"));
        Self {
            local: local.parse().expect("a port"),
            child,
            open: None,
        }
    }

    /// A new connection works; the one of the last time has ended.
    pub(crate) async fn echoes(&mut self) {
        let working = async {
            if let Some(mut old) = self.open.take() {
                // A reset or an end: anything but for ever.
                let _ = old.read(&mut [0]).await;
            }
            let mut new = TcpStream::connect(("127.0.0.1", self.local))
                .await
                .expect("it listens");
            new.write_all(b"again").await.expect("written");
            let mut back = [0; 5];
            new.read_exact(&mut back).await.expect("echoed");
            assert_eq!(&back, b"again");
            self.open = Some(new);
        };
        link::timeout(GUARD, working)
            .await
            .expect("a forward that carries on");
    }
}

impl Drop for Portforward {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
