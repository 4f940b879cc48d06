//! The layer of one route: which event it leaves.

use std::panic::Location;
use std::sync::Arc;

use audit_core::private::open_action;
use audit_core::{Action, Draft, Target};
use http::request::Parts;
use tower_layer::Layer;

use super::exempt::ExemptRoute;
use super::service::AuditRouteService;
use super::value::{Found, RequestValue};
use crate::resolve;

/// Leaves an event for each request to a route, without touching its handler.
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
/// It is for handlers that cannot be changed; `#[audited]` says more. The action is checked while
/// the crate compiles, the types of targets and the keys of metadata are not: what the catalog does
/// not have, the service refuses, and the event becomes a dead letter. A denial keeps the action,
/// whatever `denied` says in the catalog. A handler that is itself audited leaves an event of its
/// own beside this one.
///
/// In axum it sees every method of the `MethodRouter` that it is added to. A request whose method
/// the route does not have (405) did not ask for the action, and leaves no event.
///
/// # Outcomes
///
/// The status of the head decides: 401 and 403 are `denied`, other 4xx and 5xx `failed`, the rest
/// succeeded. Of a gRPC call it is the HTTP status that the `grpc-status` in the head corresponds
/// to; one that comes after a body is not seen. An error of the service is `failed`. A panic and a
/// request that is dropped early are `panicked` and `abandoned`, as for an audited function.
/// Without an [`AuditLayer`](crate::AuditLayer) and an installed recorder, the request is counted
/// as [`unrecorded`](crate::unrecorded), with one error log for each place where an `AuditRoute` is
/// made.
#[derive(Clone, Debug)]
#[must_use]
pub struct AuditRoute(Arc<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    action: Action,
    at: &'static Location<'static>,
    facts: Vec<Fact>,
}

#[derive(Clone, Debug)]
enum Fact {
    Target {
        kind: &'static str,
        id: RequestValue,
        name: Option<RequestValue>,
    },
    Metadata(&'static str, RequestValue),
}

impl AuditRoute {
    /// Events of this action, which [`action!`](crate::action!) has checked.
    #[track_caller]
    pub fn new(action: Action) -> Self {
        Self(Arc::new(Inner {
            action,
            at: Location::caller(),
            facts: Vec::new(),
        }))
    }

    /// Says that a route needs no event, and why. See [`ExemptRoute`].
    pub fn exempt(reason: &'static str) -> ExemptRoute {
        ExemptRoute::new(reason)
    }

    /// Adds a target.
    pub fn target(mut self, kind: &'static str, id: RequestValue) -> Self {
        let name = None;
        self.facts().push(Fact::Target { kind, id, name });
        self
    }

    /// Adds a target with a name for people to read.
    pub fn named_target(
        mut self,
        kind: &'static str,
        id: RequestValue,
        name: RequestValue,
    ) -> Self {
        let name = Some(name);
        self.facts().push(Fact::Target { kind, id, name });
        self
    }

    /// Adds a fact about the event, as text; in the catalog its type is `"string"`.
    ///
    /// A key that the service would refuse is left out of each event; a log line says which and
    /// why.
    pub fn metadata(mut self, key: &'static str, value: RequestValue) -> Self {
        self.facts().push(Fact::Metadata(key, value));
        self
    }

    fn facts(&mut self) -> &mut Vec<Fact> {
        &mut Arc::make_mut(&mut self.0).facts
    }

    /// Opens the draft of a request, in the request's scope.
    pub(super) fn open(&self, parts: &mut Parts) -> Draft {
        let open = || open_action(self.0.action, self.0.at);
        let mut draft = match resolve::scope(&parts.extensions) {
            Some(scope) => scope.enter(open),
            None => open(),
        };
        if draft.is_recording() {
            for fact in &self.0.facts {
                fact.write(parts, &mut draft);
            }
        }
        draft
    }
}

impl Fact {
    fn write(&self, parts: &mut Parts, draft: &mut Draft) {
        match self {
            Self::Target { kind, id, name } => {
                let target = match id.find(parts) {
                    Found::Value(id) => Target::new(kind, id),
                    Found::Unresolved => Target::new(kind, "unresolved"),
                    Found::Absent => return,
                };
                draft.target(match name.as_ref().map(|name| name.find(parts)) {
                    Some(Found::Value(name)) => target.name(name),
                    Some(Found::Absent | Found::Unresolved) | None => target,
                });
            }
            Self::Metadata(key, value) => {
                if let Found::Value(value) = value.find(parts) {
                    draft.metadata(key, value);
                }
            }
        }
    }
}

impl<S> Layer<S> for AuditRoute {
    type Service = AuditRouteService<S>;

    fn layer(&self, inner: S) -> AuditRouteService<S> {
        AuditRouteService::new(inner, self.clone())
    }
}
