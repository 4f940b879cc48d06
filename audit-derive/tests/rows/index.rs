//! Compares the index of the front page with the existing tests.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Returns the tests of each line of the table, by their prefix, such as `row_01_` or `trap_05_`.
fn listed() -> BTreeMap<String, Vec<String>> {
    let page = include_str!("main.rs");
    let lines = page.lines().filter_map(|line| line.strip_prefix("//! | "));
    lines
        .filter_map(|line| {
            let mut cells = line.split(" | ");
            let number = cells.next()?.trim();
            let prefix = match number.strip_prefix('T') {
                Some(trap) => format!("trap_{:02}_", trap.parse::<u8>().ok()?),
                None => format!("row_{:02}_", number.parse::<u8>().ok()?),
            };
            let _shape = cells.next()?;
            let names = cells.next()?.trim_end_matches(" |").split(", ");
            let names = names.map(|name| name.trim_matches('`').to_owned());
            Some((prefix, names.filter(|name| name != "-").collect()))
        })
        .collect()
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).expect("a folder of tests");
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Returns all names with the prefix `row_` or `trap_` and a number: functions, lines of `leave!`,
/// and files of `tests/ui`.
fn existing() -> Vec<String> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    files(&here.join("tests"), &mut found);
    files(&here.join("../tests/crates"), &mut found);
    let mut names = Vec::new();
    for path in found {
        if path.components().any(|part| part.as_os_str() == "ui") {
            let name = path.file_stem().and_then(|name| name.to_str());
            names.extend(name.map(str::to_owned));
            continue;
        }
        let text = fs::read_to_string(&path).expect("a file of tests");
        for line in text.lines() {
            let line = line.trim_start();
            let line = line.strip_prefix("async ").unwrap_or(line);
            let (name, end) = match line.strip_prefix("fn ") {
                Some(line) => (line, '('),
                None => (line, ':'),
            };
            names.extend(name.split_once(end).map(|(name, _)| name.to_owned()));
        }
    }
    names.retain(|name| prefix(name).is_some());
    names.sort_unstable();
    names
}

fn prefix(name: &str) -> Option<&str> {
    let start = ["row_", "trap_"]
        .into_iter()
        .find(|word| name.starts_with(word))?
        .len();
    let number = name.get(start..start + 3)?;
    let is_number = number.ends_with('_') && number[..2].bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| &name[..start + 3])
}

#[test]
fn every_row_has_a_test_and_every_test_its_row() {
    let listed = listed();
    let rows: Vec<_> = (1..=60).map(|row| format!("row_{row:02}_")).collect();
    let traps: Vec<_> = (1..=18).map(|trap| format!("trap_{trap:02}_")).collect();
    let all: Vec<_> = listed.keys().cloned().collect();
    assert_eq!(all, [rows.clone(), traps].concat());
    let existing = existing();
    for (number, names) in &listed {
        let found: Vec<_> = existing
            .iter()
            .filter(|name| prefix(name) == Some(number))
            .collect();
        let mut names: Vec<_> = names.iter().collect();
        names.retain(|name| prefix(name) == Some(number));
        names.sort_unstable();
        assert_eq!(
            names, found,
            "the line of {number} in main.rs, and the tests that exist"
        );
        assert!(
            !found.is_empty() || !rows.contains(number),
            "{number} has no test"
        );
    }
    // A line may name a test of another row; that test has to exist too.
    for name in listed.values().flatten() {
        assert!(
            existing.contains(name),
            "the index names {name}, which is no test"
        );
    }
}
