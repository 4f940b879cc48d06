//! Relocation of a spool whose files were removed or replaced while it uses them.
//!
//! SQLite continues with the files that it opened, whatever happens to their names. An event is
//! then on disk, and no later process finds it. The rows can still be read from the open
//! connection, so they are moved, with their ids, to a new file at the spool's path.

use std::path::{Path, PathBuf};
use std::time::Instant;

use rusqlite::config::DbConfig;

use super::error::{SpoolError, may_be_corrupt};
use super::open::{Opener, rebuild_from};
use super::ownership::{FileId, LockedDatabase};
use super::paths::{
    REBUILDING, create_folder, quarantine, remove, remove_file, replace, sync_folder, unused_name,
    with_suffix,
};
use super::placement::{Placement, placement};
use super::store::Store;

impl Opener {
    /// Compares the names of the files with the files that are in use.
    pub(super) fn placement(&self) -> Placement {
        placement(&self.file, self.database.as_ref(), &self.companions)
    }

    /// Moves everything in a store whose files were displaced to a new file at the spool's path.
    ///
    /// A file that took the name is quarantined, unchanged. After an error `store` still holds the
    /// store if that has the only copy, and the move can be retried.
    pub(super) fn relocate(&mut self, store: &mut Option<Store>) -> Result<Store, SpoolError> {
        if let Some(displaced) = store.as_ref() {
            let database = self.copy_to_new_file(displaced)?;
            // Closed before its lock is released.
            *store = None;
            self.database = Some(database);
        }
        self.open()
    }

    fn copy_to_new_file(&mut self, store: &Store) -> Result<LockedDatabase, SpoolError> {
        if let Some(folder) = self.file.parent() {
            create_folder(folder)
                .map_err(|error| SpoolError::file("create the spool's folder", folder, error))?;
        }
        // If the lock file was removed as well, another process may own the path by now.
        self.locked.renew()?;
        // The last connection to a database removes its WAL, by name, when it closes. That name
        // will be of the new file.
        store
            .connection()
            .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
            .map_err(|error| SpoolError::open(&self.file, error))?;
        let fresh = with_suffix(&self.file, REBUILDING);
        let database = self
            .copy(store, &fresh)
            .inspect_err(|_| drop(remove(&fresh)))?;
        self.quarantine_successor()?;
        sync_folder(&self.file)?;
        replace(&self.file, &fresh)?;
        sync_folder(&self.file)?;
        Ok(database)
    }

    /// Quarantines a file that took the name of the one in use.
    fn quarantine_successor(&mut self) -> Result<(), SpoolError> {
        let found = FileId::at(&self.file);
        let held = self.database.as_ref().and_then(LockedDatabase::id);
        if found.is_none() || found == held {
            return Ok(());
        }
        // A WAL names no database: SQLite would apply this one to the other file.
        for (suffix, opened) in self.companions {
            let path = with_suffix(&self.file, suffix);
            if opened.is_some() && FileId::at(&path) == opened {
                remove_file(&path)?;
            }
        }
        let quarantined = quarantine(&self.file, "replaced")?;
        tracing::error!(
            spool = %self.file.display(),
            quarantined = %quarantined.display(),
            "another file took the name of the spool in use; quarantined it unchanged: its events are delivered by a service \
             that opens it"
        );
        self.quarantined.push(quarantined);
        Ok(())
    }

    /// Copies what a store has into a new file, which is synced and locked.
    fn copy(&mut self, store: &Store, fresh: &Path) -> Result<LockedDatabase, SpoolError> {
        let failed = |error| SpoolError::open(fresh, error);
        remove(fresh)?;
        let mut database = LockedDatabase::lock(fresh, Instant::now())?;
        match store.copy_into(fresh) {
            Ok(()) => {}
            Err(error) if may_be_corrupt(&error) => {
                drop(database);
                let quarantined = self.quarantine_displaced(store)?;
                let salvaged;
                (salvaged, database) = rebuild_from(&quarantined, fresh)?;
                self.note_rebuild(quarantined, &salvaged, &error.to_string());
            }
            Err(error) => return Err(failed(error)),
        }
        database
            .sync()
            .map_err(|error| SpoolError::file("sync the spool", fresh, error))?;
        Ok(database)
    }

    /// Gives the bytes of a corrupt file that has no name any more a new one.
    fn quarantine_displaced(&self, store: &Store) -> Result<PathBuf, SpoolError> {
        // As far as the file can be written; what is only in the WAL is lost otherwise.
        drop(store.truncate_wal());
        let quarantined = unused_name(&self.file, "corrupt");
        if let Some(database) = &self.database {
            database
                .copy_to(&quarantined)
                .map_err(|error| SpoolError::file("quarantine", &quarantined, error))?;
        }
        Ok(quarantined)
    }
}
