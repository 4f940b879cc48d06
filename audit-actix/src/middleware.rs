//! The middleware that audits every request of an application.

use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::{Error, HttpMessage};
use audit_core::web::OnUnaudited;
use audit_core::{Action, OrganizationId, Principal, Recorder, TrustedProxies};

use crate::config::Config;
use crate::parameter::{Parameter, parameter};
use crate::service::AuditService;

/// Opens a [`Scope`](crate::Scope) for each request, and records its events when the response head
/// is known.
///
/// ```
/// use actix_web::App;
/// use audit_actix::{Actor, AuditMiddleware, MemorySink, Recorder};
///
/// let recorder = Recorder::builder(MemorySink::new()).build()?;
/// let audit = AuditMiddleware::new(recorder).principal_with(|request| {
///     let key = request.headers().get("x-service-name")?.to_str().ok()?;
///     Some(Actor::service(key))
/// });
/// // Created once, outside of the closure that creates an `App` for each worker.
/// let app = move || App::new().wrap(audit.clone());
/// # let _ = app();
/// # Ok::<_, audit_actix::BuildError>(())
/// ```
///
/// # Actor and organization
///
/// Sources of the principal are tried in the order in which they were added, and the first that
/// finds one is used; sources of the organization likewise. If several parts of a program set the
/// actor or organization of one request, the last row of this table wins:
///
/// | set by | actor | organization |
/// | --- | --- | --- |
/// | the recorder's `fallback_organization` | | ✓ |
/// | [`organization_with`](Self::organization_with), [`organization_from_path`](Self::organization_from_path) | | ✓ |
/// | [`principal`](Self::principal), [`principal_with`](Self::principal_with) | ✓ | if the principal has one |
/// | inner middleware and the handler: [`Scope::set_principal`](crate::Scope::set_principal), `set_actor`, `set_organization`; the last call | ✓ | ✓ |
/// | the attribute on the function: `actor = ..`, `organization = ..` | ✓ | ✓ |
///
/// Inner middleware and the handler can set both until the response head is returned. Events of
/// the request that have already ended get these values too.
///
/// # The order of middleware
///
/// It has to run inside the middleware that inserts the principal. In actix-web the middleware that
/// is wrapped last runs first, so wrap the authentication after it: `.wrap(audit).wrap(sign_in)`.
/// In the wrong order, events have an `unresolved` actor, and a log line explains how to fix it.
/// An authentication middleware that runs inside can set the principal itself, through
/// [`Audit`](crate::Audit) or the `Scope` in the request's extensions.
///
/// # Outcomes
///
/// The value that a function returned decides its outcome. The status of the response settles an
/// outcome that the value left open, and turns a failure into a denial if it is 401 or 403. It
/// never demotes a success. An error of a middleware inside counts by the status of its response.
/// A handler that panics leaves `panicked`, and the connection ends without a
/// response. A response body that is still streaming, or an upgraded connection, no longer changes
/// an outcome.
///
/// If the client disconnects, operations that have ended keep their outcome, and the others are
/// `abandoned`. actix-web distinguishes a disconnected client from one that has only closed its
/// sending side by
/// [`HttpServer::h1_allow_half_closed`](actix_web::HttpServer::h1_allow_half_closed): unless that
/// is `false`, the handler of a disconnected client runs to its end, and the event has the outcome
/// of the handler.
#[derive(Clone, Debug)]
#[must_use]
pub struct AuditMiddleware(Config);

impl AuditMiddleware {
    /// Returns a middleware that records to this recorder, without sources of actor and
    /// organization.
    pub fn new(recorder: Recorder) -> Self {
        Self(Config::new(recorder))
    }

