//! The service on axum: routes, layers and handlers.

mod account;
mod api_keys;
mod app;
mod documents;
mod error;
mod members;
mod sessions;

pub use app::{app, serve};
