//! The middleware: what is asked of every request.

use std::fmt;
use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::{Error, HttpMessage};
use audit_core::web::{AuditConfig, IdentitySources, OnUnaudited, RequestAudit};
use audit_core::{Action, OrganizationId, Principal, Recorder, TrustedProxies};

use crate::head::ActixRequestHead;
use crate::parameter::{Parameter, parameter};
use crate::service::AuditService;

/// Opens a [`Scope`](crate::Scope) for each request and records what ended in it, on the head of
/// the answer.
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
/// // It is made once, outside of the closure that makes an `App` for each worker.
/// let app = move || App::new().wrap(audit.clone());
/// # let _ = app();
/// # Ok::<_, audit_actix::BuildError>(())
/// ```
///
/// # Who acts, and for whom
///
/// The first source of principal that finds one counts, in the order in which they were named;
/// sources of organization likewise. Where several parts of a program say something about the same
/// request, the later in this list counts:
///
/// | said by | actor | organization |
/// | --- | --- | --- |
/// | the recorder's `fallback_organization` | | ✓ |
/// | [`organization_with`](Self::organization_with), [`organization_from_path`](Self::organization_from_path) | | ✓ |
/// | [`principal`](Self::principal), [`principal_with`](Self::principal_with) | ✓ | if the principal knows it |
/// | what runs deeper: [`Scope::set_principal`](crate::Scope::set_principal), `set_actor`, `set_organization`, the last call | ✓ | ✓ |
/// | the attribute on the function: `actor = ..`, `organization = ..` | ✓ | ✓ |
///
/// What runs deeper has until the head of the answer to say it, also for events that have ended
/// before.
///
/// # The order of middleware
///
/// It has to run inside the middleware that inserts the principal. In actix-web the middleware that
/// is wrapped last runs first, so wrap the sign-in after it: `.wrap(audit).wrap(sign_in)`. Where it
/// runs outside, events keep an `unresolved` actor and a log line says how to mend it; a sign-in
/// that runs deeper can instead tell the scope itself, by [`Audit`](crate::Audit) or by the `Scope`
/// in the request's extensions.
///
/// # Outcomes
///
/// What a function returned decides; the status of the answer settles what it left open and turns a
/// failure into a denial when it is 401 or 403. It never demotes a success. An error that a
/// middleware inside returns counts by the status that it will be answered with. A handler that
/// panics leaves `panicked`, and the connection ends without an answer. A body that streams on
/// after the head, or a connection that is upgraded, changes nothing any more.
///
/// When the client hangs up, what has ended keeps its outcome, and what has not is `abandoned`. But
/// actix-web tells a client that has gone from one that has only sent its last byte by
/// [`HttpServer::h1_allow_half_closed`](actix_web::HttpServer::h1_allow_half_closed): unless that
/// is `false`, a handler runs to its end for a client that is not there, and its event says how it
/// ended.
#[derive(Clone)]
#[must_use]
pub struct AuditMiddleware {
    policy: AuditConfig,
    sources: Arc<IdentitySources<ServiceRequest>>,
    denies: bool,
}

impl AuditMiddleware {
    /// A middleware that records to this recorder, and knows nobody yet.
    pub fn new(recorder: Recorder) -> Self {
        Self {
            policy: AuditConfig::new(recorder),
            sources: Arc::default(),
            denies: false,
        }
    }

    /// Takes the principal of type `P` from the request's extensions, unless a source named before
    /// finds one.
    pub fn principal<P: Principal + 'static>(mut self) -> Self {
        let sources = Arc::make_mut(&mut self.sources);
        sources.expect::<P>();
        sources.principal(|request, scope| {
            let extensions = request.extensions();
            let found = extensions.get::<P>();
            found.inspect(|found| scope.set_principal(found)).is_some()
        });
        self
    }

    /// Asks a function of yours for the principal, unless a source named before finds one. `None`
    /// leaves the actor to the sources named after and to what runs deeper.
    pub fn principal_with<P: Principal>(
        mut self,
        find: impl Fn(&ServiceRequest) -> Option<P> + Send + Sync + 'static,
    ) -> Self {
        Arc::make_mut(&mut self.sources).principal(move |request, scope| {
            let found = find(request);
            found.inspect(|found| scope.set_principal(found)).is_some()
        });
        self
    }

    /// Asks a function of yours for the organization, unless a source named before finds one. A
    /// principal that knows its organization, and what runs deeper, say otherwise.
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
        Arc::make_mut(&mut self.sources).organization(move |request| find(request).map(Into::into));
        self
    }

    /// Takes the organization from a parameter of the matched route, such as `org_id` of
    /// `/orgs/{org_id}/members`, unless a source named before finds one. A route without the
    /// parameter leaves the organization to the other sources.
    ///
    /// The path is the client's word: a refused attempt is recorded in the log of the organization
    /// that was asked for, not in the caller's. Where that is not wanted, let the principal name
    /// the organization.
    pub fn organization_from_path(mut self, name: &'static str) -> Self {
        Arc::make_mut(&mut self.sources).organization(move |request| {
            match parameter(request, name) {
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
        self.denies = true;
        self
    }

    /// Takes the client's address from the header of proxies that are trusted; without it the
    /// client is the peer of the connection, and no header is read.
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
        self.policy = self.policy.trusted_proxies(proxies);
        self
    }

    /// Opens the call of a request.
    pub(crate) fn open(&self, request: &mut ServiceRequest) -> RequestAudit {
        let call = RequestAudit::open(&self.policy, &ActixRequestHead(request));
        self.sources.resolve(request, call.scope());
        call
    }

    /// The route of a request that a middleware inside may refuse with an error, if it will be
    /// asked for: with the error the request is not given back, and a copy that is kept meanwhile
    /// would make actix-web panic when it routes the request.
    pub(crate) fn route(&self, request: &ServiceRequest) -> Option<String> {
        if self.denies {
            request.match_pattern()
        } else {
            None
        }
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
        ready(Ok(AuditService::new(inner, self.clone())))
    }
}

impl fmt::Debug for AuditMiddleware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditMiddleware")
            .field("policy", &self.policy)
            .field("sources", &self.sources)
            .finish_non_exhaustive()
    }
}
