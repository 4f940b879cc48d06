//! Exports: the selection of events, and the CSV that is generated during the download.

mod csv_writer;
mod exported_event;
mod matches;
mod stream;

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use csv_writer::check_row;
pub(crate) use stream::csv_body;
