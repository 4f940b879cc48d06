//! What went wrong with a call, in the service's own words.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use serde::Deserialize;

use super::retry_after::retry_after;
use super::transport_failure::{BoxError, TransportFailure, transport_failure};
use crate::event::pieces;

/// A call to the service failed.
///
/// It never holds the key or what was sent.
pub struct Error {
    kind: Kind,
    request_id: Option<String>,
    retry_after: Option<Duration>,
}

#[derive(Debug)]
enum Kind {
    /// No answer.
    Transport(BoxError),
    /// An answer that is not a success.
    Status(StatusCode, Box<Refusal>),
    /// An answer that is not the service's.
    Foreign(StatusCode, String),
    /// Refused for good without an error answer: before it was sent, or with `success: false`.
    Refused(Cow<'static, str>),
    /// A wait that ended without what was waited for.
    Unfinished(Unfinished, String),
    /// The caller's writer does not take what was read.
    Write(std::io::Error),
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfinished {
    Failed,
    Expired,
    Deadline,
}

/// The error bodies that the service is known to answer, all in one.
#[derive(Debug, Default, Deserialize)]
struct Refusal {
    message: Message,
    code: Option<String>,
    error: Option<String>,
    #[serde(default)]
    errors: Vec<FieldError>,
}

/// The message comes as a text or as a list of texts.
#[derive(Debug, Default, Deserialize)]
#[serde(untagged)]
enum Message {
    #[default]
    None,
    One(String),
    Many(Vec<String>),
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Message::None => Ok(()),
            Message::One(text) => f.write_str(text),
            Message::Many(texts) => f.write_str(&texts.join("; ")),
        }
    }
}

/// One field that the service complains about.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FieldError {
    /// What is wrong, such as `required`.
    pub code: Option<String>,
    /// Where, as a dotted path from the body's root, such as `event.action`.
    pub field: Option<String>,
    /// Where, as a JSON Pointer inside the event, such as `/targets`.
    pub instance_path: Option<String>,
    /// What is wrong, in words.
    pub message: Option<String>,
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            self.field
                .as_deref()
                .or(self.instance_path.as_deref())
                .unwrap_or("?"),
        )?;
        if let Some(what) = self.message.as_deref().or(self.code.as_deref()) {
            write!(f, " ({what})")?;
        }
        Ok(())
    }
}

impl Error {
    pub(super) fn transport(source: BoxError) -> Self {
        Self::local(Kind::Transport(source))
    }

    pub(super) fn refused(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::local(Kind::Refused(reason.into()))
    }

    /// The service gave up on an export.
    pub(super) fn export_failed(id: &str) -> Self {
        let text = format!("the service gave up on export {id}; create a new one");
        Self::unfinished(Unfinished::Failed, text)
    }

    /// An export has expired.
    pub(super) fn export_expired(id: &str) -> Self {
        let text = format!("export {id} has expired; create a new one");
        Self::unfinished(Unfinished::Expired, text)
    }

    pub(super) fn unfinished(how: Unfinished, text: String) -> Self {
        Self::local(Kind::Unfinished(how, text))
    }

    pub(super) fn write(source: std::io::Error) -> Self {
        Self::local(Kind::Write(source))
    }

    /// An error that did not come from the service.
    fn local(kind: Kind) -> Self {
        Self {
            kind,
            request_id: None,
            retry_after: None,
        }
    }

