//! The file of an export, made piece by piece while it is downloaded.

use std::io;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use futures_util::stream;

use super::csv_writer::CsvWriter;
use super::exported_event::ExportedEvent;
use super::matches::matches;
use crate::store::{ExportPosition, ExportRow, Store, export_page};

/// How far a download is.
enum Step {
    Header,
    Rows(ExportPosition),
    Done,
}

/// The whole file, header line first, then the events by `occurred_at`.
///
/// One page of events is in memory at a time, read in a transaction of its own when the client has
/// taken the page before: a slow client holds neither the database nor more memory than a page. If
/// the database fails in between, the connection is cut, so that a part is never taken for the
/// whole.
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
                // A page whose events are all filtered out is no piece, and not the end.
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

/// One page, written as CSV, and where to go on.
fn rows(
    store: &Store,
    export: &ExportRow,
    position: ExportPosition,
) -> io::Result<(Vec<u8>, Step)> {
    let logged = |error: &dyn std::error::Error| {
        tracing::error!(error = %error, export = export.id, "an export was cut off");
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
