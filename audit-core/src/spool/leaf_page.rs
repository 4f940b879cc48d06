//! The rows of a table's leaf page, each read on its own.
//!
//! A corrupt cell hides only its own row, and a corrupt page only its own rows.

use rusqlite::types::Value;

use super::page_file::{PageFile, word};

/// The type of a page that holds rows of a table.
const LEAF: u8 = 13;
const LEAF_HEADER: usize = 8;
/// The bytes of a cell that a page holds at least: payload length, row id, header, and two columns.
const SHORTEST_CELL: usize = 4;
/// The longest row that is read; far longer than any event.
const MAX_ROW_BYTES: u64 = 32 * 1024 * 1024;
/// The largest number of columns; no table has more.
const MAX_COLUMNS: usize = 8;

/// A row of any table.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LeafRow {
    pub(super) row: i64,
    /// The row id is out of order, and therefore corrupt.
    pub(super) is_misplaced: bool,
    pub(super) columns: Vec<Value>,
}

/// Returns the rows of a page; none if it is not a leaf page of a table.
pub(super) fn rows_of(file: &PageFile, page: &[u8]) -> Vec<LeafRow> {
    if page.first() != Some(&LEAF) {
        return Vec::new();
    }
    let count = half(page, 3);
    let most = page.len() / SHORTEST_CELL;
    let cells = (0..count.min(most)).filter_map(|cell| {
        let at = half(page, LEAF_HEADER + 2 * cell);
        read_cell(file, page.get(at..)?)
    });
    let mut rows: Vec<_> = cells.collect();
    mark_misplaced(&mut rows);
    rows
}

/// Marks the rows whose ids do not increase.
///
/// Of two rows, the third shows which of them is out of order.
fn mark_misplaced(rows: &mut [LeafRow]) {
    let mut before = i64::MIN;
    for at in 0..rows.len() {
        let row = rows[at].row;
        let next = rows.get(at + 1).map(|next| next.row);
        if row > before && next.is_none_or(|next| row < next || next <= before) {
            before = row;
        } else {
            rows[at].is_misplaced = true;
        }
    }
}

/// Reads a cell: the length of its payload, the row id, and the payload.
fn read_cell(file: &PageFile, cell: &[u8]) -> Option<LeafRow> {
    let (length, rest) = varint(cell)?;
    let (row, rest) = varint(rest)?;
    if length > MAX_ROW_BYTES {
        return None;
    }
    let payload = read_payload(file, length as usize, rest)?;
    Some(LeafRow {
        row: row as i64,
        is_misplaced: false,
        columns: read_record(&payload)?,
    })
}

/// Reads the payload of a cell, and of its chain of overflow pages as far as there is one.
fn read_payload(file: &PageFile, length: usize, local: &[u8]) -> Option<Vec<u8>> {
    let page = file.page_size();
    if length <= page - 35 {
        return local.get(..length).map(<[u8]>::to_vec);
    }
    let least = (page - 12) * 32 / 255 - 23;
    let fitting = least + (length - least) % (page - 4);
    let fitting = if fitting <= page - 35 { fitting } else { least };
    let mut payload = local.get(..fitting)?.to_vec();
    let mut next = word(local.get(fitting..fitting + 4)?, 0);
    while payload.len() < length {
        let Some(overflow) = file.page(next) else {
            break;
        };
        next = word(&overflow, 0);
        let missing = length - payload.len();
        payload.extend_from_slice(&overflow[4..page.min(4 + missing)]);
    }
    // What is missing is zero: the row is there, and its event is not.
    payload.resize(length, 0);
    Some(payload)
}

/// Reads the columns of a record; `None` if it is not one of this file's tables.
fn read_record(record: &[u8]) -> Option<Vec<Value>> {
    let (header, _) = varint(record)?;
    let (header, mut body) = record.split_at_checked(usize::try_from(header).ok()?)?;
    let (_, mut types) = varint(header)?;
    let mut columns = Vec::new();
    while !types.is_empty() {
        let (kind, rest) = varint(types)?;
        types = rest;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind as usize,
            5 => 6,
            6 | 7 => 8,
            10 | 11 => return None,
            _ => usize::try_from((kind - 12) / 2).ok()?,
        };
        let (bytes, rest) = body.split_at_checked(length)?;
        body = rest;
        columns.push(match kind {
            0 => Value::Null,
            1..=6 => Value::Integer(integer(bytes)),
            7 => Value::Real(f64::from_bits(integer(bytes) as u64)),
            8 | 9 => Value::Integer(kind as i64 - 8),
            _ if kind % 2 == 0 => Value::Blob(bytes.to_vec()),
            // Invalid UTF-8 must not lose the row.
            _ => Value::Text(String::from_utf8_lossy(bytes).into_owned()),
        });
        if columns.len() > MAX_COLUMNS {
            return None;
        }
    }
    Some(columns)
}

/// Reads a big-endian integer with its sign.
fn integer(bytes: &[u8]) -> i64 {
    let is_negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    let sign = if is_negative { -1 } else { 0 };
    bytes
        .iter()
        .fold(sign, |number, byte| number << 8 | i64::from(*byte))
}

/// Reads an integer of one to nine bytes.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0;
    for (at, byte) in bytes.iter().enumerate().take(8) {
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((number, &bytes[at + 1..]));
        }
    }
    let last = bytes.get(8)?;
    Some((number << 8 | u64::from(*last), &bytes[9..]))
}

fn half(page: &[u8], at: usize) -> usize {
    let half = page.get(at..).and_then(|bytes| bytes.first_chunk::<2>());
    half.map_or(0, |half| usize::from(u16::from_be_bytes(*half)))
}
