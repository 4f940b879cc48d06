//! The table of the front page against the tests that exist.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The faults that a recorder without a spool has to survive; 11 is a sentence in the documentation of `Recorder`.
fn faults() -> impl Iterator<Item = u32> {
    (1..=10).chain(19..=39)
}

/// The table's rows: the fault, and the names of its tests, each with the file that it stands in if it is not of this crate.
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

/// The tests of this folder, by the number in their names.
fn tests() -> BTreeMap<u32, BTreeSet<String>> {
    let files = [
        include_str!("clock.rs"),
        include_str!("http.rs"),
        include_str!("http/content.rs"),
        include_str!("http/network.rs"),
        include_str!("memory.rs"),
        include_str!("policy.rs"),
        include_str!("process.rs"),
    ];
    let mut tests: BTreeMap<u32, BTreeSet<String>> = BTreeMap::new();
    for line in files.into_iter().flat_map(str::lines) {
        let name = line.split_once("fn fault_").map(|(_, name)| name);
        let Some((name, _)) = name.and_then(|name| name.split_once('(')) else {
            continue;
        };
        let number = name[..2].parse().unwrap();
        tests
            .entry(number)
            .or_default()
            .insert(format!("fault_{name}"));
    }
    tests
}

#[test]
fn every_fault_has_a_row_and_every_row_its_tests() {
    let rows = rows();
    assert_eq!(
        rows.keys().copied().collect::<Vec<_>>(),
        faults().collect::<Vec<_>>()
    );
    let here = tests();
    let without: Vec<_> = here
        .keys()
        .filter(|number| !rows.contains_key(number))
        .collect();
    assert!(without.is_empty(), "tests without a row: {without:?}");
    for (number, named) in rows {
        assert!(!named.is_empty(), "fault {number} has no test");
        let (elsewhere, of_here): (Vec<_>, Vec<_>) =
            named.into_iter().partition(|name| name.contains("::"));
        let of_here: BTreeSet<_> = of_here.into_iter().collect();
        assert_eq!(
            here.get(&number).cloned().unwrap_or_default(),
            of_here,
            "fault {number}"
        );
        for name in elsewhere {
            let (file, test) = name.rsplit_once("::").unwrap();
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.contains(&format!("fn {test}(")), "{name}");
        }
    }
}

#[test]
fn the_fault_that_has_no_test_has_its_sentence() {
    let recorder = include_str!("../../audit-core/src/recorder.rs");
    assert!(recorder.contains("A child that was forked"));
}
