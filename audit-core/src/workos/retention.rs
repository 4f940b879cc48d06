//! The retention period of an organization's events.

use std::fmt;

use http::Method;
use serde::{Deserialize, Serialize, Serializer};

use super::client::{WorkOs, segment};
use super::error::Error;

/// The days of a month, as the service counts them.
const DAYS_PER_MONTH: u32 = 30;
const DAYS_PER_YEAR: u32 = 365;
/// The maximum number of months ([WorkOS:
/// retention](https://workos.com/docs/reference/audit-logs/retention)).
const MAX_MONTHS: u32 = 11;
const MAX_YEARS: u32 = 10;

/// A retention period: 1 to 11 months, or 1 to 10 years. The service has no others.
///
/// ```
/// use audit_core::workos::RetentionPeriod;
///
/// let period = RetentionPeriod::retention_days(90)?;
/// assert_eq!(period.to_string(), "3_MONTHS");
/// assert_eq!(RetentionPeriod::years(7)?.days(), 2555);
///
/// let error = RetentionPeriod::retention_days(100).unwrap_err();
/// assert_eq!(error.nearest().map(RetentionPeriod::days).collect::<Vec<_>>(), [90, 120]);
/// # Ok::<_, audit_core::workos::RetentionError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RetentionPeriod(Unit, u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Unit {
    Months,
    Years,
}

impl RetentionPeriod {
    /// Returns a period of months, 1 to 11.
    ///
    /// # Errors
    ///
    /// `months` is 0 or more than 11; the error has the nearest periods.
    pub fn months(months: u32) -> Result<Self, RetentionError> {
        if (1..=MAX_MONTHS).contains(&months) {
            Ok(Self(Unit::Months, months))
        } else {
            Err(RetentionError::new(months.saturating_mul(DAYS_PER_MONTH)))
        }
    }

    /// Returns a period of years, 1 to 10.
    ///
    /// # Errors
    ///
    /// `years` is 0 or more than 10; the error has the nearest period.
    pub fn years(years: u32) -> Result<Self, RetentionError> {
        if (1..=MAX_YEARS).contains(&years) {
            Ok(Self(Unit::Years, years))
        } else {
            Err(RetentionError::new(years.saturating_mul(DAYS_PER_YEAR)))
        }
    }

    /// Returns the period of exactly this many days, with 30 days a month and 365 a year.
    ///
    /// # Errors
    ///
    /// There is no such period; the error has the nearest ones. Nothing is rounded, since a period
    /// that is too short deletes events.
    pub fn retention_days(days: u32) -> Result<Self, RetentionError> {
        Self::all()
            .find(|period| period.days() == days)
            .ok_or_else(|| RetentionError::new(days))
    }

    /// Returns all periods, the shortest first.
    pub fn all() -> impl Iterator<Item = Self> {
        let months = (1..=MAX_MONTHS).map(|months| Self(Unit::Months, months));
        months.chain((1..=MAX_YEARS).map(|years| Self(Unit::Years, years)))
    }

    /// Returns the days that the service counts for the period.
    #[must_use]
    pub fn days(self) -> u32 {
        match self.0 {
            Unit::Months => self.1 * DAYS_PER_MONTH,
            Unit::Years => self.1 * DAYS_PER_YEAR,
        }
    }
}

/// Prints the service's value, such as `1_MONTH` or `7_YEARS`.
impl fmt::Display for RetentionPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.0 {
            Unit::Months => "MONTH",
            Unit::Years => "YEAR",
        };
        let plural = if self.1 == 1 { "" } else { "S" };
        write!(f, "{}_{unit}{plural}", self.1)
    }
}

impl Serialize for RetentionPeriod {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The error of a period that the service does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetentionError {
    days: u32,
}

impl RetentionError {
    fn new(days: u32) -> Self {
        Self { days }
    }

    /// Returns the longest shorter period and the shortest longer one, where they exist.
    pub fn nearest(&self) -> impl Iterator<Item = RetentionPeriod> {
        let shorter = RetentionPeriod::all().filter(|period| period.days() <= self.days);
        let longer = RetentionPeriod::all().find(|period| period.days() > self.days);
        shorter.last().into_iter().chain(longer)
    }
}

impl fmt::Display for RetentionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no retention period is {} days; the nearest", self.days)?;
        let nearest: Vec<_> = self
            .nearest()
            .map(|period| format!("{} ({period})", period.days()))
            .collect();
        let verb = if nearest.len() == 1 { "is" } else { "are" };
        write!(f, " {verb} {}", nearest.join(" and "))
    }
}

