//! Who may depend on whom. A test: `cargo xtask test` fails when a crate depends against the
//! direction.
//!
//! Development dependencies are free, since they do not reach a user. A new crate has to be given
//! its place here.

/// Where a package stands, and so what of ours it may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Uses nothing of ours.
    Alone,
    /// Uses these.
    Uses(&'static [&'static str]),
    /// Uses every library.
    Top,
    /// Uses anything, and nobody uses it.
    Outside,
}

/// The direction. `audit-server` stands alone so that it shares no mistake with the client that is
/// tested against it.
const PLACES: &[(&str, Place)] = &[
    ("audit-catalog", Place::Alone),
    ("audit-derive", Place::Uses(&["audit-catalog"])),
    (
        "audit-core",
        Place::Uses(&["audit-derive", "audit-catalog"]),
    ),
    ("audit-tower", Place::Uses(&["audit-core"])),
    ("audit-actix", Place::Uses(&["audit-core"])),
    ("audit-nats", Place::Uses(&["audit-core"])),
    ("audit-server", Place::Alone),
    ("audited", Place::Top),
    ("examples", Place::Outside),
    ("audit-tests", Place::Outside),
    ("audit-tests-support", Place::Outside),
    ("audit-tests-kit", Place::Outside),
    ("audit-tests-queue-model", Place::Outside),
    ("audit-tests-facade", Place::Outside),
    ("audit-tests-actix", Place::Outside),
    ("audit-tests-renamed", Place::Outside),
    ("audit-tests-prelude", Place::Outside),
    ("audit-tests-strict", Place::Outside),
    ("audit-tests-edition-2018", Place::Outside),
    ("audit-tests-edition-2021", Place::Outside),
    ("audit-torture", Place::Outside),
    ("benches", Place::Outside),
    ("xtask", Place::Outside),
];

/// A package of the workspace and those of ours that it depends on, in any way but for development.
#[derive(Debug)]
struct Package {
    name: String,
    uses: Vec<String>,
}

fn place(name: &str) -> Option<Place> {
    let mut places = PLACES.iter();
    places
        .find(|(known, _)| *known == name)
        .map(|(_, place)| *place)
}

/// What stands against the direction, a sentence each.
fn violations(packages: &[Package]) -> Vec<String> {
    let mut found = Vec::new();
    for package in packages {
        let name = &package.name;
        let Some(stands) = place(name) else {
            found.push(format!(
                "`{name}` has no place yet; say in xtask/src/direction.rs where it stands"
            ));
            continue;
        };
        let wrong = package
            .uses
            .iter()
            .filter_map(|used| wrong(name, stands, used));
        found.extend(wrong);
    }
    found
}

/// Why a package that stands here may not use that one; `None` if it may.
fn wrong(name: &str, stands: Place, used: &str) -> Option<String> {
    match (stands, place(used)) {
        // Reported as a package without a place, if it is one of the workspace; nobody reports one
        // from outside.
        (_, None) => Some(format!(
            "`{name}` uses `{used}`, which has no place yet; say in xtask/src/direction.rs where it stands"
        )),
        (_, Some(Place::Outside)) => Some(format!("`{name}` uses `{used}`, which nobody may use")),
        (_, Some(Place::Top)) if stands != Place::Outside => Some(format!(
            "`{name}` uses `{used}`, which is a program and no library"
        )),
        (Place::Alone, _) => Some(format!(
            "`{name}` uses `{used}`, but may use nothing of ours"
        )),
        (Place::Uses(allowed), _) if !allowed.contains(&used) => Some(format!(
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
    fn no_crate_depends_against_the_direction() {
        let packages = workspace();
        assert_eq!(violations(&packages), [] as [&str; 0]);
        // The question was asked: the edges that the design has are seen.
        let tower = packages
            .iter()
            .find(|package| package.name == "audit-tower")
            .unwrap();
        assert_eq!(tower.uses, ["audit-core"]);
    }

    #[test]
    fn what_the_design_has_is_allowed() {
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
    fn every_forbidden_edge_is_reported_with_its_reason() {
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
                "`audited` uses `examples`, which nobody may use",
            ),
            (
                "examples",
                "xtask",
                "`examples` uses `xtask`, which nobody may use",
            ),
            (
                "audit-tests",
                "examples",
                "`audit-tests` uses `examples`, which nobody may use",
            ),
        ];
        for (user, used, sentence) in cases {
            assert_eq!(violations(&[package(user, &[used])]), [sentence]);
        }
    }

    #[test]
    fn a_package_without_a_place_is_reported() {
        assert_eq!(
            violations(&[package("audit-new", &[])]),
            ["`audit-new` has no place yet; say in xtask/src/direction.rs where it stands"]
        );
        assert_eq!(
            violations(&[package("audited", &["audit-new"])]),
            [
                "`audited` uses `audit-new`, which has no place yet; say in xtask/src/direction.rs where it stands"
            ]
        );
    }
}
