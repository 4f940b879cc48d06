//! The coverage report: a list of routes compared with the recorded facts.

use std::collections::BTreeSet;
use std::fmt;

use http::Method;

use super::facts::{AuditResult, Fact, Facts};
use super::run::{CoverageError, Run};
use crate::catalog::{EmbeddedAction, EmbeddedCatalog};
use crate::web::changes;

/// Compares a list of routes with the requests of all processes of a test run.
///
/// Each entry is a method and the route as registered in the router. Returns a [`Coverage`]; files
/// are read when its report is requested. [`Capture::coverage`](crate::testing::Capture::coverage)
/// does the same for one capture and needs none of the set-up below.
///
/// # Over all processes of a run
///
/// nextest runs each test in its own process, `cargo test` each test binary, with its tests on
/// threads. No runner guarantees which test is the last, so the report is made after the tests, by
/// a test that is ignored otherwise. The environment variable `AUDIT_COVERAGE_RUN` names the run
/// for both commands:
///
/// ```sh
/// export AUDIT_COVERAGE_RUN=$(date +%s)-$$
/// cargo nextest run && cargo nextest run --run-ignored only routes_are_covered
/// # or
/// cargo test && cargo test -- --ignored routes_are_covered
/// ```
///
/// ```
/// use audit_core::{assert_covered, catalog, testing};
///
/// const ROUTES: &[(&str, &str)] = &[("GET", "/documents"), ("DELETE", "/documents/{doc_id}")];
///
/// // with `#[test]` and `#[ignore = "after the tests of a run that AUDIT_COVERAGE_RUN names"]`
/// fn routes_are_covered() {
///     assert_covered!(testing::coverage(ROUTES).catalog(catalog!()));
/// }
/// ```
///
/// If the variable is set, every process with a [`capture`](crate::testing::capture()) appends its
/// facts to its own file in the folder `audit-coverage/<name>` of cargo's target directory, which
/// is the nearest folder above the executable with a `CACHEDIR.TAG`. Lines are written whole.
/// Nothing is written without the variable.
///
/// Runs are separate: only the files under the run's name are read, and of them only those whose
/// executable still exists with the same time and size, in case a name is reused after a change.
/// Use a new name for each run all the same; `cargo clean` removes the folders.
///
/// # Recorded facts
///
/// Completed requests through a layer whose recorder belongs to a
/// [`Capture`](crate::testing::Capture); a request that is dropped without a response is not
/// recorded. And the actions of the events that these recorders accepted at run time: a list of all
/// call sites, made by the linker, would need sections that only `unsafe` code can fill, and crates
/// that forbid it could not be audited. So an action counts as not recorded if no test records an
/// event of it, even if there is code for it.
pub fn coverage(routes: &[(&str, &str)]) -> Coverage {
    Coverage::new(routes, Source::Run)
}

/// A list of routes to compare with the requests of tests. Created by [`coverage()`] or
/// [`Capture::coverage`](crate::testing::Capture::coverage).
#[derive(Clone, Debug)]
#[must_use]
pub struct Coverage {
    routes: BTreeSet<(String, String)>,
    source: Source,
    actions: &'static [EmbeddedAction],
}

#[derive(Clone, Debug)]
enum Source {
    Capture(Facts),
    Run,
}

impl Coverage {
    fn new(routes: &[(&str, &str)], source: Source) -> Self {
        let owned = |(method, route): &(&str, &str)| (method.to_uppercase(), (*route).to_owned());
        Self {
            routes: routes.iter().map(owned).collect(),
            source,
            actions: &[],
        }
    }

    pub(in crate::testing) fn of_capture(routes: &[(&str, &str)], facts: Facts) -> Self {
        Self::new(routes, Source::Capture(facts))
    }

    /// Adds the catalog's actions without a recorded event to the report, except deprecated ones.
    ///
    /// They do not fail [`assert_covered!`](crate::assert_covered!): tests may not record every
    /// rare action.
    pub fn catalog(mut self, catalog: EmbeddedCatalog) -> Self {
        self.actions = catalog.actions();
        self
    }

    /// Compares the routes and returns the report.
    ///
    /// ```
    /// use audit_core::testing;
    ///
    /// let coverage = testing::capture().coverage(&[("POST", "/documents")]);
    /// let report = coverage.report()?;
    /// assert!(!report.is_covered());
    /// assert_eq!(report.uncovered().collect::<Vec<_>>(), ["POST /documents"]);
    /// # Ok::<_, testing::CoverageError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Only for a run: it has no name, or one that cannot be a folder's; there is no target
    /// directory; no process recorded a fact; a file cannot be read.
    pub fn report(&self) -> Result<CoverageReport, CoverageError> {
        match &self.source {
            Source::Capture(facts) => Ok(self.hold_against(facts, 0)),
            Source::Run => {
                let read = Run::to_read()?.read()?;
                Ok(self.hold_against(&read.facts, read.stale))
            }
        }
    }

