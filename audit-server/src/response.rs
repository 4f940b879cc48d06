//! HTTP responses: JSON with the service's messages.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

use crate::store::StoreError;
use crate::validate::{FormError, Violation};

/// The result of a handler; both variants are sent as responses.
pub(crate) type ApiResult = Result<ApiResponse, ApiResponse>;

/// A status and a JSON body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiResponse {
    pub(crate) status: StatusCode,
    pub(crate) body: String,
    /// The reason of a rejection as text; empty if the caller states its own.
    pub(crate) reason: String,
}

impl ApiResponse {
    pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Self {
        match serde_json::to_string(body) {
            Ok(body) => Self {
                status,
                body,
                reason: String::new(),
            },
            Err(error) => {
                tracing::error!(%error, "could not serialize a response");
                Self::internal()
            }
        }
    }

    pub(crate) fn ok(body: &impl Serialize) -> Self {
        Self::json(StatusCode::OK, body)
    }

    pub(crate) fn created(body: &impl Serialize) -> Self {
        Self::json(StatusCode::CREATED, body)
    }

    /// Returns `{"message": …}`, the form of every error that has no other.
    pub(crate) fn message(status: StatusCode, message: &str) -> Self {
        Self {
            status,
            body: json!({ "message": message }).to_string(),
            reason: message.to_owned(),
        }
    }

    pub(crate) fn unauthorized() -> Self {
        Self {
            reason: "the API key is missing or is not this server's".to_owned(),
            ..Self::message(StatusCode::UNAUTHORIZED, "Unauthorized")
        }
    }

    pub(crate) fn too_large() -> Self {
        Self::message(StatusCode::PAYLOAD_TOO_LARGE, "request entity too large")
    }

    pub(crate) fn too_many_requests() -> Self {
        let body = json!({ "message": "Too many requests.", "code": "rate_limit_exceeded" });
        Self::json(StatusCode::TOO_MANY_REQUESTS, &body)
    }

    pub(crate) fn organization_not_found(id: &str) -> Self {
        Self::message(
            StatusCode::NOT_FOUND,
            &format!("Organization not found: '{id}'."),
        )
    }

    pub(crate) fn unprocessable(message: &str) -> Self {
        Self::message(StatusCode::UNPROCESSABLE_ENTITY, message)
    }

    pub(crate) fn internal() -> Self {
        Self::message(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The local server could not read or write its database; see its log.",
        )
    }

    /// Returns the 400 whose `message` is a list, one sentence for each violation.
    pub(crate) fn bad_request(messages: &[String]) -> Self {
        let body = json!({ "message": messages, "error": "Bad Request" });
        Self::json(StatusCode::BAD_REQUEST, &body)
    }

    /// Returns the 400 for an export whose range does not begin before it ends.
    pub(crate) fn invalid_date_range() -> Self {
        let body = json!({ "message": "Invalid date range", "code": "invalid_audit_log_export_range_date" });
        Self::json(StatusCode::BAD_REQUEST, &body)
    }

    /// Returns the 422 for a malformed event.
    pub(crate) fn validation_failed(errors: &[FormError]) -> Self {
        #[derive(Serialize)]
        struct Item<'a> {
            code: &'a str,
            field: &'a str,
        }
        #[derive(Serialize)]
        struct Body<'a> {
            message: &'a str,
            errors: Vec<Item<'a>>,
        }
        let errors = errors
            .iter()
            .map(|error| Item {
                code: error.code,
                field: &error.field,
            })
            .collect();
        Self::json(
            StatusCode::UNPROCESSABLE_ENTITY,
            &Body {
                message: "Validation failed.",
                errors,
            },
        )
    }

    /// Returns the 400 for an event that its schema or a limit rejects. Each path is listed once,
    /// even if it breaks several rules.
    pub(crate) fn invalid_event(violations: &[Violation]) -> Self {
        #[derive(PartialEq, Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Item<'a> {
            instance_path: &'a str,
        }
        #[derive(Serialize)]
        struct Body<'a> {
            message: &'a str,
            code: &'a str,
            errors: Vec<Item<'a>>,
        }
        let mut errors: Vec<Item<'_>> = Vec::with_capacity(violations.len());
        let mut seen = std::collections::BTreeSet::new();
        for violation in violations {
            if seen.insert(violation.instance_path.as_str()) {
                errors.push(Item {
                    instance_path: &violation.instance_path,
                });
            }
        }
        let body = Body {
            message: "Invalid Audit Log event.",
            code: "invalid_audit_log_event",
            errors,
        };
        Self::json(StatusCode::BAD_REQUEST, &body)
    }
}

impl From<StoreError> for ApiResponse {
    fn from(error: StoreError) -> Self {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "a database operation failed"
        );
        Self::internal()
    }
}

impl IntoResponse for ApiResponse {
    fn into_response(self) -> Response {
        let json = HeaderValue::from_static("application/json; charset=utf-8");
        (self.status, [(header::CONTENT_TYPE, json)], self.body).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_bodies_match_the_reference() {
        let error = FormError {
            code: "required",
            field: "event.action".to_owned(),
            reason: String::new(),
        };
        assert_eq!(
            ApiResponse::validation_failed(&[error]).body,
            r#"{"message":"Validation failed.","errors":[{"code":"required","field":"event.action"}]}"#
        );
        assert_eq!(
            ApiResponse::invalid_event(&[
                Violation::new("/targets", "a"),
                Violation::new("/targets", "b")
            ])
            .body,
            r#"{"message":"Invalid Audit Log event.","code":"invalid_audit_log_event","errors":[{"instancePath":"/targets"}]}"#
        );
        assert_eq!(
            ApiResponse::organization_not_found("org_1").body,
            r#"{"message":"Organization not found: 'org_1'."}"#
        );
    }
}
