//! The CSV of an export: RFC 4180, UTF-8, one row for each event.
//!
//! The columns are our own choice, since the service does not document its own.

use super::exported_event::{COLUMNS, ExportedEvent};

/// Writes rows into memory.
pub(super) struct CsvWriter(csv::Writer<Vec<u8>>);

impl CsvWriter {
    pub(super) fn new() -> Self {
        let mut builder = csv::WriterBuilder::new();
        builder.terminator(csv::Terminator::CRLF);
        Self(builder.from_writer(Vec::new()))
    }

    pub(super) fn header(&mut self) -> csv::Result<()> {
        self.0.write_record(COLUMNS)
    }

    pub(super) fn row(&mut self, event: &ExportedEvent) -> csv::Result<()> {
        for cell in event.cells() {
            if is_formula(cell) {
                self.0.write_field(format!("'{cell}"))?;
            } else {
                self.0.write_field(cell)?;
            }
        }
        self.0.write_record(None::<&[u8]>)
    }

    /// Returns the written rows, as one chunk of a file.
    pub(super) fn into_bytes(self) -> csv::Result<Vec<u8>> {
        self.0
            .into_inner()
            .map_err(|error| csv::Error::from(error.into_error()))
    }
}

/// Returns `true` if a spreadsheet would evaluate the cell when the file is opened. Such a cell
/// gets a leading `'`, which marks text in spreadsheets (OWASP, CSV injection).
fn is_formula(cell: &str) -> bool {
    cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n'])
}

/// Panics if the row of this event is not read back as one row with all columns, or if one of its
/// cells is a formula.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn check_row(event: &str) {
    let Ok(event) = ExportedEvent::read(event) else {
        return;
    };
    let mut csv = CsvWriter::new();
    let written = csv.row(&event).and_then(|()| csv.into_bytes());
    let written = written.unwrap_or_default();
    let mut reader = csv::ReaderBuilder::new();
    let mut reader = reader.has_headers(false).from_reader(written.as_slice());
    let mut records = reader.records();
    let Some(Ok(record)) = records.next() else {
        unreachable!("the row cannot be read back");
    };
    assert!(records.next().is_none(), "one event is one row");
    assert_eq!(record.len(), COLUMNS.len());
    for (cell, given) in record.iter().zip(event.cells()) {
        assert!(!is_formula(cell), "{cell:?}");
        assert!(cell == given || cell.strip_prefix('\'') == Some(given));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(events: &[ExportedEvent]) -> String {
        let mut csv = CsvWriter::new();
        for event in events {
            csv.row(event).unwrap();
        }
        String::from_utf8(csv.into_bytes().unwrap()).unwrap()
    }

    #[test]
    fn cells_are_quoted_where_needed_and_lines_end_with_crlf() {
        let event = ExportedEvent {
            action: "a,\"b\"\r\nc".to_owned(),
            actor_name: Some("Zoë".to_owned()),
            ..ExportedEvent::default()
        };
        assert_eq!(written(&[event]), ",\"a,\"\"b\"\"\r\nc\",,,,Zoë,,,,,\r\n");
    }

    #[test]
    fn formula_becomes_text_in_every_column() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"] {
            let cell = || formula.to_owned();
            let event = ExportedEvent {
                occurred_at: cell(),
                action: cell(),
                version: cell(),
                actor_id: cell(),
                actor_type: cell(),
                actor_name: Some(cell()),
                actor_metadata: cell(),
                targets: cell(),
                target_types: Vec::new(),
                location: cell(),
                user_agent: cell(),
                metadata: cell(),
            };
            let text = written(&[event]);
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .from_reader(text.as_bytes());
            let record = reader.records().next().unwrap().unwrap();
            assert_eq!(record.len(), COLUMNS.len());
            for cell in &record {
                assert_eq!(cell, format!("'{formula}"), "{text:?}");
            }
        }
    }
}
