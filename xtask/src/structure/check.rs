//! Checks the imports of one crate.

use std::collections::BTreeSet;

use super::circles::{Edges, circles, files_in_circles};
use super::floors::{AllowedPair, Floor};
use super::krate::{Files, Krate, Target};
use super::references::Syntax;
use super::style::misplaced;
use crate::error::Error;

/// A crate and the rules that hold for it.
#[derive(Debug)]
pub(super) struct Subject<'a> {
    /// The folder of the package.
    pub(super) package: &'a str,
    /// `lib.rs` or `main.rs`.
    pub(super) root: &'a str,
    pub(super) files: &'a Files,
    pub(super) floors: Option<&'a [Floor]>,
    pub(super) pairs: &'a [AllowedPair],
}

/// The figures of a crate, and a sentence for each mistake.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) root_modules: usize,
    pub(super) files: usize,
    pub(super) circles: Vec<String>,
    pub(super) files_in_circles: usize,
    pub(super) upward: Vec<String>,
    /// Paths that begin at the root.
    pub(super) from_root: usize,
    /// Those of them that take a re-export from it.
    pub(super) through_root: Vec<String>,
    pub(super) misplaced: Vec<String>,
}

impl Report {
    /// Returns the share of paths from the root that take a re-export, in percent.
    pub(super) fn through_root_percent(&self) -> f64 {
        // Counts of imports are far below what an f64 holds exactly.
        100.0 * self.through_root.len() as f64 / self.from_root.max(1) as f64
    }

    pub(super) fn problems(&self) -> impl Iterator<Item = &String> {
        let kinds = [
            &self.circles,
            &self.upward,
            &self.through_root,
            &self.misplaced,
        ];
        kinds.into_iter().flatten()
    }
}

/// Parses a crate and checks where its paths lead.
///
/// # Errors
///
/// A file cannot be parsed.
pub(super) fn check(subject: &Subject<'_>) -> Result<Report, Error> {
    let krate = Krate::parse(subject.root, subject.files)?;
    let at = |file: &str| format!("{}/src/{file}", subject.package);
    let mut report = Report {
        root_modules: krate.rooms().count(),
        files: krate.files.len(),
        misplaced: misplaced(subject.files)
            .iter()
            .map(|found| at(found))
            .collect(),
        ..Report::default()
    };
    let mut edges = Edges::new();
    for (from, module) in krate.modules.iter().enumerate() {
        for reference in &module.references {
            let path = reference.path.join("::");
            let is_from_root = reference.path[0] == "crate" && reference.path.len() > 1;
            report.from_root += usize::from(is_from_root);
            if let Some((name, known_as)) = krate.reexport_of_root(from, &reference.path) {
                report.from_root += usize::from(!is_from_root);
                report.through_root.push(format!(
                    "{} takes `{name}` from the root of the crate; name its module instead: `{known_as}`",
                    at(&krate.files[module.file])
                ));
            }
            let target = match krate.resolve(from, &reference.path) {
                // The root of a folder is not what an import of the folder is after; the paths that
                // begin with its name are.
                Some(Target::Module(target))
                    if krate.has_children(target) && !reference.is_glob =>
                {
                    continue;
                }
                Some(Target::Module(target) | Target::ItemOf(target)) => target,
                None => continue,
            };
            // A folder shows what is in it without a use for it.
            let is_front = reference.syntax == Syntax::Reexport && krate.is_within(target, from);
            let to = krate.modules[target].file;
            if to != module.file && !is_front {
                let targets = edges.entry(module.file).or_default();
                targets.entry(to).or_insert(path);
            }
        }
    }
    report.upward = subject
        .floors
        .map_or_else(Vec::new, |floors| upward(subject, &krate, &edges, floors));
    let found = circles(&edges);
    let is_allowed = |circle: &Vec<usize>| pairs(subject).any(|pair| is_pair(&krate, circle, pair));
    report.circles = found
        .iter()
        .filter(|circle| !is_allowed(circle))
        .map(|circle| sentence(subject.package, &krate, &edges, circle))
        .collect();
    let is_needed = |pair: &AllowedPair| found.iter().any(|circle| is_pair(&krate, circle, pair));
    let unneeded = pairs(subject).filter(|pair| !is_needed(pair));
    report.circles.extend(unneeded.map(|pair| {
        let [first, second] = pair.files;
        format!(
            "{} allows a circle of {first} and {second}, because {}, but there is none",
            subject.package, pair.reason
        )
    }));
    if !report.circles.is_empty() {
        report.files_in_circles = files_in_circles(&edges);
    }
    Ok(report)
}

