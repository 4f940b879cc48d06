//! Package files to folders.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Error;
use crate::process::output;

/// A package, unpacked.
#[derive(Debug)]
pub(super) struct Unpacked {
    /// Name and version, as in `audit-core-0.1.0`.
    pub(super) name: String,
    /// The folder that has its manifest.
    pub(super) folder: PathBuf,
    /// The bytes of the package file.
    pub(super) size: u64,
}

/// Makes `to` hold these packages and no others, a folder each.
///
/// A folder whose files are the same already is left alone, so that cargo does not compile it
/// again.
pub(super) fn unpack(files: &[PathBuf], to: &Path) -> Result<Vec<Unpacked>, Error> {
    let incoming = to.with_extension("incoming");
    for folder in [to, &incoming] {
        fs::create_dir_all(folder).map_err(|source| Error::file("create", folder, source))?;
    }
    let mut unpacked = Vec::new();
    for file in files {
        let size = fs::metadata(file).map_err(|source| Error::file("read", file, source))?;
        // `-m` gives the files the present time: all that cargo packs has one and the same time,
        // by which a change would not be noticed.
        let mut tar = Command::new("tar");
        tar.arg("-xmzf").arg(file).arg("-C").arg(&incoming);
        output(&mut tar)?;
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        let name = name.into_owned();
        let folder = to.join(&name);
        replace_if_different(&incoming.join(&name), &folder)?;
        unpacked.push(Unpacked {
            name,
            folder,
            size: size.len(),
        });
    }
    fs::remove_dir_all(&incoming).map_err(|source| Error::file("remove", &incoming, source))?;
    remove_others(to, &unpacked)?;
    Ok(unpacked)
}

fn replace_if_different(new: &Path, old: &Path) -> Result<(), Error> {
    if old.exists() {
        if files(new)? == files(old)? {
            return Ok(());
        }
        fs::remove_dir_all(old).map_err(|source| Error::file("remove", old, source))?;
    }
    fs::rename(new, old).map_err(|source| Error::file("move the package to", old, source))
}

/// Removes the folders of earlier versions.
fn remove_others(folder: &Path, wanted: &[Unpacked]) -> Result<(), Error> {
    let unreadable = |source| Error::file("read", folder, source);
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if !wanted.iter().any(|package| package.folder == path) {
            fs::remove_dir_all(&path).map_err(|source| Error::file("remove", &path, source))?;
        }
    }
    Ok(())
}

/// Returns the files of a package by their paths in it, without the one that names the commit.
pub(super) fn files(folder: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>, Error> {
    let mut found = BTreeMap::new();
    collect(folder, folder, &mut found)?;
    found.remove(Path::new(".cargo_vcs_info.json"));
    Ok(found)
}

fn collect(top: &Path, folder: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) -> Result<(), Error> {
    let unreadable = |source| Error::file("read", folder, source);
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let path = entry.path();
        if entry.file_type().map_err(unreadable)?.is_dir() {
            collect(top, &path, found)?;
            continue;
        }
        let bytes = fs::read(&path).map_err(|source| Error::file("read", &path, source))?;
        found.insert(path.strip_prefix(top).unwrap_or(&path).to_owned(), bytes);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn a_folder_is_replaced_only_by_other_files() {
        let dir = tempfile::tempdir().unwrap();
        let (new, old) = (dir.path().join("new"), dir.path().join("old"));
        write(&new.join("src/lib.rs"), "1");
        write(&new.join(".cargo_vcs_info.json"), "commit 2");
        write(&old.join("src/lib.rs"), "1");
        write(&old.join(".cargo_vcs_info.json"), "commit 1");
        replace_if_different(&new, &old).unwrap();
        assert!(new.exists(), "the commit alone replaces nothing");

        write(&new.join("src/lib.rs"), "2");
        replace_if_different(&new, &old).unwrap();
        assert!(!new.exists());
        assert_eq!(fs::read(old.join("src/lib.rs")).unwrap(), b"2");
    }
}
