//! Opening, and opening again: which file it is, and what becomes of one that cannot be read.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::error::{Problem, SpoolError};
use super::identity::{Identity, VERSION};
use super::place::{
    Place, REBUILDING, make_private, private_file, remove, remove_file, replace, set_aside,
    sync_folder, with_suffix,
};
use super::recover::{Salvaged, may_be_damage, salvage};
use super::store::Store;

/// Kept beside the file and given up when the disk is full, so that what was delivered can be
/// deleted then.
const RESERVE_BYTES: u64 = 1024 * 1024;

/// The place of a spool, and what was found there.
#[derive(Debug)]
pub(super) struct Site {
    place: Place,
    /// The file that is used: the one at the path, unless a newer version wrote that.
    file: PathBuf,
    pub(super) set_aside: Vec<PathBuf>,
    #[cfg(test)]
    pub(super) faults: super::faults::Faults,
    #[cfg(test)]
    pub(super) max_pages: Option<u32>,
}

impl Site {
    pub(super) fn take(path: &Path) -> Result<Self, SpoolError> {
        let place = Place::take(path)?;
        Ok(Self {
            file: path.to_owned(),
            place,
            set_aside: Vec::new(),
            #[cfg(test)]
            faults: super::faults::Faults::default(),
            #[cfg(test)]
            max_pages: None,
        })
    }

    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// Opens the file, whatever has become of it. A damaged one is set aside, and what can be read
    /// of it begins a new one; one that a newer version wrote stays, and a new one is begun beside
    /// it. An error is one of the disk, or says that the file belongs to somebody else.
    pub(super) fn open(&mut self) -> Result<Store, SpoolError> {
        make_private(&self.file)?;
        match Store::open(&self.file) {
            Ok(Ok(store)) => self.opened(store),
            Ok(Err(Identity::Newer(version))) if self.file == self.place.path() => {
                let file = self.place.beside(&format!(".v{VERSION}"));
                tracing::warn!(
                    spool = %self.file.display(),
                    version,
                    used = %file.display(),
                    "a newer version wrote the spool; it stays as it is, and another is used beside it"
                );
                self.set_aside.push(std::mem::replace(&mut self.file, file));
                self.open()
            }
            Ok(Err(Identity::Corrupt)) => self.rebuild("its marks are gone"),
            Ok(Err(_)) => Err(Problem::Foreign(self.file.clone()).into()),
            Err(error) if may_be_damage(&error) => self.rebuild(&error.to_string()),
            Err(error) => Err(SpoolError::open(&self.file, error)),
        }
    }

    /// Sets the file aside, and puts in its place what can be read of it. The store must be closed.
    /// After an error it can be done again.
    pub(super) fn rebuild(&mut self, reason: &str) -> Result<Store, SpoolError> {
        let aside = set_aside(&self.file, "corrupt")?;
        let fresh = with_suffix(&self.file, REBUILDING);
        let salvaged = match rebuild_from(&aside, &fresh) {
            Ok(salvaged) => salvaged,
            Err(error) => {
                // The file itself stands where it stood. Second names of it do no harm, but there
                // would be more with each attempt.
                for left in [&aside, &fresh] {
                    remove(left)?;
                }
                return Err(error);
            }
        };
        sync_folder(&self.file)?;
        replace(&self.file, &fresh)?;
        sync_folder(&self.file)?;
        tracing::error!(
            spool = %self.file.display(),
            set_aside = %aside.display(),
            reason,
            pending = salvaged.pending,
            dead_letters = salvaged.dead,
            damaged = salvaged.damaged,
            "the spool was damaged; it was set aside, and what could be read of it was kept"
        );
        self.set_aside.push(aside);
        let store = Store::open(&self.file)
            .map_err(|error| SpoolError::open(&self.file, error))?
            .map_err(|_| SpoolError::from(Problem::Foreign(self.file.clone())))?;
        self.opened(store)
    }

    /// A store that is ready for use; in tests, with the faults that were asked for.
    #[cfg(not(test))]
    fn opened(&self, store: Store) -> Result<Store, SpoolError> {
        Ok(store)
    }

    #[cfg(test)]
    fn opened(&self, mut store: Store) -> Result<Store, SpoolError> {
        store.faults = self.faults.clone();
        if let Some(pages) = self.max_pages {
            store
                .limit_pages(pages)
                .map_err(|error| SpoolError::open(&self.file, error))?;
        }
        Ok(store)
    }

    /// Takes the space that deletions need on a full disk; whether it could be had.
    pub(super) fn reserve(&self) -> bool {
        let path = self.reserve_path();
        if fs::metadata(&path).is_ok_and(|file| file.len() == RESERVE_BYTES) {
            return true;
        }
        let reserved = self.write_reserve(&path).is_ok();
        if !reserved {
            self.release();
        }
        reserved
    }

    /// Gives that space to the database.
    pub(super) fn release(&self) {
        if let Err(error) = remove_file(&self.reserve_path()) {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the reserve of the spool cannot be given up"
            );
        }
    }

    fn reserve_path(&self) -> PathBuf {
        self.place.beside(".reserve")
    }

    fn write_reserve(&self, path: &Path) -> std::io::Result<()> {
        let mut file: File = private_file().open(path)?;
        // Noise: a file system may keep zeros without giving them space.
        let mut block = vec![0; 64 * 1024];
        let mut written = 0;
        while written < RESERVE_BYTES {
            fastrand::fill(&mut block);
            file.write_all(&block)?;
            written += block.len() as u64;
        }
        file.sync_data()
    }
}

/// Makes a new file of what can be read of another.
fn rebuild_from(aside: &Path, fresh: &Path) -> Result<Salvaged, SpoolError> {
    remove(fresh)?;
    make_private(fresh)?;
    let failed = |error| SpoolError::open(fresh, error);
    let mut store = Store::open(fresh)
        .map_err(failed)?
        .map_err(|_| SpoolError::from(Problem::Foreign(fresh.to_owned())))?;
    let salvaged = salvage(aside, &mut store).map_err(failed)?;
    store.empty_log().map_err(failed)?;
    Ok(salvaged)
}
