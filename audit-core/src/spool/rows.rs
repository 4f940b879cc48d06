//! The rows of the spool's tables as values, and the conversion of their columns.

use rusqlite::Row;

use crate::event::{Event, EventId};

/// The largest row id that is accepted as undamaged.
///
/// A million events a second take 36,000 years to reach it.
pub(super) const MAX_ROW: i64 = 1 << 60;
/// The longest rejection reason that is kept, in bytes.
const FAULT_BYTES: usize = 4 * 1024;

/// The promise that the spool makes about an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guarantee {
    /// Written within some 50 ms; a crash can lose an event accepted just before it.
    BestEffort,
    /// Acknowledged to the caller only once it is on disk.
    Durable,
}

/// An event to be inserted.
#[derive(Clone, Debug)]
pub(super) struct NewEvent {
    pub(super) guarantee: Guarantee,
    /// The time of the first attempt whose result is not known, in milliseconds since 1970.
    pub(super) first_attempt: Option<u64>,
    pub(super) packed: Vec<u8>,
}

/// A change of the time of the first attempt whose result is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AttemptMark {
    /// An attempt began at this time, in milliseconds since 1970. Only the first is kept.
    Begun(u64),
    /// The attempt that began at this time certainly did not reach the sink.
    NotReceived(u64),
}

/// The address of a pending event: the row it was read from, and its id.
///
/// The id is compared before a row is changed: if a row id is corrupt, the row holds another event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PendingRow {
    pub(super) row: i64,
    pub(super) id: EventId,
}

/// A pending event that was read from the file.
#[derive(Clone, Debug)]
pub(crate) struct SpooledEvent {
    /// The row id, larger than that of any event written before.
    pub(crate) row: i64,
    pub(crate) event: Event,
    /// The time of the first attempt with an ambiguous result, in milliseconds since 1970.
    pub(crate) first_attempt: Option<u64>,
}

/// A page of pending events.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) events: Vec<SpooledEvent>,
    /// The last row that was read, where the next page continues.
    pub(crate) after: i64,
    /// No row follows this page.
    pub(crate) is_last: bool,
}

/// An event to be kept as a dead letter.
#[derive(Clone, Debug)]
pub(super) struct DeadLetterEntry {
    pub(super) source: DeadLetterSource,
    pub(super) fault: String,
}

#[derive(Clone, Debug)]
pub(super) enum DeadLetterSource {
    /// The event is in a pending row.
    Pending(PendingRow),
    /// The event is not on disk.
    Packed(Vec<u8>),
}

/// An event that reached its final state and was not found in its row.
///
/// If its row is merely hidden by corruption, the event would be delivered again at the next start.
#[derive(Clone, Debug)]
pub(super) struct MissingEvent {
    pub(super) id: EventId,
    /// The reason of the rejection; `None` if the event was delivered.
    pub(super) fault: Option<String>,
}

impl Guarantee {
    pub(super) fn to_column(self) -> i64 {
        i64::from(self == Self::Durable)
    }

    /// Reads the column; a value that is not an integer counts as durable.
    ///
    /// Every row therefore belongs to exactly one guarantee, and none is invisible to both readers.
    pub(super) fn of_column(row: &Row<'_>, column: usize) -> Self {
        match row.get_ref(column).map(|value| value.as_i64()) {
            Ok(Ok(0)) => Self::BestEffort,
            _ => Self::Durable,
        }
    }
}

impl DeadLetterEntry {
    /// Cuts the reason to 4 KiB.
    pub(super) fn new(source: DeadLetterSource, mut fault: String) -> Self {
        let mut end = fault.len().min(FAULT_BYTES);
        while !fault.is_char_boundary(end) {
            end -= 1;
        }
        fault.truncate(end);
        Self { source, fault }
    }

    pub(super) fn bytes(&self) -> usize {
        let packed = match &self.source {
            DeadLetterSource::Pending(_) => 0,
            DeadLetterSource::Packed(packed) => packed.len(),
        };
        packed + self.fault.len()
    }
}

impl MissingEvent {
    pub(super) fn delivered(id: EventId) -> Self {
        Self { id, fault: None }
    }

    /// Returns the event of a dead letter whose row was not found; `None` if it never had a row.
    pub(super) fn rejected(entry: &DeadLetterEntry) -> Option<Self> {
        match &entry.source {
            DeadLetterSource::Pending(pending) => Some(Self {
                id: pending.id,
                fault: Some(entry.fault.clone()),
            }),
            DeadLetterSource::Packed(_) => None,
        }
    }
}

/// Returns the row id `row`, or an error if it is not larger than the one read before it.
///
/// A corrupt row id can direct a scan nowhere, or back to rows that were already read. SQLite
/// reports that only for a lookup of a row that it does not find.
pub(super) fn in_order(after: i64, row: i64) -> rusqlite::Result<i64> {
    if row > after {
        return Ok(row);
    }
    Err(corrupt(format!("row {row} follows row {after}")))
}

/// Builds the error that SQLite itself returns for a corrupt file.
pub(super) fn corrupt(message: String) -> rusqlite::Error {
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
    rusqlite::Error::SqliteFailure(code, Some(message))
}

/// Reads the event in a column; `None` if there is none or its checksum does not match.
pub(super) fn read_event(row: &Row<'_>, column: usize) -> Option<Event> {
    let packed = row.get_ref(column).ok()?.as_blob().ok()?;
    Event::from_packed(packed).ok()
}

pub(super) fn read_millis(row: &Row<'_>, column: usize) -> Option<u64> {
    let millis = row.get_ref(column).ok()?.as_i64().ok()?;
    u64::try_from(millis).ok()
}

pub(super) fn to_column(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn to_length(bytes: i64) -> usize {
    usize::try_from(bytes).unwrap_or_default()
}
