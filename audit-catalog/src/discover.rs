//! Finds the files of a catalog.

use std::fs;
use std::path::{Path, PathBuf};

/// The default file name of a catalog.
pub const CATALOG_FILE: &str = "audit.toml";

/// Returns the paths at which a crate's catalog is looked up by default, first choice first.
///
/// The first is in `crate_folder`, the folder of the crate's `Cargo.toml`; then one in each folder
/// above, up to the root of its workspace. A crate outside any workspace is its own root, because
/// the folders above it belong to other projects. Only the `Cargo.toml` files on the way are read.
#[must_use]
pub fn catalog_places(crate_folder: &Path) -> Vec<PathBuf> {
    let is_root = |folder: &&Path| {
        fs::read_to_string(folder.join("Cargo.toml"))
            .is_ok_and(|manifest| declares_workspace(&manifest))
    };
    let root = crate_folder
        .ancestors()
        .find(is_root)
        .unwrap_or(crate_folder);
    let up_to_root = crate_folder
        .ancestors()
        .take_while(|folder| folder.starts_with(root));
    up_to_root.map(|folder| folder.join(CATALOG_FILE)).collect()
}

/// Returns the path of a catalog's lock: `audit.lock` beside `audit.toml`.
#[must_use]
pub fn lock_path(catalog: &Path) -> PathBuf {
    catalog.with_extension("lock")
}

fn declares_workspace(manifest: &str) -> bool {
    manifest.lines().any(|line| {
        let header = line.trim_start().strip_prefix('[').map(str::trim_start);
        let rest = header
            .and_then(|header| header.strip_prefix("workspace"))
            .map(str::trim_start);
        rest.is_some_and(|rest| rest.starts_with([']', '.']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_workspace_table_makes_a_root() {
        for root in [
            "[workspace]",
            " [ workspace.package ]",
            "a = 1\n[workspace]\n",
        ] {
            assert!(declares_workspace(root), "{root}");
        }
        for other in [
            "",
            "[package]\nname = \"workspace\"",
            "[workspaces]",
            "# [workspace]",
        ] {
            assert!(!declares_workspace(other), "{other}");
        }
    }

    #[test]
    fn the_lock_is_beside_its_catalog() {
        assert_eq!(
            lock_path(Path::new("a/audit.toml")),
            Path::new("a/audit.lock")
        );
        assert_eq!(lock_path(Path::new("a/web.toml")), Path::new("a/web.lock"));
    }
}
