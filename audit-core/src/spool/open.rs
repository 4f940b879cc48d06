//! Opening and reopening the file: which file is used, rebuilding a corrupt one, and the reserve.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::error::{ErrorKind, SpoolError, may_be_corrupt};
use super::file_header::{APPLICATION_ID, VERSION};
use super::ownership::{FileId, LockedDatabase, LockedPath};
use super::page_file::PageFile;
use super::paths::{
    JOURNAL, REBUILDING, private_file, quarantine, remove, remove_file, replace, sync_folder,
    with_suffix,
};
use super::placement::{Companions, companions};
use super::rebuilds::Loss;
use super::salvage::{Salvaged, salvage};
use super::store::{Opened, Store};

/// The size of the file that is removed on a full disk, so that delivered events can be deleted.
const RESERVE_BYTES: u64 = 1024 * 1024;

/// Opens the spool at one path, again after each failure, and owns its lock.
#[derive(Debug)]
pub(super) struct Opener {
    pub(super) locked: LockedPath,
    /// The file in use: the one at the locked path, unless a newer version wrote that.
    pub(super) file: PathBuf,
    /// The lock on that file; `None` before it is opened for the first time.
    pub(super) database: Option<LockedDatabase>,
    /// The other files that SQLite has open.
    pub(super) companions: Companions,
    /// The end of the wait for a predecessor that still holds a lock.
    wait_until: Instant,
    pub(super) quarantined: Vec<PathBuf>,
    /// The loss of the rebuilds since the spool was opened.
    pub(super) loss: Loss,
    #[cfg(test)]
    pub(super) faults: super::faults::Faults,
    #[cfg(test)]
    pub(super) max_pages: Option<u32>,
}

impl Opener {
    /// Resolves the path and locks it, waiting for its owner until a moment.
    pub(super) fn lock(path: &Path, wait_until: Instant) -> Result<Self, SpoolError> {
        let locked = LockedPath::lock(path, wait_until)?;
        Ok(Self {
            file: locked.path().to_owned(),
            locked,
            database: None,
            companions: companions(path),
            wait_until,
            quarantined: Vec::new(),
            loss: Loss::default(),
            #[cfg(test)]
            faults: super::faults::Faults::default(),
            #[cfg(test)]
            max_pages: None,
        })
    }

    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// Opens the file, in whatever state it is.
    ///
    /// A corrupt file is quarantined and rebuilt from what can be read of it. A file that a newer
    /// version wrote is left unchanged, and another is used beside it. The errors are those of the
    /// disk, and of a file that belongs to another program.
    pub(super) fn open(&mut self) -> Result<Store, SpoolError> {
        self.lock_database()?;
        if let Some(reason) = self.find_corrupt_header()? {
            return self.rebuild(reason);
        }
        match Store::open(&self.file) {
            Ok(Opened::Spool(store)) => self.prepare(store),
            Ok(Opened::Newer(version)) if self.file == self.locked.path() => {
                let file = self.locked.with_suffix(&format!(".v{VERSION}"));
                tracing::warn!(
                    spool = %self.file.display(),
                    version,
                    used = %file.display(),
                    "a newer version wrote the spool; leaving it unchanged and using another file beside it"
                );
                self.quarantined
                    .push(std::mem::replace(&mut self.file, file));
                self.open()
            }
            Ok(Opened::Corrupt) => self.rebuild("its header is corrupt"),
            Ok(Opened::Newer(_) | Opened::Foreign) => {
                Err(ErrorKind::Foreign(self.file.clone()).into())
            }
            Err(error) if may_be_corrupt(&error) => self.rebuild(&error.to_string()),
            Err(error) => Err(SpoolError::open(&self.file, error)),
        }
    }

    /// Creates the file if it does not exist, and locks it unless it is locked already.
    fn lock_database(&mut self) -> Result<(), SpoolError> {
        let held = self.database.as_ref().and_then(LockedDatabase::id);
        if held.is_none() || held != FileId::at(&self.file) {
            self.database = Some(LockedDatabase::lock(&self.file, self.wait_until)?);
            self.locked.write_holder();
        }
        Ok(())
    }

