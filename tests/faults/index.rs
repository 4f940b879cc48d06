//! Compares the table of the front page with the existing tests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The numbers of the tested faults; fault 11 is documented at `Recorder`.
fn faults() -> impl Iterator<Item = u32> {
    (1..=10).chain(12..=59)
}

/// Returns the table's rows: the fault, and the names of its tests, each with its file if it is in
/// another crate.
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

/// Returns the tests that are named after a fault, by its number: tests of this folder by name,
/// tests of `audit-core` with their file.
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
            // In a macro that generates tests, the number is a variable.
            let Ok(number) = name.split('_').next().unwrap_or_default().parse() else {
                continue;
            };
            let name = format!("{}fault_{name}", prefix(&path));
            tests.entry(number).or_default().insert(name);
        }
    }
}

#[test]
fn table_rows_match_the_fault_tests() {
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
            "fault {number}: tests missing from its row: {without:?}"
        );
        named.retain(|name| !after.contains(name));
        // The remaining names are tests without a fault number, or do not exist.
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
fn fork_is_documented() {
    let recorder = include_str!("../../audit-core/src/recorder/recorder.rs");
    assert!(recorder.contains("A child that was forked"));
}
