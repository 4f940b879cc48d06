//! Exports: which events one takes, and the CSV that is written while it is downloaded.

mod csv_writer;
mod exported_event;
mod matches;
mod stream;

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use csv_writer::check_row;
pub(crate) use stream::csv_body;
