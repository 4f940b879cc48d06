//! The configuration of a web layer, whatever the framework.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::request_head::RequestHead;
use super::unaudited::{OnUnaudited, Routes};
use crate::catalog::Action;
use crate::recorder::Recorder;
use crate::scope::{RequestContext, Scope};
use crate::web::client_address::TrustedProxies;

/// The configuration of a web layer, whatever the framework. Clones are cheap.
#[derive(Clone)]
#[must_use]
pub struct AuditConfig {
    /// One pointer, since every request has a clone.
    inner: Arc<Inner>,
}

#[derive(Clone)]
struct Inner {
    recorder: Recorder,
    on_unaudited: OnUnaudited,
    denied_as: Option<Action>,
    proxies: Option<TrustedProxies>,
    warned: Arc<Warned>,
}

/// Warnings that were logged, shared by all clones of a layer.
#[derive(Debug, Default)]
struct Warned {
    /// Set once a missing address was logged.
    no_address: AtomicBool,
    routes: Routes,
}

impl AuditConfig {
    /// Returns the default configuration of a layer that records to `recorder`.
    ///
    /// The peer of the connection counts as the client, and a mutating request that succeeded
    /// without an event is logged as a warning.
    pub fn new(recorder: Recorder) -> Self {
        Self {
            inner: Arc::new(Inner {
                recorder,
                on_unaudited: OnUnaudited::default(),
                denied_as: None,
                proxies: None,
                warned: Arc::default(),
            }),
        }
    }

    /// Sets the reaction to a mutating request (POST, PUT, PATCH, DELETE) that succeeded and left
    /// no event.
    pub fn on_unaudited(mut self, then: OnUnaudited) -> Self {
        self.change().on_unaudited = then;
        self
    }

    /// Records a request that was denied with 401 or 403 before an audited function ran, under this
    /// action.
    ///
    /// The event's outcome is `denied`. Its one target is of the type `route`, with the method and
    /// the matched route as its id. Its actor is the scope's, or `anonymous` if none is known.
    pub fn denied_as(mut self, action: Action) -> Self {
        self.change().denied_as = Some(action);
        self
    }

    /// Reads the client's address from the header of trusted proxies.
    ///
    /// By default the client is the peer of the connection, and no header is read.
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.change().proxies = Some(proxies);
        self
    }

    fn change(&mut self) -> &mut Inner {
        Arc::make_mut(&mut self.inner)
    }

    /// Returns the recorder.
    #[must_use]
    pub fn recorder(&self) -> &Recorder {
        &self.inner.recorder
    }

    pub(super) fn unaudited(&self) -> OnUnaudited {
        self.inner.on_unaudited
    }

    pub(super) fn denial_action(&self) -> Option<Action> {
        self.inner.denied_as
    }

    pub(super) fn routes(&self) -> &Routes {
        &self.inner.warned.routes
    }

    /// Opens the scope of a request.
    pub(super) fn scope(&self, head: &impl RequestHead) -> Scope {
        let address = self.address(head);
        if address.is_none() && !self.inner.warned.no_address.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "audit events without the client's address, because the server does not pass on the peer's: with axum, \
                 serve with `into_make_service_with_connect_info::<SocketAddr>()`; with tonic, turn on the feature `tonic` of \
                 `audit-tower`; with actix-web, serve on a TCP socket"
            );
        }
        Scope::of_request(self.inner.recorder.clone(), context(head, address))
    }

    /// Returns the address of the client.
    fn address(&self, head: &impl RequestHead) -> Option<IpAddr> {
        let peer = head.peer()?;
        Some(match &self.inner.proxies {
            Some(proxies) => proxies.client(peer, head.header(proxies.header_name())),
            None => peer,
        })
    }
}

impl fmt::Debug for AuditConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditConfig")
            .field("on_unaudited", &self.inner.on_unaudited)
            .field("denied_as", &self.inner.denied_as)
            .field("trusted_proxies", &self.inner.proxies)
            .finish_non_exhaustive()
    }
}

/// Reads the context headers; most requests leave no event, so nothing is parsed here.
fn context(head: &impl RequestHead, address: Option<IpAddr>) -> RequestContext {
    let first = |name| head.header(name).next().unwrap_or_default();
    RequestContext::new(
        address,
        first("user-agent"),
        first("x-request-id"),
        first("traceparent"),
    )
}
