//! The audit of one request, from its head to the head of its response.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Method, StatusCode};

use super::config::AuditConfig;
use super::request_head::RequestHead;
use super::unaudited::OnUnaudited;
use crate::delivery::DurableWait;
use crate::scope::Scope;
use crate::telemetry::AuditTrace;

/// Audits one request, from its head to the head of its response.
///
/// It is settled once: by [`RequestAudit::settle`] on the head of the response, or on drop if there
/// is none. Declare it after the request's future, so that it is dropped after the drafts inside
/// that future.
#[derive(Debug)]
#[must_use = "an audit that is dropped is settled without a response"]
pub struct RequestAudit {
    config: AuditConfig,
    scope: Scope,
    method: Method,
    settled: bool,
    commits: DurableWait,
}

impl RequestAudit {
    /// Opens the scope of a request.
    pub fn open(config: &AuditConfig, head: &impl RequestHead) -> Self {
        Self {
            config: config.clone(),
            scope: config.scope(head),
            // An invalid method counts as GET, which changes nothing.
            method: Method::from_bytes(head.method().as_bytes()).unwrap_or_default(),
            settled: false,
            commits: DurableWait::default(),
        }
    }

    /// Returns the request's scope.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Completes and records all buffered events of the scope, with the status of the response.
    ///
    /// `route` is the route that the request matched, such as `/documents/{id}`; never the path,
    /// which holds ids. A second call does nothing.
    ///
    /// # Panics
    ///
    /// Under [`OnUnaudited::Fail`], if the request changed something and left no event.
    pub fn settle(&mut self, status: StatusCode, route: Option<&str>) {
        self.settle_with(status, || route);
    }

    /// Settles as [`settle`](Self::settle), for a framework that has to assemble the route.
    ///
    /// The route is requested only for a denial, for a change that left no event, and by the test
    /// kit.
    ///
    /// # Panics
    ///
    /// As [`settle`](Self::settle).
    pub fn settle_with<R: AsRef<str>>(
        &mut self,
        status: StatusCode,
        route: impl FnOnce() -> Option<R>,
    ) {
        if std::mem::replace(&mut self.settled, true) {
            return;
        }
        let trail = self.scope.trail();
        let denied = self.config.denial_action().filter(|_| {
            trail == AuditTrace::None
                && matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
        });
        let unaudited = trail == AuditTrace::None && changes(&self.method) && succeeded(status);
        // The test kit observes every response.
        let observed = self.config.recorder().observer().is_some();
        let route = if denied.is_some() || unaudited || observed {
            route()
        } else {
            None
        };
        let route = route.as_ref().map(AsRef::as_ref);
        if let Some(observer) = self.config.recorder().observer() {
            observer.on_response(&self.method, route, trail, status);
        }
        if let Some(action) = denied {
            let route = route.unwrap_or("(no route)");
            self.scope
                .record_denial(action, &format!("{} {route}", self.method));
        }
        self.commits = self.scope.settle(Some(status));
        if unaudited {
            self.config.recorder().count_unaudited();
            self.report(route.unwrap_or("(no route)"));
        }
    }

    /// Completes and records all buffered events of a request that ends in an error without a
    /// status.
    ///
    /// A second call does nothing.
    pub fn settle_without_response(&mut self) {
        if !std::mem::replace(&mut self.settled, true) {
            self.commits = self.scope.settle(None);
        }
    }

    /// Returns ready when the request's durable events are on disk, or their deadline has passed
    /// ([`RecorderBuilder::durable_deadline`](crate::RecorderBuilder::durable_deadline)).
    ///
    /// It is ready at once without durable events. Send the response after that.
    pub fn poll_durable(&mut self, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.commits).poll(context)
    }

    fn report(&self, route: &str) {
        match self.config.unaudited() {
            OnUnaudited::Ignore => {}
            OnUnaudited::Warn => self.config.routes().warn(&self.method, route),
            OnUnaudited::Fail => fail(&self.method, route),
        }
    }
}