    /// Returns the reason why the header is corrupt in a way that SQLite would not report.
    fn find_corrupt_header(&self) -> Result<Option<&'static str>, SpoolError> {
        // An empty file has no header, and one that was being created has an older state.
        let is_empty = |path: &Path| fs::metadata(path).map_or(true, |file| file.len() == 0);
        if is_empty(&self.file) || !is_empty(&with_suffix(&self.file, JOURNAL)) {
            return Ok(None);
        }
        let mut pages = PageFile::open(&self.file)
            .map_err(|error| SpoolError::file("read the spool", &self.file, error))?;
        Ok(pages.find_corrupt_header(APPLICATION_ID.cast_unsigned(), VERSION.cast_unsigned()))
    }

    /// Quarantines the file, and replaces it by what can be read of it.
    ///
    /// The store must be closed. After an error the rebuild can be retried.
    pub(super) fn rebuild(&mut self, reason: &str) -> Result<Store, SpoolError> {
        let quarantined = quarantine(&self.file, "corrupt")?;
        let fresh = with_suffix(&self.file, REBUILDING);
        let (salvaged, database) = match rebuild_from(&quarantined, &fresh) {
            Ok(rebuilt) => rebuilt,
            Err(error) => {
                // The file itself is unchanged. A second name does no harm, but each attempt would
                // add one.
                for left in [&quarantined, &fresh] {
                    remove(left)?;
                }
                return Err(error);
            }
        };
        sync_folder(&self.file)?;
        replace(&self.file, &fresh)?;
        // Locked before it took the name.
        self.database = Some(database);
        sync_folder(&self.file)?;
        self.note_rebuild(quarantined, &salvaged, reason);
        let store = Store::open(&self.file)
            .map_err(|error| SpoolError::open(&self.file, error))?
            .into_store(&self.file)?;
        self.prepare(store)
    }

    /// Logs a rebuild, and counts what it lost.
    pub(super) fn note_rebuild(&mut self, quarantined: PathBuf, salvaged: &Salvaged, reason: &str) {
        let lost = salvaged.lost();
        tracing::error!(
            spool = %self.file.display(),
            quarantined = %quarantined.display(),
            reason,
            pending = salvaged.pending,
            dead_letters = salvaged.dead,
            corrupt_rows = salvaged.corrupt_rows,
            lost,
            lost_dead_letters = salvaged.lost_dead_letters(),
            "the spool was corrupt; quarantined it and rebuilt it from its readable rows{}",
            if lost.is_some() {
                ""
            } else {
                "; an unknown number of events is lost"
            }
        );
        self.loss.lost = self.loss.lost.saturating_add(lost.unwrap_or_default());
        self.loss.is_unknown |= lost.is_none();
        self.quarantined.push(quarantined);
    }

    /// Returns the store unchanged; in tests, with the requested faults.
    #[cfg(not(test))]
    fn prepare(&mut self, store: Store) -> Result<Store, SpoolError> {
        self.companions = companions(&self.file);
        Ok(store)
    }

    #[cfg(test)]
    fn prepare(&mut self, mut store: Store) -> Result<Store, SpoolError> {
        self.companions = companions(&self.file);
        store.faults = self.faults.clone();
        if let Some(pages) = self.max_pages {
            store
                .limit_pages(pages)
                .map_err(|error| SpoolError::open(&self.file, error))?;
        }
        Ok(store)
    }

    /// Allocates the space that deletions need on a full disk. Returns `false` if there is none.
    pub(super) fn reserve(&self) -> bool {
        let path = self.reserve_path();
        if fs::metadata(&path).is_ok_and(|file| file.len() == RESERVE_BYTES) {
            return true;
        }
        let reserved = write_reserve(&path).is_ok();
        if !reserved {
            self.release_reserve();
        }
        reserved
    }

    /// Frees that space for the database.
    pub(super) fn release_reserve(&self) {
        if let Err(error) = remove_file(&self.reserve_path()) {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the reserve of the spool cannot be removed"
            );
        }
    }

    fn reserve_path(&self) -> PathBuf {
        self.locked.with_suffix(".reserve")
    }
}

fn write_reserve(path: &Path) -> std::io::Result<()> {
    let mut file: File = private_file().open(path)?;
    // Random bytes: a file system may store zeros without allocating space.
    let mut block = vec![0; 64 * 1024];
    let mut written = 0;
    while written < RESERVE_BYTES {
        fastrand::fill(&mut block);
        file.write_all(&block)?;
        written += block.len() as u64;
    }
    file.sync_data()
}

/// Builds a new file from what can be read of a quarantined one.
pub(super) fn rebuild_from(
    quarantined: &Path,
    fresh: &Path,
) -> Result<(Salvaged, LockedDatabase), SpoolError> {
    remove(fresh)?;
    let database = LockedDatabase::lock(fresh, Instant::now())?;
    let failed = |error| SpoolError::open(fresh, error);
    let mut store = Store::open(fresh).map_err(failed)?.into_store(fresh)?;
    let salvaged = salvage(quarantined, &mut store, fresh)?;
    store.truncate_wal().map_err(failed)?;
    Ok((salvaged, database))
}