    /// An answer that is no success, or whose body is not what the service answers.
    pub(super) fn answer(response: &Response<Bytes>) -> Self {
        let status = response.status();
        let header = |name| {
            response
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        let kind = match serde_json::from_slice::<Refusal>(response.body()) {
            Ok(refusal) if !status.is_success() && !matches!(refusal.message, Message::None) => {
                Kind::Status(status, Box::new(refusal))
            }
            _ => {
                let content = header("content-type").unwrap_or("no content type");
                Kind::Foreign(
                    status,
                    format!("{content}, {} bytes", response.body().len()),
                )
            }
        };
        let request_id = header("x-request-id").map(ToOwned::to_owned);
        Self {
            kind,
            request_id,
            retry_after: retry_after(response.headers()),
        }
    }

    /// The status of the answer; `None` if there was no answer.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self.kind {
            Kind::Status(status, _) | Kind::Foreign(status, _) => Some(status),
            Kind::Transport(_) | Kind::Refused(_) | Kind::Unfinished(..) | Kind::Write(_) => None,
        }
    }

    /// Whether the key is missing, wrong or lacks a permission (401, 403).
    #[must_use]
    pub fn is_unauthorized(&self) -> bool {
        matches!(
            self.status(),
            Some(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
        )
    }

    /// Whether the service refused the content for good, so that the same request will never pass.
    ///
    /// A 404 counts only with the service's own body, since a wrong base URL answers 404 as well.
    #[must_use]
    pub fn is_rejected(&self) -> bool {
        match &self.kind {
            Kind::Refused(_) => true,
            Kind::Foreign(status, _) => *status == StatusCode::PAYLOAD_TOO_LARGE,
            Kind::Status(status, refusal) => match *status {
                StatusCode::BAD_REQUEST
                | StatusCode::PAYLOAD_TOO_LARGE
                | StatusCode::UNPROCESSABLE_ENTITY => true,
                StatusCode::NOT_FOUND => refusal.message.to_string().contains(" not found: "),
                _ => false,
            },
            Kind::Transport(_) | Kind::Unfinished(..) | Kind::Write(_) => false,
        }
    }

    /// Whether the service asks for fewer requests (429).
    #[must_use]
    pub fn is_rate_limited(&self) -> bool {
        self.status() == Some(StatusCode::TOO_MANY_REQUESTS)
    }

    /// Whether the same request may pass later: 408, 429, any 5xx, or no answer at all.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match &self.kind {
            Kind::Transport(_) => true,
            Kind::Refused(_) | Kind::Unfinished(..) | Kind::Write(_) => false,
            Kind::Status(status, _) | Kind::Foreign(status, _) => {
                status.is_server_error()
                    || matches!(
                        *status,
                        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS
                    )
            }
        }
    }

    /// Returns how the request ended if there was no response.
    pub(super) fn transport_failure(&self) -> Option<TransportFailure> {
        match &self.kind {
            Kind::Transport(source) => Some(transport_failure(source)),
            _ => None,
        }
    }

    /// Whether the service does not have what the path names (404, with the service's own body).
    ///
    /// A wrong base URL answers 404 as well, but not in these words.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(StatusCode::NOT_FOUND) && self.is_rejected()
    }

    /// Whether the service gave up on the export that was waited for; a new one may succeed.
    #[must_use]
    pub fn is_export_failed(&self) -> bool {
        matches!(self.kind, Kind::Unfinished(Unfinished::Failed, _))
    }

    /// Whether the export that was waited for has expired; create a new one.
    #[must_use]
    pub fn is_export_expired(&self) -> bool {
        matches!(self.kind, Kind::Unfinished(Unfinished::Expired, _))
    }

    /// Whether a wait came to its deadline; what was waited for may still come.
    #[must_use]
    pub fn is_deadline_exceeded(&self) -> bool {
        matches!(self.kind, Kind::Unfinished(Unfinished::Deadline, _))
    }

    /// How long the service asked to wait, if it did. Not capped.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The service's code, such as `invalid_audit_log_event`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match &self.kind {
            Kind::Status(_, refusal) => refusal.code.as_deref(),
            _ => None,
        }
    }

    /// The fields that the service complains about.
    #[must_use]
    pub fn field_errors(&self) -> &[FieldError] {
        match &self.kind {
            Kind::Status(_, refusal) => &refusal.errors,
            _ => &[],
        }
    }

    /// The `X-Request-ID` of the answer, which the service's support asks for.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.describe(&mut Plain(f))
    }
}

/// Escapes what would begin a line of its own in a log, or steer a terminal: the service repeats
/// what it was sent, which may come from a path that a client chose.
struct Plain<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl fmt::Write for Plain<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for (plain, steering) in pieces(text) {
            self.0.write_str(plain)?;
            if let Some(steering) = steering {
                write!(self.0, "{}", steering.escape_unicode())?;
            }
        }
        Ok(())
    }
}