/// Returns the pairs that the crate may have.
fn pairs<'a>(subject: &Subject<'a>) -> impl Iterator<Item = &'a AllowedPair> {
    let package = subject.package;
    let pairs = subject.pairs.iter();
    pairs.filter(move |pair| pair.package == package)
}

fn is_pair(krate: &Krate, circle: &[usize], pair: &AllowedPair) -> bool {
    let files = circle.iter().map(|file| krate.files[*file].as_str());
    files.collect::<BTreeSet<_>>() == BTreeSet::from(pair.files)
}

fn sentence(package: &str, krate: &Krate, edges: &Edges, circle: &[usize]) -> String {
    let next = circle.iter().cycle().skip(1);
    let steps: Vec<_> = circle
        .iter()
        .zip(next)
        .map(|(from, to)| {
            format!(
                "{} uses `{}` of {}",
                krate.files[*from], edges[from][to], krate.files[*to]
            )
        })
        .collect();
    format!("{package}/src has a circle: {}", steps.join(", and "))
}

/// Returns a sentence for each import that the floors forbid, and for each room without a floor.
fn upward(subject: &Subject<'_>, krate: &Krate, edges: &Edges, floors: &[Floor]) -> Vec<String> {
    let mut found = Vec::new();
    let floor_of = |room: &str| {
        floors
            .iter()
            .position(|floor| floor.rooms().contains(&room))
    };
    let root = subject.root.trim_end_matches(".rs");
    let rooms: BTreeSet<_> = krate.rooms().chain([root]).collect();
    for room in rooms.iter().filter(|room| floor_of(room).is_none()) {
        found.push(format!(
            "{}: the module `{room}` has no floor; add it in xtask/src/structure/floors.rs",
            subject.package
        ));
    }
    let all_rooms = floors.iter().flat_map(|floor| floor.rooms());
    for room in all_rooms.filter(|room| !rooms.contains(**room)) {
        found.push(format!(
            "{}: the floors name a module `{room}`, which is not there",
            subject.package
        ));
    }
    let room_of = |file: usize| {
        let modules = krate.modules.iter().find(|module| module.file == file);
        modules
            .and_then(|module| module.path.first())
            .map_or(root, String::as_str)
    };
    for (from, targets) in edges {
        for (to, path) in targets {
            let (user, used) = (room_of(*from), room_of(*to));
            let (Some(low), Some(high)) = (floor_of(user), floor_of(used)) else {
                continue;
            };
            let reason = if high > low {
                format!("`{used}` is on a higher floor than `{user}`")
            } else if high == low && user != used && matches!(floors[low], Floor::Apart(_)) {
                format!("`{user}` and `{used}` never import each other")
            } else {
                continue;
            };
            found.push(format!(
                "{}/src/{} uses `{path}` of {}, but {reason}",
                subject.package, krate.files[*from], krate.files[*to]
            ));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOORS: &[Floor] = &[
        Floor::Together(&["event"]),
        Floor::Apart(&["sink", "spool"]),
        Floor::Together(&["lib"]),
    ];

    fn report(files: &[(&str, &str)], floors: Option<&[Floor]>, pairs: &[AllowedPair]) -> Report {
        let files = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
            .collect();
        check(&Subject {
            package: "kit",
            root: "lib.rs",
            files: &files,
            floors,
            pairs,
        })
        .unwrap()
    }

    fn problems(report: &Report) -> Vec<&str> {
        report.problems().map(String::as_str).collect()
    }

    const LIB: (&str, &str) = (
        "lib.rs",
        "mod event; mod sink; mod spool; pub use event::Event;",
    );

    #[test]
    fn imports_from_lower_floors_are_allowed() {
        let files = [
            LIB,
            ("event.rs", "pub struct Event;"),
            ("sink.rs", "use crate::event::Event;"),
            ("spool.rs", "use std::fmt; fn f(_: super::event::Event) {}"),
        ];
        let report = report(&files, Some(FLOORS), &[]);
        assert_eq!(problems(&report), [] as [&str; 0]);
        assert_eq!(
            (report.root_modules, report.files, report.from_root),
            (3, 4, 1)
        );
    }

    #[test]
    fn upward_import_is_reported_with_files_and_floors() {
        let files = [
            LIB,
            (
                "event.rs",
                "pub struct Event; fn f() { warn!(\"{}\", crate::sink::Sink) }",
            ),
            ("sink.rs", "pub struct Sink;"),
            ("spool.rs", "use crate::sink::Sink;"),
        ];
        let expected = [
            "kit/src/event.rs uses `crate::sink::Sink` of sink.rs, but `sink` is on a higher floor \
             than `event`",
            "kit/src/spool.rs uses `crate::sink::Sink` of sink.rs, but `spool` and `sink` never \
             import each other",
        ];
        assert_eq!(problems(&report(&files, Some(FLOORS), &[])), expected);
    }

    #[test]
    fn every_room_has_a_floor_and_every_floor_its_rooms() {
        let files = [
            ("lib.rs", "mod event; mod sink; mod new;"),
            ("event.rs", ""),
            ("sink.rs", ""),
            ("new.rs", ""),
        ];
        let expected = [
            "kit: the module `new` has no floor; add it in xtask/src/structure/floors.rs",
            "kit: the floors name a module `spool`, which is not there",
        ];
        assert_eq!(problems(&report(&files, Some(FLOORS), &[])), expected);
    }

    const CIRCLE: [(&str, &str); 4] = [
        ("lib.rs", "mod layer; mod service; mod other;"),
        ("layer.rs", "use crate::service::Service; pub struct Layer;"),
        ("service.rs", "pub struct Service(crate::layer::Layer);"),
        ("other.rs", "use crate::layer::Layer;"),
    ];

    #[test]
    fn circle_is_reported_with_its_files_and_paths() {
        let report = report(&CIRCLE, None, &[]);
        let expected = "kit/src has a circle: layer.rs uses `crate::service::Service` of service.rs, \
                        and service.rs uses `crate::layer::Layer` of layer.rs";
        assert_eq!(problems(&report), [expected]);
        assert_eq!(report.files_in_circles, 2);
    }

    #[test]
    fn circle_through_reexports_is_found() {
        let files = [
            ("lib.rs", "mod a; mod b; pub use a::A; pub use b::B;"),
            ("a.rs", "use crate::B; pub struct A;"),
            ("b.rs", "use crate::A; pub struct B;"),
        ];
        let report = report(&files, None, &[]);
        assert_eq!(report.circles.len(), 1);
    }

    #[test]
    fn allowed_pair_is_not_reported() {
        let pair = AllowedPair {
            package: "kit",
            files: ["service.rs", "layer.rs"],
            reason: "the service keeps its layer as its configuration",
        };
        assert_eq!(problems(&report(&CIRCLE, None, &[pair])), [] as [&str; 0]);
        let other = AllowedPair {
            package: "other",
            ..pair
        };
        assert_eq!(report(&CIRCLE, None, &[other]).circles.len(), 1);
    }

    #[test]
    fn allowed_pair_without_a_circle_is_reported() {
        let pair = AllowedPair {
            package: "kit",
            files: ["layer.rs", "other.rs"],
            reason: "the service keeps its layer as its configuration",
        };
        let report = report(&[("lib.rs", "")], None, &[pair]);
        let expected = "kit allows a circle of layer.rs and other.rs, because the service keeps its \
                        layer as its configuration, but there is none";
        assert_eq!(problems(&report), [expected]);
    }

    #[test]
    fn root_import_is_reported_with_the_path_to_use() {
        let files = [
            LIB,
            ("event.rs", "pub struct Event;"),
            (
                "sink.rs",
                "use crate::{Event, event}; #[cfg(test)] mod tests { use crate::Event; }",
            ),
            ("spool.rs", ""),
        ];
        let report = report(&files, Some(FLOORS), &[]);
        let expected = "kit/src/sink.rs takes `Event` from the root of the crate; name its module \
                        instead: `event::Event`";
        assert_eq!(problems(&report), [expected]);
        assert!(report.through_root_percent() == 50.0);
    }

    #[test]
    fn folder_root_may_reexport_names_that_its_files_use() {
        let files = [
            ("lib.rs", "mod a;"),
            ("a/mod.rs", "mod b; mod c; pub use b::B; pub use c::C;"),
            ("a/b.rs", "pub struct B;"),
            ("a/c.rs", "use super::B; pub struct C;"),
        ];
        assert_eq!(problems(&report(&files, None, &[])), [] as [&str; 0]);
    }
}
