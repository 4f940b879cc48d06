//! The layer that audits one route.

use std::panic::Location;
use std::sync::Arc;

use audit_core::Action;
use tower_layer::Layer;

use super::exempt::ExemptRoute;
use super::service::AuditRouteService;
use super::template::{EventTemplate, Field};
use super::value::RequestValue;

/// Records an event for each request to a route, without a change to its handler.
///
/// ```
/// use audit_tower::{AuditLayer, AuditRoute, MemorySink, Recorder, action, path};
/// use axum::{Router, routing::delete};
///
/// // audit.toml:
/// // [action."document.delete"]
/// // targets = ["document"]
/// async fn delete_document() {}
///
/// let recorder = Recorder::builder(MemorySink::new()).build()?;
/// let audit = AuditRoute::new(action!("document.delete")).target("document", path("doc_id"));
/// let app: Router = Router::new()
///     .route("/documents/{doc_id}", delete(delete_document).layer(audit))
///     .layer(AuditLayer::new(recorder));
/// # Ok::<_, audit_tower::BuildError>(())
/// ```
///
/// Use it for handlers that cannot be changed; `#[audited]` checks and records more. The compiler
/// checks the action, but not the target types and metadata keys: the service rejects an event with
/// one that the catalog does not have, and the event becomes a dead letter. A denial keeps the
/// action, even if the catalog names another one under `denied`. If the handler is audited as well,
/// both record an event.
///
/// In axum it audits every method of the `MethodRouter` that it is added to. A request with a
/// method that the route does not have (405) leaves no event.
///
/// # Outcomes
///
/// The status of the response head decides: 401 and 403 are `denied`, other 4xx and 5xx are
/// `failed`, and all others `succeeded`. For a gRPC call it is the HTTP status that the
/// `grpc-status` in the head corresponds to; a status in the trailers is not seen. An error of the
/// service is `failed`. As for an audited function, a panic is `panicked`, and a request that is
/// dropped before its response is `abandoned`.
///
/// Without an [`AuditLayer`](crate::AuditLayer) and an installed recorder, the request is counted
/// as [`unrecorded`](crate::unrecorded), and each place that creates an `AuditRoute` logs one
/// error.
#[derive(Clone, Debug)]
#[must_use]
pub struct AuditRoute(Arc<EventTemplate>);

impl AuditRoute {
    /// Returns a layer for events of this action, which [`action!`](crate::action!) has checked.
    #[track_caller]
    pub fn new(action: Action) -> Self {
        Self(Arc::new(EventTemplate::new(action, Location::caller())))
    }

    /// Returns a layer that exempts a route from audit, with the reason. See [`ExemptRoute`].
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

impl<S> Layer<S> for AuditRoute {
    type Service = AuditRouteService<S>;

    fn layer(&self, inner: S) -> AuditRouteService<S> {
        AuditRouteService::new(inner, Arc::clone(&self.0))
    }
}
