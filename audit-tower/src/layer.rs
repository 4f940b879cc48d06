//! The layer: what is asked of every request.

use std::any::type_name;
use std::fmt;
use std::sync::Arc;

use audit_core::web::{Call, Policy, Unaudited};
use audit_core::{Action, Principal, Recorder, Scope};
use http::request::Parts;
use tower_layer::Layer;

use crate::head::RequestHead;
use crate::service::AuditService;

/// Opens a [`Scope`] for each request and records what ended in it, on the head of the answer.
///
/// ```
/// use audit_tower::{Actor, AuditLayer, MemorySink, Recorder};
///
/// let recorder = Recorder::builder(MemorySink::new()).build()?;
/// let layer = AuditLayer::new(recorder).principal_with(|request| {
///     let key = request.headers.get("x-service-name")?.to_str().ok()?;
///     Some(Actor::service(key))
/// });
/// # Ok::<_, audit_tower::BuildError>(())
/// ```
///
/// It has to run inside the layer that inserts the principal. In axum the layer that is added last runs first, so add
/// the sign-in after it. Where it runs outside, events keep an `unresolved` actor and a log line says how to mend it.
///
/// # Outcomes
///
/// What a function returned decides; the status of the answer settles what it left open and turns a failure into a
/// denial when it is 401 or 403. It never demotes a success. When the client hangs up, what has ended keeps its
/// outcome, and what has not is `abandoned`. A body that streams on after the head changes nothing any more.
#[derive(Clone)]
#[must_use]
pub struct AuditLayer {
    policy: Policy,
    resolve: Option<Resolve>,
}

type Resolve = Arc<dyn Fn(&Parts, &Scope) + Send + Sync>;

impl AuditLayer {
    /// A layer that records to this recorder, and knows nobody yet.
    pub fn new(recorder: Recorder) -> Self {
        Self {
            policy: Policy::new(recorder),
            resolve: None,
        }
    }

    /// Takes the principal of type `P` from the request's extensions.
    pub fn principal<P: Principal + Send + Sync + 'static>(mut self) -> Self {
        self.resolve = Some(Arc::new(|parts, scope| {
            scope.expect_principal(type_name::<P>());
            if let Some(principal) = parts.extensions.get::<P>() {
                scope.set_principal(principal);
            }
        }));
        self
    }

    /// Asks a function of yours for the principal. `None` leaves the actor to whoever runs deeper.
    pub fn principal_with<P: Principal>(
        mut self,
        resolve: impl Fn(&Parts) -> Option<P> + Send + Sync + 'static,
    ) -> Self {
        self.resolve = Some(Arc::new(move |parts, scope| {
            if let Some(principal) = resolve(parts) {
                scope.set_principal(&principal);
            }
        }));
        self
    }

    /// What happens when a mutating request (POST, PUT, PATCH, DELETE) succeeded and left no event; a warning for each
    /// method and route unless set.
    pub fn on_unaudited(mut self, then: Unaudited) -> Self {
        self.policy = self.policy.on_unaudited(then);
        self
    }

    /// Records a request that was refused with 401 or 403 before an audited function ran, under this action, with the
    /// outcome `denied`. See [`Policy::denied_as`].
    pub fn denied_as(mut self, action: Action) -> Self {
        self.policy = self.policy.denied_as(action);
        self
    }

    /// Opens the call of a request.
    pub(crate) fn open(&self, parts: &Parts) -> Call {
        let call = Call::open(&self.policy, &RequestHead(parts));
        if let Some(resolve) = &self.resolve {
            resolve(parts, call.scope());
        }
        call
    }
}

impl<S> Layer<S> for AuditLayer {
    type Service = AuditService<S>;

    fn layer(&self, inner: S) -> AuditService<S> {
        AuditService::new(inner, self.clone())
    }
}

impl fmt::Debug for AuditLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditLayer").finish_non_exhaustive()
    }
}
