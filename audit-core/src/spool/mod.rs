//! Events on disk: one SQLite file, and a dedicated thread that writes it.
//!
//! A caller packs the event and puts it into the bounded inbox. The committer takes the queued
//! work, writes it in one transaction (group commit) and reports success once the transaction is
//! synced, so that a thousand callers share one sync. Work without a waiter (acknowledgements,
//! best-effort events, attempt times) is collected for 50 ms and written in the same transaction.
//!
//! An event is never reported as written when it may not be. After a failed transaction the
//! committer reports the error to the waiters, reopens the file, and removes those rows of the
//! transaction that it finds there.
//!
//! From the ground up: `rows` and `totals`; `pending`, `dead_letters`, `corrupt_rows` and
//! `rebuilds`, one for each table; `store`, the open database; `page_file` and `leaf_page`, which
//! read a corrupt one; `corruption`, `salvage`, `redrive_requests` and `verify`, which work on a
//! store; `paths`, `ownership` and `placement`, the files; `open` and `relocation`, which open
//! them; `inbox`, `writer`, `file_watch` and `committer`, the thread; `handle`, `builder` and
//! `inspect`, the public types.

mod builder;
mod committer;
mod corrupt_rows;
mod corruption;
mod dead_letters;
mod error;
#[cfg(test)]
mod faults;
mod file_header;
mod file_watch;
mod handle;
mod inbox;
mod inspect;
mod leaf_page;
mod open;
mod ownership;
mod page_file;
mod paths;
mod pending;
mod placement;
mod queued_append;
mod rebuilds;
mod redrive_requests;
mod relocation;
mod rows;
mod salvage;
mod status;
mod store;
#[cfg(test)]
pub(crate) mod tests;
mod totals;
mod verify;
mod writer;

pub use builder::SpoolBuilder;
pub use dead_letters::SpooledDeadLetter;
pub use error::SpoolError;
pub use handle::Spool;
pub(crate) use handle::{PendingAppend, Unclaimable};
pub use inspect::{SpoolFile, SpoolFileStatus, SpoolRedrive};
pub(crate) use rows::{Guarantee, Page, SpooledEvent};
pub use status::SpoolStatus;
pub use verify::SpoolCheck;
