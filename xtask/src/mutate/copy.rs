//! The copy of the sources that mistakes are planted in; the checkout is never written to.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Error;
use crate::process::output;

/// The copy and its build, both in the repository's `target`.
#[derive(Debug)]
pub(super) struct Copy {
    root: PathBuf,
    sources: PathBuf,
    target: PathBuf,
}

impl Copy {
    /// Returns the copy of the repository at `root`, which [`Copy::refresh`] creates.
    pub(super) fn of(root: &Path) -> Self {
        let dir = root.join("target").join("mutate");
        Self {
            root: root.to_owned(),
            sources: dir.join("src"),
            target: dir.join("target"),
        }
    }

    pub(super) fn sources(&self) -> &Path {
        &self.sources
    }

    pub(super) fn target(&self) -> &Path {
        &self.target
    }

    /// Makes the copy equal to the checkout, with uncommitted changes and without ignored files.
    pub(super) fn refresh(&self) -> Result<(), Error> {
        let mut git = Command::new("git");
        git.args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ]);
        let listed = output(git.current_dir(&self.root))?;
        let files: BTreeSet<PathBuf> = String::from_utf8_lossy(&listed)
            .split_terminator('\0')
            .map(PathBuf::from)
            // Listed and not there: deleted, but not yet committed.
            .filter(|file| self.root.join(file).is_file())
            .collect();
        mirror(&self.root, &self.sources, &files)
    }

    /// Changes one file of the copy, until the next [`Copy::refresh`].
    pub(super) fn edit(
        &self,
        file: &str,
        change: impl FnOnce(&str) -> Result<String, String>,
    ) -> Result<(), Error> {
        let path = self.sources.join(file);
        let text =
            fs::read_to_string(&path).map_err(|source| Error::file("read", &path, source))?;
        let text = change(&text).map_err(Error::Finding)?;
        fs::write(&path, text).map_err(|source| Error::file("write", &path, source))
    }
}

/// Makes `to` hold these files of `from` and no others.
///
/// An equal file is not written again, so that cargo does not build it again.
fn mirror(from: &Path, to: &Path, files: &BTreeSet<PathBuf>) -> Result<(), Error> {
    fs::create_dir_all(to).map_err(|source| Error::file("create", to, source))?;
    remove_others(to, to, files)?;
    for file in files {
        let (from, to) = (from.join(file), to.join(file));
        let wanted = fs::read(&from).map_err(|source| Error::file("read", &from, source))?;
        if fs::read(&to).is_ok_and(|have| have == wanted) {
            continue;
        }
        if let Some(dir) = to.parent() {
            fs::create_dir_all(dir).map_err(|source| Error::file("create", dir, source))?;
        }
        fs::write(&to, wanted).map_err(|source| Error::file("write", &to, source))?;
    }
    Ok(())
}

fn remove_others(top: &Path, dir: &Path, files: &BTreeSet<PathBuf>) -> Result<(), Error> {
    let unreadable = |source| Error::file("read", dir, source);
    for entry in fs::read_dir(dir).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let path = entry.path();
        if entry.file_type().map_err(unreadable)?.is_dir() {
            remove_others(top, &path, files)?;
        } else if !path
            .strip_prefix(top)
            .is_ok_and(|file| files.contains(file))
        {
            fs::remove_file(&path).map_err(|source| Error::file("remove", &path, source))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copy_follows_its_origin_and_rewrites_only_changed_files() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        fs::create_dir_all(from.join("a")).unwrap();
        fs::write(from.join("a/same"), "1").unwrap();
        fs::write(from.join("changed"), "1").unwrap();
        fs::write(from.join("gone"), "1").unwrap();
        let files = |names: &[&str]| names.iter().map(PathBuf::from).collect();
        mirror(&from, &to, &files(&["a/same", "changed", "gone"])).unwrap();
        let written = |name: &str| fs::metadata(to.join(name)).unwrap().modified().unwrap();
        let before = written("a/same");

        fs::write(to.join("changed"), "mutated").unwrap();
        mirror(&from, &to, &files(&["a/same", "changed"])).unwrap();
        assert_eq!(fs::read(to.join("changed")).unwrap(), b"1");
        assert_eq!(written("a/same"), before);
        assert!(!to.join("gone").exists());
    }

    #[test]
    fn edit_changes_the_copy_and_not_the_origin() {
        let dir = tempfile::tempdir().unwrap();
        let copy = Copy::of(dir.path());
        fs::write(dir.path().join("a"), "1").unwrap();
        mirror(dir.path(), copy.sources(), &BTreeSet::from(["a".into()])).unwrap();
        copy.edit("a", |text| Ok(format!("{text}2"))).unwrap();
        assert_eq!(fs::read(copy.sources().join("a")).unwrap(), b"12");
        assert_eq!(fs::read(dir.path().join("a")).unwrap(), b"1");
        let error = copy
            .edit("a", |_| Err("fits nowhere".to_owned()))
            .unwrap_err();
        assert_eq!(error.to_string(), "fits nowhere");
    }
}
