//! Finds the sources of the repository and the package that each belongs to.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// The Rust files below `root`, by the folder of their package; both as paths from `root`.
pub(crate) type Packages = BTreeMap<String, Vec<String>>;

/// Collects all Rust files but those that are built (`target`) or hidden.
pub(crate) fn packages(root: &Path) -> Result<Packages, Error> {
    let mut packages = Packages::new();
    collect(root, root, None, &mut packages)?;
    for files in packages.values_mut() {
        files.sort();
    }
    Ok(packages)
}

fn collect(
    root: &Path,
    folder: &Path,
    package: Option<&str>,
    packages: &mut Packages,
) -> Result<(), Error> {
    // The manifest of the root is that of the workspace and has no package.
    let own =
        (folder != root && folder.join("Cargo.toml").is_file()).then(|| name_of(root, folder));
    let package = own.as_deref().or(package);
    let unreadable = |source| Error::file("read", folder, source);
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let path: PathBuf = entry.path();
        if entry.file_type().map_err(unreadable)?.is_dir() {
            let name = entry.file_name();
            let is_source = name != "target" && !name.to_string_lossy().starts_with('.');
            if is_source {
                collect(root, &path, package, packages)?;
            }
        } else if let Some(package) = package
            && path.extension().is_some_and(|extension| extension == "rs")
        {
            let files = packages.entry(package.to_owned()).or_default();
            files.push(name_of(root, &path));
        }
    }
    Ok(())
}

/// Returns the path from `root`, with `/` on every platform.
fn name_of(root: &Path, path: &Path) -> String {
    let path = path.strip_prefix(root).unwrap_or(path);
    let parts = path.iter().map(|part| part.to_string_lossy());
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_belong_to_the_nearest_package() {
        let dir = tempfile::tempdir().unwrap();
        let write = |path: &str| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        };
        for path in [
            "Cargo.toml",
            "outside.rs",
            "tests/Cargo.toml",
            "tests/src/lib.rs",
            "tests/crates/kit/Cargo.toml",
            "tests/crates/kit/src/lib.rs",
            "tests/target/debug/built.rs",
            "tests/.hidden/a.rs",
            "tests/a.txt",
        ] {
            write(path);
        }
        let found = packages(dir.path()).unwrap();
        let expected = [
            ("tests".to_owned(), vec!["tests/src/lib.rs".to_owned()]),
            (
                "tests/crates/kit".to_owned(),
                vec!["tests/crates/kit/src/lib.rs".to_owned()],
            ),
        ];
        assert_eq!(found, expected.into());
    }
}
