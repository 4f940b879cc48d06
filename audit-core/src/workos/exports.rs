//! Exports: created, waited for, refetched. The file itself is in `download`.

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
/// The first wait between two looks at an export. A small one is ready within seconds.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest, so that a long export costs few requests and is still seen soon.
const LONGEST_WAIT: Duration = Duration::from_secs(15);

/// An export of an organization's events, as the service has it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Export {
    /// Its id, `audit_log_export_…`.
    pub id: String,
    /// How far it is.
    pub state: ExportState,
    /// Where the file is, once it is ready. Whoever has it can read the events, so `Debug` does not
    /// show it. It expires 10 minutes after the service answered;
    /// [`download_export`](WorkOs::download_export) asks for a new one each time.
    pub url: Option<String>,
    /// When it was made, in RFC 3339.
    pub created_at: String,
    /// When it was last changed, in RFC 3339.
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
    /// How far an export is.
    ExportState {
        /// It is being made.
        Pending = "pending",
        /// It can be downloaded.
        Ready = "ready",
        /// The service gave up on it.
        Error = "error",
        /// It is gone.
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
    /// request (400), or does not answer.
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
    /// actions that it matches.
    ///
    /// The service takes exact names only. A request without wildcards is given back as it is,
    /// without a call. Actions that the service records on its own need not be registered; name
    /// those exactly.
    ///
    /// # Errors
    ///
    /// A wildcard matches no action: left out, it would mean every event. Or the service does not
    /// answer.
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
    /// The service does not know the export (404), or does not answer.
    pub async fn get_export(&self, id: &str) -> Result<Export, Error> {
        self.get(&format!("{PATH}/{}", segment(id))).await
    }

    /// Waits until an export is ready.
    ///
    /// It looks after 1 second, then ever less often, down to every 15 seconds. A look that fails
    /// is repeated for as long as it may still succeed. `timeout` bounds the whole, a look that is
    /// under way included. No webhook is documented to say that an export is ready.
    ///
    /// # Errors
    ///
    /// The service gave up on it ([`Error::is_export_failed`]), or it has expired
    /// ([`Error::is_export_expired`]); it was not ready in time ([`Error::is_deadline_exceeded`]),
    /// and the wait may be taken up again. Or as [`get_export`](Self::get_export).
    ///
    /// # Cancellation
    ///
    /// It may be dropped at any time; the export goes on.
    pub async fn wait_for_export(&self, id: &str, timeout: Duration) -> Result<Export, Error> {
        let waiting = self.wait_without_end(id);
        // A time-out that no clock can hold is none.
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
                    // A word that nobody knows yet may still become `ready`; the deadline ends the
                    // wait if not.
                    ExportState::Pending | ExportState::Other(_) => {}
                },
                Err(error) if error.is_retryable() => {
                    asked = error.retry_after().unwrap_or_default();
                }
                Err(error) => return Err(error),
            }
            // Less by a random part, so that many who wait for the same service do not ask at once.
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
    async fn an_export_is_asked_for_in_the_documented_form() {
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
    async fn a_wildcard_without_a_match_never_becomes_everything() {
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
    async fn a_wait_ends_when_there_will_be_no_file() {
        let wait = async |state| {
            let canned = Canned::new().answer(200, &export(state));
            let waited = canned.client().wait_for_export("e_1", Duration::MAX).await;
            waited.unwrap_err()
        };
        assert!(wait("error").await.is_export_failed());
        assert!(wait("expired").await.is_export_expired());
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_at_its_deadline_and_looks_ever_less_often() {
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
    async fn a_wait_outlives_a_service_that_is_away() {
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
