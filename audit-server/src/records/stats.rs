//! Counts of requests to create an event.

use serde::Serialize;

/// The numbers of requests to create an event, over the whole life of the data.
///
/// Every request that reaches the route is counted once: as accepted, as rejected, or as a
/// duplicate of a known idempotency key. A request that a [`Fault`](crate::Fault) or the rate limit
/// rejected does not reach it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    pub(crate) accepted: u64,
    pub(crate) rejected: u64,
    pub(crate) duplicates: u64,
}

impl Stats {
    /// Returns the number of accepted events.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.accepted
    }

    /// Returns the number of rejected requests, including those whose rows were trimmed since.
    #[must_use]
    pub fn rejected(&self) -> u64 {
        self.rejected
    }

    /// Returns the number of requests that got the saved response of their idempotency key; nothing
    /// was stored for them.
    #[must_use]
    pub fn duplicates(&self) -> u64 {
        self.duplicates
    }
}
