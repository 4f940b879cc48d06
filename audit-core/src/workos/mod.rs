//! The WorkOS Audit Logs client, and the sink that delivers events to it.
//!
//! ```no_run
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use audit_core::{Recorder, WorkOs};
//!
//! // WORKOS_API_KEY, and WORKOS_BASE_URL for a local server
//! let workos = WorkOs::from_env()?;
//! for action in workos.actions().collect().await? {
//!     println!("{} v{}", action.name, action.schema.version);
//! }
//! let recorder = Recorder::builder(workos).build()?;
//! # Ok(()) }
//! ```
//!
//! # Calls
//!
//! | call | does |
//! | --- | --- |
//! | [`WorkOs::create_event`] | one event; a [`Recorder`](crate::Recorder) does it in the background |
//! | [`WorkOs::actions`], [`WorkOs::list_actions`] | the registered actions, all or a page |
//! | [`WorkOs::create_schema`], [`WorkOs::schemas`], [`WorkOs::list_schemas`] | the versions of an action's schema |
//! | [`WorkOs::create_export`], [`WorkOs::get_export`], [`WorkOs::wait_for_export`], [`WorkOs::download_export`] | events as CSV |
//! | [`WorkOs::expand_actions`] | `user.*` in an export's filter as the registered names |
//! | [`WorkOs::retention`], [`WorkOs::set_retention`] | the retention period of events |
//! | [`WorkOs::configuration`] | the state of an organization's log, and its stream |
//! | [`WorkOs::generate_portal_link`] | a link to the Admin Portal |
//! | [`WebhookVerifier`] | verifies the signature of a webhook |
//!
//! # Limits
//!
//! A response is read up to 4 MiB; a download has no limit and is not held in memory. The client
//! never follows a redirect, since the key would be sent along; downloads carry no key and follow
//! up to three. An attempt takes at most 30 seconds and its connection 5, unless
//! [`WorkOsBuilder`] sets other timeouts; reading calls are attempted up to three times.

mod actions;
#[cfg(test)]
mod canned;
mod client;
mod config;
mod config_error;
mod configuration;
mod download;
mod error;
mod events;
mod export_request;
mod exports;
mod key;
mod open_enum;
mod page;
mod portal;
mod retention;
mod retry;
mod retry_after;
mod schemas;
mod transport;
mod transport_failure;
mod webhook;
mod wildcard;

pub use actions::Action;
pub use client::WorkOs;
pub use config::WorkOsBuilder;
pub use config_error::ConfigError;
pub use configuration::{Configuration, LogState, LogStream, LogStreamKind, LogStreamState};
pub use download::Download;
pub use error::{Error, FieldError};
pub use export_request::{EXPORT_WINDOW, ExportRequest, ExportWarning};
pub use exports::{Export, ExportState};
pub use key::ApiKey;
pub use page::{Items, Order, Page, PageQuery};
pub use portal::{PortalIntent, PortalLink, PortalLinkRequest};
pub use retention::{Retention, RetentionError, RetentionPeriod};
pub use schemas::{JsonSchema, Schema, SchemaActor, SchemaTarget};
pub use webhook::{WebhookError, WebhookVerifier};
