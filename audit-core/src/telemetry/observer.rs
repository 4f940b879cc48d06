//! Observation of a recorder and its layers by the test kit.

use http::{Method, StatusCode};

use super::trace::AuditTrace;
use crate::event::Event;

/// An observer of accepted events and answered requests; the test kit is one.
pub(crate) trait Observer: Send + Sync {
    /// Notes an event that the recorder accepted.
    fn recorded(&self, event: Event);

    /// Notes a request that was answered.
    fn answered(&self, method: &Method, route: Option<&str>, trail: AuditTrace, status: StatusCode);
}
