//! The error of a call, with the service's own message.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use serde::Deserialize;

use super::retry_after::retry_after;
use super::transport_failure::{BoxError, TransportFailure, transport_failure};
use crate::event::pieces;

/// The error of a call to the service.
///
/// It never contains the key or the request.
pub struct Error {
    kind: ErrorKind,
    request_id: Option<String>,
    retry_after: Option<Duration>,
}

#[derive(Debug)]
enum ErrorKind {
    /// No response.
    Transport(BoxError),
    /// A response without a success status.
    Status(StatusCode, Box<Refusal>),
    /// A response that is not the service's.
    Foreign(StatusCode, String),
    /// Rejected without an error response: before it was sent, or with `success: false`.
    Refused(Cow<'static, str>),
    /// A wait that ended without its result.
    Unfinished(Unfinished, String),
    /// The caller's writer failed.
    Write(std::io::Error),
}

/// The way in which a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfinished {
    Failed,
    Expired,
    Deadline,
}

/// The union of the service's error bodies.
#[derive(Debug, Default, Deserialize)]
struct Refusal {
    message: Message,
    code: Option<String>,
    error: Option<String>,
    #[serde(default)]
    errors: Vec<FieldError>,
}

/// The message, a text or a list of texts.
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

/// An error of one field.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FieldError {
    /// The error code, such as `required`.
    pub code: Option<String>,
    /// The field, as a dotted path from the body's root, such as `event.action`.
    pub field: Option<String>,
    /// The field, as a JSON Pointer inside the event, such as `/targets`.
    pub instance_path: Option<String>,
    /// The error in words.
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
        Self::local(ErrorKind::Transport(source))
    }

    pub(super) fn refused(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::local(ErrorKind::Refused(reason.into()))
    }

    /// Returns the error of an export that the service could not complete.
    pub(super) fn export_failed(id: &str) -> Self {
        let text = format!("the service gave up on export {id}; create a new one");
        Self::unfinished(Unfinished::Failed, text)
    }

    /// Returns the error of an export that has expired.
    pub(super) fn export_expired(id: &str) -> Self {
        let text = format!("export {id} has expired; create a new one");
        Self::unfinished(Unfinished::Expired, text)
    }

    pub(super) fn unfinished(how: Unfinished, text: String) -> Self {
        Self::local(ErrorKind::Unfinished(how, text))
    }

    pub(super) fn write(source: std::io::Error) -> Self {
        Self::local(ErrorKind::Write(source))
    }

    /// Returns an error that did not come from the service.
    fn local(kind: ErrorKind) -> Self {
        Self {
            kind,
            request_id: None,
            retry_after: None,
        }
    }

    /// Returns the error of a response without a success, or with a body that is not the service's.
    pub(super) fn response(response: &Response<Bytes>) -> Self {
        let status = response.status();
        let header = |name| {
            response
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        let kind = match serde_json::from_slice::<Refusal>(response.body()) {
            Ok(refusal) if !status.is_success() && !matches!(refusal.message, Message::None) => {
                ErrorKind::Status(status, Box::new(refusal))
            }
            _ => {
                let content = header("content-type").unwrap_or("no content type");
                ErrorKind::Foreign(
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

    /// Returns the status of the response; `None` if there was none.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self.kind {
            ErrorKind::Status(status, _) | ErrorKind::Foreign(status, _) => Some(status),
            ErrorKind::Transport(_)
            | ErrorKind::Refused(_)
            | ErrorKind::Unfinished(..)
            | ErrorKind::Write(_) => None,
        }
    }

    /// Returns `true` if the key is missing, wrong or lacks a permission (401, 403).
    #[must_use]
    pub fn is_unauthorized(&self) -> bool {
        matches!(
            self.status(),
            Some(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
        )
    }

    /// Returns `true` if the service rejected the content, so that the same request will never
    /// succeed.
    ///
    /// A 404 counts only with the service's own body, since a wrong base URL returns 404 as well.
    #[must_use]
    pub fn is_rejected(&self) -> bool {
        match &self.kind {
            ErrorKind::Refused(_) => true,
            ErrorKind::Foreign(status, _) => *status == StatusCode::PAYLOAD_TOO_LARGE,
            ErrorKind::Status(status, refusal) => match *status {
                StatusCode::BAD_REQUEST
                | StatusCode::PAYLOAD_TOO_LARGE
                | StatusCode::UNPROCESSABLE_ENTITY => true,
                StatusCode::NOT_FOUND => refusal.message.to_string().contains(" not found: "),
                _ => false,
            },
            ErrorKind::Transport(_) | ErrorKind::Unfinished(..) | ErrorKind::Write(_) => false,
        }
    }

    /// Returns `true` if the service requests fewer requests (429).
    #[must_use]
    pub fn is_rate_limited(&self) -> bool {
        self.status() == Some(StatusCode::TOO_MANY_REQUESTS)
    }

    /// Returns `true` if the same request may succeed later: 408, 429, any 5xx, or no response.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match &self.kind {
            ErrorKind::Transport(_) => true,
            ErrorKind::Refused(_) | ErrorKind::Unfinished(..) | ErrorKind::Write(_) => false,
            ErrorKind::Status(status, _) | ErrorKind::Foreign(status, _) => {
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
            ErrorKind::Transport(source) => Some(transport_failure(source)),
            _ => None,
        }
    }

    /// Returns `true` if the service does not have what the path names (404, with the service's own
    /// body).
    ///
    /// A wrong base URL returns 404 as well, but with another body.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(StatusCode::NOT_FOUND) && self.is_rejected()
    }

    /// Returns `true` if the service could not complete the export; a new one may succeed.
    #[must_use]
    pub fn is_export_failed(&self) -> bool {
        matches!(self.kind, ErrorKind::Unfinished(Unfinished::Failed, _))
    }

    /// Returns `true` if the export has expired; create a new one.
    #[must_use]
    pub fn is_export_expired(&self) -> bool {
        matches!(self.kind, ErrorKind::Unfinished(Unfinished::Expired, _))
    }

    /// Returns `true` if a wait reached its deadline; it may be resumed.
    #[must_use]
    pub fn is_deadline_exceeded(&self) -> bool {
        matches!(self.kind, ErrorKind::Unfinished(Unfinished::Deadline, _))
    }

    /// Returns the wait that the service requested, if any. Not capped.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Returns the service's code, such as `invalid_audit_log_event`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match &self.kind {
            ErrorKind::Status(_, refusal) => refusal.code.as_deref(),
            _ => None,
        }
    }

    /// Returns the errors of single fields.
    #[must_use]
    pub fn field_errors(&self) -> &[FieldError] {
        match &self.kind {
            ErrorKind::Status(_, refusal) => &refusal.errors,
            _ => &[],
        }
    }

    /// Returns the `X-Request-ID` of the response, which the service's support needs.
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

