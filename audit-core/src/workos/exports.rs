//! Exports: creating them, waiting for them, reading them. `download` fetches the file.

use std::fmt;
use std::time::Duration;

use http::Method;
use serde::Deserialize;
use tokio::time::Instant;

use super::client::{WorkOs, segment};
use super::error::{Error, Unfinished};
use super::export_request::ExportRequest;
use super::open_enum::open_enum;
use crate::event::{from_millis, now_millis};
use crate::workos::wildcard;

const PATH: &str = "/audit_logs/exports";
/// The first interval between two polls. A small export is ready within seconds.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest interval, so that a long export costs few requests and is still noticed soon.
const LONGEST_WAIT: Duration = Duration::from_secs(15);

/// An export of an organization's events.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Export {
    /// The id, `audit_log_export_…`.
    pub id: String,
    /// The state.
    pub state: ExportState,
    /// The address of the file, once it is ready.
    ///
    /// It gives access to the events, so `Debug` does not print it. It expires 10 minutes after the
    /// response; [`download_export`](WorkOs::download_export) requests a new one each time.
    pub url: Option<String>,
    /// The time of creation, in RFC 3339.
    pub created_at: String,
    /// The time of the last change, in RFC 3339.
    pub updated_at: String,
}

impl fmt::Debug for Export {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Export")
            .field("id", &self.id)
            .field("state", &self.state)
            .field("created_at", &self.created_at)
            .field("updated_at", &self.updated_at)
            .finish_non_exhaustive()
    }
}

open_enum! {
    /// The state of an export.
    ExportState {
        /// In progress.
        Pending = "pending",
        /// Ready to be downloaded.
        Ready = "ready",
        /// Failed.
        Error = "error",
        /// Expired.
        Expired = "expired",
    }
}

impl WorkOs {
    /// Starts an export ([WorkOS: create
    /// export](https://workos.com/docs/reference/audit-logs/export)), in one attempt: a second one
    /// would be a second export.
    ///
    /// Wildcards among the actions are expanded first, as by
    /// [`expand_actions`](Self::expand_actions). [`ExportRequest::warnings`] are logged.
    ///
    /// ```no_run
    /// # async fn example(workos: audit_core::WorkOs, request: audit_core::workos::ExportRequest)
    /// # -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    ///
    /// let export = workos.create_export(&request).await?;
    /// workos.wait_for_export(&export.id, Duration::from_secs(300)).await?;
    /// let mut file = std::fs::File::create("events.csv")?;
    /// let bytes = workos.download_export(&export.id).await?.write_to(&mut file).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// The range ends before it begins; a wildcard matches no action; the service refuses the
    /// request (400), or does not respond.
    pub async fn create_export(&self, request: &ExportRequest) -> Result<Export, Error> {
        if request.length().is_none() {
            return Err(Error::refused(
                "the range of the export ends before it begins, or does not last; give the earlier time first",
            ));
        }
        for warning in request.warnings(from_millis(now_millis())) {
            tracing::warn!("export of audit events: {warning}");
        }
        let request = self.expand_actions(request.clone()).await?;
        self.call(Method::POST, PATH, &request).await
    }

    /// Replaces each wildcard among a request's actions, such as `user.*`, by the registered
    /// actions that match.
    ///
    /// The service takes exact names only. A request without wildcards is returned unchanged,
    /// without a call. Actions that the service records on its own need not be registered; name
    /// those exactly.
    ///
    /// # Errors
    ///
    /// A wildcard matches no action: without it, the request would mean every event. Or the service
    /// does not respond.
    pub async fn expand_actions(&self, mut request: ExportRequest) -> Result<ExportRequest, Error> {
        if request.actions.iter().any(|name| wildcard::is(name)) {
            let mut known = Vec::new();
            let mut actions = self.actions();
            while let Some(action) = actions.try_next().await? {
                known.push(action.name);
            }
            request.actions = wildcard::expand(&request.actions, &known)?;
        }
        Ok(request)
    }