    fn hold_against(&self, facts: &Facts, stale: usize) -> CoverageReport {
        let mut routes: Vec<_> = self
            .routes
            .iter()
            .map(|(method, route)| Line::new(method, route, state(method, route, facts)))
            .collect();
        let unlisted: BTreeSet<_> = facts
            .iter()
            .filter_map(|fact| match fact {
                Fact::Completed {
                    method,
                    route,
                    succeeded: true,
                    ..
                } if is_change(method) => Some((method.clone(), route.clone())),
                _ => None,
            })
            .filter(|completed| !self.routes.contains(completed))
            .collect();
        let unlisted = unlisted
            .iter()
            .map(|(method, route)| Line::new(method, route, State::Unlisted));
        routes.extend(unlisted);
        let is_recorded = |name: &str| facts.contains(&Fact::Recorded(name.to_owned()));
        let unrecorded = self
            .actions
            .iter()
            .filter(|action| action.deprecated().is_none() && !is_recorded(action.name().as_str()))
            .map(|action| action.name().as_str())
            .collect();
        CoverageReport {
            routes,
            unrecorded,
            stale,
        }
    }
}

fn is_change(method: &str) -> bool {
    Method::from_bytes(method.as_bytes()).is_ok_and(|method| changes(&method))
}

/// Returns the state of a route. A success without an event outweighs every other fact, because the
/// next such request may be a customer's.
fn state(method: &str, route: &str, facts: &Facts) -> State {
    let mut state = if is_change(method) {
        State::NeverExercised
    } else {
        State::Safe
    };
    for fact in facts.iter() {
        let Fact::Completed {
            method: completed_method,
            route: matched,
            succeeded,
            result,
        } = fact
        else {
            continue;
        };
        if completed_method != method || matched != route {
            continue;
        }
        let found = match result {
            AuditResult::Event => State::Audited,
            AuditResult::Exempt(reason) => State::Exempt(reason.clone()),
            AuditResult::Nothing if !is_change(method) => State::Safe,
            AuditResult::Nothing if *succeeded => State::NotAudited,
            AuditResult::Nothing => State::NeverSucceeded,
        };
        state = state.max(found);
    }
    state
}

/// The state of a route; of several that apply, the greatest counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Safe,
    NeverExercised,
    NeverSucceeded,
    Exempt(String),
    Audited,
    NotAudited,
    Unlisted,
}

#[derive(Clone, Debug)]
struct Line {
    name: String,
    state: State,
}

impl Line {
    fn new(method: &str, route: &str, state: State) -> Self {
        Self {
            name: format!("{method} {route}"),
            state,
        }
    }

    fn is_covered(&self) -> bool {
        matches!(self.state, State::Safe | State::Exempt(_) | State::Audited)
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.state {
            State::Safe => "changes nothing",
            State::NeverExercised | State::NeverSucceeded => "never exercised",
            State::Exempt(_) => "exempt",
            State::Audited => "audited",
            State::NotAudited => "NOT AUDITED",
            State::Unlisted => "NOT IN THE LIST",
        };
        write!(f, "{word:<15}  {}", self.name)?;
        match &self.state {
            State::Exempt(reason) => write!(f, ": {reason}"),
            State::NeverSucceeded => {
                f.write_str(": every request was refused before it changed anything")
            }
            _ => Ok(()),
        }
    }
}

/// The audit coverage of a list of routes. `Display` prints one line for each route:
///
/// ```text
/// audit coverage: 2 of 4 routes
///   audited          DELETE /documents/{doc_id}
///   exempt           POST /search: a search changes nothing
///   NOT AUDITED      POST /documents/{doc_id}/archive
///   never exercised  PUT /documents/{doc_id}
/// actions without a recorded event: document.share
/// ```
///
/// | state | meaning |
/// | --- | --- |
/// | `audited` | requests produced an event, and none succeeded without one |
/// | `exempt` | requests produced no event, for the printed reason |
/// | `changes nothing` | the method is none of POST, PUT, PATCH, DELETE; no event is needed |
/// | `NOT AUDITED` | a request succeeded without an event |
/// | `never exercised` | no request was sent, or all were refused before the handler changed anything |
/// | `NOT IN THE LIST` | a changing request succeeded on a route that is not in the list |
#[derive(Clone, Debug)]
pub struct CoverageReport {
    routes: Vec<Line>,
    unrecorded: Vec<&'static str>,
    stale: usize,
}

impl CoverageReport {
    /// Returns `true` if every route is audited, exempt or changes nothing, and no other changing
    /// route succeeded.
    #[must_use]
    pub fn is_covered(&self) -> bool {
        self.routes.iter().all(Line::is_covered)
    }

    /// Returns the routes that are not covered, each as `DELETE /documents/{doc_id}`.
    pub fn uncovered(&self) -> impl Iterator<Item = &str> {
        let uncovered = self.routes.iter().filter(|line| !line.is_covered());
        uncovered.map(|line| line.name.as_str())
    }

