//! Events on disk: one SQLite file, and a thread of its own that writes it.
//!
//! A caller packs the event and puts it into the inbox, which is bounded. The committer takes what
//! waits, writes it in one transaction, and answers when the transaction is synced: a thousand
//! callers share one sync. What nobody waits for (acknowledgements, best-effort events, times of
//! attempts) is gathered for 50 ms and rides along.
//!
//! The committer never says of an event that it is on the disk when it may not be. After an error
//! it says so to those who wait, opens the file again, and takes back whatever of the failed
//! transaction it finds there.

mod committer;
mod damage;
mod dead;
mod error;
#[cfg(test)]
mod faults;
mod handle;
mod identity;
mod inbox;
mod place;
mod recover;
mod requests;
mod site;
mod status;
mod store;
#[cfg(test)]
pub(crate) mod tests;
mod totals;
mod verify;
mod visit;

pub use dead::SpooledLetter;
pub use error::SpoolError;
pub(crate) use handle::Appended;
pub use handle::{Spool, SpoolBuilder};
pub use status::SpoolStatus;
pub(crate) use store::{Guarantee, Page, Spooled};
pub use verify::SpoolCheck;
pub use visit::{SpoolFile, SpoolFileStatus, SpoolRedrive};