/// Escapes line breaks and terminal controls: the service echoes parts of the request, which may
/// come from a path that a client chose.
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
            ErrorKind::Transport(_) => f.write_str("no response from the audit log service")?,
            ErrorKind::Refused(reason) => f.write_str(reason)?,
            ErrorKind::Unfinished(_, text) => f.write_str(text)?,
            ErrorKind::Write(_) => f.write_str("write what was downloaded")?,
            ErrorKind::Foreign(status, what) => write!(
                f,
                "{status}, but the answer is not the audit log service's ({what}); check the base URL and what stands between"
            )?,
            ErrorKind::Status(status, refusal) => {
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
            ErrorKind::Transport(source) => Some(&**source),
            ErrorKind::Write(source) => Some(source),
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
        Error::response(
            &response
                .body(Bytes::copy_from_slice(body.as_bytes()))
                .unwrap(),
        )
    }

    #[test]
    fn every_documented_body_is_parsed() {
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
    fn echoed_text_cannot_start_a_log_line() {
        let error = error(
            404,
            r#"{"message":"Organization not found: 'x\n\u001b[31mERROR\u202e'."}"#,
        );
        let told = r"404 Not Found: Organization not found: 'x\u{a}\u{1b}[31mERROR\u{202e}'. (request req_1)";
        assert_eq!(error.to_string(), told);
    }

    #[test]
    fn the_predicates_classify_retryable_errors() {
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
