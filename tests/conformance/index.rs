//! The tables of the front page against the tests that exist, the documented statuses, the server's
//! own list and the client's calls.

use std::collections::BTreeSet;
use std::process::Command;

use crate::documented::{EVERY_ROUTE, ROUTES, Route};
use crate::rows::ROWS;

/// The statuses of the tests that need no more than a good request.
const GENERAL: [(&str, u16); 6] = [
    ("no_key", 401),
    ("no_permission", 403),
    ("too_many", 429),
    ("malformed", 400),
    ("too_large", 413),
    ("not_json", 415),
];

/// The tests of this program, as it lists them itself.
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

/// The rows of the tables in a text's module documentation, each as its cells.
pub(crate) fn table(text: &str) -> Vec<Vec<&str>> {
    let rows = text.lines().filter_map(|line| line.strip_prefix("//! | "));
    rows.map(|row| row.trim_end_matches(" |").split(" | ").collect())
        .collect()
}

/// What stands between backticks.
pub(crate) fn names(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

fn front_page() -> Vec<Vec<&'static str>> {
    table(include_str!("main.rs"))
}

/// The rows of the first table, a line per test: the route, the status, the test with its module.
fn promised() -> BTreeSet<(String, u16, String)> {
    let mut promised = BTreeSet::new();
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
                    promised.insert((route.title(), status, test));
                }
            } else {
                let title = names(routes).next().unwrap();
                promised.insert((title.to_owned(), status, test.to_owned()));
            }
        }
    }
    promised
}

/// The same by the tests themselves.
fn made() -> BTreeSet<(String, u16, String)> {
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
fn every_test_is_in_a_table_and_every_name_in_a_table_is_a_test() {
    assert_eq!(promised(), made(), "left the table, right the tests");
    let routes = promised().into_iter().map(|(_, _, test)| test);
    let others = front_page()
        .into_iter()
        .filter(|row| row.len() == 2)
        .flat_map(|row| names(row[1]));
    let named: BTreeSet<_> = routes.chain(others.map(ToOwned::to_owned)).collect();
    assert_eq!(named, tests(), "left the tables, right the tests");
}

#[test]
fn every_documented_status_of_every_route_has_a_test() {
    let made = made();
    for route in ROUTES {
        for &status in route.statuses.iter().chain(&EVERY_ROUTE) {
            let title = route.title();
            assert!(
                made.iter().any(|row| (&row.0, row.1) == (&title, status)),
                "{title} {status} is documented and has no test"
            );
        }
    }
}

/// Leaves out 403 and 429, which the server's page says of all routes at once: a fault and the rate
/// limit answer them.
#[test]
fn the_servers_front_page_lists_what_the_tests_reach() {
    let page = table(include_str!("../../audit-server/src/lib.rs"));
    let listed = page.iter().filter_map(|row| {
        let title = names(row[0]).next()?;
        let route = ROUTES.iter().find(|route| route.title() == title)?;
        let statuses = row[1].split([';', ',']).map(|status| status.trim().parse());
        Some(statuses.map(move |status| (route.title(), status.unwrap())))
    });
    let listed: BTreeSet<(String, u16)> = listed.flatten().collect();
    let reached = made().into_iter().map(|(route, status, _)| (route, status));
    let reached: BTreeSet<_> = reached
        .filter(|(_, status)| ![403, 429].contains(status))
        .collect();
    assert_eq!(listed, reached, "left the server's page, right the tests");
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
    assert_eq!(calls, tested, "left the client's page, right the tests");
}