    /// Returns the catalog's actions without a recorded event; empty without
    /// [`Coverage::catalog`].
    #[must_use]
    pub fn unrecorded_actions(&self) -> &[&'static str] {
        &self.unrecorded
    }
}

impl fmt::Display for CoverageReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let covered = self.routes.iter().filter(|line| line.is_covered()).count();
        writeln!(
            f,
            "audit coverage: {covered} of {} routes",
            self.routes.len()
        )?;
        for line in &self.routes {
            writeln!(f, "  {line}")?;
        }
        if !self.unrecorded.is_empty() {
            let actions = self.unrecorded.join(", ");
            writeln!(f, "actions without a recorded event: {actions}")?;
        }
        if self.stale > 0 {
            let stale = self.stale;
            writeln!(
                f,
                "ignored: {stale} files of executables that changed or were deleted"
            )?;
        }
        Ok(())
    }
}

/// Implements `assert_covered!`.
#[doc(hidden)]
#[track_caller]
#[expect(clippy::panic, reason = "this is an assertion")]
pub fn assert_covered(coverage: &Coverage) {
    match coverage.report() {
        Err(error) => panic!("failed to report audit coverage: {error}"),
        Ok(report) if report.is_covered() => {}
        Ok(report) => panic!(
            "routes without proof of an audit event: {}\n{report}\
             add `#[audited(..)]` to the function the route calls, or `#[unaudited(reason = \"..\")]` to its handler; \
             test the route; and keep it in the list",
            report.uncovered().collect::<Vec<_>>().join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;
    use crate::telemetry::AuditTrace;

    fn report(calls: &[(&str, &str, AuditTrace, u16)], routes: &[(&str, &str)]) -> CoverageReport {
        const CATALOG: EmbeddedCatalog = EmbeddedCatalog::new(
            &[
                EmbeddedAction::new("a.done", None, &[], None, false, None, &[]),
                EmbeddedAction::new("a.old", None, &[], None, false, Some("use a.done"), &[]),
                EmbeddedAction::new("a.undone", None, &[], None, false, None, &[]),
            ],
            &[],
            &[],
        );
        let mut facts = Facts::default();
        for (method, route, trace, status) in calls {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let status = StatusCode::from_u16(*status).unwrap();
            let route = Some(*route).filter(|route| !route.is_empty());
            facts.add_request(&method, route, *trace, status);
        }
        facts.add_action("a.done");
        Coverage::of_capture(routes, facts)
            .catalog(CATALOG)
            .report()
            .unwrap()
    }

    #[test]
    fn report_has_one_line_for_each_route() {
        let report = report(
            &[
                ("DELETE", "/a", AuditTrace::Audited, 204),
                ("DELETE", "/a", AuditTrace::None, 404),
                ("POST", "/b", AuditTrace::Exempt("a search"), 200),
                ("POST", "/c", AuditTrace::Audited, 200),
                ("POST", "/c", AuditTrace::None, 303),
                ("PUT", "/d", AuditTrace::None, 422),
                ("GET", "/a", AuditTrace::None, 200),
                ("PATCH", "/f", AuditTrace::Audited, 200),
                ("POST", "", AuditTrace::None, 200),
                ("POST", "/g", AuditTrace::None, 404),
                ("POST", "/h", AuditTrace::Audited, 500),
            ],
            &[
                ("delete", "/a"),
                ("GET", "/a"),
                ("GET", "/never"),
                ("POST", "/b"),
                ("POST", "/c"),
                ("PUT", "/d"),
                ("PUT", "/e"),
                ("POST", "/h"),
            ],
        );
        assert_eq!(
            report.to_string(),
            "audit coverage: 5 of 10 routes
  audited          DELETE /a
  changes nothing  GET /a
  changes nothing  GET /never
  exempt           POST /b: a search
  NOT AUDITED      POST /c
  audited          POST /h
  never exercised  PUT /d: every request was refused before it changed anything
  never exercised  PUT /e
  NOT IN THE LIST  PATCH /f
  NOT IN THE LIST  POST (no route)
actions without a recorded event: a.undone
"
        );
        let uncovered: Vec<_> = report.uncovered().collect();
        assert_eq!(
            uncovered,
            ["POST /c", "PUT /d", "PUT /e", "PATCH /f", "POST (no route)"]
        );
        assert_eq!(report.unrecorded_actions(), ["a.undone"]);
    }

    #[test]
    fn audited_and_exempt_routes_are_covered() {
        let calls = [
            ("DELETE", "/a", AuditTrace::Audited, 204),
            ("POST", "/b", AuditTrace::Exempt("a search"), 200),
        ];
        assert!(report(&calls, &[("DELETE", "/a"), ("POST", "/b")]).is_covered());
        assert!(!report(&calls, &[("DELETE", "/a")]).is_covered());
        assert!(!report(&calls[..1], &[("DELETE", "/a"), ("POST", "/b")]).is_covered());
    }
}
