//! Moments as the store keeps them and as the API writes them: ISO 8601, UTC with `Z`, milliseconds.

use std::fmt;
use std::time::{Duration, SystemTime};

/// 9999-12-31T23:59:59.999Z, the last moment that has a four-digit year.
const LAST: u64 = 253_402_300_799_999;

/// A moment in whole milliseconds since 1970, always printable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Timestamp(u64);

impl Timestamp {
    pub(crate) fn from_millis(millis: i64) -> Self {
        Self(u64::try_from(millis).unwrap_or(0).min(LAST))
    }

    /// Never negative, as SQLite has signed integers only.
    pub(crate) fn as_millis(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    pub(crate) fn to_system_time(self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(self.0)
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let since = time
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        Self(u64::try_from(since.as_millis()).unwrap_or(LAST).min(LAST))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_rfc3339_millis(self.to_system_time()).fmt(f)
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Whether `text` is an RFC 3339 date-time in UTC written with `Z`, of any year and with any number of fractional digits.
///
/// Only the `Z` form is taken, as the service does; an offset such as `+00:00` is refused. A leap second is allowed where RFC 3339 allows
/// one, at the end of a day.
pub(crate) fn is_utc_date_time(text: &str) -> bool {
    // `YYYY-MM-DDTHH:MM:SS`, then an optional fraction, then `Z`.
    let Some((head, tail)) = text.as_bytes().split_at_checked(19) else {
        return false;
    };
    let punctuation = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if punctuation.iter().any(|&(at, byte)| head[at] != byte) {
        return false;
    }
    let number = |from: usize, to: usize| {
        head[from..to].iter().try_fold(0_u32, |sum, byte| {
            byte.is_ascii_digit()
                .then(|| sum * 10 + u32::from(byte - b'0'))
        })
    };
    let (Some(year), Some(month), Some(day)) = (number(0, 4), number(5, 7), number(8, 10)) else {
        return false;
    };
    let (Some(hour), Some(minute), Some(second)) = (number(11, 13), number(14, 16), number(17, 19))
    else {
        return false;
    };
    let fraction_is_well_formed = match tail {
        [b'Z'] => true,
        [b'.', digits @ .., b'Z'] => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    let time_is_real =
        hour < 24 && minute < 60 && (second < 60 || (second == 60 && (hour, minute) == (23, 59)));
    (1..=days_in_month(year, month)).contains(&day) && time_is_real && fraction_is_well_formed
}

/// Zero for a month that does not exist.
fn days_in_month(year: u32, month: u32) -> u32 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_in_utc_with_milliseconds() {
        assert_eq!(
            Timestamp::from_millis(1_770_050_139_317).to_string(),
            "2026-02-02T16:35:39.317Z"
        );
        assert_eq!(
            Timestamp::from_millis(0).to_string(),
            "1970-01-01T00:00:00.000Z"
        );
    }

    #[test]
    fn moments_outside_the_printable_range_are_clamped() {
        assert_eq!(
            Timestamp::from_millis(-1).to_string(),
            "1970-01-01T00:00:00.000Z"
        );
        assert_eq!(
            Timestamp::from_millis(i64::MAX).to_string(),
            "9999-12-31T23:59:59.999Z"
        );
        assert_eq!(
            Timestamp::from(SystemTime::UNIX_EPOCH - Duration::from_secs(1)),
            Timestamp(0)
        );
    }

    #[test]
    fn the_z_form_is_a_date_time() {
        for text in [
            "2026-02-02T16:35:39.317Z",
            "2026-02-02T16:35:39Z",
            "2026-02-02T16:35:39.123456789Z",
            "1969-07-20T20:17:40Z",
            "2024-02-29T00:00:00Z",
            "2000-02-29T00:00:00Z",
            "2016-12-31T23:59:60Z",
        ] {
            assert!(is_utc_date_time(text), "{text}");
        }
    }

    #[test]
    fn anything_else_is_not_a_date_time() {
        for text in [
            "",
            "2026-02-02",
            "2026-02-02T16:35:39",
            "2026-02-02T16:35:39+00:00",
            "2026-02-02T16:35:39.Z",
            "2026-02-02 16:35:39Z",
            "2026-02-02t16:35:39z",
            "2026-02-30T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:60:00Z",
            "2026-01-01T00:00:61Z",
            "2026-01-01T12:00:60Z",
            "2026-02-02T16:35:39.3a7Z",
            "2026-02-02T16:35:3éZ",
            "１026-02-02T16:35:39Z",
        ] {
            assert!(!is_utc_date_time(text), "{text}");
        }
    }
}
