//! The CSV of an export: RFC 4180, UTF-8, one row for each event.
//!
//! The service does not say which columns its file has; these are our own choice.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// The columns, in their order. `actor_metadata`, `targets` and `metadata` are JSON as it was sent;
/// what an event does not have is empty.
pub(super) const COLUMNS: [&str; 11] = [
    "occurred_at",
    "action",
    "version",
    "actor_id",
    "actor_type",
    "actor_name",
    "actor_metadata",
    "targets",
    "location",
    "user_agent",
    "metadata",
];

type Fields<'a> = BTreeMap<String, &'a RawValue>;

/// An event of the trail, as an export shows and filters it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Trail {
    occurred_at: String,
    pub(super) action: String,
    version: String,
    pub(super) actor_id: String,
    actor_type: String,
    pub(super) actor_name: Option<String>,
    actor_metadata: String,
    targets: String,
    pub(super) target_types: Vec<String>,
    location: String,
    user_agent: String,
    metadata: String,
}

impl Trail {
    /// Reads an event. One that was accepted has everything; what is missing after all (the file
    /// was changed by other hands) is left empty.
    ///
    /// # Errors
    /// When the text is no JSON object.
    pub(super) fn read(event: &str) -> serde_json::Result<Self> {
        let event: Fields<'_> = serde_json::from_str(event)?;
        let actor = object(&event, "actor");
        let context = object(&event, "context");
        let targets = event
            .get("targets")
            .and_then(|raw| serde_json::from_str::<Vec<Fields<'_>>>(raw.get()).ok())
            .unwrap_or_default();
        Ok(Self {
            occurred_at: text(&event, "occurred_at").unwrap_or_default(),
            action: text(&event, "action").unwrap_or_default(),
            version: raw(&event, "version"),
            actor_id: text(&actor, "id").unwrap_or_default(),
            actor_type: text(&actor, "type").unwrap_or_default(),
            actor_name: text(&actor, "name"),
            actor_metadata: raw(&actor, "metadata"),
            targets: raw(&event, "targets"),
            target_types: targets
                .iter()
                .filter_map(|target| text(target, "type"))
                .collect(),
            location: text(&context, "location").unwrap_or_default(),
            user_agent: text(&context, "user_agent").unwrap_or_default(),
            metadata: raw(&event, "metadata"),
        })
    }

    /// The cells, in the order of [`COLUMNS`].
    fn cells(&self) -> [&str; COLUMNS.len()] {
        [
            &self.occurred_at,
            &self.action,
            &self.version,
            &self.actor_id,
            &self.actor_type,
            self.actor_name.as_deref().unwrap_or_default(),
            &self.actor_metadata,
            &self.targets,
            &self.location,
            &self.user_agent,
            &self.metadata,
        ]
    }
}

fn text(fields: &Fields<'_>, key: &str) -> Option<String> {
    serde_json::from_str(fields.get(key)?.get()).ok()
}

fn raw(fields: &Fields<'_>, key: &str) -> String {
    fields
        .get(key)
        .map(|raw| raw.get().to_owned())
        .unwrap_or_default()
}

fn object<'a>(fields: &Fields<'a>, key: &str) -> Fields<'a> {
    fields
        .get(key)
        .and_then(|raw| serde_json::from_str(raw.get()).ok())
        .unwrap_or_default()
}

/// Writes rows into memory.
pub(super) struct Sheet(csv::Writer<Vec<u8>>);

impl Sheet {
    pub(super) fn new() -> Self {
        let mut builder = csv::WriterBuilder::new();
        builder.terminator(csv::Terminator::CRLF);
        Self(builder.from_writer(Vec::new()))
    }

    pub(super) fn head(&mut self) -> csv::Result<()> {
        self.0.write_record(COLUMNS)
    }

    pub(super) fn row(&mut self, event: &Trail) -> csv::Result<()> {
        for cell in event.cells() {
            if is_formula(cell) {
                self.0.write_field(format!("'{cell}"))?;
            } else {
                self.0.write_field(cell)?;
            }
        }
        self.0.write_record(None::<&[u8]>)
    }

    /// What was written, as one piece of a file.
    pub(super) fn into_bytes(self) -> csv::Result<Vec<u8>> {
        self.0
            .into_inner()
            .map_err(|error| csv::Error::from(error.into_error()))
    }
}

/// Whether a spreadsheet would run the cell when the file is opened. Such a cell gets a `'` in
/// front, which spreadsheets read as "text follows" (OWASP, CSV injection).
fn is_formula(cell: &str) -> bool {
    cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n'])
}

/// Panics if the row of this event is not read back as one row with all its columns, or if a cell
/// of it is a formula.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn check_row(event: &str) {
    let Ok(event) = Trail::read(event) else {
        return;
    };
    let mut sheet = Sheet::new();
    let written = sheet.row(&event).and_then(|()| sheet.into_bytes());
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

    fn written(events: &[Trail]) -> String {
        let mut sheet = Sheet::new();
        for event in events {
            sheet.row(event).unwrap();
        }
        String::from_utf8(sheet.into_bytes().unwrap()).unwrap()
    }

    #[test]
    fn cells_are_quoted_where_needed_and_lines_end_with_crlf() {
        let event = Trail {
            action: "a,\"b\"\r\nc".to_owned(),
            actor_name: Some("Zoë".to_owned()),
            ..Trail::default()
        };
        assert_eq!(written(&[event]), ",\"a,\"\"b\"\"\r\nc\",,,,Zoë,,,,,\r\n");
    }

    #[test]
    fn a_formula_becomes_text_in_every_column() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"] {
            let cell = || formula.to_owned();
            let event = Trail {
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

    #[test]
    fn numbers_keep_their_digits() {
        let event = Trail::read(
            r#"{"version":3,"metadata":{"n":123456789012345678901234567890,"x":1.10}}"#,
        )
        .unwrap();
        assert_eq!(event.version, "3");
        assert_eq!(
            event.metadata,
            r#"{"n":123456789012345678901234567890,"x":1.10}"#
        );
    }

    #[test]
    fn of_a_field_that_comes_twice_the_last_counts() {
        let event = Trail::read(r#"{"action":"a","action":"b"}"#).unwrap();
        assert_eq!(event.action, "b");
    }
}
