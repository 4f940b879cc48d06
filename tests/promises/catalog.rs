//! Promise: a misspelt action does not compile, and one line in `audit.toml` declares it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A copy of the examples with one misspelt action.
struct Project {
    folder: PathBuf,
}

impl Project {
    fn with_typo() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("misspelt");
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        copy(&root.join("examples"), &folder.join("examples"));
        // The copy is its own workspace: the examples, with the crates of this workspace.
        let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
        let (head, members) = manifest.split_once("members = [").unwrap();
        let (_, rest) = members.split_once(']').unwrap();
        let manifest = format!("{head}members = [\"examples\"{}", &format!("]{rest}")[..]);
        let manifest = manifest.replace(
            "path = \"audit-",
            &format!("path = \"{}/audit-", root.display()),
        );
        fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
        let project = Self { folder };
        let source = project.source();
        let text = fs::read_to_string(&source).unwrap();
        assert!(text.contains("\"document.delete\""));
        fs::write(
            &source,
            text.replace("\"document.delete\"", "\"document.delet\""),
        )
        .unwrap();
        project
    }

    fn source(&self) -> PathBuf {
        self.folder.join("examples/src/service/axum/documents.rs")
    }

    fn check(&self) -> Output {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args([
            "check",
            "--offline",
            "--package",
            "examples",
            "--lib",
            "--color",
            "never",
        ]);
        // Reuses the artifacts of this workspace.
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        cargo
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", target);
        cargo.env_remove("AUDIT_CATALOG").output().unwrap()
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn misspelt_action_fails_on_its_literal_until_the_catalog_declares_it() {
    let project = Project::with_typo();
    let text = fs::read_to_string(project.source()).unwrap();
    let line = text
        .lines()
        .position(|line| line.contains("\"document.delet\""))
        .unwrap();
    let column = text
        .lines()
        .nth(line)
        .unwrap()
        .find("\"document.delet\"")
        .unwrap();

    let refused = project.check();
    let message = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success(), "{message}");
    assert!(
        message
            .contains("error: unknown action `document.delet`; the catalog has `document.delete`"),
        "{message}"
    );
    let place = format!("src/service/axum/documents.rs:{}:{}", line + 1, column + 1);
    assert!(
        message.contains(&place),
        "the error does not point at the literal, {place}: {message}"
    );

    let catalog = project.folder.join("examples/audit.toml");
    let mut declared = fs::read_to_string(&catalog).unwrap();
    declared += "\n[action.\"document.delet\"]\ntargets = [\"document\"]\n";
    fs::write(catalog, declared).unwrap();
    let declared = project.check();
    assert!(
        declared.status.success(),
        "{}",
        String::from_utf8_lossy(&declared.stderr)
    );
}
