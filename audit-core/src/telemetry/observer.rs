//! The interface through which the test kit observes a recorder and its layers.

use http::{Method, StatusCode};

use super::trace::AuditTrace;
use crate::event::Event;

/// An observer of accepted events and completed requests, implemented by the test kit.
pub(crate) trait Observer: Send + Sync {
    /// Notes an event that the recorder accepted.
    fn on_event(&self, event: Event);

    /// Notes a request with the status of its response.
    fn on_response(
        &self,
        method: &Method,
        route: Option<&str>,
        trace: AuditTrace,
        status: StatusCode,
    );
}
