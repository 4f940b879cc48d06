//! Finds and reads `audit.toml` at compile time, and caches the parsed catalog.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use audit_catalog::{Catalog, catalog_places};

/// The variable that names the catalog; a relative path starts at the folder of the crate's
/// `Cargo.toml`.
const VARIABLE: &str = "AUDIT_CATALOG";

/// A valid catalog and its path.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) catalog: Arc<Catalog>,
    /// Absolute, for `include_bytes!`.
    pub(crate) path: String,
}

impl Found {
    /// Returns the line of a message that names the catalog.
    pub(crate) fn note(&self) -> String {
        format!("\nnote: the catalog is {}", self.shown())
    }

    /// Returns the path for messages, relative to the compiler's folder like its own paths.
    pub(crate) fn shown(&self) -> String {
        shown(Path::new(&self.path))
    }
}

/// The error of loading a catalog.
#[derive(Debug, PartialEq)]
pub(crate) enum Problem {
    /// No file at any of these paths.
    Missing(Vec<PathBuf>),
    /// No file at the path that an attribute or the variable names.
    NamedMissing(PathBuf, Namer),
    /// A file that cannot be used, with the message.
    Unusable(String),
}

/// The source of a catalog's path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Namer {
    Attribute,
    Variable,
}

/// Finds and reads the catalog of the crate that is being compiled.
///
/// `attribute` is the path that an attribute names; like that of the variable, a relative one
/// starts at the folder of the crate's `Cargo.toml`.
pub(crate) fn load(attribute: Option<&str>) -> Result<Found, Problem> {
    let Some(crate_folder) = std::env::var_os("CARGO_MANIFEST_DIR") else {
        return Err(Problem::Unusable(
            "CARGO_MANIFEST_DIR is not set, so audit.toml cannot be found; compile with cargo, or set it".to_owned(),
        ));
    };
    let crate_folder = Path::new(&crate_folder);
    if let Some(named) = attribute {
        return read_named(crate_folder.join(named), Namer::Attribute);
    }
    let named = std::env::var_os(VARIABLE).filter(|value| !value.is_empty());
    find(named.as_deref(), crate_folder)
}

fn find(named: Option<&OsStr>, crate_folder: &Path) -> Result<Found, Problem> {
    if let Some(named) = named {
        return read_named(crate_folder.join(named), Namer::Variable);
    }
    let places = catalog_places(crate_folder);
    let Some(path) = places.iter().find(|path| path.is_file()) else {
        return Err(Problem::Missing(places));
    };
    read(path)
}

fn read_named(path: PathBuf, namer: Namer) -> Result<Found, Problem> {
    if path.is_file() {
        read(&path)
    } else {
        Err(Problem::NamedMissing(path, namer))
    }
}

/// Reads a catalog, and parses it unless the same text was parsed before.
///
/// The text is read and compared each time, because the process of an editor lives on while the
/// file changes.
fn read(path: &Path) -> Result<Found, Problem> {
    type Parsed = Result<Arc<Catalog>, String>;
    static CACHE: Mutex<Option<HashMap<PathBuf, (String, Parsed)>>> = Mutex::new(None);

    let unusable = |message: String| Problem::Unusable(message);
    let Some(utf8) = path.to_str() else {
        return Err(unusable(format!(
            "the path {} is not UTF-8, so the compiler cannot watch it",
            path.display()
        )));
    };
    let text = fs::read_to_string(path)
        .map_err(|error| unusable(format!("read {}: {error}", shown(path))))?;
    let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    let cache = cache.get_or_insert_default();
    let parsed = match cache.get(path) {
        Some((known, parsed)) if *known == text => parsed.clone(),
        _ => {
            let parsed = Catalog::parse(&text, shown(path))
                .map(Arc::new)
                .map_err(|error| format!("the audit catalog has mistakes:\n{error}"));
            cache.insert(path.to_owned(), (text, parsed.clone()));
            parsed
        }
    };
    let catalog = parsed.map_err(unusable)?;
    Ok(Found {
        catalog,
        path: utf8.to_owned(),
    })
}