impl std::error::Error for RetentionError {}

/// The retention period of an organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Retention {
    /// The days; `None` if none was set. It need not be one of [`RetentionPeriod`].
    #[serde(rename = "retention_period_in_days")]
    pub days: Option<u32>,
}

impl WorkOs {
    /// Reads the retention period of an organization ([WorkOS:
    /// retention](https://workos.com/docs/reference/audit-logs/retention)).
    ///
    /// # Errors
    ///
    /// The service does not know the organization (404), or does not respond.
    pub async fn retention(&self, organization: &str) -> Result<Retention, Error> {
        self.get(&path(organization)).await
    }

    /// Sets the retention period of an organization, in one attempt. **Older events are deleted for
    /// good.**
    ///
    /// ```no_run
    /// # async fn example(workos: audit_core::WorkOs) -> Result<(), Box<dyn std::error::Error>> {
    /// use audit_core::workos::RetentionPeriod;
    ///
    /// let retention = workos.set_retention("org_1", RetentionPeriod::years(7)?).await?;
    /// assert_eq!(retention.days, Some(2555));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// The service does not know the organization (404) or refuses the period (422), or does not
    /// respond.
    pub async fn set_retention(
        &self,
        organization: &str,
        period: RetentionPeriod,
    ) -> Result<Retention, Error> {
        #[derive(Serialize)]
        struct Body {
            retention_period: RetentionPeriod,
        }
        let body = Body {
            retention_period: period,
        };
        self.call(Method::PUT, &path(organization), &body).await
    }
}

fn path(organization: &str) -> String {
    let organization = segment(organization);
    format!("/organizations/{organization}/audit_logs_retention")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::workos::canned::Canned;

    #[test]
    fn exactly_the_documented_periods_exist() {
        let days: Vec<_> = RetentionPeriod::all().map(RetentionPeriod::days).collect();
        let months = (1..=11).map(|months| months * 30);
        let documented: Vec<_> = months.chain((1..=10).map(|years| years * 365)).collect();
        assert_eq!(days, documented);
        for period in RetentionPeriod::all() {
            assert_eq!(RetentionPeriod::retention_days(period.days()), Ok(period));
        }
        let words: Vec<_> = RetentionPeriod::all().map(|p| p.to_string()).collect();
        assert_eq!(
            (&*words[0], &*words[1], &*words[11], &*words[20]),
            ("1_MONTH", "2_MONTHS", "1_YEAR", "10_YEARS")
        );
    }

    #[test]
    fn other_numbers_of_days_are_errors_with_the_nearest_periods() {
        let error = |days| {
            RetentionPeriod::retention_days(days)
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            error(360),
            "no retention period is 360 days; the nearest are 330 (11_MONTHS) and 365 (1_YEAR)"
        );
        assert!(error(0).ends_with("the nearest is 30 (1_MONTH)"));
        assert!(error(u32::MAX).ends_with("the nearest is 3650 (10_YEARS)"));
        assert!(RetentionPeriod::months(12).is_err() && RetentionPeriod::years(0).is_err());
    }

    #[tokio::test]
    async fn reading_and_setting_are_the_documented_requests() {
        let canned = Canned::new()
            .answer(200, r#"{"retention_period_in_days":null}"#)
            .answer(200, r#"{"retention_period_in_days":90}"#);
        let client = canned.client();
        assert_eq!(client.retention("org/1").await.unwrap().days, None);
        let path = "/organizations/org%2F1/audit_logs_retention";
        assert_eq!(canned.paths(), [path]);
        let period = RetentionPeriod::months(3).unwrap();
        let set = client.set_retention("org/1", period).await.unwrap();
        assert_eq!(set.days, Some(90));
        let body = json!({ "retention_period": "3_MONTHS" });
        assert_eq!(canned.last(), (Method::PUT, path.to_owned(), body));
    }
}
