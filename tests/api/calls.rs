//! What these tests share: a simulated sandbox, and calls that succeed or are refused.

use axt_agent::Shells;
use axt_client::api::{ApiError, CallError};
use axt_control::admin::RegionChange;
use axt_net::wall::Wall;
use axt_proto::{Limits, Tick};
use axt_sandbox::{ClockStart, Sandbox, SandboxConfig, Transport};
use serde_json::Value;

/// Parameters of a call.
pub(crate) type Parameters<'a> = &'a [(&'a str, &'a str)];

/// Both clocks at the start, Unix milliseconds: 2026-11-25T06:11:01Z.
pub(crate) const NOW_MS: u64 = 1_795_587_061_000;

/// The same as wall time, which signatures carry.
pub(crate) fn at_start() -> jiff::Timestamp {
    let millis = i64::try_from(NOW_MS).expect("small");
    jiff::Timestamp::from_millisecond(millis).expect("a time")
}

/// In memory, with both clocks standing still.
pub(crate) fn simulated() -> SandboxConfig {
    SandboxConfig {
        transport: Transport::Memory,
        clock: ClockStart::Frozen(Tick::from_millis(NOW_MS)),
        wall: Wall::fixed("2026-11-25T06:11:01Z".parse().expect("a time")),
        shells: Shells::Scripted,
        seed: Some(1),
        ..SandboxConfig::default()
    }
}

/// The same with other limits.
pub(crate) fn limited(limits: Limits) -> SandboxConfig {
    SandboxConfig {
        limits,
        ..simulated()
    }
}

/// Calls an action; it has to succeed.
pub(crate) async fn call(sandbox: &Sandbox, action: &str, parameters: Parameters<'_>) -> Value {
    let answer = sandbox.api().call(action, parameters).await;
    answer.unwrap_or_else(|error| panic!("{action}: {error}"))
}

/// Calls an action; it has to be refused.
pub(crate) async fn refused(
    sandbox: &Sandbox,
    action: &str,
    parameters: Parameters<'_>,
) -> ApiError {
    match sandbox.api().call(action, parameters).await {
        Err(CallError::Api(error)) => error,
        Err(other) => panic!("{action}: {other}"),
        Ok(answer) => panic!("{action} succeeded: {answer}"),
    }
}

/// Changes the sandbox's region.
pub(crate) async fn change_region(sandbox: &Sandbox, change: RegionChange) {
    let region = sandbox.api().region();
    let changed = sandbox.admin().change_region(region, &change).await;
    changed.expect("changed");
}

/// The text at a place of an answer.
pub(crate) fn text<'a>(answer: &'a Value, pointer: &str) -> &'a str {
    let value = answer.pointer(pointer).and_then(Value::as_str);
    value.unwrap_or_else(|| panic!("no text at {pointer} of {answer}"))
}
