//! The configuration that [`AuditMiddleware`](crate::middleware::AuditMiddleware) builds and its
//! service uses.

use std::sync::Arc;

use actix_web::dev::ServiceRequest;
use audit_core::Recorder;
use audit_core::web::{AuditConfig, IdentitySources, RequestAudit};

use crate::head::ActixRequestHead;

/// The audit configuration of a middleware, and the sources of actor and organization.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) audit: AuditConfig,
    /// Shared, since every service of the middleware has a clone.
    pub(crate) sources: Arc<IdentitySources<ServiceRequest>>,
    /// `true` if denials before the handler are recorded.
    pub(crate) records_denials: bool,
}

impl Config {
    /// Returns a configuration without sources of actor and organization.
    pub(crate) fn new(recorder: Recorder) -> Self {
        Self {
            audit: AuditConfig::new(recorder),
            sources: Arc::default(),
            records_denials: false,
        }
    }

    /// Opens the scope of a request, and sets the actor and organization that the sources find.
    pub(crate) fn open(&self, request: &mut ServiceRequest) -> RequestAudit {
        let audit = RequestAudit::open(&self.audit, &ActixRequestHead(request));
        self.sources.resolve(request, audit.scope());
        audit
    }

    /// Returns the route of a request if a denial of it would be recorded.
    ///
    /// A middleware inside may return an error, and with an error the request is not given back. A
    /// clone that is kept meanwhile would make actix-web panic when it routes the request.
    pub(crate) fn route(&self, request: &ServiceRequest) -> Option<String> {
        if self.records_denials {
            request.match_pattern()
        } else {
            None
        }
    }
}
