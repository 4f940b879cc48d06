//! The foreign crates whose types appear in public signatures, which a user has to name in the same
//! version. A test: `cargo xtask test` fails when the table and the sources differ.
//!
//! A new entry is a promise: a new major version of that crate is then one of ours.

mod scan;

/// The table. `std`, our own crates and crates that only bring macros are not in it.
const PUBLIC: &[(&str, &[&str])] = &[
    ("audit-catalog", &["serde_json"]),
    ("audit-derive", &[]),
    (
        "audit-core",
        &["bytes", "http", "serde", "tower_service", "uuid"],
    ),
    (
        "audit-tower",
        &["axum", "http", "tower_layer", "tower_service"],
    ),
    ("audit-actix", &["actix_web", "http"]),
    ("audit-server", &["serde", "serde_json"]),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use cargo_metadata::{DependencyKind, MetadataCommand};

    use super::PUBLIC;
    use super::scan::{Sources, foreign};
    use crate::process::root;

    #[test]
    fn public_signatures_name_the_crates_of_the_table_and_no_others() {
        let metadata = MetadataCommand::new()
            .manifest_path(root().join("Cargo.toml"))
            .no_deps()
            .exec()
            .unwrap();
        let mut found = Vec::new();
        for package in metadata.workspace_packages() {
            let is_published = package.publish.is_none();
            let source = package.manifest_path.with_file_name("src");
            if !is_published || !source.join("lib.rs").exists() {
                continue;
            }
            let dependencies: BTreeSet<String> = package
                .dependencies
                .iter()
                .filter(|dependency| dependency.kind == DependencyKind::Normal)
                .filter(|dependency| dependency.path.is_none())
                .map(|dependency| dependency.name.replace('-', "_"))
                .collect();
            let sources = Sources::read(source.as_std_path());
            let public = foreign(&sources, &dependencies);
            found.push((package.name.to_string(), public));
        }
        let table: Vec<_> = PUBLIC
            .iter()
            .map(|(name, public)| {
                let public = public.iter().map(|name| (*name).to_owned());
                ((*name).to_owned(), public.collect::<BTreeSet<_>>())
            })
            .collect();
        assert_eq!(found, table, "found in the sources, and in the table");
    }
}