impl Error {
    fn describe(&self, f: &mut impl fmt::Write) -> fmt::Result {
        match &self.kind {
            Kind::Transport(_) => f.write_str("no answer from the audit log service")?,
            Kind::Refused(reason) => f.write_str(reason)?,
            Kind::Unfinished(_, text) => f.write_str(text)?,
            Kind::Write(_) => f.write_str("write what was downloaded")?,
            Kind::Foreign(status, what) => write!(
                f,
                "{status}, but the answer is not the audit log service's ({what}); check the base URL and what stands between"
            )?,
            Kind::Status(status, refusal) => {
                write!(f, "{status}: {}", refusal.message)?;
                for (index, field) in refusal.errors.iter().enumerate() {
                    write!(f, "{} {field}", if index == 0 { " at" } else { "," })?;
                }
                if let Some(code) = refusal.code.as_deref().or(refusal.error.as_deref()) {
                    write!(f, " [{code}]")?;
                }
            }
        }
        match &self.request_id {
            Some(id) => write!(f, " (request {id})"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.kind)
            .field("request_id", &self.request_id)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            Kind::Transport(source) => Some(&**source),
            Kind::Write(source) => Some(source),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(status: u16, body: &str) -> Error {
        let response = Response::builder()
            .status(status)
            .header("x-request-id", "req_1");
        Error::answer(
            &response
                .body(Bytes::copy_from_slice(body.as_bytes()))
                .unwrap(),
        )
    }

    #[test]
    fn every_documented_body_is_understood() {
        let schema = error(
            400,
            r#"{"message":"Invalid Audit Log event.","code":"invalid_audit_log_event","errors":[{"instancePath":"/targets"}]}"#,
        );
        assert_eq!(
            schema.to_string(),
            "400 Bad Request: Invalid Audit Log event. at /targets [invalid_audit_log_event] (request req_1)"
        );
        assert_eq!(
            (schema.code(), schema.request_id()),
            (Some("invalid_audit_log_event"), Some("req_1"))
        );

        let form = error(
            422,
            r#"{"message":"Validation failed.","errors":[{"code":"required","field":"event.action"}]}"#,
        );
        assert_eq!(
            form.field_errors()[0].field.as_deref(),
            Some("event.action")
        );
        assert!(form.to_string().contains("at event.action (required)"));

        let list = error(
            400,
            r#"{"message":["a is missing","b is wrong"],"error":"Bad Request"}"#,
        );
        assert!(
            list.to_string()
                .contains("a is missing; b is wrong [Bad Request]")
        );
    }

    #[test]
    fn what_the_service_repeats_begins_no_line_of_a_log() {
        let error = error(
            404,
            r#"{"message":"Organization not found: 'x\n\u001b[31mERROR\u202e'."}"#,
        );
        let told = r"404 Not Found: Organization not found: 'x\u{a}\u{1b}[31mERROR\u{202e}'. (request req_1)";
        assert_eq!(error.to_string(), told);
    }

    #[test]
    fn the_predicates_tell_what_may_be_repeated() {
        let message = r#"{"message":"x"}"#;
        for status in [400, 413, 422] {
            assert!(
                error(status, message).is_rejected() && !error(status, message).is_retryable(),
                "{status}"
            );
        }
        for status in [408, 429, 500, 502, 503, 504, 599] {
            assert!(
                error(status, "<html>").is_retryable() && !error(status, message).is_rejected(),
                "{status}"
            );
        }
        for status in [401, 403] {
            assert!(
                error(status, message).is_unauthorized() && !error(status, message).is_rejected(),
                "{status}"
            );
        }
        assert!(error(429, message).is_rate_limited());
    }

    #[test]
    fn a_404_rejects_only_with_the_services_own_body() {
        assert!(error(404, r#"{"message":"Organization not found: 'org_1'."}"#).is_rejected());
        assert!(!error(404, r#"{"message":"Not Found"}"#).is_rejected());
        assert!(!error(404, "<html>nginx</html>").is_rejected());
        assert!(!error(400, "<html>proxy</html>").is_rejected());
    }
}
