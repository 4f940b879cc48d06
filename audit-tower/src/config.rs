//! The configuration that [`AuditLayer`](crate::layer::AuditLayer) builds and its service uses.

use std::sync::Arc;

use audit_core::Recorder;
use audit_core::web::{AuditConfig, IdentitySources, RequestAudit};
use http::request::Parts;

use crate::head::HttpRequestHead;

/// The audit configuration of a layer, and the sources of actor and organization.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) audit: AuditConfig,
    /// Shared, since every service of the layer has a clone.
    pub(crate) sources: Arc<IdentitySources<Parts>>,
}

impl Config {
    /// Returns a configuration without sources of actor and organization.
    pub(crate) fn new(recorder: Recorder) -> Self {
        Self {
            audit: AuditConfig::new(recorder),
            sources: Arc::default(),
        }
    }

    /// Opens the scope of a request, and sets the actor and organization that the sources find.
    pub(crate) fn open(&self, parts: &mut Parts) -> RequestAudit {
        let audit = RequestAudit::open(&self.audit, &HttpRequestHead(parts));
        self.sources.resolve(parts, audit.scope());
        audit
    }
}
