//! Each call: checked, noted, and answered as the service was seen to.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::{Call, DataChannel, NotifyChannel, Shared, call, form};

/// What the service answers whatever has no answer of its own.
const CALM: &str = r#"{"code": 200}"#;

impl Shared {
    pub(super) async fn answer(
        self: &Arc<Self>,
        request: Request<Incoming>,
    ) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let path = head.uri.path().to_owned();
        let query = head.uri.query().unwrap_or_default().to_owned();
        for wrong in call::check(&head) {
            self.complain(&path, wrong);
        }
        if let Err(wrong) = form::query(&path, &query) {
            self.complain(&path, wrong);
        }
        let is_signed = head.headers.contains_key("x-acs-instance-id");
        let is_anonymous = path == "/luban/api/instance/register"
            || path == "/luban/api/metrics" && self.state().order.anything().is_err();
        if is_anonymous == is_signed {
            self.complain(&path, "signed, or not, where it should be the other way");
        } else if is_signed && let Err(wrong) = self.known.check(&head.headers) {
            self.complain(&path, wrong);
        }
        if is_signed && let Err(wrong) = self.state().order.anything() {
            self.complain(&path, wrong);
        }
        if let "/luban/notify_server" | "/luban/session/backend" = path.as_str() {
            return self.upgrade(Request::from_parts(head, body), &path, &query);
        }
        let body = match body.collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) => {
                self.complain(&path, error);
                Bytes::new()
            }
        };
        let told = form::body(&path, &body).unwrap_or_else(|wrong| {
            self.complain(&path, wrong);
            serde_json::Map::new()
        });
        let instead = self.instead(&path);
        let reply = self.reply(&path, &query, &told, is_signed, instead);
        let mut state = self.state();
        state.calls.push_back(Call {
            path,
            query,
            body,
            headers: head.headers,
        });
        drop(state);
        self.called.notify_waiters();
        reply
    }

    fn instead(&self, path: &str) -> Option<(StatusCode, String)> {
        self.state().instead.get_mut(path)?.pop_front()
    }

    fn reply(
        &self,
        path: &str,
        query: &str,
        body: &serde_json::Map<String, Value>,
        is_signed: bool,
        instead: Option<(StatusCode, String)>,
    ) -> Response<Full<Bytes>> {
        let mut state = self.state();
        let channel = || query.strip_prefix("channelId=").unwrap_or_default();
        let checked = match path {
            "/luban/api/heart-beat" => state.order.heart_beat(query),
            "/luban/api/v1/task/list" => state.order.task_list(query),
            "/luban/api/v1/session/list" => state.order.session_list(channel()),
            "/luban/api/v1/session/status" => state.order.status(query),
            "/luban/api/metrics" => state.order.event(body, is_signed),
            "/luban/api/v1/exception/client_report" => state.order.client_report(body),
            _ => Ok(()),
        };
        if let Err(wrong) = checked {
            self.complain(path, wrong);
        }
        let (status, text) = instead.unwrap_or_else(|| {
            let text = match path {
                "/luban/api/heart-beat" => json!({"code": 200, "nextInterval": 60_000}),
                "/luban/api/v1/update/update_check" => json!({
                    "flag": 0, "need_update": 0, "next_interval": 1_800, "instanceId": "",
                }),
                "/luban/api/v1/task/list" if query.starts_with("reason=kickoff") => {
                    let listed = |name| state.tasks.get(name).cloned().unwrap_or_default();
                    list(listed("run"), listed("stop"), Vec::new())
                }
                "/luban/api/v1/task/list" => list(Vec::new(), Vec::new(), Vec::new()),
                "/luban/api/v1/session/list" => {
                    let found = state.sessions.get(channel()).cloned();
                    list(Vec::new(), Vec::new(), found.into_iter().collect())
                }
                "/luban/api/instance/register" => {
                    json!({"code": 200, "instanceId": self.known.agent().instance})
                }
                "/luban/api/instance/list_instance_state_configurations" => {
                    json!({"errCode": "ServiceNotSupported", "errMsg": ""})
                }
                _ => return (StatusCode::OK, CALM.to_owned()),
            };
            (StatusCode::OK, text.to_string())
        });
        let is_taken = status <= StatusCode::BAD_REQUEST;
        let value = serde_json::from_str(&text).ok().filter(|_| is_taken);
        match path {
            "/luban/api/heart-beat" => state.order.beat_answered(value.as_ref()),
            "/luban/api/v1/task/list" if is_taken => state.order.started(),
            "/luban/api/instance/deregister" if is_taken => state.order.deregistered(),
            _ => {}
        }
        drop(state);
        Response::builder()
            .status(status)
            .body(Full::from(text))
            .expect("an answer")
    }

    fn upgrade(
        self: &Arc<Self>,
        mut request: Request<Incoming>,
        path: &str,
        query: &str,
    ) -> Response<Full<Bytes>> {
        let is_notify = path == "/luban/notify_server";
        let channel = query
            .strip_prefix("channelId=")
            .unwrap_or_default()
            .to_owned();
        let checked = match is_notify {
            true => Ok(()),
            false => self.state().order.dial(&channel),
        };
        if let Err(wrong) = checked {
            self.complain(path, wrong);
        }
        self.called.notify_waiters();
        if let Some((status, text)) = self.instead(path) {
            return Response::builder()
                .status(status)
                .body(Full::from(text))
                .expect("an answer");
        }
        let key = request.headers().get("sec-websocket-key");
        let accept = derive_accept_key(key.map_or(&[], |key| key.as_bytes()));
        let upgrading = hyper::upgrade::on(&mut request);
        let shared = Arc::clone(self);
        self.tasks.spawn("strict upgrade", async move {
            let Ok(upgraded) = upgrading.await else {
                return;
            };
            // A test that does not look lets it fall.
            if is_notify {
                let channel = NotifyChannel::new(upgraded, Arc::clone(&shared)).await;
                let _ = shared.notify.send(channel).await;
            } else {
                let data = DataChannel::new(upgraded, channel, Arc::clone(&shared)).await;
                let _ = shared.data.send(data).await;
            }
        });
        Response::builder()
            .status(StatusCode::SWITCHING_PROTOCOLS)
            .header(header::CONNECTION, "Upgrade")
            .header(header::UPGRADE, "websocket")
            .header(header::SEC_WEBSOCKET_ACCEPT, accept)
            .body(Full::default())
            .expect("an answer")
    }
}

fn list(run: Vec<Value>, stop: Vec<Value>, session: Vec<Value>) -> Value {
    json!({
        "code": 200, "instanceId": "", "run": run, "stop": stop, "test": [], "file": [],
        "session": session,
    })
}
