//! Reads of the wall clock; the only file with them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// 9999-12-31T23:59:59.999Z, the last moment that the wire format can represent.
const LAST_MILLIS: u64 = 253_402_300_799_999;

/// Now, in milliseconds since 1970. A clock set before 1970 reads as 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one file that reads the wall clock"
)]
pub(crate) fn now_millis() -> u64 {
    to_millis(SystemTime::now())
}

pub(crate) fn to_millis(time: SystemTime) -> u64 {
    let since = time
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_millis();
    u64::try_from(since).unwrap_or(LAST_MILLIS).min(LAST_MILLIS)
}

pub(crate) fn from_millis(millis: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(millis.min(LAST_MILLIS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_outside_the_wire_format_are_clamped_to_its_ends() {
        assert_eq!(to_millis(UNIX_EPOCH - Duration::from_secs(1)), 0);
        assert_eq!(to_millis(from_millis(u64::MAX)), LAST_MILLIS);
    }
}
