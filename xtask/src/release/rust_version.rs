//! The oldest Rust that compiles the workspace.
//!
//! No older toolchain is run. A dependency that needs a newer Rust names it in its manifest, and
//! clippy's `incompatible_msrv` finds what the standard library got later.

use crate::release::packages::Package;

/// Returns a sentence for each dependency that needs a newer Rust than our crates promise, in
/// alphabetical order.
pub(super) fn check(packages: &[Package]) -> Vec<String> {
    let (ours, others): (Vec<_>, Vec<_>) = packages
        .iter()
        .partition(|package| package.source.is_none());
    let promised = ours
        .iter()
        .filter_map(|package| package.rust_version.as_deref());
    let Some(promised) = promised.map(parts).min() else {
        return vec!["no crate has a `rust-version`; name one in Cargo.toml".to_owned()];
    };
    let mut found = Vec::new();
    for package in others {
        let Some(needed) = &package.rust_version else {
            continue;
        };
        if parts(needed) > promised {
            found.push(format!(
                "`{} {}` needs Rust {needed}; take an older version, or raise `rust-version` in Cargo.toml",
                package.name, package.version
            ));
        }
    }
    found.sort();
    found
}

/// Parses `1.89` or `1.89.0`.
fn parts(version: &str) -> [u32; 3] {
    let mut parts = [0; 3];
    for (part, text) in parts.iter_mut().zip(version.split('.')) {
        *part = text.parse().unwrap_or(u32::MAX);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(needed: &str) -> Vec<String> {
        let package = |name: &str, source: Option<&str>, rust_version: &str| Package {
            name: name.to_owned(),
            version: "2.0.0".to_owned(),
            source: source.map(str::to_owned),
            rust_version: Some(rust_version.to_owned()),
            ..Package::default()
        };
        check(&[
            package("ours", None, "1.89"),
            package("used", Some("registry+https://index"), needed),
        ])
    }

    #[test]
    fn a_dependency_may_need_the_promised_version_at_most() {
        assert_eq!(findings("1.89.0"), [""; 0]);
        assert_eq!(findings("1.9"), [""; 0]);
        assert_eq!(
            findings("1.89.1"),
            [
                "`used 2.0.0` needs Rust 1.89.1; take an older version, or raise `rust-version` in Cargo.toml"
            ]
        );
    }
}
