//! Salvage of a corrupt spool, page by page.
//!
//! The corrupt file is never written, and SQLite does not read it: it opens no file whose first
//! page is corrupt. Each leaf page is read on its own, so that corruption hides only the rows whose
//! own bytes it changed. Every event has a checksum, by which a wrong one is recognized.
//!
//! The rows keep their ids, so that a later acknowledgement still refers to its event. A row that
//! was deleted is in a page that the pointer map calls unused; if that entry is corrupt, an event
//! that was delivered comes back and is delivered again, under the same idempotency key, since the
//! alternative is to lose one that was not.

use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Transaction, params};

use super::corrupt_rows;
use super::error::SpoolError;
use super::leaf_page::{LeafRow, rows_of};
use super::page_file::PageFile;
use super::rebuilds::{self, Rebuild};
use super::rows::MAX_ROW;
use super::store::Store;
use super::totals::{Change, Totals};
use crate::event::Event;

/// Rows and bytes that are copied in one transaction.
const BATCH: usize = 1_000;
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// The numbers of rows that were found in a corrupt file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Salvaged {
    pub(super) pending: u64,
    pub(super) pending_bytes: u64,
    pub(super) dead: u64,
    /// Rows that were found and in which no event can be read.
    pub(super) corrupt_rows: u64,
    /// The totals that the file stated; `None` without readable ones.
    stated: Option<Totals>,
}

impl Salvaged {
    /// Returns the number of pending events that were lost; `None` if it is unknown.
    pub(super) fn lost(&self) -> Option<u64> {
        let stated = self.stated?;
        let missing = stated.pending.checked_sub(self.pending)?;
        let missing_bytes = stated.pending_bytes.checked_sub(self.pending_bytes)?;
        // Totals that are corrupt themselves seldom agree with each other.
        let is_plausible = match missing {
            0 => missing_bytes == 0,
            _ => Totals::can_occupy(missing, missing_bytes),
        };
        is_plausible.then_some(missing)
    }

    /// Returns the number of dead letters that were lost; `None` if it is unknown.
    pub(super) fn lost_dead_letters(&self) -> Option<u64> {
        self.stated?.dead.checked_sub(self.dead)
    }
}

/// A table, which the columns of its rows identify.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Table {
    Pending,
    DeadLetters,
    CorruptRows,
}

/// A row of a table that is copied.
struct FoundRow {
    table: Table,
    /// `None` if the row id is corrupt.
    id: Option<i64>,
    /// The event, or the bytes of a corrupt row.
    bytes: Vec<u8>,
    is_event: bool,
    first_attempt: Option<i64>,
    /// The guarantee of a pending event, or the time of a rejection.
    number: i64,
    fault: String,
}

/// The rows that were read and not written yet.
struct Salvage<'a> {
    to: &'a mut Store,
    salvaged: Salvaged,
    batch: Vec<FoundRow>,
    batch_bytes: usize,
    /// Rows whose ids are corrupt; they receive unused ones in the end.
    strays: Vec<FoundRow>,
    last_row: i64,
    totals: Vec<Totals>,
    rebuilds: Vec<Rebuild>,
}

/// Copies every readable row into a store.
///
/// # Errors
///
/// The corrupt file cannot be opened, or the store cannot be written.
pub(super) fn salvage(from: &Path, to: &mut Store, into: &Path) -> Result<Salvaged, SpoolError> {
    let mut file =
        PageFile::open(from).map_err(|error| SpoolError::file("read the corrupt", from, error))?;
    let salvage = Salvage {
        to,
        salvaged: Salvaged::default(),
        batch: Vec::new(),
        batch_bytes: 0,
        strays: Vec::new(),
        last_row: 0,
        totals: Vec::new(),
        rebuilds: Vec::new(),
    };
    salvage
        .run(&mut file)
        .map_err(|error| SpoolError::open(into, error))
}

impl Salvage<'_> {
    fn run(mut self, file: &mut PageFile) -> rusqlite::Result<Salvaged> {
        // The first page holds the names of the tables.
        for number in 2..=file.pages() {
            let Some(page) = file.page(number) else {
                continue;
            };
            let rows = rows_of(file, &page);
            if rows.is_empty() || file.is_unused(number) {
                continue;
            }
            for row in rows {
                self.add(row)?;
            }
        }
        self.copy()?;
        self.to.continue_row_ids_after(self.last_row)?;
        self.copy_strays()?;
        // There is one row of totals. Of two, one is corrupt or was deleted.
        if let [totals] = self.totals[..] {
            self.salvaged.stated = Some(totals);
        }
        let salvaged = self.salvaged;
        self.rebuilds.push(Rebuild::new(
            (salvaged.pending, salvaged.lost()),
            (salvaged.dead, salvaged.lost_dead_letters()),
        ));
        self.to
            .transact(|tx, _| rebuilds::add(tx, &self.rebuilds))?;
        Ok(salvaged)
    }

    fn add(&mut self, row: LeafRow) -> rusqlite::Result<()> {
        use Value::{Integer, Text};
        match &row.columns[..] {
            [Text(table), Integer(last)] if table == "pending" && *last <= MAX_ROW => {
                self.last_row = self.last_row.max(*last);
            }
            [Value::Null, Integer(_), ..] if row.columns.len() == Totals::COLUMNS => {
                self.totals.extend(Totals::of_columns(&row.columns));
            }
            _ => {
                self.rebuilds.extend(Rebuild::of_columns(&row.columns));
                self.batch.extend(FoundRow::new(row).inspect(|found| {
                    self.batch_bytes += found.bytes.len();
                }));
            }
        }
        if self.batch.len() >= BATCH || self.batch_bytes >= BATCH_BYTES {
            self.copy()?;
        }
        // So many that the memory is bounded; the rows that have their new ids become strays.
        if self.strays.len() >= BATCH {
            self.copy_strays()?;
        }
        Ok(())
    }

    /// Writes the strays into rows of their own.
    fn copy_strays(&mut self) -> rusqlite::Result<()> {
        let strays = std::mem::take(&mut self.strays);
        let salvaged = &mut self.salvaged;
        self.to.transact(|tx, change| {
            for stray in strays {
                let stray = FoundRow { id: None, ..stray };
                let _none: Option<FoundRow> = stray.copy(tx, change, salvaged)?;
            }
            Ok(())
        })
    }

    /// Writes the rows of the batch. Rows whose ids are corrupt or in use become strays.
    fn copy(&mut self) -> rusqlite::Result<()> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let batch = std::mem::take(&mut self.batch);
        self.batch_bytes = 0;
        let (salvaged, strays) = (&mut self.salvaged, &mut self.strays);
        self.to.transact(|tx, change| {
            for row in batch {
                if row.id.is_none() && row.is_event {
                    strays.push(row);
                } else {
                    strays.extend(row.copy(tx, change, salvaged)?);
                }
            }
            Ok(())
        })
    }
}

