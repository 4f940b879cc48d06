//! Repeating a call that only reads.

use std::time::Duration;

use super::error::Error;

/// The longest wait before the first repetition; it doubles with each.
const BASE: Duration = Duration::from_millis(500);
/// No wait is longer. If the service asks for more, the caller is told instead of being kept.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// The time before the next attempt, after `repeated` repetitions; `None` if no repetition can mend
/// the error, or the service asked for too long a wait.
///
/// Full jitter, so that clients that failed together do not come back together, and at least what
/// the service asked for.
pub(super) fn wait(error: &Error, repeated: u32) -> Option<Duration> {
    if !error.is_retryable() {
        return None;
    }
    let longest = BASE.saturating_mul(1 << repeated.min(16)).min(MAX_WAIT);
    let jittered = longest.mul_f64(fastrand::f64());
    let wait = error
        .retry_after()
        .map_or(jittered, |asked| asked.max(jittered));
    (wait <= MAX_WAIT).then_some(wait)
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;
    use crate::workos::canned::Canned;

    const CONFIGURATION: &str =
        r#"{"organization_id":"org_1","retention_period_in_days":30,"state":"active"}"#;

    #[tokio::test(start_paused = true)]
    async fn a_reading_call_is_repeated_and_waits_as_asked() {
        let canned = Canned::new()
            .answer_with(429, &[("retry-after", "7")], r#"{"message":"Too many"}"#)
            .answer(503, "<html>")
            .answer(200, CONFIGURATION);
        let start = Instant::now();
        canned.client().configuration("org_1").await.unwrap();
        assert!(start.elapsed() >= Duration::from_secs(7));
        assert_eq!(canned.paths().len(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn repetitions_are_bounded_and_only_for_what_may_pass_later() {
        let canned = Canned::new()
            .answer(503, "")
            .answer(503, "")
            .answer(503, "");
        assert!(canned.client().configuration("o").await.is_err());
        assert_eq!(canned.paths().len(), 3);
        for status in [400, 401, 404, 422] {
            let canned = Canned::new().answer(status, r#"{"message":"x"}"#);
            assert!(canned.client().configuration("o").await.is_err());
            assert_eq!(canned.paths().len(), 1, "{status}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_is_too_long_is_left_to_the_caller() {
        let canned = Canned::new().answer_with(429, &[("retry-after", "3600")], "");
        let error = canned.client().configuration("o").await.unwrap_err();
        assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
        assert_eq!(canned.paths().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_writing_call_is_never_repeated() {
        let canned = Canned::new().answer(503, "").answer(503, "");
        let schema = serde_json::json!({ "targets": [{ "type": "t" }] });
        assert!(canned.client().create_schema("a", &schema).await.is_err());
        let period = crate::workos::RetentionPeriod::months(1).unwrap();
        assert!(
            canned
                .client()
                .set_retention("org_1", period)
                .await
                .is_err()
        );
        assert_eq!(canned.paths().len(), 2);
    }
}
