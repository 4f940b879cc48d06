//! The places of a spool's files: their names, compared with the files that are in use.

use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::path::Path;

use super::ownership::{FileId, LockedDatabase};
use super::paths::{WAL, WAL_INDEX, with_suffix};

/// The WAL and its index, as SQLite opened them; `None` if there was none.
pub(super) type Companions = [(&'static str, Option<FileId>); 2];

/// The state of the names of a spool's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Placement {
    /// A later process finds the files that are in use.
    InPlace { wal_bytes: u64 },
    /// It would not find them, for this reason.
    Displaced(&'static str),
}

/// Returns the identities of the WAL and its index.
pub(super) fn companions(file: &Path) -> Companions {
    [WAL, WAL_INDEX].map(|suffix| (suffix, FileId::at(&with_suffix(file, suffix))))
}

/// Compares the names of the files with the files that are in use, by some system calls.
///
/// A folder that was renamed has taken its files along. Names that cannot be read are assumed to be
/// unchanged.
pub(super) fn placement(
    file: &Path,
    database: Option<&LockedDatabase>,
    opened: &Companions,
) -> Placement {
    let (is_intact, wal_bytes) = companions_in_place(file, opened);
    let in_place = Placement::InPlace { wal_bytes };
    let Some(database) = database else {
        return in_place;
    };
    let Some(id) = database.id() else {
        return in_place;
    };
    if database.is_removed() {
        return Placement::Displaced("its file was removed");
    }
    match fs::symlink_metadata(file) {
        Ok(found) if FileId::of(&found) != Some(id) => {
            Placement::Displaced("another file took its name")
        }
        Ok(_) if is_intact => in_place,
        Ok(_) => Placement::Displaced("its `-wal` or `-shm` file was removed or replaced"),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            match file.parent().map(fs::symlink_metadata) {
                Some(Ok(_)) => Placement::Displaced("its file was renamed"),
                _ => in_place,
            }
        }
        Err(_) => in_place,
    }
}

/// Returns `false` if the WAL or its index is another one by now, and the size of the WAL.
fn companions_in_place(file: &Path, opened: &Companions) -> (bool, u64) {
    let (mut is_intact, mut wal_bytes) = (true, 0);
    for (suffix, opened) in opened {
        let found = fs::symlink_metadata(with_suffix(file, suffix));
        if *suffix == WAL {
            wal_bytes = found.as_ref().map_or(0, Metadata::len);
        }
        is_intact &= match (opened, found) {
            (None, _) => true,
            (Some(opened), Ok(found)) => FileId::of(&found) == Some(*opened),
            (Some(_), Err(error)) => error.kind() != ErrorKind::NotFound,
        };
    }
    (is_intact, wal_bytes)
}
