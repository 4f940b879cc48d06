//! The service that has the packages alone.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Error;
use crate::package::server::Server;
use crate::package::unpack::{Unpacked, files};
use crate::process::{cargo, root, run};

/// The environment of `audit.lock` for the local server.
const ENVIRONMENT: &str = "local";

/// The consumer's folder outside of the repository, and where cargo builds it.
#[derive(Debug)]
pub(super) struct Consumer {
    folder: PathBuf,
    target: PathBuf,
}

impl Consumer {
    pub(super) fn new(folder: PathBuf, target: PathBuf) -> Self {
        Self { folder, target }
    }

    /// Returns the folder of the unpacked packages.
    pub(super) fn crates(&self) -> PathBuf {
        self.folder.join("crates")
    }

    /// Copies the template, the versions of the repository's `Cargo.lock`, and the way to the
    /// packages.
    pub(super) fn copy_template(
        &self,
        template: &Path,
        packages: &[Unpacked],
    ) -> Result<(), Error> {
        for (path, bytes) in files(template)? {
            if path == Path::new("Cargo.toml") {
                let manifest = String::from_utf8_lossy(&bytes).into_owned() + &patches(packages);
                self.write(&path, manifest.as_bytes())?;
            } else {
                self.write(&path, &bytes)?;
            }
        }
        // The versions that the repository is tested with; cargo leaves out the unused ones.
        let lock = root().join("Cargo.lock");
        let lock = fs::read(&lock).map_err(|source| Error::file("read", &lock, source))?;
        self.write(Path::new("Cargo.lock"), &lock)
    }

    /// Writes a file unless it is the same already, so that cargo does not compile it again.
    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        let path = self.folder.join(path);
        if fs::read(&path).is_ok_and(|have| have == bytes) {
            return Ok(());
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|source| Error::file("create", folder, source))?;
        }
        fs::write(&path, bytes).map_err(|source| Error::file("write", &path, source))
    }

    /// Runs the consumer's tests, then compiles every package.
    pub(super) fn test_and_build(&self) -> Result<(), Error> {
        run(&mut self.cargo("test"))?;
        run(self.cargo("build").arg("--workspace"))
    }

    /// Runs the packaged command against the consumer's lock and a server of its own, then delivers
    /// an event to that server.
    pub(super) fn check_schemas_and_delivery(&self) -> Result<(), Error> {
        run(self
            .audited()
            .args(["schema", "check", "--offline", "--environment", ENVIRONMENT]))?;
        let mut server = Server::start(self.audited())?;
        let schema = |command: &str| {
            let mut audited = self.audited();
            audited.args(["schema", command, "--environment", ENVIRONMENT]);
            server.name_to(&mut audited);
            audited
        };
        run(schema("push").arg("--yes"))?;
        run(&mut schema("check"))?;
        let mut delivery = self.cargo("test");
        delivery.args(["--test", "delivery", "--", "--ignored"]);
        server.name_to(&mut delivery);
        run(&mut delivery)?;
        server.expect_event("note.delete")
    }

    fn cargo(&self, command: &str) -> Command {
        let mut cargo = cargo();
        cargo.current_dir(&self.folder).arg(command);
        cargo.env("CARGO_TARGET_DIR", &self.target);
        cargo.env_remove("AUDIT_CATALOG");
        cargo
    }

    /// The command that was built from its package, in the consumer's folder.
    fn audited(&self) -> Command {
        let name = format!("audited{}", std::env::consts::EXE_SUFFIX);
        let mut audited = Command::new(self.target.join("debug").join(name));
        audited.current_dir(&self.folder);
        audited.env_remove("AUDIT_CATALOG");
        audited
    }
}

/// Returns the part of a manifest by which cargo takes the unpacked packages for those of the
/// registry.
fn patches(packages: &[Unpacked]) -> String {
    let mut text = String::from("\n[patch.crates-io]\n");
    for package in packages {
        let name = package.name.rsplit_once('-').map_or("", |(name, _)| name);
        // Writing to a String does not fail.
        let _ = writeln!(text, "{name} = {{ path = \"crates/{}\" }}", package.name);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_package_is_patched_by_its_name() {
        let package = Unpacked {
            name: "audit-core-0.1.0".to_owned(),
            folder: PathBuf::new(),
            size: 0,
        };
        assert_eq!(
            patches(&[package]),
            "\n[patch.crates-io]\naudit-core = { path = \"crates/audit-core-0.1.0\" }\n"
        );
    }
}
