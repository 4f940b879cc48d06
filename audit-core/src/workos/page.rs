//! Pages of a list.

use std::fmt::Write as _;

use serde::Deserialize;

use super::client::segment;

/// The service's default page; it takes 1 to 100
/// ([WorkOS: pagination](https://workos.com/docs/reference/pagination)).
const DEFAULT_LIMIT: u8 = 10;

/// Which page of a list.
///
/// ```
/// use audit_core::workos::{Order, PageQuery};
///
/// let query = PageQuery::new().limit(100).order(Order::Ascending);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct PageQuery {
    limit: Option<u8>,
    order: Option<Order>,
    before: Option<String>,
    after: Option<String>,
}

/// In which order of creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Order {
    /// Oldest first.
    Ascending,
    /// Newest first, which is the service's default.
    Descending,
}

impl PageQuery {
    /// The first page, of the service's default length of 10, newest first.
    pub fn new() -> Self {
        Self::default()
    }

    /// At most this many items: 1 to 100, and beyond these the nearer of the two.
    pub fn limit(mut self, items: u8) -> Self {
        self.limit = Some(items.clamp(1, 100));
        self
    }

    /// In this order.
    pub fn order(mut self, order: Order) -> Self {
        self.order = Some(order);
        self
    }

    /// The page in front of a cursor, from [`Page::before`].
    pub fn before(mut self, cursor: impl Into<String>) -> Self {
        self.before = Some(cursor.into());
        self
    }

    /// The page behind a cursor, from [`Page::after`].
    pub fn after(mut self, cursor: impl Into<String>) -> Self {
        self.after = Some(cursor.into());
        self
    }

    pub(super) fn query(&self) -> String {
        let mut query = format!("?limit={}", self.limit.unwrap_or(DEFAULT_LIMIT));
        if let Some(order) = self.order {
            query += if order == Order::Ascending {
                "&order=asc"
            } else {
                "&order=desc"
            };
        }
        for (name, cursor) in [("before", &self.before), ("after", &self.after)] {
            if let Some(cursor) = cursor {
                // Writing into a string never fails.
                let _ = write!(query, "&{name}={}", segment(cursor));
            }
        }
        query
    }
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "List<T>")]
#[non_exhaustive]
pub struct Page<T> {
    /// The items.
    pub data: Vec<T>,
    /// The cursor of the page in front; `None` at the beginning.
    pub before: Option<String>,
    /// The cursor of the page behind; `None` at the end.
    pub after: Option<String>,
}

#[derive(Deserialize)]
struct List<T> {
    data: Vec<T>,
    list_metadata: Cursors,
}

#[derive(Deserialize)]
struct Cursors {
    before: Option<String>,
    after: Option<String>,
}

impl<T> From<List<T>> for Page<T> {
    fn from(list: List<T>) -> Self {
        Self {
            data: list.data,
            before: list.list_metadata.before,
            after: list.list_metadata.after,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_says_what_was_asked_and_nothing_else() {
        assert_eq!(PageQuery::new().query(), "?limit=10");
        let query = PageQuery::new()
            .limit(255)
            .order(Order::Ascending)
            .after("als_1&x");
        assert_eq!(query.query(), "?limit=100&order=asc&after=als_1%26x");
    }
}
