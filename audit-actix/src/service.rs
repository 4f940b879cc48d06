//! The service that runs each request inside a scope, and its future.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::dev::{Service, ServiceRequest, ServiceResponse, forward_ready};
use actix_web::{Error, HttpMessage};
use audit_core::InScope;
use audit_core::web::RequestAudit;
use pin_project_lite::pin_project;

use crate::config::Config;
use crate::head::status;

/// The service of an [`AuditMiddleware`](crate::AuditMiddleware).
#[derive(Clone, Debug)]
pub struct AuditService<S> {
    inner: S,
    config: Config,
}

impl<S> AuditService<S> {
    pub(crate) fn new(inner: S, config: Config) -> Self {
        Self { inner, config }
    }
}

impl<S, B> Service<ServiceRequest> for AuditService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Future = AuditFuture<S::Future>;

    forward_ready!(inner);

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        // Opened first, so that the scope is settled even if the inner service panics in `call`.
        let audit = self.config.open(&mut request);
        let scope = audit.scope().clone();
        let route = self.config.route(&request);
        request.extensions_mut().insert(scope.clone());
        let future = scope.enter(|| self.inner.call(request));
        AuditFuture {
            inner: scope.in_scope(future),
            response: None,
            audit,
            route,
        }
    }
}

pin_project! {
    /// The future of [`AuditService`].
    ///
    /// # Cancellation
    ///
    /// If it is dropped before it completes, operations that have ended are recorded with their
    /// outcome, and the others as `abandoned`.
    #[must_use = "futures do nothing unless polled"]
    pub struct AuditFuture<F>
    where
        F: Future,
    {
        #[pin]
        inner: InScope<F>,
        // The response while the request's durable events are being written to disk.
        response: Option<F::Output>,
        // Declared after the inner future and so dropped after it, when its open drafts have
        // closed.
        audit: RequestAudit,
        route: Option<String>,
    }
}

impl<F: Future> fmt::Debug for AuditFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditFuture")
            .field("audit", &self.audit)
            .field("route", &self.route)
            .finish_non_exhaustive()
    }
}

impl<F, B> Future for AuditFuture<F>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
{
    type Output = Result<ServiceResponse<B>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = match this.response.take() {
            Some(result) => result,
            None => {
                let result = ready!(this.inner.poll(cx));
                match &result {
                    // The request has been routed by now, and guards have selected among the
                    // routes of one path.
                    Ok(response) => this.audit.settle_with(status(response.status()), || {
                        response.request().match_pattern()
                    }),
                    // actix-web turns the error into a response with this status further out.
                    Err(error) => this.audit.settle(
                        status(error.as_response_error().status_code()),
                        this.route.as_deref(),
                    ),
                }
                result
            }
        };
        if this.audit.poll_durable(cx).is_pending() {
            *this.response = Some(result);
            return Poll::Pending;
        }
        Poll::Ready(result)
    }
}
