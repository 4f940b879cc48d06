//! Exports: which events one takes, and the CSV that is written while it is downloaded.

mod matches;
mod sheet;
mod stream;

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use sheet::check_row;
pub(crate) use stream::csv_body;
