//! Retries of reading calls.

use std::time::Duration;

use super::error::Error;

/// The longest wait before the first retry; it doubles with each.
const BASE: Duration = Duration::from_millis(500);
/// The longest wait. A longer `Retry-After` is returned as an error instead of being awaited.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// Returns the time before the next attempt, after `retries` retries; `None` if a retry cannot
/// help, or the service requested too long a wait.
///
/// Full jitter, so that clients that failed together do not retry together; at least the service's
/// `Retry-After`.
pub(super) fn wait(error: &Error, retries: u32) -> Option<Duration> {
    if !error.is_retryable() {
        return None;
    }
    let longest = BASE.saturating_mul(1 << retries.min(16)).min(MAX_WAIT);
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
    async fn a_reading_call_is_retried_after_the_requested_wait() {
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
    async fn retries_are_bounded_and_only_for_retryable_errors() {
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
    async fn a_long_retry_after_is_an_error() {
        let canned = Canned::new().answer_with(429, &[("retry-after", "3600")], "");
        let error = canned.client().configuration("o").await.unwrap_err();
        assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
        assert_eq!(canned.paths().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_writing_call_is_never_retried() {
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