#[expect(
    clippy::panic,
    reason = "a test asked for it, and a message is all it needs"
)]
fn fail(method: &Method, route: &str) {
    // Unwinding already, a second panic would abort and hide the first.
    if !std::thread::panicking() {
        panic!(
            "{method} {route} succeeded and left no audit event: put `#[audited(..)]` on what it does, or \
             `#[unaudited(reason = \"..\")]` on its handler"
        );
    }
}

impl Drop for RequestAudit {
    fn drop(&mut self) {
        if !self.settled {
            // There is no response that could wait.
            drop(self.scope.settle(None));
        }
    }
}

/// Returns whether requests of this method change something: all but the safe ones ([RFC 9110,
/// section 9.2.1](https://www.rfc-editor.org/rfc/rfc9110#section-9.2.1)).
pub(crate) fn changes(method: &Method) -> bool {
    matches!(
        *method,
        Method::POST | Method::PUT | Method::PATCH | Method::DELETE
    )
}

pub(crate) fn succeeded(status: StatusCode) -> bool {
    status.is_success() || status.is_redirection()
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::time::Duration;

    use super::*;
    use crate::catalog::Action;
    use crate::event::{Actor, ActorKind, Event, Outcome};
    use crate::private::{close, open};
    use crate::recorder::Recorder;
    use crate::sink::MemorySink;

    const DELETE: &str = "document.delete";

    #[cfg(feature = "spool")]
    #[tokio::test]
    async fn an_error_without_a_status_waits_for_durable_events() {
        let folder = tempfile::tempdir().unwrap();
        let spool = crate::Spool::open(folder.path().join("audit.spool")).unwrap();
        let recorder = Recorder::builder(MemorySink::new()).spool(spool);
        let recorder = recorder.build().unwrap();
        let mut audit = RequestAudit::open(&AuditConfig::new(recorder.clone()), &Request("DELETE"));
        audit.scope().enter(|| {
            let mut draft = open(DELETE);
            crate::private::make_durable(&mut draft);
            close(draft, Outcome::Succeeded)
        });
        audit.settle_without_response();
        assert!(!audit.commits.is_empty());
        std::future::poll_fn(|context| audit.poll_durable(context)).await;
        audit.settle_without_response();
        assert!(audit.commits.is_empty());
        let stats = recorder.stats();
        assert_eq!((stats.accepted, stats.deadline_exceeded), (1, 0));
    }

    struct Request(&'static str);

    impl RequestHead for Request {
        fn method(&self) -> &str {
            self.0
        }

        fn header<'a>(&'a self, _: &'a str) -> impl Iterator<Item = &'a [u8]> {
            std::iter::empty()
        }

        fn peer(&self) -> Option<IpAddr> {
            Some([203, 0, 113, 7].into())
        }
    }

    fn recorder() -> (Recorder, MemorySink) {
        let sink = MemorySink::new();
        let recorder = Recorder::builder(sink.clone())
            .fallback_organization("org_1")
            .build()
            .unwrap();
        (recorder, sink)
    }

    async fn delivered(recorder: &Recorder, sink: &MemorySink) -> Vec<Event> {
        recorder.flush(Duration::from_secs(5)).await;
        sink.events()
    }

    /// Returns the number of unaudited requests counted after one of this kind.
    fn reported(method: &'static str, status: u16, handler: impl FnOnce()) -> u64 {
        let (recorder, _) = recorder();
        let config = AuditConfig::new(recorder.clone()).on_unaudited(OnUnaudited::Ignore);
        let mut audit = RequestAudit::open(&config, &Request(method));
        audit.scope().clone().enter(handler);
        audit.settle(StatusCode::from_u16(status).unwrap(), Some("/documents"));
        recorder.stats().unaudited
    }

    #[tokio::test]
    async fn a_change_that_succeeded_without_an_event_is_counted_and_nothing_else_is() {
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            assert_eq!(reported(method, 204, || {}), 1, "{method}");
        }
        assert_eq!(reported("POST", 303, || {}), 1);
        for method in [
            "GET",
            "HEAD",
            "OPTIONS",
            "TRACE",
            "PROPFIND",
            "",
            "no method",
        ] {
            assert_eq!(reported(method, 200, || {}), 0, "{method}");
        }
        for status in [101, 400, 401, 403, 404, 422, 500] {
            assert_eq!(reported("POST", status, || {}), 0, "{status}");
        }
        assert_eq!(
            reported("POST", 204, || close(open(DELETE), Outcome::Unknown)),
            0
        );
        assert_eq!(
            reported("POST", 204, || open(DELETE).skip("nothing changed")),
            0
        );
        let exempt = || Scope::current().unwrap().exempt("reads only");
        assert_eq!(reported("POST", 204, exempt), 0);
    }

    #[tokio::test]
    async fn the_route_is_assembled_only_where_it_is_reported() {
        let (recorder, _) = recorder();
        let config = AuditConfig::new(recorder)
            .on_unaudited(OnUnaudited::Ignore)
            .denied_as(Action::checked("access.denied"));
        let audited = || close(open(DELETE), Outcome::Unknown);
        let cases: [(_, _, fn(), _); 6] = [
            ("GET", 200, || {}, false),
            ("POST", 404, || {}, false),
            ("POST", 204, audited, false),
            ("GET", 403, audited, false),
            ("POST", 204, || {}, true),
            ("GET", 403, || {}, true),
        ];
        for (method, status, handler, expected) in cases {
            let mut audit = RequestAudit::open(&config, &Request(method));
            audit.scope().clone().enter(handler);
            let mut asked = false;
            audit.settle_with(StatusCode::from_u16(status).unwrap(), || {
                asked = true;
                Some("/documents")
            });
            assert_eq!(asked, expected, "{method} {status}");
        }
    }

    #[tokio::test]
    #[should_panic = "DELETE /documents/{id} succeeded and left no audit event"]
    async fn on_unaudited_fail_panics() {
        let config = AuditConfig::new(recorder().0).on_unaudited(OnUnaudited::Fail);
        let mut audit = RequestAudit::open(&config, &Request("DELETE"));
        audit.settle(StatusCode::OK, Some("/documents/{id}"));
    }

    #[tokio::test]
    async fn a_response_of_401_or_403_without_an_audited_function_is_a_denial_of_the_route() {
        let (recorder, sink) = recorder();
        let config = AuditConfig::new(recorder.clone()).denied_as(Action::checked("access.denied"));
        for (status, handler) in [(401, false), (403, true), (404, false)] {
            let mut audit = RequestAudit::open(&config, &Request("GET"));
            if handler {
                audit.scope().set_actor(Actor::user("u1"));
            }
            audit.settle(
                StatusCode::from_u16(status).unwrap(),
                Some("/documents/{id}"),
            );
        }
        let mut audit = RequestAudit::open(&config, &Request("GET"));
        audit
            .scope()
            .clone()
            .enter(|| close(open(DELETE), Outcome::Failed));
        audit.settle(StatusCode::FORBIDDEN, None);
        let events = delivered(&recorder, &sink).await;
        let told: Vec<_> = events
            .iter()
            .map(|event| {
                (
                    event.action(),
                    event.outcome(),
                    event.actor().unwrap().kind(),
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("access.denied", Outcome::Denied, ActorKind::Anonymous),
                ("access.denied", Outcome::Denied, ActorKind::User),
                ("document.delete", Outcome::Denied, ActorKind::Unresolved),
            ]
        );
        let target = events[0].targets().next().unwrap();
        assert_eq!(
            (target.kind(), target.id()),
            ("route", "GET /documents/{id}")
        );
    }

    #[tokio::test]
    async fn a_dropped_request_keeps_its_events() {
        let (recorder, sink) = recorder();
        let audit = RequestAudit::open(&AuditConfig::new(recorder.clone()), &Request("DELETE"));
        audit
            .scope()
            .clone()
            .enter(|| close(open(DELETE), Outcome::Unknown));
        drop(audit);
        let events = delivered(&recorder, &sink).await;
        assert_eq!(events[0].outcome(), Outcome::Succeeded);
        assert_eq!(recorder.stats().unaudited, 0);
    }
}
