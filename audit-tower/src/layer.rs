//! The layer that audits every request of a service.

use std::sync::Arc;

use audit_core::web::OnUnaudited;
use audit_core::{Action, OrganizationId, Principal, Recorder, TrustedProxies};
use http::request::Parts;
use tower_layer::Layer;

use crate::config::Config;
use crate::service::AuditService;

/// Opens a [`Scope`](crate::Scope) for each request, and records its events when the response head
/// is known.
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
/// # Actor and organization
///
/// Sources of the principal are tried in the order in which they were added, and the first that
/// finds one is used: `.principal::<CurrentUser>().principal::<ServiceAccount>()`. Sources of the
/// organization are tried likewise. If several parts of a program set the actor or organization of
/// one request, the last row of this table wins:
///
/// | set by | actor | organization |
/// | --- | --- | --- |
/// | the recorder's `fallback_organization` | | ✓ |
/// | the layer: [`organization_with`](Self::organization_with), `organization_from_path` | | ✓ |
/// | the layer: [`principal`](Self::principal), [`principal_with`](Self::principal_with) | ✓ | if the principal has one |
/// | inner layers and the handler: [`Scope::set_principal`](crate::Scope::set_principal), `set_actor`, `set_organization`; the last call | ✓ | ✓ |
/// | the attribute on the function: `actor = ..`, `organization = ..` | ✓ | ✓ |
///
/// Inner layers and the handler can set both until the response head is returned. Events of the
/// request that have already ended get these values too.
///
/// # The order of layers
///
/// The layer has to run inside the layer that inserts the principal. In axum the layer that is
/// added last runs first, so add the authentication layer after this one. In the wrong order,
/// events have an `unresolved` actor, and a log line explains how to fix it. An authentication
/// layer that runs inside can set the principal itself, through `Audit` in axum or the `Scope` in
/// the request's extensions.
///
/// A layer outside this one changes the response that the client gets, but not what is recorded: a
/// timeout there drops the request, and operations that have not ended are recorded as `abandoned`.
/// The response of a layer inside is the one recorded. A timeout inside that responds with 408
/// leaves `abandoned` as well. A layer that turns panics into responses leaves `panicked` on either
/// side.
///
/// # Outcomes
///
/// The value that a function returned decides its outcome. The status of the response settles an
/// outcome that the value left open, and turns a failure into a denial if it is 401 or 403. It
/// never demotes a success. If the client disconnects, operations that have ended keep their
/// outcome, and the others are `abandoned`. A response body that is still streaming, or an upgraded
/// connection, no longer changes an outcome.
#[derive(Clone, Debug)]
#[must_use]
pub struct AuditLayer(Config);

impl AuditLayer {
    /// Returns a layer that records to this recorder, without sources of actor and organization.
    pub fn new(recorder: Recorder) -> Self {
        Self(Config::new(recorder))
    }

    /// Takes the principal of type `P` from the request's extensions, unless an earlier source
    /// finds one.
    ///
    /// ```
    /// use audit_tower::{Actor, AuditLayer, MemorySink, Principal, Recorder};
    ///
    /// struct CurrentUser { id: u64 }
    ///
    /// impl Principal for CurrentUser {
    ///     fn actor(&self) -> Actor {
    ///         Actor::user(self.id)
    ///     }
    /// }
    ///
    /// let recorder = Recorder::builder(MemorySink::new()).build()?;
    /// let layer = AuditLayer::new(recorder).principal::<CurrentUser>();
    /// # Ok::<_, audit_tower::BuildError>(())
    /// ```
    pub fn principal<P: Principal + Send + Sync + 'static>(mut self) -> Self {
        let sources = Arc::make_mut(&mut self.0.sources);
        sources.expect::<P>();
        sources.principal(|parts, scope| {
            let found = parts.extensions.get::<P>();
            found.inspect(|found| scope.set_principal(found)).is_some()
        });
        self
    }

    /// Calls a function for the principal, unless an earlier source finds one.
    ///
    /// If it returns `None`, the actor is left to later sources, inner layers and the handler.
    pub fn principal_with<P: Principal>(
        mut self,
        find: impl Fn(&Parts) -> Option<P> + Send + Sync + 'static,
    ) -> Self {
        Arc::make_mut(&mut self.0.sources).principal(move |parts, scope| {
            let found = find(parts);
            found.inspect(|found| scope.set_principal(found)).is_some()
        });
        self
    }

    /// Calls a function for the organization, unless an earlier source finds one.
    ///
    /// A principal that has an organization, inner layers and the handler override it.
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
        let sources = Arc::make_mut(&mut self.0.sources);
        sources.organization(move |parts| find(parts).map(Into::into));
        self
    }

    /// Takes the organization from a parameter of the matched route, unless an earlier source finds
    /// one.
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
    /// A route without the parameter leaves the organization to the other sources. Add the layer
    /// with `Router::layer`, `Router::route_layer` or the methods of `MethodRouter` of these names:
    /// there it runs after the route was matched. Wrapped around a whole `Router` it runs before,
    /// and finds no parameter.
    ///
    /// The client chooses the path: a denied attempt is recorded in the log of the organization in
    /// the path, not in that of the caller. If that is not wanted, let the principal name the
    /// organization.
    #[cfg(feature = "axum")]
    pub fn organization_from_path(mut self, parameter: &'static str) -> Self {
        use crate::parameter::{Parameter, path_parameter};
        Arc::make_mut(&mut self.0.sources).organization(move |parts| {
            match path_parameter(parts, parameter) {
                Parameter::Found(id) => Some(id.into()),
                Parameter::Missing | Parameter::Unreadable => None,
            }
        });
        self
    }

    /// Sets the reaction to a mutating request (POST, PUT, PATCH, DELETE) that succeeded without an
    /// event.
    ///
    /// Unless set, one warning is logged for each method and route.
    ///
    /// ```
    /// use audit_tower::{AuditLayer, MemorySink, Recorder, web::OnUnaudited};
    ///
    /// let recorder = Recorder::builder(MemorySink::new()).build()?;
    /// let layer = AuditLayer::new(recorder).on_unaudited(OnUnaudited::Fail); // a panic, for tests
    /// # Ok::<_, audit_tower::BuildError>(())
    /// ```
    pub fn on_unaudited(mut self, then: OnUnaudited) -> Self {
        self.0.audit = self.0.audit.on_unaudited(then);
        self
    }

    /// Records a request with a 401 or 403 response that reached no audited function, under
    /// this action.
    ///
    /// The outcome is `denied`. See
    /// [`AuditConfig::denied_as`](audit_core::web::AuditConfig::denied_as).
    ///
    /// ```
    /// use audit_tower::{AuditLayer, MemorySink, Recorder, action};
    ///
    /// // audit.toml:
    /// // [action."access.denied"]
    /// // targets = ["route"]
    /// let recorder = Recorder::builder(MemorySink::new()).build()?;
    /// let layer = AuditLayer::new(recorder).denied_as(action!("access.denied"));
    /// # Ok::<_, audit_tower::BuildError>(())
    /// ```
    pub fn denied_as(mut self, action: Action) -> Self {
        self.0.audit = self.0.audit.denied_as(action);
        self
    }

    /// Takes the client's address from the header of trusted proxies.
    ///
    /// Without it the client is the peer of the connection, and no header is read.
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
        self.0.audit = self.0.audit.trusted_proxies(proxies);
        self
    }
}

impl<S> Layer<S> for AuditLayer {
    type Service = AuditService<S>;

    fn layer(&self, inner: S) -> AuditService<S> {
        AuditService::new(inner, self.0.clone())
    }
}
