//! The file of an export, generated during its download.

use std::io;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use futures_util::stream;

use super::csv_writer::CsvWriter;
use super::exported_event::ExportedEvent;
use super::matches::matches;
use crate::store::{ExportPosition, ExportRow, Store, export_page};

/// The progress of a download.
enum Step {
    Header,
    Rows(ExportPosition),
    Done,
}

/// Streams the whole file, header line first, then the events by `occurred_at`.
///
/// One page of events is in memory at a time. It is read in its own transaction once the client has
/// taken the page before, so a slow client occupies neither the database nor more memory than a
/// page. If the database fails in between, the connection is aborted, so that a partial file is
/// never taken for a complete one.
pub(crate) fn csv_body(store: Arc<Store>, export: ExportRow) -> Body {
    let export = Arc::new(export);
    Body::from_stream(stream::try_unfold(Step::Header, move |mut step| {
        let (store, export) = (Arc::clone(&store), Arc::clone(&export));
        async move {
            loop {
                let (bytes, next) = match step {
                    Step::Header => (header()?, Step::Rows(ExportPosition::start(&export))),
                    Step::Rows(position) => {
                        let (store, export) = (Arc::clone(&store), Arc::clone(&export));
                        tokio::task::spawn_blocking(move || rows(&store, &export, position))
                            .await
                            .map_err(io::Error::other)??
                    }
                    Step::Done => return Ok::<_, io::Error>(None),
                };
                // A page whose events are all filtered out is an empty chunk, not the end.
                if !bytes.is_empty() {
                    return Ok(Some((Bytes::from(bytes), next)));
                }
                step = next;
            }
        }
    }))
}

fn header() -> io::Result<Vec<u8>> {
    let mut csv = CsvWriter::new();
    csv.header()?;
    Ok(csv.into_bytes()?)
}

/// Returns one page as CSV, and the next step.
fn rows(
    store: &Store,
    export: &ExportRow,
    position: ExportPosition,
) -> io::Result<(Vec<u8>, Step)> {
    let logged = |error: &dyn std::error::Error| {
        tracing::error!(error = %error, export = export.id, "aborted an export");
    };
    let page = store
        .transact(|tx| export_page(tx, export, position))
        .map_err(|error| {
            logged(&error);
            io::Error::other(error)
        })?;
    let mut csv = CsvWriter::new();
    for event in &page.events {
        let event = ExportedEvent::read(event).inspect_err(|error| logged(error))?;
        if matches(&export.filters, &event) {
            csv.row(&event)?;
        }
    }
    let next = page.next.map_or(Step::Done, Step::Rows);
    Ok((csv.into_bytes()?, next))
}
