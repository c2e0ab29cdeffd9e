//! Its calls: at start, at each heart-beat, and with what headers (wire-protocol 10.1, 10.5).

use std::{sync::Arc, time::Duration};

use axt_net::link;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use serde_json::{Value, json};

use super::{Agent, Who, lock, notify, task};

pub(super) const JSON: &str = "application/json; charset=utf-8";
pub(super) const TEXT: &str = "text/plain; charset=utf-8";
const FORM: &str = "application/x-www-form-urlencoded";

const OS_VERSION: &str = "Linux_#1 SMP PREEMPT_DYNAMIC @0_x86_64";

/// From the first call to a running agent, then heart-beats for ever.
pub(super) async fn start_up(agent: Arc<Agent>) {
    let started = link::now();
    agent.update_check().await;
    let channel = notify::dial(&agent).await;
    agent.spawn(notify::keep(Arc::clone(&agent), channel));
    link::sleep(agent.setup.slow_start).await;
    let mut beat = Beat::default();
    let mut interval = agent.heart_beat(&mut beat, started).await;
    let query = format!(
        "reason=startup&cold_start=true&currentTime={}&offset=0&timeZone=Etc%2FUTC",
        agent.now_ms()
    );
    // Enabled with the heart-beat: what it was kicked for before, it has forgotten.
    agent.ready.send_replace(true);
    if let Some(list) = agent.list("/luban/api/v1/task/list", &query).await {
        task::take(&agent, &list);
    }
    agent.event("agent.startup", "STARTUP", "INFO").await;
    agent.spawn(states(Arc::clone(&agent)));
    loop {
        link::sleep(interval).await;
        interval = agent.heart_beat(&mut beat, started).await;
    }
}

/// State configurations, and the update check again.
async fn states(agent: Arc<Agent>) {
    link::sleep(Duration::from_secs(110)).await;
    loop {
        agent.state_configurations().await;
        link::sleep(Duration::from_secs(1_800)).await;
        agent.update_check().await;
    }
}

/// Counts of heart-beats.
#[derive(Default)]
struct Beat {
    acknowledged: u64,
    sent: u64,
}

impl Agent {
    async fn update_check(&self) {
        let body = json!({
            "os": "linux", "arch": "amd64", "os_version": OS_VERSION,
            "app_id": "aliyun assistant", "app_version": self.setup.version,
            "kernel_version": "6.18.44",
        });
        let path = "/luban/api/v1/update/update_check";
        let answer = self.post(path, "", JSON, body.to_string()).await;
        let Some(answer) = self.as_json(path, answer) else {
            return;
        };
        if answer.get("need_update").and_then(Value::as_i64) != Some(0) {
            self.complaints
                .file(format!("would download and run an update: {answer}"));
        }
    }

    async fn heart_beat(&self, beat: &mut Beat, started: link::Instant) -> Duration {
        let up = link::now().duration_since(started).as_millis();
        let mut query = format!(
            "uptime={}&timestamp={}&pid=7045&process_uptime={up}&index={}&seq_no={}",
            up + 3_983_000,
            self.now_ms(),
            beat.acknowledged,
            beat.sent,
        );
        if beat.acknowledged == 0 {
            query += &format!(
                "&virt_type=kvm&os_version=Linux_%231+SMP+PREEMPT_DYNAMIC+%400_x86_64\
                 &az=cn-hangzhou-a&machineid={}&cold_start=true",
                self.setup.machine_id
            );
        }
        beat.sent += 1;
        let path = "/luban/api/heart-beat";
        let answer = self
            .call(Method::GET, path, &query, FORM, String::new())
            .await;
        let answer = self.as_json(path, answer);
        beat.acknowledged += u64::from(answer.is_some());
        let told = answer
            .as_ref()
            .and_then(|answer| answer.get("nextInterval"));
        match told.and_then(Value::as_u64) {
            Some(interval @ 55_000..=65_000) => Duration::from_millis(interval),
            told => {
                if answer.is_some() {
                    self.complaints
                        .file(format!("cannot use the interval {told:?}"));
                }
                Duration::from_secs(60)
            }
        }
    }

