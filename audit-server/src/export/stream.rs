//! The file of an export, made piece by piece while it is downloaded.

use std::io;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use futures_util::stream;

use super::matches::matches;
use super::sheet::{Sheet, Trail};
use crate::store::{ExportPosition, ExportRow, Writer, export_page};

/// How far a download is.
enum Step {
    Head,
    Rows(ExportPosition),
    End,
}

/// The whole file, header line first, then the events by `occurred_at`.
///
/// One page of events is in memory at a time, read in a transaction of its own when the client has
/// taken the page before: a slow client holds neither the database nor more memory than a page. If
/// the database fails in between, the connection is cut, so that a part is never taken for the
/// whole.
pub(crate) fn csv_body(store: Arc<Writer>, export: ExportRow) -> Body {
    let export = Arc::new(export);
    Body::from_stream(stream::try_unfold(Step::Head, move |mut step| {
        let (store, export) = (Arc::clone(&store), Arc::clone(&export));
        async move {
            loop {
                let (bytes, next) = match step {
                    Step::Head => (head()?, Step::Rows(ExportPosition::start(&export))),
                    Step::Rows(position) => {
                        let (store, export) = (Arc::clone(&store), Arc::clone(&export));
                        tokio::task::spawn_blocking(move || rows(&store, &export, position))
                            .await
                            .map_err(io::Error::other)??
                    }
                    Step::End => return Ok::<_, io::Error>(None),
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

fn head() -> io::Result<Vec<u8>> {
    let mut sheet = Sheet::new();
    sheet.head()?;
    Ok(sheet.into_bytes()?)
}

/// One page, written as CSV, and where to go on.
fn rows(
    store: &Writer,
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
    let mut sheet = Sheet::new();
    for event in &page.events {
        let event = Trail::read(event).inspect_err(|error| logged(error))?;
        if matches(&export.filters, &event) {
            sheet.row(&event)?;
        }
    }
    let next = page.next.map_or(Step::End, Step::Rows);
    Ok((sheet.into_bytes()?, next))
}
