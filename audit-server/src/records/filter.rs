//! Selection of stored events.

use super::event::EventStatus;

/// A selection of stored events; all of them by default, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct EventFilter {
    pub(crate) organization: Option<String>,
    pub(crate) action: Option<String>,
    pub(crate) status: Option<EventStatus>,
    pub(crate) after: Option<u64>,
    pub(crate) before: Option<u64>,
    pub(crate) newest_first: bool,
    pub(crate) limit: Option<u32>,
}

impl EventFilter {
    /// Returns a filter that matches every event.
    pub fn new() -> Self {
        Self::default()
    }

    /// Selects the events of this organization.
    pub fn organization(mut self, id: impl Into<String>) -> Self {
        self.organization = Some(id.into());
        self
    }

    /// Selects the events of this action, by its exact name.
    pub fn action(mut self, name: impl Into<String>) -> Self {
        self.action = Some(name.into());
        self
    }

    /// Selects only accepted or only rejected events.
    pub fn status(mut self, status: EventStatus) -> Self {
        self.status = Some(status);
        self
    }

    /// Selects the rows whose `seq` is greater.
    pub fn after(mut self, seq: u64) -> Self {
        self.after = Some(seq);
        self
    }

    /// Selects the rows whose `seq` is smaller.
    pub fn before(mut self, seq: u64) -> Self {
        self.before = Some(seq);
        self
    }

    /// Returns the newest row first.
    pub fn newest_first(mut self) -> Self {
        self.newest_first = true;
        self
    }

    /// Limits the number of rows, counted in the order of the filter.
    pub fn limit(mut self, rows: u32) -> Self {
        self.limit = Some(rows);
        self
    }
}
