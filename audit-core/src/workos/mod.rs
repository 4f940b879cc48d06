//! The WorkOS Audit Logs client, and the sink that delivers events to it.
//!
//! ```no_run
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use audit_core::{Recorder, WorkOs};
//!
//! // WORKOS_API_KEY, and WORKOS_BASE_URL for a local server
//! let workos = WorkOs::from_env()?;
//! for action in workos.list_actions(Default::default()).await?.data {
//!     println!("{} v{}", action.name, action.schema.version);
//! }
//! let recorder = Recorder::builder(workos).build()?;
//! # Ok(()) }
//! ```

mod actions;
mod client;
mod config;
mod error;
mod events;
mod page;
mod retry_after;
mod schemas;
mod transport;

pub use actions::Action;
pub use client::WorkOs;
pub use config::{ApiKey, ConfigError, WorkOsBuilder};
pub use error::{Error, FieldError};
pub use page::{Order, Page, PageQuery};
pub use schemas::{JsonSchema, Schema, SchemaActor, SchemaTarget};
