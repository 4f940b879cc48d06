//! The service on actix-web: routes, middleware and handlers.
//!
//! A pattern cannot take a `Path` of actix-web apart, so the attribute names the value that it
//! holds: `*document`.

mod account;
mod api_keys;
mod app;
mod documents;
mod error;
mod members;
mod sessions;

pub use app::serve;
