//! Compares the table of the front page with the existing tests.

use std::collections::BTreeMap;

use crate::tests::TESTS;

/// Returns the ends of each framework in the table.
fn promised() -> BTreeMap<String, Vec<String>> {
    let mut rows = include_str!("main.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("//! | "))
        .map(|row| row.trim_end_matches(" |").split(" | "));
    let frameworks: Vec<_> = rows.next().unwrap().skip(2).collect();
    let mut promised: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for row in rows.skip(1) {
        let cells: Vec<_> = row.collect();
        let end = cells[0].split('`').nth(1).unwrap();
        for (framework, cell) in frameworks.iter().zip(&cells[2..]) {
            match *cell {
                "yes" => promised
                    .entry((*framework).to_owned())
                    .or_default()
                    .push(end.to_owned()),
                cell => assert_eq!(cell, "-", "{end}, {framework}"),
            }
        }
    }
    promised
}

#[test]
fn every_cell_of_the_table_is_a_test() {
    let tests: BTreeMap<String, Vec<String>> = TESTS
        .iter()
        .map(|(framework, ends)| {
            let ends = ends.iter().map(|end| (*end).to_owned()).collect();
            ((*framework).to_owned(), ends)
        })
        .collect();
    assert_eq!(promised(), tests);
}
