//! The layer: what is asked of every request.

use std::any::type_name;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use audit_core::{Principal, Recorder, Scope};
use http::request::Parts;
use tower_layer::Layer;

use crate::head;
use crate::service::Audit;

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
    shared: Arc<Shared>,
}

type Resolve = Arc<dyn Fn(&Parts, &Scope) + Send + Sync>;

/// What all services of a layer share.
struct Shared {
    recorder: Recorder,
    resolve: Option<Resolve>,
    /// Whether the missing address was complained about.
    complained: AtomicBool,
}

impl AuditLayer {
    /// A layer that records to this recorder, and knows nobody yet.
    pub fn new(recorder: Recorder) -> Self {
        Self::with(recorder, None)
    }

    /// Takes the principal of type `P` from the request's extensions.
    pub fn principal<P: Principal + Send + Sync + 'static>(self) -> Self {
        let resolve: Resolve = Arc::new(|parts, scope| {
            scope.expect_principal(type_name::<P>());
            if let Some(principal) = parts.extensions.get::<P>() {
                scope.set_principal(principal);
            }
        });
        Self::with(self.shared.recorder.clone(), Some(resolve))
    }

    /// Asks a function of yours for the principal. `None` leaves the actor to whoever runs deeper.
    pub fn principal_with<P: Principal>(
        self,
        resolve: impl Fn(&Parts) -> Option<P> + Send + Sync + 'static,
    ) -> Self {
        let resolve: Resolve = Arc::new(move |parts, scope| {
            if let Some(principal) = resolve(parts) {
                scope.set_principal(&principal);
            }
        });
        Self::with(self.shared.recorder.clone(), Some(resolve))
    }

    fn with(recorder: Recorder, resolve: Option<Resolve>) -> Self {
        let complained = AtomicBool::new(false);
        Self {
            shared: Arc::new(Shared {
                recorder,
                resolve,
                complained,
            }),
        }
    }

    /// The scope of a request.
    pub(crate) fn open(&self, parts: &Parts) -> Scope {
        let (context, has_address) = head::context(parts);
        if !has_address && !self.shared.complained.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "audit events without the client's address: serve with \
                 `into_make_service_with_connect_info::<SocketAddr>()`"
            );
        }
        let scope = self.shared.recorder.scope().context(context);
        if let Some(resolve) = &self.shared.resolve {
            resolve(parts, &scope);
        }
        scope
    }
}

impl<S> Layer<S> for AuditLayer {
    type Service = Audit<S>;

    fn layer(&self, inner: S) -> Audit<S> {
        Audit::new(inner, self.clone())
    }
}

impl fmt::Debug for AuditLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditLayer").finish_non_exhaustive()
    }
}
