//! The crates of the workspace that are published, as their manifests declare them.

use std::path::PathBuf;

use serde_json::Value;

use crate::error::Error;
use crate::process::{cargo, output};

/// A crate that goes to a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Published {
    pub(crate) name: String,
    pub(crate) version: String,
    /// The folder of its manifest.
    pub(crate) folder: PathBuf,
    /// The names of its features, without `default`.
    pub(crate) features: Vec<String>,
    /// Set if its manifest has a feature `default`.
    pub(crate) has_default: bool,
}

impl Published {
    /// Returns the name of the unpacked folder, and of the package file without its ending.
    pub(crate) fn stem(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }
}

/// Returns the crates that are published, in the order of the workspace's members.
pub(crate) fn published() -> Result<Vec<Published>, Error> {
    let mut metadata = cargo();
    metadata.args(["metadata", "--no-deps", "--format-version", "1"]);
    let found = from_metadata(&parse(&output(&mut metadata)?)?);
    if found.is_empty() {
        return Err(Error::Finding(
            "no crate of the workspace is published; remove `publish = false` from one".to_owned(),
        ));
    }
    Ok(found)
}

/// Parses what `cargo metadata` prints.
pub(crate) fn parse(text: &[u8]) -> Result<Value, Error> {
    serde_json::from_slice(text)
        .map_err(|error| Error::Finding(format!("read the output of `cargo metadata`: {error}")))
}

fn from_metadata(metadata: &Value) -> Vec<Published> {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    // `null` is any registry, a list the registries that are allowed.
    let is_published = |package: &&Value| package["publish"].is_null();
    packages.filter(is_published).filter_map(crate_of).collect()
}

fn crate_of(package: &Value) -> Option<Published> {
    let text = |key: &str| package[key].as_str().map(str::to_owned);
    let features = package["features"].as_object()?;
    let manifest = PathBuf::from(text("manifest_path")?);
    Some(Published {
        name: text("name")?,
        version: text("version")?,
        folder: manifest.parent()?.to_owned(),
        features: features
            .keys()
            .filter(|name| *name != "default")
            .cloned()
            .collect(),
        has_default: features.contains_key("default"),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_crate_without_publish_false_is_published() {
        let package = |name: &str, publish: Value| {
            json!({
                "name": name,
                "version": "1.2.3",
                "manifest_path": format!("/repository/{name}/Cargo.toml"),
                "publish": publish,
                "features": { "default": ["a"], "a": [] },
            })
        };
        let metadata = json!({
            "packages": [package("library", Value::Null), package("chores", json!([]))],
        });
        let found = from_metadata(&metadata);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].stem(), "library-1.2.3");
        assert_eq!(found[0].folder, PathBuf::from("/repository/library"));
        assert_eq!(found[0].features, ["a"]);
        assert!(found[0].has_default);
    }
}
