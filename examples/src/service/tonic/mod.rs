//! The service on tonic: layers, authentication and methods.

mod documents;
mod error;
pub mod proto;
mod server;
mod sessions;

pub use server::serve;
