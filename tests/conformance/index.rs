//! Compares the tables of the front page with the existing tests, the documented statuses, the
//! server's own list and the client's calls.

use std::collections::BTreeSet;
use std::process::Command;

use crate::documented::{EVERY_ROUTE, ROUTES, Route};
use crate::rows::ROWS;

/// The tests that every route has, with their statuses.
const GENERAL: [(&str, u16); 6] = [
    ("unauthorized", 401),
    ("forbidden", 403),
    ("rate_limited", 429),
    ("malformed", 400),
    ("too_large", 413),
    ("not_json", 415),
];

/// Returns the tests of this program, from its own `--list`.
pub(crate) fn tests() -> BTreeSet<String> {
    let program = std::env::current_exe().unwrap();
    let listed = Command::new(program)
        .args(["--list", "--format", "terse"])
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let names = listed
        .lines()
        .filter_map(|line| line.strip_suffix(": test"));
    names
        .map(|name| name.strip_prefix("rows::").unwrap_or(name).to_owned())
        .collect()
}

/// Returns the table rows of a text's module documentation, each as its cells.
pub(crate) fn table(text: &str) -> Vec<Vec<&str>> {
    let rows = text.lines().filter_map(|line| line.strip_prefix("//! | "));
    rows.map(|row| row.trim_end_matches(" |").split(" | ").collect())
        .collect()
}

/// Returns the texts between backticks.
pub(crate) fn names(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

fn front_page() -> Vec<Vec<&'static str>> {
    table(include_str!("main.rs"))
}

/// Returns the rows of the first table, one per test: the route, the status, the test with its
/// module.
fn documented() -> BTreeSet<(String, u16, String)> {
    let mut documented = BTreeSet::new();
    for row in front_page() {
        let [routes, status, tests] = row[..] else {
            continue;
        };
        let Ok(status) = status.parse() else {
            continue;
        };
        for test in names(tests) {
            let every = |route: &&Route| routes == "every route" || route.method != "GET";
            if routes.starts_with("every route") {
                for route in ROUTES.iter().filter(every) {
                    let test = format!("{}::{test}", route.name);
                    documented.insert((route.title(), status, test));
                }
            } else {
                let title = names(routes).next().unwrap();
                documented.insert((title.to_owned(), status, test.to_owned()));
            }
        }
    }
    documented
}

/// Returns the same rows for the existing tests.
fn implemented() -> BTreeSet<(String, u16, String)> {
    let rows = ROWS.iter().map(|&(route, status, test)| {
        let title = Route::named(route).title();
        (title, status, format!("{route}::{test}"))
    });
    let tests = tests();
    let general = tests.iter().filter_map(|name| {
        let (route, test) = name.split_once("::")?;
        let (_, status) = GENERAL.iter().find(|(general, _)| *general == test)?;
        Some((Route::named(route).title(), *status, name.clone()))
    });
    rows.chain(general).collect()
}

#[test]
fn tables_match_the_tests() {
    assert_eq!(
        documented(),
        implemented(),
        "left: the table, right: the tests"
    );
    let routes = documented().into_iter().map(|(_, _, test)| test);
    let others = front_page()
        .into_iter()
        .filter(|row| row.len() == 2)
        .flat_map(|row| names(row[1]));
    let named: BTreeSet<_> = routes.chain(others.map(ToOwned::to_owned)).collect();
    assert_eq!(named, tests(), "left: the tables, right: the tests");
}

#[test]
fn every_documented_status_of_every_route_has_a_test() {
    let implemented = implemented();
    for route in ROUTES {
        for &status in route.statuses.iter().chain(&EVERY_ROUTE) {
            let title = route.title();
            assert!(
                implemented
                    .iter()
                    .any(|row| (&row.0, row.1) == (&title, status)),
                "{title} {status} is documented and has no test"
            );
        }
    }
}

/// Without 403 and 429, which the server's page documents for all routes at once: a fault and the
/// rate limit respond with them.
#[test]
fn servers_front_page_lists_the_tested_statuses() {
    let page = table(include_str!("../../audit-server/src/lib.rs"));
    let listed = page.iter().filter_map(|row| {
        let title = names(row[0]).next()?;
        let route = ROUTES.iter().find(|route| route.title() == title)?;
        let statuses = row[1].split([';', ',']).map(|status| status.trim().parse());
        Some(statuses.map(move |status| (route.title(), status.unwrap())))
    });
    let listed: BTreeSet<(String, u16)> = listed.flatten().collect();
    let reached = implemented()
        .into_iter()
        .map(|(route, status, _)| (route, status));
    let reached: BTreeSet<_> = reached
        .filter(|(_, status)| ![403, 429].contains(status))
        .collect();
    assert_eq!(listed, reached, "left: the server's page, right: the tests");
}

#[test]
fn every_call_of_the_client_has_a_test() {
    let page = table(include_str!("../../audit-core/src/workos/mod.rs"));
    let calls: BTreeSet<_> = page
        .iter()
        .flat_map(|row| names(row[0]))
        .filter_map(|name| name.strip_prefix("WorkOs::"))
        .collect();
    assert!(calls.len() > 10, "{calls:?}");
    let front_page = front_page();
    let tested: BTreeSet<_> = front_page
        .iter()
        .filter(|row| row[1].contains("`client::"))
        .flat_map(|row| names(row[0]))
        .collect();
    assert_eq!(calls, tested, "left: the client's page, right: the tests");
}