    /// Reads an export; one that is ready has a new `url`.
    ///
    /// # Errors
    ///
    /// The service does not know the export (404), or does not respond.
    pub async fn get_export(&self, id: &str) -> Result<Export, Error> {
        self.get(&format!("{PATH}/{}", segment(id))).await
    }

    /// Waits until an export is ready.
    ///
    /// It polls after 1 second, then at growing intervals of up to 15 seconds. A failed poll is
    /// retried while it may still succeed. `timeout` bounds the whole call, including a poll in
    /// progress. No webhook for a ready export is documented.
    ///
    /// # Errors
    ///
    /// The export failed ([`Error::is_export_failed`]) or has expired
    /// ([`Error::is_export_expired`]); it was not ready in time ([`Error::is_deadline_exceeded`]),
    /// and the wait may be resumed. Or as [`get_export`](Self::get_export).
    ///
    /// # Cancellation
    ///
    /// The future may be dropped at any time; the export continues.
    pub async fn wait_for_export(&self, id: &str, timeout: Duration) -> Result<Export, Error> {
        let waiting = self.wait_without_end(id);
        // A timeout beyond the clock's range counts as none.
        if Instant::now().checked_add(timeout).is_none() {
            return waiting.await;
        }
        let end = |_| {
            let text = format!("export {id} was not ready within {timeout:?}; wait for it again");
            Err(Error::unfinished(Unfinished::Deadline, text))
        };
        tokio::time::timeout(timeout, waiting)
            .await
            .unwrap_or_else(end)
    }

