//! The output of `audited serve`, whatever its format.

use std::fmt::Debug;
use std::io::{self, Write};
use std::path::PathBuf;

use audit_server::{Stats, StoredEvent};

/// Addresses and settings of the started server.
#[derive(Debug)]
pub(crate) struct ServerInfo {
    pub(crate) url: String,
    pub(crate) api_key: String,
    pub(crate) organizations: Vec<String>,
    /// The file of the data; `None` in memory.
    pub(crate) data: Option<PathBuf>,
}

/// Numbers of requests by their result, since the command started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(super) accepted: u64,
    pub(super) rejected: u64,
    pub(super) duplicates: u64,
}

impl Counts {
    /// Returns the difference of two snapshots, since a file may hold the events of earlier runs.
    pub(super) fn between(before: Stats, after: Stats) -> Self {
        Self {
            accepted: after.accepted().saturating_sub(before.accepted()),
            rejected: after.rejected().saturating_sub(before.rejected()),
            duplicates: after.duplicates().saturating_sub(before.duplicates()),
        }
    }
}

/// A format of the output. Each method writes whole lines.
pub(crate) trait Output: Debug + Sync {
    /// Writes that the server listens, with the values that a client needs.
    fn listening(&self, out: &mut dyn Write, server: &ServerInfo) -> io::Result<()>;

    /// Writes one received event.
    fn event(&self, out: &mut dyn Write, event: &StoredEvent) -> io::Result<()>;

    /// Writes that `count` events were not printed.
    fn missed(&self, out: &mut dyn Write, count: u64) -> io::Result<()>;

    /// Writes that the server has stopped, with the counts of the run.
    fn stopped(&self, out: &mut dyn Write, counts: Counts) -> io::Result<()>;
}
