//! The documents service: its data and rules, and one module for each web framework.
//!
//! Data and rules use no web framework. The interface is the same on each framework (over gRPC, one
//! method for each route), and the same requests leave the same events.

mod account;
pub mod actix;
mod api_keys;
pub mod axum;
mod documents;
mod error;
mod mail;
mod members;
mod role;
mod sessions;
mod state;
mod store;
pub mod tonic;
mod user;

pub use error::AppError;
pub use mail::{Mailer, UNREACHABLE};
pub use role::Role;
pub use state::AppState;
pub use store::Store;
pub use user::CurrentUser;
