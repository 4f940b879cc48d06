//! Promise: a change of the catalog, or of `AUDIT_CATALOG`, recompiles its dependents and no other
//! crate.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A workspace of three crates: one with an audited function, one that depends on it, and an
/// independent one.
struct Workspace {
    folder: PathBuf,
}

const CATALOG: &str = "[action.\"document.delete\"]\ntargets = [\"document\"]\n";

impl Workspace {
    fn new() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rebuild");
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        let crates = [
            (
                "rebuild-audited",
                "audit-tower = { workspace = true }",
                "/// Deletes.\n#[audit_tower::audited(action = \"document.delete\", target = \"id\")]\npub fn delete(id: u64) -> u64 { id }\n",
            ),
            (
                "rebuild-above",
                "rebuild-audited = { path = \"../rebuild-audited\" }",
                "/// Deletes 7.\npub fn delete() -> u64 { rebuild_audited::delete(7) }\n",
            ),
            (
                "rebuild-apart",
                "audit-tower = { workspace = true }",
                "/// Has no audited function.\npub fn nothing(_: &audit_tower::Event) {}\n",
            ),
        ];
        for (name, dependency, source) in crates {
            let folder = folder.join(name);
            fs::create_dir_all(folder.join("src")).unwrap();
            fs::write(folder.join("src/lib.rs"), source).unwrap();
            let package =
                format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
            fs::write(
                folder.join("Cargo.toml"),
                format!("{package}[dependencies]\n{dependency}\n"),
            )
            .unwrap();
        }
        // The versions and the profile of this workspace, so that its compiled artifacts are
        // reused.
        let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
        let (head, members) = manifest.split_once("members = [").unwrap();
        let (_, rest) = members.split_once(']').unwrap();
        let manifest = format!("{head}members = [\"rebuild-*\"]{rest}");
        let libraries = format!("path = \"{}/audit-", root.display());
        let manifest = manifest.replace("path = \"audit-", &libraries);
        fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
        let workspace = Self { folder };
        workspace.write("audit.toml", CATALOG);
        workspace
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.join(name), text).unwrap();
    }

    /// Runs `cargo check` and returns the crates that were compiled, ours included.
    fn compiled(&self, catalog: Option<&str>) -> Vec<String> {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args([
            "check",
            "--offline",
            "--workspace",
            "--message-format",
            "json",
        ]);
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        cargo
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", target)
            .env_remove("AUDIT_CATALOG");
        if let Some(catalog) = catalog {
            cargo.env("AUDIT_CATALOG", self.folder.join(catalog));
        }
        let output = cargo.output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{message}");
        let mut fresh = BTreeMap::new();
        for line in String::from_utf8(output.stdout).unwrap().lines() {
            let message: Value = serde_json::from_str(line).unwrap();
            if message["reason"] == "compiler-artifact" {
                let name = message["target"]["name"].as_str().unwrap();
                let is_fresh = message["fresh"].as_bool().unwrap();
                fresh.insert(name.to_owned(), is_fresh);
            }
        }
        for name in [
            "audit_core",
            "audit_tower",
            "rebuild_above",
            "rebuild_apart",
            "rebuild_audited",
        ] {
            assert!(
                fresh.contains_key(name),
                "cargo does not list {name}: {fresh:?}"
            );
        }
        let compiled = fresh.into_iter().filter(|(_, is_fresh)| !is_fresh);
        compiled.map(|(name, _)| name).collect()
    }
}

const NOTHING: [&str; 0] = [];
const DEPENDENT: [&str; 2] = ["rebuild_above", "rebuild_audited"];

#[test]
fn catalog_change_recompiles_only_its_dependents() {
    let workspace = Workspace::new();
    let first = workspace.compiled(None);
    assert!(
        first.iter().any(|name| name == "rebuild_audited"),
        "{first:?}"
    );
    assert_eq!(workspace.compiled(None), NOTHING);

    workspace.write(
        "audit.toml",
        &format!("{CATALOG}\n[action.\"document.read\"]\ntargets = [\"document\"]\n"),
    );
    assert_eq!(workspace.compiled(None), DEPENDENT);
    assert_eq!(workspace.compiled(None), NOTHING);

    workspace.write("other.toml", CATALOG);
    assert_eq!(workspace.compiled(Some("other.toml")), DEPENDENT);
    assert_eq!(workspace.compiled(Some("other.toml")), NOTHING);
    workspace.write("other.toml", &format!("{CATALOG}# another text\n"));
    assert_eq!(workspace.compiled(Some("other.toml")), DEPENDENT);

    // The unselected catalog is no dependency.
    workspace.write("audit.toml", CATALOG);
    assert_eq!(workspace.compiled(Some("other.toml")), NOTHING);
    assert_eq!(workspace.compiled(None), DEPENDENT);
}
