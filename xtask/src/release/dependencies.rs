//! Licences, sources and bans by the lists of `deny.toml`, for a machine without cargo-deny.
//!
//! cargo-deny checks more: the texts of the licences, wildcards, and each platform by itself.

use crate::release::licence;
use crate::release::packages::Package;

/// The lists of `deny.toml`.
#[derive(Debug, Default)]
pub(super) struct Lists {
    licences: Vec<String>,
    banned: Vec<String>,
    registries: Vec<String>,
}

impl Lists {
    /// Reads the lists, which are arrays of strings without a `]` in one.
    pub(super) fn parse(text: &str) -> Self {
        Self {
            licences: list(text, "allow"),
            banned: list(text, "deny"),
            registries: list(text, "allow-registry"),
        }
    }
}

fn list(text: &str, key: &str) -> Vec<String> {
    let Some((_, rest)) = text.split_once(&format!("\n{key} = [")) else {
        return Vec::new();
    };
    let items = rest.split(']').next().unwrap_or_default();
    items
        .split('"')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// Returns a sentence for each package that the lists do not allow, in alphabetical order.
pub(super) fn check(packages: &[Package], lists: &Lists) -> Vec<String> {
    let mut found = Vec::new();
    for package in packages {
        let name = format!("`{} {}`", package.name, package.version);
        let licence = package.licence.as_deref().unwrap_or("none");
        if !licence::is_met(licence, &lists.licences) {
            found.push(format!(
                "{name} has the licence `{licence}`; replace it, or allow the licence in deny.toml"
            ));
        }
        if lists.banned.contains(&package.name) {
            found.push(format!(
                "{name} is banned by deny.toml; find it with `cargo tree --invert {}`",
                package.name
            ));
        }
        if let Some(source) = &package.source {
            let is_allowed = |registry: &String| source.strip_prefix("registry+") == Some(registry);
            if !lists.registries.iter().any(is_allowed) {
                found.push(format!(
                    "{name} is from `{source}`; take it from crates.io, or allow its source in deny.toml"
                ));
            }
        }
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTS: &str = "[licenses]\nallow = [\n  \"MIT\",\n  \"ISC\",\n]\n[bans]\ndeny = [\"openssl\"]\n[sources]\nallow-registry = [\"https://index\"]\n";

    fn package(name: &str, licence: &str, source: &str) -> [Package; 1] {
        [Package {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            licence: Some(licence.to_owned()),
            source: Some(source.to_owned()),
            ..Package::default()
        }]
    }

    #[test]
    fn the_lists_of_the_repository_are_read() {
        let text = std::fs::read_to_string(crate::process::root().join("deny.toml")).unwrap();
        let lists = Lists::parse(&text);
        assert!(lists.licences.iter().any(|licence| licence == "MIT"));
        assert!(lists.banned.iter().any(|name| name == "openssl-sys"));
        assert_eq!(lists.registries.len(), 1);
    }

    #[test]
    fn each_violation_is_a_sentence_with_the_remedy() {
        let lists = Lists::parse(LISTS);
        let check = |name, licence, source| check(&package(name, licence, source), &lists);
        assert_eq!(
            check("a", "MIT OR GPL-3.0", "registry+https://index"),
            [""; 0]
        );
        assert_eq!(
            check("openssl", "GPL-3.0", "git+https://index"),
            [
                "`openssl 1.0.0` has the licence `GPL-3.0`; replace it, or allow the licence in deny.toml",
                "`openssl 1.0.0` is banned by deny.toml; find it with `cargo tree --invert openssl`",
                "`openssl 1.0.0` is from `git+https://index`; take it from crates.io, or allow its source in deny.toml",
            ]
        );
    }
}
