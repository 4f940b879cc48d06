//! Cursor pagination by row id.

use rusqlite::{Row, Transaction, params};

/// The order of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Newest first; the default.
    Desc,
    /// Oldest first.
    Asc,
    /// Newest first with the cursors swapped: `before` leads to older rows and `after` to newer
    /// ones.
    Normal,
}

/// The position of a page, in the order of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Position {
    Start,
    /// The rows after this one.
    After(i64),
    /// The rows before this one.
    Before(i64),
}

/// A request for one page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PageRequest {
    pub(crate) limit: u32,
    pub(crate) order: Order,
    pub(crate) position: Position,
}

/// A page of a list, and the cursors in both directions; `None` at an end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) before: Option<i64>,
    pub(crate) after: Option<i64>,
}

/// A list in SQL. The first column of `columns` is the row id; `?1` in `rows` is the owner of the
/// list, if it has one.
pub(super) struct Listing<T> {
    pub(super) id: &'static str,
    pub(super) columns: &'static str,
    pub(super) rows: &'static str,
    pub(super) read: fn(&Row<'_>) -> rusqlite::Result<T>,
}

impl<T> Listing<T> {
    pub(super) fn page(
        &self,
        tx: &Transaction<'_>,
        owner: Option<i64>,
        request: PageRequest,
    ) -> rusqlite::Result<Page<T>> {
        let swapped = request.order == Order::Normal;
        let position = match request.position {
            Position::After(id) if swapped => Position::Before(id),
            Position::Before(id) if swapped => Position::After(id),
            position => position,
        };
        let ascending = request.order == Order::Asc;
        // A page before a cursor is read backwards from the cursor and then reversed.
        let backwards = matches!(position, Position::Before(_));
        let towards_newer = ascending != backwards;
        let bound = match position {
            Position::Start if towards_newer => 0,
            Position::Start => i64::MAX,
            Position::After(id) | Position::Before(id) => id,
        };
        let Self {
            id, columns, rows, ..
        } = self;
        let (compare, direction) = if towards_newer {
            (">", "ASC")
        } else {
            ("<", "DESC")
        };
        let sql = format!(
            "SELECT {columns} FROM {rows} AND {id} {compare} ?2 ORDER BY {id} {direction} LIMIT ?3"
        );
        let mut items: Vec<(i64, T)> = tx
            .prepare_cached(&sql)?
            .query_map(params![owner, bound, request.limit], |row| {
                Ok((row.get(0)?, (self.read)(row)?))
            })?
            .collect::<rusqlite::Result<_>>()?;
        if backwards {
            items.reverse();
        }
        let mut before = None;
        let mut after = None;
        if let (Some(&(first, _)), Some(&(last, _))) = (items.first(), items.last()) {
            before = self.exists(tx, owner, first, !ascending)?.then_some(first);
            after = self.exists(tx, owner, last, ascending)?.then_some(last);
        }
        if swapped {
            std::mem::swap(&mut before, &mut after);
        }
        Ok(Page {
            items: items.into_iter().map(|(_, item)| item).collect(),
            before,
            after,
        })
    }

    /// Returns `true` if the list has a row newer (or older) than this one.
    fn exists(
        &self,
        tx: &Transaction<'_>,
        owner: Option<i64>,
        bound: i64,
        newer: bool,
    ) -> rusqlite::Result<bool> {
        let Self { id, rows, .. } = self;
        let compare = if newer { ">" } else { "<" };
        tx.prepare_cached(&format!(
            "SELECT EXISTS (SELECT 1 FROM {rows} AND {id} {compare} ?2)"
        ))?
        .query_row(params![owner, bound], |row| row.get(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Data;
    use crate::store::store::Store;

    /// Returns a page of a list with the ids 1 to 5.
    fn page(order: Order, position: Position) -> Page<i64> {
        let listing = Listing {
            id: "seq",
            columns: "seq",
            rows: "organizations WHERE ?1 IS NULL",
            read: |row| row.get(0),
        };
        let store = Store::open(&Data::Memory).unwrap();
        store
            .transact(|tx| {
                for id in 1..=5 {
                    tx.execute(
                        "INSERT INTO organizations (id, created_at) VALUES (?1, 0)",
                        [format!("org_{id}")],
                    )?;
                }
                listing.page(
                    tx,
                    None,
                    PageRequest {
                        limit: 2,
                        order,
                        position,
                    },
                )
            })
            .unwrap()
    }

    fn expect(items: &[i64], before: Option<i64>, after: Option<i64>) -> Page<i64> {
        Page {
            items: items.to_vec(),
            before,
            after,
        }
    }

    #[test]
    fn newest_first_walks_to_the_oldest_and_back() {
        assert_eq!(
            page(Order::Desc, Position::Start),
            expect(&[5, 4], None, Some(4))
        );
        assert_eq!(
            page(Order::Desc, Position::After(4)),
            expect(&[3, 2], Some(3), Some(2))
        );
        assert_eq!(
            page(Order::Desc, Position::After(2)),
            expect(&[1], Some(1), None)
        );
        assert_eq!(
            page(Order::Desc, Position::Before(1)),
            expect(&[3, 2], Some(3), Some(2))
        );
        assert_eq!(
            page(Order::Desc, Position::Before(3)),
            expect(&[5, 4], None, Some(4))
        );
    }

    #[test]
    fn oldest_first_walks_to_the_newest_and_back() {
        assert_eq!(
            page(Order::Asc, Position::Start),
            expect(&[1, 2], None, Some(2))
        );
        assert_eq!(
            page(Order::Asc, Position::After(4)),
            expect(&[5], Some(5), None)
        );
        assert_eq!(
            page(Order::Asc, Position::Before(5)),
            expect(&[3, 4], Some(3), Some(4))
        );
    }

    #[test]
    fn normal_order_is_newest_first_with_swapped_cursors() {
        assert_eq!(
            page(Order::Normal, Position::Start),
            expect(&[5, 4], Some(4), None)
        );
        assert_eq!(
            page(Order::Normal, Position::Before(4)),
            expect(&[3, 2], Some(2), Some(3))
        );
        assert_eq!(
            page(Order::Normal, Position::After(3)),
            expect(&[5, 4], Some(4), None)
        );
    }

    #[test]
    fn page_beyond_the_end_is_empty() {
        assert_eq!(
            page(Order::Desc, Position::After(1)),
            expect(&[], None, None)
        );
        assert_eq!(
            page(Order::Asc, Position::After(5)),
            expect(&[], None, None)
        );
    }
}
