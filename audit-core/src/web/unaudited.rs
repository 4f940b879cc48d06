//! Whether a request left an event, and what happens when it should have and did not.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use http::Method;

/// How many routes are remembered as warned about.
const ROUTES: usize = 1_000;

/// What happens when a mutating request (POST, PUT, PATCH, DELETE) succeeded and left no event.
/// Each is counted in [`Stats::unaudited`](crate::Stats::unaudited).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnUnaudited {
    /// One warning for each method and route, at most 1,000.
    #[default]
    Warn,
    /// A panic that names the method and the route, for tests.
    Fail,
    /// Nothing.
    Ignore,
}

/// The routes that have been warned about.
#[derive(Debug, Default)]
pub(super) struct Routes(Mutex<BTreeSet<String>>);

impl Routes {
    pub(super) fn warn(&self, method: &Method, route: &str) {
        if self.is_new(format!("{method} {route}")) {
            tracing::warn!(
                %method,
                route,
                "a request succeeded and left no audit event: put `#[audited(..)]` on what it does, or \
                 `#[unaudited(reason = \"..\")]` on its handler"
            );
        }
    }

    fn is_new(&self, route: String) -> bool {
        let mut routes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        routes.len() < ROUTES && routes.insert(route)
    }
}
