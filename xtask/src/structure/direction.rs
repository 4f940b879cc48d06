//! The direction of dependencies between the crates, held by a test.
//!
//! Development dependencies are free, since they do not reach a user. A new crate needs a row here.

/// The position of a package, which decides the packages of ours that it may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    /// Uses nothing of ours.
    Alone,
    /// Uses these.
    Uses(&'static [&'static str]),
    /// Uses every library, and is none.
    Program,
    /// Uses anything, and no package may use it.
    Outside,
}

/// The positions. `audit-server` uses nothing of ours, so that it shares no mistake with the client
/// that is tested against it.
const POSITIONS: &[(&str, Position)] = &[
    ("audit-catalog", Position::Alone),
    ("audit-derive", Position::Uses(&["audit-catalog"])),
    (
        "audit-core",
        Position::Uses(&["audit-derive", "audit-catalog"]),
    ),
    ("audit-tower", Position::Uses(&["audit-core"])),
    ("audit-actix", Position::Uses(&["audit-core"])),
    ("audit-nats", Position::Uses(&["audit-core"])),
    ("audit-server", Position::Alone),
    ("audited", Position::Program),
    ("examples", Position::Outside),
    ("audit-tests", Position::Outside),
    ("audit-tests-support", Position::Outside),
    ("audit-tests-kit", Position::Outside),
    ("audit-tests-queue-model", Position::Outside),
    ("audit-tests-facade", Position::Outside),
    ("audit-tests-actix", Position::Outside),
    ("audit-tests-renamed", Position::Outside),
    ("audit-tests-prelude", Position::Outside),
    ("audit-tests-strict", Position::Outside),
    ("audit-tests-edition-2018", Position::Outside),
    ("audit-tests-edition-2021", Position::Outside),
    ("audit-torture", Position::Outside),
    ("benches", Position::Outside),
    ("xtask", Position::Outside),
];

/// A package of the workspace, and those of ours that it depends on outside of its tests.
#[derive(Debug)]
struct Package {
    name: String,
    uses: Vec<String>,
}

fn position(name: &str) -> Option<Position> {
    let mut positions = POSITIONS.iter();
    positions
        .find(|(known, _)| *known == name)
        .map(|(_, position)| *position)
}

/// Returns a sentence for each dependency against the direction.
fn violations(packages: &[Package]) -> Vec<String> {
    let mut found = Vec::new();
    for package in packages {
        let name = &package.name;
        let Some(position) = position(name) else {
            found.push(format!(
                "`{name}` has no position yet; add it in xtask/src/structure/direction.rs"
            ));
            continue;
        };
        let wrong = package
            .uses
            .iter()
            .filter_map(|used| wrong(name, position, used));
        found.extend(wrong);
    }
    found
}

/// Returns a sentence if a package at this position may not use that one.
fn wrong(name: &str, position: Position, used: &str) -> Option<String> {
    match (position, self::position(used)) {
        // A package of the workspace is reported by itself as well; one from outside is not.
        (_, None) => Some(format!(
            "`{name}` uses `{used}`, which has no position yet; add it in xtask/src/structure/direction.rs"
        )),
        (_, Some(Position::Outside)) => {
            Some(format!("`{name}` uses `{used}`, which no package may use"))
        }
        (_, Some(Position::Program)) if position != Position::Outside => Some(format!(
            "`{name}` uses `{used}`, which is a program and no library"
        )),
        (Position::Alone, _) => Some(format!(
            "`{name}` uses `{used}`, but may use nothing of ours"
        )),
        (Position::Uses(allowed), _) if !allowed.contains(&used) => Some(format!(
            "`{name}` uses `{used}`, but of ours may use only {}",
            allowed.join(", ")
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use cargo_metadata::{DependencyKind, MetadataCommand};

    use super::*;
    use crate::process::root;

    fn workspace() -> Vec<Package> {
        let metadata = MetadataCommand::new()
            .manifest_path(root().join("Cargo.toml"))
            .no_deps()
            .exec()
            .unwrap();
        let members = metadata.workspace_packages();
        let is_ours = |dependency: &cargo_metadata::Dependency| {
            dependency.path.is_some()
                || members.iter().any(|member| *member.name == dependency.name)
        };
        let package = |member: &&cargo_metadata::Package| Package {
            name: member.name.to_string(),
            uses: member
                .dependencies
                .iter()
                .filter(|dependency| dependency.kind != DependencyKind::Development)
                .filter(|dependency| is_ours(dependency))
                .map(|dependency| dependency.name.clone())
                .collect(),
        };
        members.iter().map(package).collect()
    }

    fn package(name: &str, uses: &[&str]) -> Package {
        Package {
            name: name.to_owned(),
            uses: uses.iter().map(|used| (*used).to_owned()).collect(),
        }
    }

    #[test]
    fn crates_depend_only_in_the_direction() {
        let packages = workspace();
        assert_eq!(violations(&packages), [] as [&str; 0]);
        // The check saw the edges that the design has.
        let tower = packages
            .iter()
            .find(|package| package.name == "audit-tower")
            .unwrap();
        assert_eq!(tower.uses, ["audit-core"]);
    }

    #[test]
    fn dependencies_of_the_design_are_allowed() {
        let packages = [
            package("audit-catalog", &[]),
            package("audit-derive", &["audit-catalog"]),
            package("audit-core", &["audit-derive", "audit-catalog"]),
            package("audit-actix", &["audit-core"]),
            package(
                "audited",
                &["audit-server", "audit-tower", "audit-core", "audit-catalog"],
            ),
            package("audit-tests", &["audited", "audit-server", "audit-tower"]),
        ];
        assert_eq!(violations(&packages), [] as [&str; 0]);
    }

    #[test]
    fn forbidden_dependencies_are_reported_with_their_reasons() {
        let cases = [
            (
                "audit-catalog",
                "audit-core",
                "`audit-catalog` uses `audit-core`, but may use nothing of ours",
            ),
            (
                "audit-server",
                "audit-catalog",
                "`audit-server` uses `audit-catalog`, but may use nothing of ours",
            ),
            (
                "audit-derive",
                "audit-core",
                "`audit-derive` uses `audit-core`, but of ours may use only audit-catalog",
            ),
            (
                "audit-core",
                "audit-tower",
                "`audit-core` uses `audit-tower`, but of ours may use only audit-derive, audit-catalog",
            ),
            (
                "audit-tower",
                "audit-server",
                "`audit-tower` uses `audit-server`, but of ours may use only audit-core",
            ),
            (
                "audit-nats",
                "audit-tower",
                "`audit-nats` uses `audit-tower`, but of ours may use only audit-core",
            ),
            (
                "audit-tower",
                "audited",
                "`audit-tower` uses `audited`, which is a program and no library",
            ),
            (
                "audited",
                "examples",
                "`audited` uses `examples`, which no package may use",
            ),
            (
                "examples",
                "xtask",
                "`examples` uses `xtask`, which no package may use",
            ),
            (
                "audit-tests",
                "examples",
                "`audit-tests` uses `examples`, which no package may use",
            ),
        ];
        for (user, used, sentence) in cases {
            assert_eq!(violations(&[package(user, &[used])]), [sentence]);
        }
    }

    #[test]
    fn package_without_a_position_is_reported() {
        assert_eq!(
            violations(&[package("audit-new", &[])]),
            ["`audit-new` has no position yet; add it in xtask/src/structure/direction.rs"]
        );
        assert_eq!(
            violations(&[package("audited", &["audit-new"])]),
            [
                "`audited` uses `audit-new`, which has no position yet; add it in xtask/src/structure/direction.rs"
            ]
        );
    }
}