impl FoundRow {
    /// Returns the row of a table that is copied; `None` for any other.
    fn new(row: LeafRow) -> Option<Self> {
        let id = Some(row.row).filter(|id| !row.is_misplaced && (1..=MAX_ROW).contains(id));
        let mut columns = row.columns;
        let bytes = match columns.pop()? {
            Value::Blob(bytes) => bytes,
            Value::Text(text) => text.into_bytes(),
            _ => return None,
        };
        let integer = |value: &Value| match value {
            Value::Integer(number) => Some(*number),
            _ => None,
        };
        let is_event = Event::from_packed(&bytes).is_ok();
        let found = Self {
            table: Table::Pending,
            id,
            bytes,
            is_event,
            first_attempt: None,
            number: 0,
            fault: String::new(),
        };
        // The row id is not among the columns of a row.
        match &columns[..] {
            // A guarantee that is no integer counts as durable.
            [Value::Null, durable, first_attempt] => Some(Self {
                first_attempt: integer(first_attempt),
                number: integer(durable).unwrap_or(1),
                ..found
            }),
            [Value::Null, first_attempt, rejected_at, fault] => Some(Self {
                table: Table::DeadLetters,
                first_attempt: integer(first_attempt),
                number: integer(rejected_at).unwrap_or_default(),
                fault: match fault {
                    Value::Text(fault) => fault.clone(),
                    _ => String::new(),
                },
                ..found
            }),
            [Value::Null, Value::Integer(found_at)] => Some(Self {
                table: Table::CorruptRows,
                number: *found_at,
                ..found
            }),
            _ => None,
        }
    }

    /// Writes the row. Returns it if another event has its row id.
    fn copy(
        self,
        tx: &Transaction<'_>,
        change: &mut Change,
        salvaged: &mut Salvaged,
    ) -> rusqlite::Result<Option<Self>> {
        if self.table == Table::CorruptRows || !self.is_event {
            // Rows of that table were counted when they were found.
            salvaged.corrupt_rows += u64::from(self.table != Table::CorruptRows);
            corrupt_rows::keep(tx, change, &Value::Blob(self.bytes))?;
            return Ok(None);
        }
        if self.id.is_none() && self.is_known(tx)? {
            return Ok(None);
        }
        if self.insert(tx)? {
            let bytes = self.bytes.len();
            if self.table == Table::Pending {
                change.add_pending(1, bytes);
                salvaged.pending += 1;
                salvaged.pending_bytes += Totals::bytes_of(bytes);
            } else {
                change.add_dead(1, bytes);
                salvaged.dead += 1;
            }
            return Ok(None);
        }
        // A deleted row may be found twice, in its old page and in its new one.
        let is_same = tx
            .prepare_cached(self.sql(
                "SELECT 1 FROM pending WHERE row = ?1 AND event = ?2",
                "SELECT 1 FROM dead_letters WHERE row = ?1 AND event = ?2",
            ))?
            .exists(params![self.id, self.bytes])?;
        Ok((!is_same).then_some(self))
    }

    /// Returns `false` if the row id is in use.
    fn insert(&self, tx: &Transaction<'_>) -> rusqlite::Result<bool> {
        let Self {
            id,
            bytes,
            first_attempt,
            number,
            fault,
            ..
        } = self;
        let rows = match self.table {
            Table::Pending => tx
                .prepare_cached(
                    "INSERT OR IGNORE INTO pending (row, durable, first_attempt, event) VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![id, number, first_attempt, bytes])?,
            Table::DeadLetters | Table::CorruptRows => tx
                .prepare_cached(
                    "INSERT OR IGNORE INTO dead_letters (row, first_attempt, rejected_at, fault, event) VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute(params![id, first_attempt, number, fault, bytes])?,
        };
        Ok(rows > 0)
    }

    /// Returns `true` if the event is in any row of the table.
    fn is_known(&self, tx: &Transaction<'_>) -> rusqlite::Result<bool> {
        tx.prepare_cached(self.sql(
            "SELECT 1 FROM pending NOT INDEXED WHERE event = ?1",
            "SELECT 1 FROM dead_letters NOT INDEXED WHERE event = ?1",
        ))?
        .exists([&self.bytes])
    }

    fn sql(&self, pending: &'static str, dead_letters: &'static str) -> &'static str {
        match self.table {
            Table::Pending => pending,
            Table::DeadLetters | Table::CorruptRows => dead_letters,
        }
    }
}
