//! Timestamps in the store and on the wire: ISO 8601, UTC with `Z`, milliseconds.

use std::fmt;
use std::time::{Duration, SystemTime};

/// 9999-12-31T23:59:59.999Z, the last time with a four-digit year.
const LAST: u64 = 253_402_300_799_999;

/// A time in whole milliseconds since 1970, always printable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Timestamp(u64);

impl Timestamp {
    pub(crate) fn from_millis(millis: i64) -> Self {
        Self(u64::try_from(millis).unwrap_or(0).min(LAST))
    }

    /// Returns the milliseconds. Never negative; signed since SQLite has only signed integers.
    pub(crate) fn as_millis(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    /// Returns the time this much later, or the last printable one.
    pub(crate) fn after(self, duration: Duration) -> Self {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(millis).min(LAST))
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

/// Parses an RFC 3339 date-time in UTC written with `Z`, to whole milliseconds since 1970.
///
/// The result is negative before 1970. Any year from 0000 to 9999 and any number of fractional
/// digits are accepted.
///
/// Only the `Z` form is accepted, as by the service; an offset such as `+00:00` is rejected. A leap
/// second is allowed at the end of a day, as in RFC 3339, and equals the second after it.
pub(crate) fn parse_utc_date_time(text: &str) -> Option<i64> {
    // `YYYY-MM-DDTHH:MM:SS`, then an optional fraction, then `Z`.
    let (head, tail) = text.as_bytes().split_at_checked(19)?;
    let punctuation = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if punctuation.iter().any(|&(at, byte)| head[at] != byte) {
        return None;
    }
    let number = |from: usize, to: usize| digits(&head[from..to]);
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let millis = match tail {
        [b'Z'] => 0,
        [b'.', fraction @ .., b'Z'] if !fraction.is_empty() => {
            digits(fraction.get(3..).unwrap_or_default())?;
            let mut padded = [b'0'; 3];
            for (to, from) in padded.iter_mut().zip(fraction) {
                *to = *from;
            }
            digits(&padded)?
        }
        _ => return None,
    };
    let time_is_real =
        hour < 24 && minute < 60 && (second < 60 || (second == 60 && (hour, minute) == (23, 59)));
    if !(1..=days_in_month(year, month)).contains(&day) || !time_is_real {
        return None;
    }
    let days = days_before(year) - days_before(1970)
        + (1..month)
            .map(|month| days_in_month(year, month))
            .sum::<i64>()
        + day
        - 1;
    let millis = (((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000 + millis;
    // The second after the last leap second would have a five-digit year.
    Some(millis.min(i64::try_from(LAST).unwrap_or(i64::MAX)))
}

/// Parses decimal digits; `None` for any other byte. Wraps beyond 18 digits, where only the check
/// matters.
fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0_i64, |sum, byte| {
        byte.is_ascii_digit()
            .then(|| sum.wrapping_mul(10).wrapping_add(i64::from(byte - b'0')))
    })
}

/// Returns the days from the first day of year 0 to the first day of `year`.
fn days_before(year: i64) -> i64 {
    365 * year + (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400
}

/// Returns the days in a month, or 0 for a month that does not exist.
fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamp_is_written_in_utc_with_milliseconds() {
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
    fn last_leap_second_is_clamped_to_the_last_timestamp() {
        let last = parse_utc_date_time("9999-12-31T23:59:60Z").unwrap();
        assert_eq!(last, Timestamp::from_millis(i64::MAX).as_millis());
    }

    #[test]
    fn times_outside_the_printable_range_are_clamped() {
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
    fn written_timestamp_is_parsed_back() {
        for millis in [
            0,
            1,
            951_782_400_000,
            1_770_050_139_317,
            4_107_542_399_999,
            253_402_300_799_999,
        ] {
            let text = Timestamp::from_millis(millis).to_string();
            assert_eq!(parse_utc_date_time(&text), Some(millis), "{text}");
        }
        for (text, millis) in [
            ("1969-12-31T23:59:59.999Z", -1),
            ("1970-01-01T00:00:00.5Z", 500),
            ("1970-01-01T00:00:00.0019999999999999999999999Z", 1),
            ("2016-12-31T23:59:60Z", 1_483_228_800_000),
            ("0000-03-01T00:00:00Z", -62_162_035_200_000),
        ] {
            assert_eq!(parse_utc_date_time(text), Some(millis), "{text}");
        }
    }

    #[test]
    fn z_form_is_a_date_time() {
        for text in [
            "2026-02-02T16:35:39.317Z",
            "2026-02-02T16:35:39Z",
            "2026-02-02T16:35:39.123456789Z",
            "1969-07-20T20:17:40Z",
            "2024-02-29T00:00:00Z",
            "2000-02-29T00:00:00Z",
            "2016-12-31T23:59:60Z",
        ] {
            assert!(parse_utc_date_time(text).is_some(), "{text}");
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
            assert!(parse_utc_date_time(text).is_none(), "{text}");
        }
    }
}
