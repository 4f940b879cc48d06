//! Pages of a list, and a stream of all its items.

use std::fmt::{self, Write as _};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::stream::{self, BoxStream, Stream, StreamExt, TryStreamExt};

use serde::Deserialize;

use super::client::segment;
use super::error::Error;

/// The service's default page length; it accepts 1 to 100 ([WorkOS:
/// pagination](https://workos.com/docs/reference/pagination)).
const DEFAULT_LIMIT: u8 = 10;
/// The service's maximum page length: fewest requests for a whole list.
const MAX_LIMIT: u8 = 100;

/// A query for one page of a list.
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

/// The order by time of creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Order {
    /// Oldest first.
    Ascending,
    /// Newest first, the service's default.
    Descending,
}

impl PageQuery {
    /// Returns a query for the first page, of the service's default length of 10, newest first.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the number of items, clamped to 1 to 100.
    pub fn limit(mut self, items: u8) -> Self {
        self.limit = Some(items.clamp(1, MAX_LIMIT));
        self
    }

    /// Sets the order.
    pub fn order(mut self, order: Order) -> Self {
        self.order = Some(order);
        self
    }

    /// Selects the page before a cursor, from [`Page::before`].
    pub fn before(mut self, cursor: impl Into<String>) -> Self {
        self.before = Some(cursor.into());
        self
    }

    /// Selects the page after a cursor, from [`Page::after`].
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
    /// The cursor of the previous page; `None` at the beginning.
    pub before: Option<String>,
    /// The cursor of the next page; `None` at the end.
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

/// A stream of all items of a list.
///
/// The next page of 100 is requested when the previous one is used up. After an error the stream
/// ends.
#[must_use = "a stream does nothing unless it is polled"]
pub struct Items<T>(BoxStream<'static, Result<T, Error>>);

impl<T: Send + 'static> Items<T> {
    pub(super) fn new<F>(page: impl Fn(PageQuery) -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<Page<T>, Error>> + Send,
    {
        let first = Some(PageQuery::new().limit(MAX_LIMIT));
        let pages = stream::try_unfold((first, page), |(query, page)| async move {
            let Some(query) = query else { return Ok(None) };
            let found = page(query.clone()).await?;
            if found.after.is_some() && found.after == query.after {
                return Err(Error::refused(
                    "the service answered a page that is followed by itself; the rest of the list cannot be read",
                ));
            }
            let next = found
                .after
                .map(|cursor| PageQuery::new().limit(MAX_LIMIT).after(cursor));
            let items = stream::iter(found.data.into_iter().map(Ok));
            Ok::<_, Error>(Some((items, (next, page))))
        });
        Self(pages.try_flatten().boxed())
    }

    /// Returns the next item; `None` at the end.
    ///
    /// # Errors
    ///
    /// As the call that reads one page.
    pub async fn try_next(&mut self) -> Result<Option<T>, Error> {
        self.0.next().await.transpose()
    }

    /// Returns all remaining items. This client does not limit their number.
    ///
    /// # Errors
    ///
    /// As the call that reads one page; the items so far are then lost.
    pub async fn collect(self) -> Result<Vec<T>, Error> {
        self.0.try_collect().await
    }
}

impl<T> Stream for Items<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(context)
    }
}

impl<T> fmt::Debug for Items<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workos::canned::Canned;

    #[test]
    fn a_query_has_the_requested_parameters_only() {
        assert_eq!(PageQuery::new().query(), "?limit=10");
        let query = PageQuery::new()
            .limit(255)
            .order(Order::Ascending)
            .after("als_1&x");
        assert_eq!(query.query(), "?limit=100&order=asc&after=als_1%26x");
    }

    fn list(names: &[&str], after: Option<&str>) -> String {
        let item = |name: &&str| {
            format!(
                r#"{{"name":"{name}","schema":{{"version":1,"targets":[],"created_at":""}},"created_at":"","updated_at":""}}"#
            )
        };
        let data: Vec<_> = names.iter().map(item).collect();
        let after = after.map_or("null".to_owned(), |cursor| format!("\"{cursor}\""));
        format!(
            r#"{{"object":"list","data":[{}],"list_metadata":{{"before":null,"after":{after}}}}}"#,
            data.join(",")
        )
    }

    #[tokio::test]
    async fn a_stream_follows_the_cursors_to_the_end() {
        let canned = Canned::new()
            .answer(200, &list(&["a", "b"], Some("ala_1")))
            .answer(200, &list(&[], Some("ala_2")))
            .answer(200, &list(&["c"], None));
        let actions = canned.client().actions().collect().await.unwrap();
        let names: Vec<_> = actions.into_iter().map(|action| action.name).collect();
        assert_eq!(names, ["a", "b", "c"]);
        assert_eq!(
            canned.paths(),
            [
                "/audit_logs/actions?limit=100",
                "/audit_logs/actions?limit=100&after=ala_1",
                "/audit_logs/actions?limit=100&after=ala_2"
            ]
        );
    }

    #[tokio::test]
    async fn cyclic_cursors_are_an_error() {
        let canned = Canned::new()
            .answer(200, &list(&["a"], Some("ala_1")))
            .answer(200, &list(&["a"], Some("ala_1")));
        let error = canned.client().actions().collect().await.unwrap_err();
        assert!(error.to_string().contains("followed by itself"), "{error}");
    }
}
