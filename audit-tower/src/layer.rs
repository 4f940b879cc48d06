//! The layer: what is asked of every request.

use std::fmt;
use std::sync::Arc;

use audit_core::web::{AuditConfig, IdentitySources, OnUnaudited, RequestAudit};
use audit_core::{Action, OrganizationId, Principal, Recorder, TrustedProxies};
use http::request::Parts;
use tower_layer::Layer;

use crate::head::HttpRequestHead;
use crate::service::AuditService;

/// Opens a [`Scope`](crate::Scope) for each request and records what ended in it, on the head of
/// the answer.
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
/// # Who acts, and for whom
///
/// The first source of principal that finds one counts, in the order in which they were named:
/// `.principal::<CurrentUser>().principal::<ServiceAccount>()`. Sources of organization likewise.
/// Where several parts of a program say something about the same request, the later in this list
/// counts:
///
/// | said by | actor | organization |
/// | --- | --- | --- |
/// | the recorder's `fallback_organization` | | ✓ |
/// | the layer: [`organization_with`](Self::organization_with), `organization_from_path` | | ✓ |
/// | the layer: [`principal`](Self::principal), [`principal_with`](Self::principal_with) | ✓ | if the principal knows it |
/// | what runs deeper: [`Scope::set_principal`](crate::Scope::set_principal), `set_actor`, `set_organization`, the last call | ✓ | ✓ |
/// | the attribute on the function: `actor = ..`, `organization = ..` | ✓ | ✓ |
///
/// What runs deeper has until the head of the answer to say it, also for events that have ended
/// before.
///
/// # The order of layers
///
/// The layer has to run inside the one that inserts the principal. In axum the layer that is added
/// last runs first, so add the sign-in after it. Where it runs outside, events keep an `unresolved`
/// actor and a log line says how to mend it; a sign-in that runs deeper can instead tell the scope
/// itself, by `Audit` in axum or by the `Scope` in the request's extensions.
///
/// A layer outside this one decides what the client sees, but not what is recorded: a time limit
/// out there drops the request, which leaves what has not ended as `abandoned`. One inside is seen:
/// a time limit that answers 408 leaves `abandoned` as well, and a layer that turns panics into
/// answers leaves `panicked`, whichever side it is on.
///
/// # Outcomes
///
/// What a function returned decides; the status of the answer settles what it left open and turns a
/// failure into a denial when it is 401 or 403. It never demotes a success. When the client hangs
/// up, what has ended keeps its outcome, and what has not is `abandoned`. A body that streams on
/// after the head, or a connection that is upgraded, changes nothing any more.
#[derive(Clone)]
#[must_use]
pub struct AuditLayer {
    policy: AuditConfig,
    sources: Arc<IdentitySources<Parts>>,
}

impl AuditLayer {
    /// A layer that records to this recorder, and knows nobody yet.
    pub fn new(recorder: Recorder) -> Self {
        Self {
            policy: AuditConfig::new(recorder),
            sources: Arc::default(),
        }
    }

