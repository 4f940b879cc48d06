//! Counts of requests to create an event.

use serde::Serialize;

/// How many requests to create an event ended how, over the whole life of the data.
///
/// Every request that reached its route is counted once: taken, refused, or answered from memory
/// because its idempotency key was known. What a [`Fault`](crate::Fault) or the rate limit answered
/// did not reach it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    pub(crate) accepted: u64,
    pub(crate) rejected: u64,
    pub(crate) duplicates: u64,
}

impl Stats {
    /// Events that were stored and answered with 200.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.accepted
    }

    /// Requests that were refused, also those whose rows have been trimmed since.
    #[must_use]
    pub fn rejected(&self) -> u64 {
        self.rejected
    }

    /// Requests that were answered again from a remembered idempotency key; nothing was stored for
    /// them.
    #[must_use]
    pub fn duplicates(&self) -> u64 {
        self.duplicates
    }
}
