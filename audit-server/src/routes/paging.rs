//! The paging parameters `limit`, `order`, `after` and `before`, and the envelope of a page.
//!
//! Source: WorkOS API reference, <https://workos.com/docs/reference/pagination>. The items have no
//! ids, so a client can take cursors only from `list_metadata`. A cursor is a prefix and a number;
//! the number has no documented meaning.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde::{Deserialize, Serialize};

use crate::response::ApiResponse;
use crate::store::{Order, Page, PageRequest, Position};

/// The default `limit`.
const DEFAULT_LIMIT: u32 = 10;

/// The largest `limit`.
const MAX_LIMIT: u32 = 100;

/// The paging parameters as sent; `None` if absent.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Paging {
    limit: Option<String>,
    order: Option<String>,
    after: Option<String>,
    before: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Paging {
    type Rejection = ApiResponse;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiResponse> {
        let query = Query::try_from_uri(&parts.uri);
        query.map(|Query(paging)| paging).map_err(|_| {
            ApiResponse::unprocessable(
                "The query string cannot be read, or names a parameter twice.",
            )
        })
    }
}

impl Paging {
    /// # Errors
    /// 422 for a limit outside 1 to 100, an unknown order, a cursor of another list, and for both
    /// cursors at once.
    pub(super) fn request(&self, prefix: &str) -> Result<PageRequest, ApiResponse> {
        let limit = match self.limit.as_deref() {
            None => DEFAULT_LIMIT,
            Some(text) => read_limit(text, MAX_LIMIT)?,
        };
        let order = match self.order.as_deref() {
            None | Some("desc") => Order::Desc,
            Some("asc") => Order::Asc,
            Some("normal") => Order::Normal,
            Some(_) => {
                return Err(ApiResponse::unprocessable(
                    "The order has to be asc, desc or normal.",
                ));
            }
        };
        let position = match (&self.after, &self.before) {
            (None, None) => Position::Start,
            (Some(after), None) => Position::After(decode(prefix, after)?),
            (None, Some(before)) => Position::Before(decode(prefix, before)?),
            (Some(_), Some(_)) => {
                return Err(ApiResponse::unprocessable(
                    "Only one of after and before may be given.",
                ));
            }
        };
        Ok(PageRequest {
            limit,
            order,
            position,
        })
    }
}

/// Parses a limit from 1 to `max`.
pub(super) fn read_limit(text: &str, max: u32) -> Result<u32, ApiResponse> {
    match text.parse() {
        Ok(limit) if (1..=max).contains(&limit) => Ok(limit),
        _ => Err(ApiResponse::unprocessable(&format!(
            "The limit has to be an integer from 1 to {max}."
        ))),
    }
}

fn encode(prefix: &str, id: i64) -> String {
    format!("{prefix}{id:026}")
}

fn decode(prefix: &str, cursor: &str) -> Result<i64, ApiResponse> {
    cursor
        .strip_prefix(prefix)
        .filter(|digits| digits.len() == 26 && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| {
            ApiResponse::unprocessable(
                "The cursor is not one of this list; take it from list_metadata.",
            )
        })
}

/// Panics if a parsed cursor is not written back unchanged.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn check_cursor(text: &str) {
    if let Ok(id) = decode("ala_", text) {
        assert!(id >= 0);
        assert_eq!(encode("ala_", id), text);
    }
}

/// The envelope of every list.
#[derive(Debug, Serialize)]
pub(super) struct List<T> {
    object: &'static str,
    data: Vec<T>,
    list_metadata: ListMetadata,
}

/// Both keys are always present; `null` at an end.
#[derive(Debug, Serialize)]
struct ListMetadata {
    before: Option<String>,
    after: Option<String>,
}

impl<T> List<T> {
    pub(super) fn page(page: Page<T>, prefix: &str) -> Self {
        let cursor = |id: Option<i64>| id.map(|id| encode(prefix, id));
        Self::new(page.items, cursor(page.before), cursor(page.after))
    }

    pub(super) fn new(data: Vec<T>, before: Option<String>, after: Option<String>) -> Self {
        Self {
            object: "list",
            data,
            list_metadata: ListMetadata { before, after },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursor_round_trips() {
        let cursor = encode("ala_", 42);
        assert_eq!(cursor, "ala_00000000000000000000000042");
        assert_eq!(decode("ala_", &cursor), Ok(42));
        assert_eq!(decode("ala_", &encode("ala_", i64::MAX)), Ok(i64::MAX));
    }

    #[test]
    fn foreign_cursor_is_rejected() {
        for cursor in [
            "",
            "ala_",
            "als_00000000000000000000000042",
            "ala_42",
            "ala_-0000000000000000000000042",
            "ala_99999999999999999999999999",
        ] {
            assert!(decode("ala_", cursor).is_err(), "{cursor}");
        }
    }

    #[test]
    fn defaults_are_ten_items_newest_first() {
        let request = Paging::default().request("ala_").unwrap();
        assert_eq!(
            request,
            PageRequest {
                limit: 10,
                order: Order::Desc,
                position: Position::Start
            }
        );
    }

    #[test]
    fn limit_is_an_integer_from_1_to_100() {
        for (text, ok) in [
            ("1", true),
            ("100", true),
            ("0", false),
            ("101", false),
            ("-1", false),
            ("1.5", false),
            ("", false),
            ("x", false),
        ] {
            assert_eq!(read_limit(text, MAX_LIMIT).is_ok(), ok, "{text}");
        }
    }
}
