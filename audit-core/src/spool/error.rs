//! The error of the spool, and the classification of SQLite's errors.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::file_header::{FileKind, VERSION};

/// The error of a [`Spool`](super::Spool) that cannot be opened or cannot complete a call.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{kind}")]
pub struct SpoolError {
    #[from]
    kind: ErrorKind,
}

#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum ErrorKind {
    #[error(
        "open the spool {}: {holder} has it open; give each process a file of its own, or wait for a process that ends with \
         `wait_for_lock`",
        .path.display()
    )]
    Locked { path: PathBuf, holder: Holder },
    #[error(
        "open the spool {}: the file is a database of another program and was not changed; choose another path",
        .0.display()
    )]
    Foreign(PathBuf),
    #[error("open the spool {}: the file is empty; no service has opened it yet", .0.display())]
    Empty(PathBuf),
    #[error(
        "open the spool {}: a newer version wrote it, in layout {layout}; use that version's command, or, for the events \
         that this version keeps, the file that ends in .v{}",
        .path.display(), VERSION
    )]
    Newer { path: PathBuf, layout: i32 },
    #[error(
        "change the spool {}: it is corrupt; a service that opens it quarantines it and keeps every readable event",
        .0.display()
    )]
    Corrupt(PathBuf),
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
        "spool the event: the spool holds {held} of at most {max_bytes} bytes; it accepts events again once some are delivered"
    )]
    Full { held: u64, max_bytes: u64 },
    #[error(
        "spool the event: {bytes} bytes are already queued for the disk, which is slower than events are recorded"
    )]
    Behind { bytes: u64 },
    #[error(
        "spool the event: the disk is full; the spool accepts events again once there is space"
    )]
    DiskFull,
    #[error("call the spool: too many calls are queued; its disk is slow or does not respond")]
    Busy,
    #[error("write to the spool")]
    Disk(#[source] Arc<rusqlite::Error>),
    #[error(
        "write to the spool: an earlier write failed; the spool retries within seconds, and its status has the reason"
    )]
    Down,
    #[error("the spool was closed")]
    Closed,
}

/// The owner of a spool that cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    Unknown,
    ThisProcess,
    /// The process with this id.
    Process(u32),
}

impl Holder {
    pub(super) fn of(process: u32) -> Self {
        if process == std::process::id() {
            Self::ThisProcess
        } else {
            Self::Process(process)
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("another process, or another spool of this one,"),
            Self::ThisProcess => f.write_str("another spool of this process"),
            Self::Process(id) => write!(f, "process {id}"),
        }
    }
}

impl SpoolError {
    pub(super) fn file(action: &'static str, path: &Path, source: std::io::Error) -> Self {
        ErrorKind::File {
            action,
            path: path.to_owned(),
            source: Arc::new(source),
        }
        .into()
    }

    pub(super) fn open(path: &Path, source: rusqlite::Error) -> Self {
        ErrorKind::Open {
            path: path.to_owned(),
            source: Arc::new(source),
        }
        .into()
    }

    /// Builds the error for a file that is not a usable spool.
    pub(super) fn unusable(path: &Path, kind: FileKind) -> Self {
        let path = path.to_owned();
        match kind {
            FileKind::Newer(layout) => ErrorKind::Newer { path, layout },
            FileKind::Corrupt => ErrorKind::Corrupt(path),
            FileKind::Foreign | FileKind::Spool => ErrorKind::Foreign(path),
        }
        .into()
    }

    /// Builds the error from a borrowed SQLite error, which is not `Clone`.
    pub(super) fn disk(error: &rusqlite::Error) -> Self {
        if is_disk_full(error) {
            return ErrorKind::DiskFull.into();
        }
        let copy = match error {
            rusqlite::Error::SqliteFailure(code, message) => {
                rusqlite::Error::SqliteFailure(*code, message.clone())
            }
            other => rusqlite::Error::ToSqlConversionFailure(other.to_string().into()),
        };
        ErrorKind::Disk(Arc::new(copy)).into()
    }

    pub(super) fn disk_full() -> Self {
        ErrorKind::DiskFull.into()
    }

    /// Builds the error for calls during the pause after a failed write.
    pub(super) fn disk_down() -> Self {
        ErrorKind::Down.into()
    }

    pub(super) fn closed() -> Self {
        ErrorKind::Closed.into()
    }

    /// Returns `true` if another process, or another [`Spool`](super::Spool) of this one, has the
    /// file open.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        matches!(self.kind, ErrorKind::Locked { .. })
    }

    /// Returns `true` if the file is a database of another program, which was not changed.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        matches!(self.kind, ErrorKind::Foreign(_))
    }

    /// Returns `true` if there is no room: the spool is at its limit, the disk is full, or too many
    /// events are queued for the disk.
    ///
    /// The same event may be accepted later.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::Full { .. } | ErrorKind::Behind { .. } | ErrorKind::DiskFull
        )
    }

    /// Returns `true` if the spool was closed before the call.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self.kind, ErrorKind::Closed)
    }
}

/// Returns `true` if there was no space on the disk, or none under SQLite's own limit of pages.
pub(super) fn is_disk_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull)
}

/// Returns `true` if the error proves corruption: the value that was read was never written.
pub(super) fn is_corrupt(error: &rusqlite::Error) -> bool {
    use rusqlite::{Error, ErrorCode};
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    ) || matches!(
        // A column of integers holds another type, or the row of totals is gone.
        error,
        Error::QueryReturnedNoRows
            | Error::InvalidColumnType(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::FromSqlConversionFailure(..)
    )
}

/// Returns `true` if corruption may be the cause of the error, so that a rebuild may help.
///
/// Another cause (a full disk, a folder that accepts no file) makes the rebuild fail as well, which
/// leaves the file as it is.
pub(super) fn may_be_corrupt(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode;
    is_corrupt(error)
        || match error.sqlite_error_code() {
            // A corrupt schema names tables and columns that do not exist; a corrupt header makes
            // the file read-only.
            Some(code) => matches!(
                code,
                ErrorCode::Unknown
                    | ErrorCode::ReadOnly
                    | ErrorCode::TypeMismatch
                    | ErrorCode::ConstraintViolation
            ),
            // rusqlite's own errors concern statements, which never vary, and values that were
            // read.
            None => true,
        }
}

/// Joins the message and its sources into one line.
pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}
