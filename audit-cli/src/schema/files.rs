//! Finds, reads and writes the catalog and its lock.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use audit_catalog::{CATALOG_FILE, Catalog, CatalogError, Lock, catalog_places, lock_path};

use crate::failure::Failure;

/// The variable that names the catalog, also for the macros. As there, a relative path starts at
/// the folder of the crate.
const VARIABLE: &str = "AUDIT_CATALOG";

/// A catalog, its lock, and their paths.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) catalog: Catalog,
    pub(super) catalog_path: PathBuf,
    pub(super) lock: Lock,
    pub(super) lock_path: PathBuf,
    /// `true` if the lock was read from a file.
    pub(super) lock_exists: bool,
}

impl Files {
    /// Finds and reads both. A missing lock is empty.
    pub(super) fn read(named: Option<&Path>) -> Result<Self, Failure> {
        let here = std::env::current_dir().map_err(|error| {
            Failure::unavailable("failed to find the current folder").caused_by(&error)
        })?;
        let variable = std::env::var_os(VARIABLE).filter(|value| !value.is_empty());
        let catalog_path = find(named, variable.as_deref(), &here)?;
        let catalog = Catalog::read(&catalog_path).map_err(|error| unreadable(&error))?;
        let lock_path = lock_path(&catalog_path);
        let (lock, lock_exists) = match Lock::read(&lock_path) {
            Ok(lock) => (lock, true),
            Err(error) if error.is_not_found() => (Lock::default(), false),
            Err(error) => return Err(unreadable(&error)),
        };
        Ok(Self {
            catalog,
            catalog_path,
            lock,
            lock_path,
            lock_exists,
        })
    }

    /// Writes the lock atomically. Returns `true` if the catalog was touched, because it is the
    /// first lock.
    ///
    /// Cargo watches the files that a build has read. A lock that was missing is not among them, so
    /// the catalog gets a new modification time. Otherwise the next build would not embed the
    /// versions.
    pub(super) fn write_lock(&mut self) -> Result<bool, Failure> {
        let path = self.lock_path.display();
        write_atomically(&self.lock_path, &self.lock.to_string()).map_err(|error| {
            Failure::unavailable(format!("failed to write {path}"))
                .caused_by(&error)
                .help("make the folder writable and push again; registered schemas are found and not registered twice")
        })?;
        let first = !self.lock_exists;
        self.lock_exists = true;
        if first {
            let catalog = self.catalog_path.display();
            touch(&self.catalog_path, &self.lock_path).map_err(|error| {
                Failure::unavailable(format!("failed to touch {catalog}"))
                    .caused_by(&error)
                    .help(format!(
                        "run `touch {catalog}`, so that the next build reads {path}"
                    ))
            })?;
        }
        Ok(first)
    }
}

/// Returns the path of the catalog: the named one, else that of the variable, else the first file.
fn find(named: Option<&Path>, variable: Option<&OsStr>, here: &Path) -> Result<PathBuf, Failure> {
    if let Some(named) = named {
        return Ok(named.to_owned());
    }
    let crate_folder = here
        .ancestors()
        .find(|folder| folder.join("Cargo.toml").is_file())
        .unwrap_or(here);
    if let Some(variable) = variable {
        return Ok(crate_folder.join(variable));
    }
    let mut places = vec![here.join(CATALOG_FILE)];
    places.extend(catalog_places(crate_folder));
    places.dedup();
    let found = places.iter().find(|path| path.is_file()).cloned();
    found.ok_or_else(|| {
        let places: Vec<_> = places
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        Failure::usage(format!(
            "there is no audit catalog at {}",
            places.join(" or ")
        ))
        .help("name it with `--catalog PATH`, or run the command in the folder of your crate")
    })
}

/// Converts an error of the catalog or the lock.
fn unreadable(error: &CatalogError) -> Failure {
    if !error.mistakes().is_empty() {
        return Failure::usage(format!("the file has mistakes\n{error}"));
    }
    let failure = if error.is_not_found() {
        Failure::usage(format!("failed to {error}"))
    } else {
        Failure::unavailable(format!("failed to {error}"))
    };
    failure.caused_by_source_of(error)
}

/// Writes a temporary file and renames it, so that a reader never sees a partial file.
fn write_atomically(path: &Path, text: &str) -> io::Result<()> {
    let part = path.with_extension(format!("lock.{}", std::process::id()));
    let written = fs::write(&part, text).and_then(|()| fs::rename(&part, path));
    if written.is_err() {
        // The file may not exist. The error is in `written`.
        drop(fs::remove_file(&part));
    }
    written
}

/// Sets the modification time of a file to that of another, which has just been written.
fn touch(path: &Path, like: &Path) -> io::Result<()> {
    let now = fs::metadata(like)?.modified()?;
    fs::File::options()
        .append(true)
        .open(path)?
        .set_modified(now)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::{Duration, UNIX_EPOCH};

    use audit_catalog::Fingerprint;

    use super::*;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for path in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "[action.a]\ntargets = [\"t\"]").unwrap();
        }
        root
    }

    #[test]
    fn catalog_is_searched_where_the_macros_search() {
        let tree = tree(&[
            "a/Cargo.toml",
            "a/audit.toml",
            "a/src/x",
            "b/audit.toml",
            "b/x/y",
        ]);
        let at = |path: &str| tree.path().join(path);
        let found = |named: Option<&str>, variable: Option<&str>, here: &str| {
            find(named.map(Path::new), variable.map(OsStr::new), &at(here))
        };
        assert_eq!(found(None, None, "a/src"), Ok(at("a/audit.toml")));
        assert_eq!(found(None, None, "b"), Ok(at("b/audit.toml")));
        assert_eq!(found(None, Some("x.toml"), "a/src"), Ok(at("a/x.toml")));
        assert_eq!(
            found(Some("y.toml"), Some("x.toml"), "a"),
            Ok("y.toml".into())
        );
        assert!(
            found(None, None, "b/x").is_err(),
            "nothing above is read without a workspace root"
        );
    }

    #[test]
    fn first_lock_touches_the_catalog_and_leaves_no_temporary_file() {
        let tree = tree(&["audit.toml"]);
        let catalog = tree.path().join("audit.toml");
        let long_ago = UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let set = |time| {
            fs::File::options()
                .append(true)
                .open(&catalog)
                .unwrap()
                .set_modified(time)
                .unwrap()
        };
        let modified = || fs::metadata(&catalog).unwrap().modified().unwrap();
        set(long_ago);
        let mut files = Files::read(Some(&catalog)).unwrap();
        let fingerprint = Fingerprint::from_bytes([1; 32]);
        files
            .lock
            .set("production", "a", NonZeroU32::MIN, fingerprint);
        assert!(files.write_lock().unwrap());
        assert!(modified() > long_ago);
        set(long_ago);
        assert!(!files.write_lock().unwrap());
        assert_eq!(modified(), long_ago);
        assert_eq!(Files::read(Some(&catalog)).unwrap().lock, files.lock);
        assert_eq!(fs::read_dir(tree.path()).unwrap().count(), 2);
    }
}
