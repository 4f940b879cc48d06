//! The reaction to a change that left no event.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use http::Method;

/// The number of routes that are remembered as warned about.
const ROUTES: usize = 1_000;

/// The reaction to a mutating request (POST, PUT, PATCH, DELETE) that succeeded and left no event.
///
/// Each such request is counted in [`Stats::unaudited`](crate::Stats::unaudited).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnUnaudited {
    /// Logs one warning for each method and route, at most 1,000.
    #[default]
    Warn,
    /// Panics with the method and the route, for tests.
    Fail,
    /// Does nothing.
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