    async fn state_configurations(&self) {
        let body = json!({
            "agentName": "aliyunAssist", "agentVersion": self.setup.version,
            "computerName": "vm", "platformName": "debian", "platformType": "linux",
            "platformVersion": "12", "ipAddress": "10.99.0.1", "ramRole": "",
        });
        let path = "/luban/api/instance/list_instance_state_configurations";
        let answer = self.post(path, "", JSON, body.to_string()).await;
        let Some(answer) = self.as_json(path, answer) else {
            return;
        };
        let is_unsupported =
            answer.get("errCode").and_then(Value::as_str) == Some("ServiceNotSupported");
        let has_changed = answer.pointer("/result/Changed") == Some(&Value::Bool(true));
        if !is_unsupported && !has_changed {
            // It trips over cached data that it does not have (wire-protocol 10.5).
            self.complaints
                .file(format!("reports an AgentPanic on {answer}"));
            self.report("AgentPanic", "state configurations").await;
        }
    }

    /// An event, of which the reply is ignored.
    pub(super) async fn event(&self, id: &str, category: &str, level: &str) {
        let body = json!({
            "eventId": id, "category": category, "subCategory": "", "eventLevel": level,
            "eventTime": self.now_ms(), "common": "{}", "keywords": "{}",
        });
        self.post("/luban/api/metrics", "", JSON, body.to_string())
            .await;
    }

    /// A report on itself, tried 4 times.
    pub(super) async fn report(&self, kind: &str, info: &str) {
        let body = json!({ "type": kind, "info": info }).to_string();
        let path = "/luban/api/v1/exception/client_report";
        for _ in 0..4 {
            if self.post(path, "", JSON, body.clone()).await.is_some() {
                return;
            }
            link::sleep(Duration::from_secs(2)).await;
        }
    }

    /// A list of what to do; malformed JSON is an empty one, and `None` an HTTP error.
    pub(super) async fn list(&self, path: &str, query: &str) -> Option<Value> {
        let answer = self.post(path, query, JSON, String::new()).await;
        let is_there = answer.is_some();
        let answer = self.as_json(path, answer);
        is_there.then(|| answer.unwrap_or_else(|| json!({})))
    }

    pub(super) async fn post(
        &self,
        path: &str,
        query: &str,
        content: &'static str,
        body: String,
    ) -> Option<Bytes> {
        self.call(Method::POST, path, query, content, body).await
    }

    /// The body of an answer; only a status above 400 is an error (wire-protocol 10.1).
    async fn call(
        &self,
        method: Method,
        path: &str,
        query: &str,
        content: &'static str,
        body: String,
    ) -> Option<Bytes> {
        let mut url = format!("{}{path}", self.setup.server);
        if !query.is_empty() {
            url += &format!("?{query}");
        }
        lock(&self.calls).push(format!("{method} {path}?{query}"));
        let mut request = Request::builder()
            .method(method)
            .uri(&url)
            .body(Bytes::from(body))
            .expect("a request");
        let headers = request.headers_mut();
        *headers = self.headers();
        headers.insert("content-type", HeaderValue::from_static(content));
        headers.insert("accept-encoding", HeaderValue::from_static("gzip"));
        // A relay that is not there is no fault of an answer.
        let answer = self.network.http.send(request).await.ok()?;
        let status = answer.status();
        if status == StatusCode::BAD_REQUEST {
            self.complaints
                .file(format!("takes 400 for success: {path}"));
        }
        if status > StatusCode::BAD_REQUEST {
            if status.is_client_error() {
                self.complaints
                    .file(format!("{path} was refused with {status}"));
            }
            return None;
        }
        Some(answer.into_body())
    }

    fn as_json(&self, path: &str, answer: Option<Bytes>) -> Option<Value> {
        let answer = answer?;
        match serde_json::from_slice(&answer) {
            Ok(value) => Some(value),
            Err(error) => {
                self.complaints
                    .file(format!("{path} was answered with no JSON: {error}"));
                None
            }
        }
    }

    /// The headers of one request (wire-protocol 10.1).
    pub(super) fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut put = |name: &'static str, value: &str| {
            let value = HeaderValue::from_str(value).expect("a header's value");
            headers.insert(HeaderName::from_static(name), value);
        };
        put("user-agent", &format!("linux_amd64/{}", self.setup.version));
        match &self.setup.who {
            Who::Nobody => {}
            Who::Named(instance) => put("x-client-instance-id", instance),
            Who::Registered(signer) => {
                let id = uuid::Builder::from_random_bytes(rand::random()).into_uuid();
                let identity = signer.sign(self.now_ms(), id.to_string());
                for (name, value) in identity.headers() {
                    put(name, &value);
                }
                put("x-client-ip", "10.99.0.1");
            }
        }
        headers
    }
}
