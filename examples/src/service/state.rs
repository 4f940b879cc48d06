//! The state that all handlers share.

use super::mail::Mailer;
use super::store::Store;

/// The state of the service. Clones share the data.
#[derive(Clone, Debug)]
pub struct AppState {
    /// The data, in memory.
    pub store: Store,
    /// Sends e-mail.
    pub mailer: Mailer,
}

impl AppState {
    /// Creates a service with the members of [`Store::with_members`].
    #[must_use]
    pub fn new(organization: &str) -> Self {
        Self {
            store: Store::with_members(organization),
            mailer: Mailer::default(),
        }
    }
}
