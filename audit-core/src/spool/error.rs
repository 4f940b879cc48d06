//! Why the spool could not be opened, or does not take an event.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::identity::{Identity, VERSION};

/// Why a [`Spool`](super::Spool) could not be opened, or did not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{problem}")]
pub struct SpoolError {
    #[from]
    problem: Problem,
}

#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Problem {
    #[error(
        "open the spool {}: another process, or another spool of this one, has it open; give each process a file of its own",
        .0.display()
    )]
    Locked(PathBuf),
    #[error(
        "open the spool {}: the file is a database of another program, and stays as it is; choose another path",
        .0.display()
    )]
    Foreign(PathBuf),
    #[error("open the spool {}: the file is empty; no service has opened it yet", .0.display())]
    Empty(PathBuf),
    #[error(
        "open the spool {}: a newer version wrote it, in layout {layout}; use that version's command, or, for what this \
         version keeps beside it, the file that ends in .v{}",
        .path.display(), VERSION
    )]
    Newer { path: PathBuf, layout: i32 },
    #[error(
        "change the spool {}: it is damaged; a service that opens it sets it aside and keeps what can be read",
        .0.display()
    )]
    Damaged(PathBuf),
    #[error("{action} {}", .path.display())]
    File {
        action: &'static str,
        path: PathBuf,
        #[source]
        source: Arc<std::io::Error>,
    },
    #[error("open the spool {}", .path.display())]
    Open {
        path: PathBuf,
        #[source]
        source: Arc<rusqlite::Error>,
    },
    #[error(
        "spool the event: the spool holds {held} of at most {max_bytes} bytes; it takes events again when some were delivered"
    )]
    Full { held: u64, max_bytes: u64 },
    #[error(
        "spool the event: {bytes} bytes wait for the disk already; it is slower than events are recorded"
    )]
    Behind { bytes: u64 },
    #[error("spool the event: the disk is full; the spool takes events again when there is space")]
    DiskFull,
    #[error("too many questions wait for the spool; its disk is slow, or stands still")]
    Busy,
    #[error("write to the spool")]
    Disk(#[source] Arc<rusqlite::Error>),
    #[error(
        "the spool cannot be written; it is tried again within seconds, and its status says why"
    )]
    Down,
    #[error("the spool was closed")]
    Closed,
}

impl SpoolError {
    pub(super) fn file(action: &'static str, path: &Path, source: std::io::Error) -> Self {
        Problem::File {
            action,
            path: path.to_owned(),
            source: Arc::new(source),
        }
        .into()
    }

    pub(super) fn open(path: &Path, source: rusqlite::Error) -> Self {
        Problem::Open {
            path: path.to_owned(),
            source: Arc::new(source),
        }
        .into()
    }

    /// Of a file that is no spool, or not one that can be used.
    pub(super) fn unfit(path: &Path, identity: Identity) -> Self {
        let path = path.to_owned();
        match identity {
            Identity::Newer(layout) => Problem::Newer { path, layout },
            Identity::Corrupt => Problem::Damaged(path),
            Identity::Foreign | Identity::Spool => Problem::Foreign(path),
        }
        .into()
    }

    /// Of an error that is needed elsewhere, too, and has no copies but this.
    pub(super) fn disk(error: &rusqlite::Error) -> Self {
        if is_disk_full(error) {
            return Problem::DiskFull.into();
        }
        let copy = match error {
            rusqlite::Error::SqliteFailure(code, message) => {
                rusqlite::Error::SqliteFailure(*code, message.clone())
            }
            other => rusqlite::Error::ToSqlConversionFailure(other.to_string().into()),
        };
        Problem::Disk(Arc::new(copy)).into()
    }

    pub(super) fn disk_full() -> Self {
        Problem::DiskFull.into()
    }

    /// For those who come while the disk is left alone after an error.
    pub(super) fn disk_down() -> Self {
        Problem::Down.into()
    }

    pub(super) fn closed() -> Self {
        Problem::Closed.into()
    }

    /// Whether another process, or another [`Spool`](super::Spool) of this one, has the file open.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        matches!(self.problem, Problem::Locked(_))
    }

    /// Whether the file is a database of another program. It was not changed.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        matches!(self.problem, Problem::Foreign(_))
    }

    /// Whether there is no room: at the bound of bytes, on the disk, or among the events that wait
    /// for the disk. The same event may be taken later.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(
            self.problem,
            Problem::Full { .. } | Problem::Behind { .. } | Problem::DiskFull
        )
    }

    /// Whether the spool was closed before.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self.problem, Problem::Closed)
    }
}

/// Whether SQLite found no space on the disk, or none under its own bound of pages.
pub(super) fn is_disk_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull)
}

/// Whether what was read is surely not what was written.
pub(super) fn is_corrupt(error: &rusqlite::Error) -> bool {
    use rusqlite::{Error, ErrorCode};
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    ) || matches!(
        // What can only be a number is something else, or the row of the totals is gone.
        error,
        Error::QueryReturnedNoRows
            | Error::InvalidColumnType(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::FromSqlConversionFailure(..)
    )
}

/// The message and what lies behind it, on one line.
pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}