/// Formats a path, relative to the current folder if it is inside.
pub(crate) fn shown(path: &Path) -> String {
    let current = std::env::current_dir();
    let relative = current
        .as_ref()
        .ok()
        .and_then(|current| path.strip_prefix(current).ok());
    relative.unwrap_or(path).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "";
    const VALID: &str = "[action.a]\ntargets = [\"t\"]";

    /// Creates files below a new temporary folder.
    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    fn found(
        tree: &tempfile::TempDir,
        named: Option<&str>,
        folder: &str,
    ) -> Result<String, Problem> {
        let found = find(named.map(OsStr::new), &tree.path().join(folder))?;
        Ok(Path::new(&found.path)
            .strip_prefix(tree.path())
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned())
    }

    #[test]
    fn the_nearest_catalog_up_to_the_workspace_root_is_found() {
        let files = [
            ("audit.toml", "not even TOML"),
            ("root/Cargo.toml", "[package]\n[workspace]"),
            ("root/audit.toml", VALID),
            ("root/crates/a/Cargo.toml", EMPTY),
            ("root/crates/a/audit.toml", VALID),
            ("root/crates/b/Cargo.toml", EMPTY),
        ];
        let tree = tree(&files);
        assert_eq!(
            found(&tree, None, "root/crates/a").unwrap(),
            "root/crates/a/audit.toml"
        );
        assert_eq!(
            found(&tree, None, "root/crates/b").unwrap(),
            "root/audit.toml"
        );
        assert_eq!(found(&tree, None, "root").unwrap(), "root/audit.toml");
    }

    #[test]
    fn nothing_above_the_root_is_read() {
        let files = [
            ("audit.toml", VALID),
            ("root/Cargo.toml", "[ workspace.package ]"),
            ("root/a/Cargo.toml", EMPTY),
            ("alone/Cargo.toml", "[package]\nname = \"workspace\""),
        ];
        let tree = tree(&files);
        let at = |path: &str| tree.path().join(path);
        assert_eq!(
            found(&tree, None, "root/a"),
            Err(Problem::Missing(vec![
                at("root/a/audit.toml"),
                at("root/audit.toml")
            ]))
        );
        assert_eq!(
            found(&tree, None, "alone"),
            Err(Problem::Missing(vec![at("alone/audit.toml")]))
        );
    }

    #[test]
    fn a_named_catalog_is_the_only_choice() {
        let tree = tree(&[
            ("a/Cargo.toml", EMPTY),
            ("a/audit.toml", VALID),
            ("shared/x.toml", VALID),
        ]);
        assert!(find(Some(OsStr::new("../shared/x.toml")), &tree.path().join("a")).is_ok());
        assert_eq!(
            found(&tree, Some("y.toml"), "a"),
            Err(Problem::NamedMissing(
                tree.path().join("a/y.toml"),
                Namer::Variable
            ))
        );
    }

    #[test]
    fn a_changed_file_is_read_again() {
        let tree = tree(&[("Cargo.toml", EMPTY), ("audit.toml", VALID)]);
        let before = find(None, tree.path()).unwrap();
        let again = find(None, tree.path()).unwrap();
        assert!(
            Arc::ptr_eq(&before.catalog, &again.catalog),
            "the same text is parsed once"
        );
        fs::write(
            tree.path().join("audit.toml"),
            "[action.b]\ntargets = [\"t\"]",
        )
        .unwrap();
        let after = find(None, tree.path()).unwrap();
        assert!(after.catalog.action("b").is_some());
        fs::write(
            tree.path().join("audit.toml"),
            "[action.b]\ntarget = [\"t\"]",
        )
        .unwrap();
        let Err(Problem::Unusable(message)) = find(None, tree.path()) else {
            unreachable!()
        };
        assert!(
            message.contains("audit.toml:2:1: unknown key `target`; did you mean `targets`?"),
            "{message}"
        );
    }
}