    /// Takes the principal of type `P` from the request's extensions, unless a source named before
    /// finds one.
    pub fn principal<P: Principal + Send + Sync + 'static>(mut self) -> Self {
        let sources = Arc::make_mut(&mut self.sources);
        sources.expect::<P>();
        sources.principal(|parts, scope| {
            let found = parts.extensions.get::<P>();
            found.inspect(|found| scope.set_principal(found)).is_some()
        });
        self
    }

    /// Asks a function of yours for the principal, unless a source named before finds one. `None`
    /// leaves the actor to the sources named after and to what runs deeper.
    pub fn principal_with<P: Principal>(
        mut self,
        find: impl Fn(&Parts) -> Option<P> + Send + Sync + 'static,
    ) -> Self {
        Arc::make_mut(&mut self.sources).principal(move |parts, scope| {
            let found = find(parts);
            found.inspect(|found| scope.set_principal(found)).is_some()
        });
        self
    }

    /// Asks a function of yours for the organization, unless a source named before finds one. A
    /// principal that knows its organization, and what runs deeper, say otherwise.
    ///
    /// ```
    /// # use audit_tower::{AuditLayer, MemorySink, Recorder};
    /// # let recorder = Recorder::builder(MemorySink::new()).build()?;
    /// let layer = AuditLayer::new(recorder).organization_with(|request| {
    ///     let host = request.headers.get("host")?.to_str().ok()?;
    ///     Some(host.strip_suffix(".example.com")?.to_owned())
    /// });
    /// # Ok::<_, audit_tower::BuildError>(())
    /// ```
    pub fn organization_with<O: Into<OrganizationId>>(
        mut self,
        find: impl Fn(&Parts) -> Option<O> + Send + Sync + 'static,
    ) -> Self {
        Arc::make_mut(&mut self.sources).organization(move |parts| find(parts).map(Into::into));
        self
    }

    /// Takes the organization from a parameter of the matched route, unless a source named before
    /// finds one.
    ///
    /// ```
    /// # use audit_tower::{AuditLayer, MemorySink, Recorder};
    /// # use axum::{Router, routing::delete};
    /// # async fn remove_member() {}
    /// # let recorder = Recorder::builder(MemorySink::new()).build()?;
    /// let app: Router = Router::new()
    ///     .route("/orgs/{org_id}/members/{id}", delete(remove_member))
    ///     .layer(AuditLayer::new(recorder).organization_from_path("org_id"));
    /// # Ok::<_, audit_tower::BuildError>(())
    /// ```
    ///
    /// A route without the parameter leaves the organization to the other sources. The layer has to
    /// be added with `Router::layer`, `Router::route_layer` or the like on a `MethodRouter`: those
    /// run when the route is known. One that is wrapped around a whole `Router` runs before, and
    /// finds no parameter.
    ///
    /// The path is the client's word: a refused attempt is recorded in the log of the organization
    /// that was asked for, not in the caller's. Where that is not wanted, let the principal name
    /// the organization.
    #[cfg(feature = "axum")]
    pub fn organization_from_path(mut self, parameter: &'static str) -> Self {
        use crate::resolve::{Parameter, path_parameter};
        Arc::make_mut(&mut self.sources).organization(move |parts| {
            match path_parameter(parts, parameter) {
                Parameter::Found(id) => Some(id.into()),
                Parameter::Missing | Parameter::Unreadable => None,
            }
        });
        self
    }

    /// What happens when a mutating request (POST, PUT, PATCH, DELETE) succeeded and left no event;
    /// a warning for each method and route unless set.
    pub fn on_unaudited(mut self, then: OnUnaudited) -> Self {
        self.policy = self.policy.on_unaudited(then);
        self
    }

    /// Records a request that was refused with 401 or 403 before an audited function ran, under
    /// this action, with the outcome `denied`. See [`AuditConfig::denied_as`].
    pub fn denied_as(mut self, action: Action) -> Self {
        self.policy = self.policy.denied_as(action);
        self
    }

    /// Takes the client's address from the header of proxies that are trusted; without it the
    /// client is the peer of the connection, and no header is read.
    ///
    /// ```
    /// use audit_tower::{AuditLayer, MemorySink, Recorder, TrustedProxies};
    ///
    /// let recorder = Recorder::builder(MemorySink::new()).build()?;
    /// let layer = AuditLayer::new(recorder)
    ///     .trusted_proxies(TrustedProxies::x_forwarded_for(["10.0.0.0/8", "fd00::/8"])?);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.policy = self.policy.trusted_proxies(proxies);
        self
    }

    /// Opens the call of a request.
    pub(crate) fn open(&self, parts: &mut Parts) -> RequestAudit {
        let call = RequestAudit::open(&self.policy, &HttpRequestHead(parts));
        self.sources.resolve(parts, call.scope());
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
