//! How each step gets its facts: a call or two, in bounded time.

use std::{io::Cursor, time::Duration};

use axt_net::{link, transport::Stream};
use axt_openapi::action::SESSION_MANAGER_STATUS;
use axt_proto::InstanceId;
use serde_json::Value;

use super::{Examination, Step, Subject, Trouble, Verdict, judge};
use crate::{
    instance::{self, Ambiguous},
    session::{self, Announce, EndOfInput, Ends, Open},
    terminal::signals::Sizes,
};

/// What the probe's command prints.
const MARK: &str = "axt-doctor";

/// How long the probe's command may take: longer than the relay waits for an agent.
const PROBE: Duration = link::KICK_WINDOW.saturating_add(link::HANDSHAKE);

impl Examination {
    pub(super) async fn check(&mut self, step: Step) -> Verdict {
        let subject = match &self.subject {
            Ok(subject) => subject.clone(),
            Err(trouble) => return Err(trouble.clone()),
        };
        match step {
            Step::Settings => Ok(judge::settings(&subject.target)),
            Step::Endpoint => endpoint(&subject).await,
            Step::Tls => tls(&subject).await,
            Step::Signature => signature(&subject).await,
            Step::SessionManager => session_manager(&subject).await,
            Step::Instance => {
                let instance = choose(&subject).await?;
                let verdict = running(&subject, &instance).await;
                self.instance = Some(instance);
                verdict
            }
            Step::Agent => agent(&subject, self.instance()?).await,
            Step::Quotas => self.start(&subject).await,
            Step::Websocket => self.connect(&subject).await,
            Step::Shell => self.probe().await,
        }
    }

    fn instance(&self) -> Result<&InstanceId, Trouble> {
        let missing = || Trouble::new("no instance is chosen");
        self.instance.as_ref().ok_or_else(missing)
    }

    async fn start(&mut self, subject: &Subject) -> Verdict {
        let wanted = Open {
            instance: self.instance()?.clone(),
            command_line: Some(format!("echo {MARK}")),
            username: None,
        };
        let started = session::start(&subject.api, &wanted).await;
        let started = started.map_err(|error| judge::not_started(&error))?;
        let found = format!("session {} was started", started.id);
        self.started = Some(started);
        Ok(found)
    }

    async fn connect(&mut self, subject: &Subject) -> Verdict {
        let missing = || Trouble::new("no session was started");
        let started = self.started.as_ref().ok_or_else(missing)?;
        let host = judge::host(started.url.expose()).to_owned();
        let connecting = session::connect(&subject.network, started, Announce::default());
        let link = connecting
            .await
            .map_err(|error| judge::not_connected(&host, &error))?;
        self.link = Some(link);
        Ok(format!("{host} took the session's URL"))
    }

    async fn probe(&mut self) -> Verdict {
        let missing = || Trouble::new("no websocket was opened");
        let link = self.link.take().ok_or_else(missing)?;
        // Nothing is typed, and the end of input would end the session.
        let (input, _kept_open) = tokio::io::duplex(1);
        let mut output = Cursor::new(Vec::new());
        let ends = Ends {
            input,
            at_end_of_input: EndOfInput::Closes,
            output: &mut output,
            sizes: Sizes::None,
            tape: None,
        };
        let running = session::run(link, ends, std::future::pending());
        let ended = link::timeout(PROBE, running).await.map_err(judge::silent)?;
        judge::probed(&ended, output.get_ref(), MARK)
    }
}

/// The host and port of the API, and whether TLS is spoken there.
fn address(subject: &Subject) -> (String, u16, bool) {
    let endpoint = subject.api.endpoint();
    let is_tls = endpoint.scheme_str() != Some("http");
    let port = endpoint.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
    (endpoint.host().unwrap_or_default().to_owned(), port, is_tls)
}

async fn dial(subject: &Subject) -> Result<Stream, Trouble> {
    let (host, port, is_tls) = address(subject);
    let dialled = subject.network.dialer.dial_server(is_tls, &host, port);
    dialled
        .await
        .map_err(|error| judge::unreachable(&error, &subject.target))
}

async fn endpoint(subject: &Subject) -> Verdict {
    let (host, port, _) = address(subject);
    dial(subject).await?;
    Ok(format!("{host}:{port} takes connections"))
}

async fn tls(subject: &Subject) -> Verdict {
    let (host, _, is_tls) = address(subject);
    if !is_tls {
        return Ok("plain HTTP: there is no certificate to trust".to_owned());
    }
    let stream = dial(subject).await?;
    let shaking = subject.network.tls.connect(&host, stream);
    match link::timeout(link::HANDSHAKE, shaking).await {
        Ok(Ok(_)) => Ok(format!("the certificate of {host} is trusted")),
        Ok(Err(error)) => Err(judge::untrusted(&error)),
        Err(late) => Err(judge::speechless(&host, late)),
    }
}

async fn signature(subject: &Subject) -> Verdict {
    let asked = subject.api.ask("DescribeRegions", &[]).await;
    judge::signature(&asked, subject.wall.now(), &subject.target)
}

async fn session_manager(subject: &Subject) -> Verdict {
    let region = [("MaxResults", "1")];
    let region = subject.api.call("DescribeTerminalSessions", &region).await;
    let switch = [("StatusKey", SESSION_MANAGER_STATUS)];
    let switch = subject
        .api
        .call("DescribeUserBusinessBehavior", &switch)
        .await;
    judge::session_manager(subject.api.region(), region, switch)
}

/// The instance that is named, else the only one that there is.
async fn choose(subject: &Subject) -> Result<InstanceId, Trouble> {
    match instance::choose(subject.instance.clone(), &subject.target.instances) {
        Ok(instance) => Ok(instance),
        Err(Ambiguous::None) => {
            let listed = subject.api.call("DescribeInstances", &[]).await;
            judge::only_instance(listed)
        }
        Err(several) => Err(Trouble::new(several).hint("name one by `-i INSTANCE`")),
    }
}

async fn running(subject: &Subject, instance: &InstanceId) -> Verdict {
    if instance.as_str().starts_with("mi-") {
        let named = [("InstanceId.1", instance.as_str())];
        let listed = subject.api.call("DescribeManagedInstances", &named).await;
        return judge::managed(instance, listed);
    }
    let named = Value::from(vec![instance.as_str()]).to_string();
    let named = [("InstanceIds", named.as_str())];
    let listed = subject.api.call("DescribeInstances", &named).await;
    judge::running(instance, listed)
}

async fn agent(subject: &Subject, instance: &InstanceId) -> Verdict {
    let named = [("InstanceId.1", instance.as_str())];
    let listed = subject
        .api
        .call("DescribeCloudAssistantStatus", &named)
        .await;
    judge::agent(instance, listed)
}
