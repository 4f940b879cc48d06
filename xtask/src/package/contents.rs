//! The files that a package has to have.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use crate::error::Error;
use crate::package::unpack::{Unpacked, files};

/// The files that every package has, with the remedy if one is missing.
const REQUIRED: [(&str, &str); 4] = [
    ("Cargo.toml", "package it with cargo"),
    (
        "README.md",
        "write it, and name it in `readme` and `include`",
    ),
    (
        "LICENSE-MIT",
        "link it to that of the repository, and name it in `include`",
    ),
    (
        "LICENSE-APACHE",
        "link it to that of the repository, and name it in `include`",
    ),
];

/// The macros that read a file while a crate compiles.
const READERS: [&str; 2] = ["include_str!(\"", "include_bytes!(\""];

/// The files of a package, counted, and those that it lacks.
#[derive(Debug)]
pub(super) struct Contents {
    pub(super) files: usize,
    /// A sentence for each missing file, with the remedy.
    pub(super) missing: Vec<String>,
}

/// Looks for the files that a package has to have.
pub(super) fn contents(package: &Unpacked) -> Result<Contents, Error> {
    let files = files(&package.folder)?;
    Ok(Contents {
        files: files.len(),
        missing: missing(&package.name, &files),
    })
}

fn missing(name: &str, files: &BTreeMap<PathBuf, Vec<u8>>) -> Vec<String> {
    let mut found = Vec::new();
    for (file, remedy) in REQUIRED {
        if files.get(Path::new(file)).is_none_or(Vec::is_empty) {
            found.push(format!("`{name}` has no {file}; {remedy}"));
        }
    }
    for (path, text) in files {
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        for included in included(&String::from_utf8_lossy(text)) {
            if within(&folder.join(&included)).is_none_or(|file| !files.contains_key(&file)) {
                found.push(format!(
                    "`{name}` has no `{included}`, which {} includes; move it into the crate and name it in `include`, or read it when the test runs",
                    path.display()
                ));
            }
        }
    }
    found
}

/// Returns the paths that a source includes by a literal. A comment counts as code.
fn included(source: &str) -> Vec<String> {
    let after = READERS
        .iter()
        .flat_map(|reader| source.split(reader).skip(1));
    after
        .filter_map(|rest| rest.split_once('"'))
        .map(|(path, _)| path.to_owned())
        .collect()
}

/// Resolves `..` in a path of a package; `None` if it leads out of the package.
fn within(path: &Path) -> Option<PathBuf> {
    let mut resolved = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir if !resolved.pop() => return None,
            Component::ParentDir | Component::CurDir => {}
            Component::Normal(name) => resolved.push(name),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(resolved)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(files: &[(&str, &str)]) -> BTreeMap<PathBuf, Vec<u8>> {
        let required = REQUIRED.iter().map(|(file, _)| (*file, "text"));
        required
            .chain(files.iter().copied())
            .map(|(path, text)| (path.into(), text.into()))
            .collect()
    }

    #[test]
    fn complete_package_passes() {
        let source = "const A: &str = include_str!(\"../data/a.txt\");";
        let files = package(&[("src/lib.rs", source), ("data/a.txt", "")]);
        assert_eq!(missing("a-1.0.0", &files), [] as [&str; 0]);
    }

    #[test]
    fn missing_licence_is_reported_with_the_remedy() {
        let mut files = package(&[]);
        files.remove(Path::new("LICENSE-MIT"));
        assert_eq!(
            missing("a-1.0.0", &files),
            [
                "`a-1.0.0` has no LICENSE-MIT; link it to that of the repository, and name it in `include`"
            ]
        );
    }

    #[test]
    fn included_file_of_another_crate_is_reported() {
        let outside = "const A: &[u8] = include_bytes!(\"../../b/a.txt\");";
        let absent = "const A: &str = include_str!(\"a.txt\");";
        let files = package(&[("src/lib.rs", outside), ("src/other.rs", absent)]);
        let found = missing("a-1.0.0", &files);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("`../../b/a.txt`, which src/lib.rs includes"));
        assert!(found[1].contains("`a.txt`, which src/other.rs includes"));
    }
}
