//! The middleware that audits one route.

use std::future::{Ready, ready};
use std::panic::Location;
use std::sync::Arc;

use actix_web::Error;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use audit_core::Action;

use super::exempt::ExemptRoute;
use super::service::AuditRouteService;
use super::template::{EventTemplate, Field};
use super::value::RequestValue;

/// Records an event for each request to a route, without a change to its handler.
///
/// ```
/// use actix_web::{App, HttpResponse, web};
/// use audit_actix::{AuditMiddleware, AuditRoute, MemorySink, Recorder, action, path};
///
/// // audit.toml:
/// // [action."document.delete"]
/// // targets = ["document"]
/// async fn delete_document() -> HttpResponse {
///     HttpResponse::NoContent().finish()
/// }
///
/// let recorder = Recorder::builder(MemorySink::new()).build()?;
/// let audit = AuditRoute::new(action!("document.delete")).target("document", path("doc_id"));
/// let app = App::new()
///     .route("/documents/{doc_id}", web::delete().to(delete_document).wrap(audit))
///     .wrap(AuditMiddleware::new(recorder));
/// # let _ = app;
/// # Ok::<_, audit_actix::BuildError>(())
/// ```
///
/// Use it for handlers that cannot be changed; `#[audited]` checks and records more. The compiler
/// checks the action, but not the target types and metadata keys: the service rejects an event with
/// one that the catalog does not have, and the event becomes a dead letter. A denial keeps the
/// action, even if the catalog names another one under `denied`. If the handler is audited as well,
/// both record an event.
///
/// Around a `Route` it audits the requests that pass the guards of the route. Around a `Resource`
/// it audits every method; a request with a method that the resource does not have (405) leaves no
/// event.
///
/// # Outcomes
///
/// The status of the response head decides: 401 and 403 are `denied`, other 4xx and 5xx are
/// `failed`, and all others `succeeded`. As for an audited function, a panic is `panicked`, and a
/// request that is dropped before its response is `abandoned`.
///
/// Without an [`AuditMiddleware`](crate::AuditMiddleware) and an installed recorder, the request is
/// counted as [`unrecorded`](crate::unrecorded()), and each place that creates an `AuditRoute` logs
/// one error.
#[derive(Clone, Debug)]
#[must_use]
pub struct AuditRoute(Arc<EventTemplate>);

impl AuditRoute {
    /// Returns a middleware for events of this action, which [`action!`](crate::action!) has
    /// checked.
    #[track_caller]
    pub fn new(action: Action) -> Self {
        Self(Arc::new(EventTemplate::new(action, Location::caller())))
    }

    /// Returns a middleware that exempts a route from audit, with the reason. See [`ExemptRoute`].
    pub fn exempt(reason: &'static str) -> ExemptRoute {
        ExemptRoute::new(reason)
    }

    /// Adds a target.
    pub fn target(self, kind: &'static str, id: RequestValue) -> Self {
        let name = None;
        self.with(Field::Target { kind, id, name })
    }

    /// Adds a target with a display name.
    pub fn named_target(self, kind: &'static str, id: RequestValue, name: RequestValue) -> Self {
        let name = Some(name);
        self.with(Field::Target { kind, id, name })
    }

    /// Adds a metadata entry, as text. In the catalog its type is `"string"`.
    ///
    /// A key that the service would reject is left out of each event, and a log line names it with
    /// the reason.
    pub fn metadata(self, key: &'static str, value: RequestValue) -> Self {
        self.with(Field::Metadata(key, value))
    }

    fn with(mut self, field: Field) -> Self {
        Arc::make_mut(&mut self.0).push(field);
        self
    }
}

impl<S, B> Transform<S, ServiceRequest> for AuditRoute
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Transform = AuditRouteService<S>;
    type InitError = ();
    type Future = Ready<Result<AuditRouteService<S>, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        let template = Arc::clone(&self.0);
        ready(Ok(AuditRouteService::new(inner, template)))
    }
}
