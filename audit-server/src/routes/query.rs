//! The query parameters of the routes that read events.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde::Deserialize;

use super::paging::read_limit;
use crate::records::{EventFilter, EventStatus};
use crate::response::ApiResponse;

/// The default and the largest `limit`.
const DEFAULT_EVENTS: u32 = 100;
const MAX_EVENTS: u32 = 1_000;

/// The parameters as sent; `None` if absent.
#[derive(Debug, Default, Deserialize)]
pub(super) struct EventQuery {
    organization: Option<String>,
    action: Option<String>,
    status: Option<String>,
    limit: Option<String>,
    order: Option<String>,
    after: Option<String>,
    before: Option<String>,
    pub(super) timeout: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for EventQuery {
    type Rejection = ApiResponse;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiResponse> {
        let query = Query::try_from_uri(&parts.uri);
        query.map(|Query(query)| query).map_err(|_| {
            ApiResponse::unprocessable(
                "The query string cannot be read, or names a parameter twice.",
            )
        })
    }
}

impl EventQuery {
    /// # Errors
    /// 422 for an invalid status, cursor, order or limit. An empty organization, action or status
    /// counts as absent, since a form sends it so.
    pub(super) fn filter(&self) -> Result<EventFilter, ApiResponse> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let status = match given(&self.status) {
            None => None,
            Some(text) => Some(EventStatus::parse(&text).ok_or_else(|| {
                ApiResponse::unprocessable("The status has to be accepted or rejected.")
            })?),
        };
        let newest_first = match self.order.as_deref() {
            None | Some("asc") => false,
            Some("desc") => true,
            Some(_) => {
                return Err(ApiResponse::unprocessable(
                    "The order has to be asc or desc.",
                ));
            }
        };
        let limit = self
            .limit
            .as_deref()
            .map_or(Ok(DEFAULT_EVENTS), |text| read_limit(text, MAX_EVENTS))?;
        Ok(EventFilter {
            organization: given(&self.organization),
            action: given(&self.action),
            status,
            after: cursor("after", self.after.as_deref())?,
            before: cursor("before", self.before.as_deref())?,
            newest_first,
            limit: Some(limit),
        })
    }
}

fn cursor(name: &str, text: Option<&str>) -> Result<Option<u64>, ApiResponse> {
    let seq = text.map(|text| {
        text.parse().map_err(|_| {
            ApiResponse::unprocessable(&format!("The cursor {name} has to be the seq of a row."))
        })
    });
    seq.transpose()
}
