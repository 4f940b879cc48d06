//! The packages of the workspace and of its dependencies, as cargo resolved them.

use serde_json::Value;

/// A package that `Cargo.lock` names.
#[derive(Debug, Default)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    /// The SPDX expression, if its manifest has one.
    pub(super) licence: Option<String>,
    /// Its registry or repository; `None` for a package of ours.
    pub(super) source: Option<String>,
    /// The oldest Rust that compiles it, if its manifest has one.
    pub(super) rust_version: Option<String>,
}

/// Returns the packages in what `cargo metadata` prints.
pub(super) fn packages(metadata: &Value) -> Vec<Package> {
    let package = |package: &Value| {
        let text = |key: &str| package[key].as_str().map(str::to_owned);
        Package {
            name: text("name").unwrap_or_default(),
            version: text("version").unwrap_or_default(),
            licence: text("license"),
            source: text("source"),
            rust_version: text("rust_version"),
        }
    };
    let packages = metadata["packages"].as_array().into_iter().flatten();
    packages.map(package).collect()
}
