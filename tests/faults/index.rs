//! The table of the front page against the tests that exist.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The faults that a recorder has to survive; 11 is a sentence in the documentation of `Recorder`.
fn faults() -> impl Iterator<Item = u32> {
    (1..=10).chain(12..=40)
}

/// The table's rows: the fault, and the names of its tests, each with the file that it stands in if
/// it is not of this crate.
fn rows() -> BTreeMap<u32, Vec<String>> {
    let mut rows = BTreeMap::new();
    let table = include_str!("main.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("//! | "));
    for row in table.skip(2) {
        let cells: Vec<_> = row.trim_end_matches(" |").split(" | ").collect();
        let tests = cells[2].split('`').skip(1).step_by(2);
        let number = cells[0].parse().unwrap();
        rows.insert(number, tests.map(str::to_owned).collect());
    }
    rows
}

/// The tests that are named after a fault, by its number: those of this folder by their names,
/// those of `audit-core` with their files.
fn tests() -> BTreeMap<u32, BTreeSet<String>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut tests = BTreeMap::new();
    collect(&here.join("faults"), &|_| String::new(), &mut tests);
    let root = here.join("..");
    let with_file = |file: &Path| {
        let file = file.strip_prefix(&root).unwrap();
        format!("{}::", file.display())
    };
    collect(&root.join("audit-core"), &with_file, &mut tests);
    tests
}

fn collect(
    folder: &Path,
    prefix: &dyn Fn(&Path) -> String,
    tests: &mut BTreeMap<u32, BTreeSet<String>>,
) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, prefix, tests);
            continue;
        }
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            let name = line.split_once("fn fault_").map(|(_, name)| name);
            let Some((name, _)) = name.and_then(|name| name.split_once('(')) else {
                continue;
            };
            // A macro that names tests has a variable there.
            let Ok(number) = name.split('_').next().unwrap_or_default().parse() else {
                continue;
            };
            let name = format!("{}fault_{name}", prefix(&path));
            tests.entry(number).or_default().insert(name);
        }
    }
}

#[test]
fn every_fault_has_a_row_and_every_row_its_tests() {
    let rows = rows();
    assert_eq!(
        rows.keys().copied().collect::<Vec<_>>(),
        faults().collect::<Vec<_>>()
    );
    let mut named_after = tests();
    for (number, named) in rows {
        assert!(!named.is_empty(), "fault {number} has no test");
        let mut named: BTreeSet<_> = named.into_iter().collect();
        let after = named_after.remove(&number).unwrap_or_default();
        let without: Vec<_> = after.difference(&named).collect();
        assert!(
            without.is_empty(),
            "fault {number}, not in its row: {without:?}"
        );
        named.retain(|name| !after.contains(name));
        // What is left is named after something else, or is not there.
        for name in named {
            let (file, test) = name.rsplit_once("::").expect(&name);
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.contains(&format!("fn {test}(")), "{name}");
        }
    }
    assert!(
        named_after.is_empty(),
        "tests without a row: {named_after:?}"
    );
}

#[test]
fn the_fault_that_has_no_test_has_its_sentence() {
    let recorder = include_str!("../../audit-core/src/recorder/recorder.rs");
    assert!(recorder.contains("A child that was forked"));
}