    /// Takes the principal of type `P` from the request's extensions, unless an earlier source
    /// finds one.
    ///
    /// ```
    /// use audit_actix::{Actor, AuditMiddleware, MemorySink, Principal, Recorder};
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
    /// let audit = AuditMiddleware::new(recorder).principal::<CurrentUser>();
    /// # Ok::<_, audit_actix::BuildError>(())
    /// ```
    pub fn principal<P: Principal + 'static>(mut self) -> Self {
        let sources = Arc::make_mut(&mut self.0.sources);
        sources.expect::<P>();
        sources.principal(|request, scope| {
            let extensions = request.extensions();
            let found = extensions.get::<P>();
            found.inspect(|found| scope.set_principal(found)).is_some()
        });
        self
    }

    /// Calls a function for the principal, unless an earlier source finds one.
    ///
    /// If it returns `None`, the actor is left to later sources, inner middleware and the handler.
    pub fn principal_with<P: Principal>(
        mut self,
        find: impl Fn(&ServiceRequest) -> Option<P> + Send + Sync + 'static,
    ) -> Self {
        Arc::make_mut(&mut self.0.sources).principal(move |request, scope| {
            let found = find(request);
            found.inspect(|found| scope.set_principal(found)).is_some()
        });
        self
    }

    /// Calls a function for the organization, unless an earlier source finds one.
    ///
    /// A principal that has an organization, inner middleware and the handler override it.
    ///
    /// ```
    /// # use audit_actix::{AuditMiddleware, MemorySink, Recorder};
    /// # let recorder = Recorder::builder(MemorySink::new()).build()?;
    /// let audit = AuditMiddleware::new(recorder).organization_with(|request| {
    ///     let host = request.headers().get("host")?.to_str().ok()?;
    ///     Some(host.strip_suffix(".example.com")?.to_owned())
    /// });
    /// # Ok::<_, audit_actix::BuildError>(())
    /// ```
    pub fn organization_with<O: Into<OrganizationId>>(
        mut self,
        find: impl Fn(&ServiceRequest) -> Option<O> + Send + Sync + 'static,
    ) -> Self {
        Arc::make_mut(&mut self.0.sources)
            .organization(move |request| find(request).map(Into::into));
        self
    }

    /// Takes the organization from a parameter of the matched route, unless an earlier source finds
    /// one.
    ///
    /// ```
    /// # use actix_web::{App, HttpResponse, web};
    /// # use audit_actix::{AuditMiddleware, MemorySink, Recorder};
    /// # async fn remove_member() -> HttpResponse { HttpResponse::NoContent().finish() }
    /// # let recorder = Recorder::builder(MemorySink::new()).build()?;
    /// let app = App::new()
    ///     .route("/orgs/{org_id}/members/{id}", web::delete().to(remove_member))
    ///     .wrap(AuditMiddleware::new(recorder).organization_from_path("org_id"));
    /// # let _ = app;
    /// # Ok::<_, audit_actix::BuildError>(())
    /// ```
    ///
    /// A route without the parameter leaves the organization to the other sources.
    ///
    /// The client chooses the path: a denied attempt is recorded in the log of the organization in
    /// the path, not in that of the caller. If that is not wanted, let the principal name the
    /// organization.
    pub fn organization_from_path(mut self, name: &'static str) -> Self {
        Arc::make_mut(&mut self.0.sources).organization(move |request| {
            match parameter(request, name) {
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
    /// use audit_actix::{AuditMiddleware, MemorySink, Recorder, web::OnUnaudited};
    ///
    /// let recorder = Recorder::builder(MemorySink::new()).build()?;
    /// // A panic, for tests:
    /// let audit = AuditMiddleware::new(recorder).on_unaudited(OnUnaudited::Fail);
    /// # Ok::<_, audit_actix::BuildError>(())
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
    /// use audit_actix::{AuditMiddleware, MemorySink, Recorder, action};
    ///
    /// // audit.toml:
    /// // [action."access.denied"]
    /// // targets = ["route"]
    /// let recorder = Recorder::builder(MemorySink::new()).build()?;
    /// let audit = AuditMiddleware::new(recorder).denied_as(action!("access.denied"));
    /// # Ok::<_, audit_actix::BuildError>(())
    /// ```
    pub fn denied_as(mut self, action: Action) -> Self {
        self.0.audit = self.0.audit.denied_as(action);
        self.0.records_denials = true;
        self
    }

    /// Takes the client's address from the header of trusted proxies.
    ///
    /// Without it the client is the peer of the connection, and no header is read.
    ///
    /// ```
    /// use audit_actix::{AuditMiddleware, MemorySink, Recorder, TrustedProxies};
    ///
    /// let recorder = Recorder::builder(MemorySink::new()).build()?;
    /// let audit = AuditMiddleware::new(recorder)
    ///     .trusted_proxies(TrustedProxies::x_forwarded_for(["10.0.0.0/8", "fd00::/8"])?);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.0.audit = self.0.audit.trusted_proxies(proxies);
        self
    }
}

impl<S, B> Transform<S, ServiceRequest> for AuditMiddleware
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Transform = AuditService<S>;
    type InitError = ();
    type Future = Ready<Result<AuditService<S>, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(AuditService::new(inner, self.0.clone())))
    }
}
