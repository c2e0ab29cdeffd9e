//! The event stream: a JSON object a line.

use std::{collections::VecDeque, convert::Infallible, sync::Arc};

use axt_control::admin::{EventLine, Lagged, StreamLine};
use axt_proto::Event;
use axum::{
    body::{Body, Bytes},
    extract::{Query, State},
    http::{Response, StatusCode},
};
use serde::Deserialize;

use crate::{
    desk::Desk,
    events::{Followed, Follower},
    relay::Shared,
    respond,
};

const LINES: &str = "application/x-ndjson;charset=utf-8";

/// `?follow=1&since=SEQ`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    /// Not 0: go on for ever.
    follow: u8,
    /// Only events after this one, of those that the ring still has. Without it a follower sees
    /// what happens from now on, and others see the whole ring.
    since: Option<u64>,
}

struct Stream {
    past: VecDeque<Arc<Event>>,
    follower: Follower,
    token: tokio_util::sync::CancellationToken,
}

pub(super) async fn events(
    State(shared): State<Arc<Shared>>,
    Query(asked): Query<Asked>,
) -> Response<Body> {
    let is_following = asked.follow != 0;
    let since = asked
        .since
        .unwrap_or(if is_following { u64::MAX } else { 0 });
    let followed = shared
        .desk
        .ask(move |desk: &mut Desk| desk.follow(since))
        .await;
    let (past, follower) = match followed {
        Ok(followed) => followed,
        Err(end) => return super::stopping(end),
    };
    if !is_following {
        let lines: Vec<u8> = past.iter().flat_map(|event| line(of(event))).collect();
        return respond::text(StatusCode::OK, LINES, lines);
    }
    let stream = Stream {
        past: past.into(),
        follower,
        token: shared.tasks.token().clone(),
    };
    let lines = futures_util::stream::unfold(stream, |mut stream| async move {
        let bytes = Bytes::from(line(stream.next().await?));
        Some((Ok::<_, Infallible>(bytes), stream))
    });
    respond::text(StatusCode::OK, LINES, Body::from_stream(lines))
}

impl Stream {
    async fn next(&mut self) -> Option<StreamLine> {
        if let Some(event) = self.past.pop_front() {
            return Some(of(&event));
        }
        let followed = tokio::select! {
            biased;
            followed = self.follower.next() => followed?,
            () = self.token.cancelled() => return None,
        };
        Some(match followed {
            Followed::Event(event) => of(&event),
            Followed::Lagged(missed) => StreamLine::Lagged(Lagged { missed }),
        })
    }
}

fn of(event: &Arc<Event>) -> StreamLine {
    StreamLine::Event(EventLine::from(Event::clone(event)))
}

fn line(line: StreamLine) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(&line).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}
