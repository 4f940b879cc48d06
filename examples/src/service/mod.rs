//! The documents service: its data and its rules, which know no web framework, and in a module each
//! the frameworks that serve it.
//!
//! Whatever the framework, the interface is the same (over gRPC, a method for each route), and so
//! is the trail that the same requests leave.

mod account;
pub mod actix;
mod api_keys;
pub mod axum;
mod documents;
mod error;
mod mail;
mod members;
mod sessions;
mod store;
pub mod tonic;
mod user;

pub use error::AppError;
pub use mail::{Mailer, UNREACHABLE};
pub use store::{Role, Store};
pub use user::CurrentUser;

/// What the handlers share. Clones share the store.
#[derive(Clone, Debug)]
pub struct AppState {
    /// The data, in memory.
    pub store: Store,
    /// Sends e-mail.
    pub mailer: Mailer,
}

impl AppState {
    /// A service with the members of [`Store::with_members`].
    #[must_use]
    pub fn new(organization: &str) -> Self {
        Self {
            store: Store::with_members(organization),
            mailer: Mailer::default(),
        }
    }
}