    async fn wait_without_end(&self, id: &str) -> Result<Export, Error> {
        let mut wait = FIRST_WAIT;
        loop {
            let mut asked = Duration::ZERO;
            match self.get_export(id).await {
                Ok(export) => match export.state {
                    ExportState::Ready => return Ok(export),
                    ExportState::Error => return Err(Error::export_failed(id)),
                    ExportState::Expired => return Err(Error::export_expired(id)),
                    // An unknown state may still become `ready`; the deadline ends the wait if not.
                    ExportState::Pending | ExportState::Other(_) => {}
                },
                Err(error) if error.is_retryable() => {
                    asked = error.retry_after().unwrap_or_default();
                }
                Err(error) => return Err(error),
            }
            // Jitter, so that clients do not poll at the same time.
            let jittered = wait.mul_f64(0.8 + 0.2 * fastrand::f64());
            tokio::time::sleep(jittered.max(asked)).await;
            wait = wait.mul_f64(1.5).min(LONGEST_WAIT);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use serde_json::json;

    use super::*;
    use crate::workos::canned::Canned;

    fn export(state: &str) -> String {
        format!(
            r#"{{"object":"audit_log_export","id":"e_1","state":"{state}","created_at":"","updated_at":""}}"#
        )
    }

    fn request() -> ExportRequest {
        let start = UNIX_EPOCH + Duration::from_millis(1_500);
        ExportRequest::new("org_1", start, start + Duration::from_secs(60))
    }

    fn actions(names: &[&str]) -> String {
        let item = |name: &&str| json!({ "name": name, "schema": { "version": 1, "targets": [], "created_at": "" }, "created_at": "", "updated_at": "" });
        let items: Vec<_> = names.iter().map(item).collect();
        json!({ "data": items, "list_metadata": { "before": null, "after": null } }).to_string()
    }

    #[tokio::test]
    async fn an_export_is_requested_in_the_documented_form() {
        let canned = Canned::new().answer(201, &export("pending"));
        let request = request()
            .action("a.b")
            .actor_id("u")
            .actor_name("Ada")
            .target_type("t");
        let made = canned.client().create_export(&request).await.unwrap();
        assert_eq!((made.state, made.url), (ExportState::Pending, None));
        let body = json!({
            "organization_id": "org_1", "range_start": "1970-01-01T00:00:01.500Z", "range_end": "1970-01-01T00:01:01.500Z",
            "actions": ["a.b"], "actor_names": ["Ada"], "actor_ids": ["u"], "targets": ["t"],
        });
        assert_eq!(canned.last(), (Method::POST, PATH.to_owned(), body));
    }

    #[tokio::test]
    async fn wildcards_are_sent_as_the_names_they_match() {
        let canned = Canned::new()
            .answer(
                200,
                &actions(&["user.sign_in", "user.sign_out", "document.share"]),
            )
            .answer(201, &export("pending"));
        let request = request().action("user.*");
        canned.client().create_export(&request).await.unwrap();
        let (_, _, body) = canned.last();
        assert_eq!(body["actions"], json!(["user.sign_in", "user.sign_out"]));
    }

    #[tokio::test]
    async fn a_wildcard_without_a_match_never_selects_everything() {
        let canned = Canned::new().answer(200, &actions(&["document.share"]));
        let request = request().action("user.*");
        let error = canned.client().create_export(&request).await.unwrap_err();
        assert!(
            error
                .to_string()
                .contains("`user.*` matches no registered action"),
            "{error}"
        );
        assert_eq!(canned.paths().len(), 1);
    }

    #[tokio::test]
    async fn a_range_that_ends_before_it_begins_is_not_sent() {
        let canned = Canned::new();
        let turned = ExportRequest::new("o", UNIX_EPOCH + Duration::from_secs(1), UNIX_EPOCH);
        for request in [turned, ExportRequest::new("o", UNIX_EPOCH, UNIX_EPOCH)] {
            assert!(
                canned
                    .client()
                    .create_export(&request)
                    .await
                    .unwrap_err()
                    .is_rejected()
            );
        }
        assert!(canned.paths().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_when_the_export_is_ready() {
        let canned = Canned::new()
            .answer(200, &export("pending"))
            .answer(200, &export("copying"))
            .answer(200, &export("ready"));
        let start = Instant::now();
        let ready = canned
            .client()
            .wait_for_export("e/1", Duration::from_secs(60))
            .await
            .unwrap();
        assert_eq!(ready.state, ExportState::Ready);
        assert_eq!(canned.paths(), vec!["/audit_logs/exports/e%2F1"; 3]);
        assert!(
            start.elapsed() >= Duration::from_secs(2),
            "{:?}",
            start.elapsed()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_when_the_export_fails_or_expires() {
        let wait = async |state| {
            let canned = Canned::new().answer(200, &export(state));
            let waited = canned.client().wait_for_export("e_1", Duration::MAX).await;
            waited.unwrap_err()
        };
        assert!(wait("error").await.is_export_failed());
        assert!(wait("expired").await.is_export_expired());
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_at_its_deadline_and_polls_at_growing_intervals() {
        let pending = (0..100).fold(Canned::new(), |canned, _| {
            canned.answer(200, &export("pending"))
        });
        let start = Instant::now();
        let timeout = Duration::from_secs(120);
        let error = pending
            .client()
            .wait_for_export("e_1", timeout)
            .await
            .unwrap_err();
        assert!(
            error.is_deadline_exceeded() && !error.is_rejected(),
            "{error}"
        );
        assert_eq!(start.elapsed(), timeout);
        assert!(
            (10..=20).contains(&pending.paths().len()),
            "{}",
            pending.paths().len()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_survives_an_outage() {
        let away = (0..6).fold(Canned::new(), |canned, _| canned.answer(503, "<html>"));
        let canned = away.answer(200, &export("ready"));
        let waited = canned
            .client()
            .wait_for_export("e_1", Duration::from_secs(60))
            .await;
        assert_eq!(waited.unwrap().state, ExportState::Ready);
    }

    #[test]
    fn the_address_of_the_file_is_not_printed() {
        let text = export("ready").replace("\"id\"", "\"url\":\"https://canary\",\"id\"");
        let export: Export = serde_json::from_str(&text).unwrap();
        assert!(!format!("{export:?}").contains("canary"));
    }
}
