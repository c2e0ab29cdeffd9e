//! `axt clock`.

use std::process::ExitCode;

use axt_control::admin::{ClockAnswer, ClockRequest};

use super::print;
use crate::{
    failure::Failure,
    flags::clock::{ClockAction, ClockFlags},
    settings::Settings,
    target,
};

pub(super) async fn run(flags: ClockFlags, settings: &Settings) -> Result<ExitCode, Failure> {
    let admin = target::admin(flags.target, settings)?;
    let answer = match flags.action.unwrap_or(ClockAction::Show) {
        ClockAction::Show => admin.clock().await?,
        ClockAction::Freeze => admin.set_clock(ClockRequest::Freeze).await?,
        ClockAction::Advance { by } => {
            let by_ms = u64::try_from(by.as_millis()).map_err(Failure::usage)?;
            admin.set_clock(ClockRequest::Advance { by_ms }).await?
        }
        ClockAction::Release => admin.set_clock(ClockRequest::Release).await?,
    };
    print(&line(answer))?;
    Ok(ExitCode::SUCCESS)
}

fn line(answer: ClockAnswer) -> String {
    let state = if answer.frozen { "frozen" } else { "running" };
    match i64::try_from(answer.now_ms)
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
    {
        Some(now) => format!("{now:.3} {state}"),
        None => format!("{} ms {state}", answer.now_ms),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_shown_to_the_millisecond() {
        let answer = ClockAnswer {
            now_ms: 1_795_587_061_027,
            frozen: true,
        };

        assert_eq!(line(answer), "2026-11-25T06:11:01.027Z frozen");
    }
}
