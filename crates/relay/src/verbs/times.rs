//! Instants as the API writes them: rule time, in UTC (ecs-api 3).

use axt_proto::Tick;
use jiff::Timestamp;

/// `yyyy-MM-ddTHH:mmZ`
pub(super) fn minutes(at: Tick) -> String {
    timestamp(at).strftime("%Y-%m-%dT%H:%MZ").to_string()
}

/// `yyyy-MM-ddTHH:mm:ssZ`
pub(super) fn seconds(at: Tick) -> String {
    timestamp(at).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn timestamp(at: Tick) -> Timestamp {
    i64::try_from(at.as_millis())
        .ok()
        .and_then(|millis| Timestamp::from_millisecond(millis).ok())
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_utc_and_in_the_documented_forms() {
        let at = Tick::from_millis(1_795_587_061_027);

        assert_eq!(minutes(at), "2026-11-25T06:11Z");
        assert_eq!(seconds(at), "2026-11-25T06:11:01Z");
    }
}
