//! The body of a request that sets a retention period.

use serde_json::Value;

const DAYS_PER_MONTH: u32 = 30;
const DAYS_PER_YEAR: u32 = 365;

/// Parses a period and returns it in days.
///
/// Accepts exactly one of the two documented forms: `retention_period` (`1_MONTH` to `11_MONTHS`,
/// `1_YEAR` to `10_YEARS`) or `retention_period_in_days` (30 to 330 in steps of 30, 365 to 3,650 in
/// steps of 365). These are the values of the newest SDKs; the older reference has only 30 and 365
/// days.
///
/// # Errors
/// A sentence for the mistake.
pub(crate) fn read_retention(body: &Value) -> Result<u32, String> {
    let field = |key| body.get(key);
    match (
        field("retention_period"),
        field("retention_period_in_days"),
    ) {
        (Some(_), Some(_)) => Err(
            "Only one of retention_period and retention_period_in_days may be given.".to_owned(),
        ),
        (None, None) => Err(
            "One of retention_period and retention_period_in_days has to be given.".to_owned(),
        ),
        (Some(period), None) => period.as_str().and_then(period_in_days).ok_or_else(|| {
            "retention_period has to be one of 1_MONTH, 2_MONTHS to 11_MONTHS, 1_YEAR, 2_YEARS to 10_YEARS."
                .to_owned()
        }),
        (None, Some(days)) => days.as_u64().and_then(valid_days).ok_or_else(|| {
            "retention_period_in_days has to be a multiple of 30 from 30 to 330, or a multiple of 365 from 365 to 3650."
                .to_owned()
        }),
    }
}

fn period_in_days(period: &str) -> Option<u32> {
    let (count, unit) = period.split_once('_')?;
    // `01` and `+1` are not valid counts.
    if !count.starts_with(|digit: char| digit.is_ascii_digit() && digit != '0') {
        return None;
    }
    let count: u32 = count.parse().ok()?;
    match (count, unit) {
        (1, "MONTH") | (2..=11, "MONTHS") => Some(count * DAYS_PER_MONTH),
        (1, "YEAR") | (2..=10, "YEARS") => Some(count * DAYS_PER_YEAR),
        _ => None,
    }
}

fn valid_days(days: u64) -> Option<u32> {
    let days = u32::try_from(days).ok()?;
    let valid = |unit: u32, max: u32| days > 0 && days % unit == 0 && days / unit <= max;
    (valid(DAYS_PER_MONTH, 11) || valid(DAYS_PER_YEAR, 10)).then_some(days)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_forms_are_converted_to_days() {
        for (period, days) in [
            ("1_MONTH", 30),
            ("2_MONTHS", 60),
            ("11_MONTHS", 330),
            ("1_YEAR", 365),
            ("7_YEARS", 2_555),
            ("10_YEARS", 3_650),
        ] {
            assert_eq!(
                read_retention(&json!({ "retention_period": period })),
                Ok(days)
            );
            assert_eq!(
                read_retention(&json!({ "retention_period_in_days": days })),
                Ok(days)
            );
        }
    }

    #[test]
    fn other_periods_are_rejected() {
        for period in [
            "",
            "1",
            "_MONTH",
            "0_MONTHS",
            "1_MONTHS",
            "2_MONTH",
            "12_MONTHS",
            "1_YEARS",
            "11_YEARS",
            "01_MONTH",
            "+1_MONTH",
            "1_month",
            "1_WEEK",
        ] {
            let error = read_retention(&json!({ "retention_period": period })).unwrap_err();
            assert!(
                error.starts_with("retention_period has"),
                "{period}: {error}"
            );
        }
        for days in [
            json!(0),
            json!(1),
            json!(31),
            json!(360),
            json!(364),
            json!(4_015),
            json!(-30),
            json!(30.5),
            json!("30"),
            json!(null),
            json!(u64::MAX),
        ] {
            let body = json!({ "retention_period_in_days": days });
            assert!(read_retention(&body).is_err(), "{body}");
        }
        for body in [
            json!({}),
            json!([]),
            json!({ "retention_period": "1_YEAR", "retention_period_in_days": 365 }),
        ] {
            assert!(read_retention(&body).is_err(), "{body}");
        }
    }
}
