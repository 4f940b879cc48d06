//! The scope of a request or job: actor, organization, context, and its finished events.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{self, Poll};

use pin_project_lite::pin_project;
use tokio::task::futures::TaskLocalFuture;

use super::principal::Principal;
use super::request_context::RequestContext;
use crate::event::{Actor, Context, Event, OrganizationId};
use crate::recorder::Recorder;
use crate::telemetry::AuditTrace;

tokio::task_local! {
    static CURRENT: Scope;
}

/// The actor, organization, context and finished events of one request or job, carried by its task.
///
/// A web layer opens one per request. Elsewhere, open one around a job:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use audit_core::{Actor, MemorySink, Recorder};
/// # let recorder = Recorder::builder(MemorySink::new()).build()?;
/// # async fn clean_up() {}
/// recorder.scope().actor(Actor::service("clean-up")).organization("org_1").run(clean_up()).await;
/// # Ok(()) }
/// ```
///
/// An event is buffered in its scope until the response, or the end of the job, so that it gets
/// what is known by then. A scope buffers 256 events; one more, and all of them are recorded with
/// what is known so far.
///
/// Clones share the same scope. An audited function takes a clone on entry, so a scope outlives the
/// task that opened it where necessary.
#[derive(Clone)]
pub struct Scope {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) recorder: Recorder,
    /// Set when an audited function was entered, or an event recorded.
    pub(super) audited: AtomicBool,
    pub(super) state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) actor: Option<Actor>,
    pub(super) organization: Option<OrganizationId>,
    pub(super) origin: Origin,
    /// The principal types that the layer looked for, named in the log if none was found.
    pub(super) expected: Option<Arc<str>>,
    /// The reason why no event is required.
    pub(super) exempt: Option<&'static str>,
    /// Events that finished before the scope was settled.
    pub(super) finished: Vec<Event>,
    pub(super) settled: bool,
}

/// The source of an event's context.
pub(super) enum Origin {
    Explicit(Context),
    Request(RequestContext),
}

impl Default for Origin {
    fn default() -> Self {
        Self::Explicit(Context::default())
    }
}

impl Scope {
    fn with(recorder: Recorder, state: State) -> Self {
        Self {
            inner: Arc::new(Inner {
                recorder,
                audited: AtomicBool::new(false),
                state: Mutex::new(state),
            }),
        }
    }

    pub(crate) fn new(recorder: Recorder) -> Self {
        Self::with(recorder, State::default())
    }

    pub(crate) fn of_request(recorder: Recorder, context: RequestContext) -> Self {
        let state = State {
            origin: Origin::Request(context),
            ..State::default()
        };
        Self::with(recorder, state)
    }

    /// Returns a settled scope for a single function outside any scope; its events are recorded
    /// immediately.
    pub(crate) fn detached(recorder: Recorder) -> Self {
        let state = State {
            settled: true,
            ..State::default()
        };
        Self::with(recorder, state)
    }

    /// Returns the scope of the running task, if there is one.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Self::clone).ok()
    }

    /// Sets the actor.
    #[must_use]
    pub fn actor(self, actor: Actor) -> Self {
        self.set_actor(actor);
        self
    }

    /// Sets the organization whose log the events belong to.
    #[must_use]
    pub fn organization(self, organization: impl Into<OrganizationId>) -> Self {
        self.set_organization(organization);
        self
    }

    /// Sets the context: location and user agent.
    #[must_use]
    pub fn context(self, context: Context) -> Self {
        self.state().origin = Origin::Explicit(context);
        self
    }

    /// Sets the actor, at any point of the request or job; the last call wins.
    pub fn set_actor(&self, actor: Actor) {
        self.state().actor = Some(actor);
    }

    /// Sets the organization, at any point of the request or job; the last call wins.
    pub fn set_organization(&self, organization: impl Into<OrganizationId>) {
        self.state().organization = Some(organization.into());
    }

    /// Sets the actor of a principal and, if the principal has one, the organization.
    pub fn set_principal(&self, principal: &(impl Principal + ?Sized)) {
        let (actor, organization) = (principal.actor(), principal.organization());
        let mut state = self.state();
        state.actor = Some(actor);
        if organization.is_some() {
            state.organization = organization;
        }
    }

    /// Marks the request or job as one that requires no event, with the reason.
    ///
    /// A request that changes something is then not reported as unaudited. Events that are recorded
    /// nevertheless are kept. `#[unaudited(reason = "..")]` on a handler does the same where it can
    /// be read.
    pub fn exempt(&self, reason: &'static str) {
        self.state().exempt = Some(reason);
    }

    /// Carries the scope into a future, such as one for `tokio::spawn`, without settling it.
    ///
    /// A scope that is never settled records its events when its last clone is dropped, which does
    /// not wait for durable ones: use [`Scope::run`] for a job.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use audit_core::Scope;
    ///
    /// let work = async { /* audited functions in here belong to the request */ };
    /// match Scope::current() {
    ///     Some(scope) => tokio::spawn(scope.in_scope(work)),
    ///     None => tokio::spawn(work),
    /// };
    /// # }
    /// ```
    pub fn in_scope<F: Future>(self, future: F) -> InScope<F> {
        InScope {
            inner: CURRENT.scope(self, future),
        }
    }

    /// Runs a function inside the scope without settling it.
    ///
    /// A scope that is never settled records its events when its last clone is dropped, as with
    /// [`Scope::in_scope`].
    pub fn enter<R>(&self, function: impl FnOnce() -> R) -> R {
        CURRENT.sync_scope(self.clone(), function)
    }

    /// Sets the principal types that a layer looks for, for the log line about their absence.
    #[doc(hidden)]
    pub fn expect_principal(&self, type_names: impl Into<Arc<str>>) {
        let type_names = type_names.into();
        self.state().expected = Some(type_names);
    }

    /// Marks the scope of the running task as audited, if there is one.
    pub(crate) fn mark_current() {
        // Outside a scope, or while the thread ends, there is nothing to mark.
        let _ = CURRENT.try_with(Self::mark_audited);
    }

    /// Notes that an audited function was entered, or an event recorded.
    pub(crate) fn mark_audited(&self) {
        self.inner.audited.store(true, Ordering::Relaxed);
    }

    /// Returns the audit trace so far.
    pub(crate) fn trail(&self) -> AuditTrace {
        if self.inner.audited.load(Ordering::Relaxed) {
            return AuditTrace::Audited;
        }
        match self.state().exempt {
            Some(reason) => AuditTrace::Exempt(reason),
            None => AuditTrace::None,
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state()
    }
}

impl Inner {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").finish_non_exhaustive()
    }
}

pin_project! {
    /// The future of [`Scope::in_scope`].
    #[must_use = "futures do nothing unless polled"]
    pub struct InScope<F> {
        #[pin]
        inner: TaskLocalFuture<Scope, F>,
    }
}

impl<F: Future> Future for InScope<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<F::Output> {
        self.project().inner.poll(cx)
    }
}

impl<F> fmt::Debug for InScope<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InScope").finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Duration;

    use super::*;
    use crate::event::Outcome;
    use crate::private::{close, open};
    use crate::sink::MemorySink;

    pub(in crate::scope) const DELETE: &str = "document.delete";

    pub(in crate::scope) async fn delivered(recorder: &Recorder, sink: &MemorySink) -> Vec<Event> {
        recorder.flush(Duration::from_secs(5)).await;
        sink.events()
    }

    pub(in crate::scope) fn recorder() -> (Recorder, MemorySink) {
        let sink = MemorySink::new();
        (Recorder::builder(sink.clone()).build().unwrap(), sink)
    }

    #[tokio::test]
    async fn what_the_scope_says_reaches_the_event_however_late_it_was_said() {
        let (recorder, sink) = recorder();
        let scope = recorder
            .scope()
            .context(Context::new().location("203.0.113.7"));
        scope
            .run(async {
                close(open(DELETE), Outcome::Unknown);
                Scope::current().unwrap().set_actor(Actor::user("u1"));
                Scope::current().unwrap().set_organization("org_1");
            })
            .await;
        let events = delivered(&recorder, &sink).await;
        let actor = events[0].actor().unwrap();
        assert_eq!(
            (actor.id(), events[0].organization()),
            ("u1", Some("org_1"))
        );
        assert_eq!(
            (events[0].location(), events[0].outcome()),
            (Some("203.0.113.7"), Outcome::Succeeded)
        );
    }

    #[tokio::test]
    async fn a_job_that_is_not_async_is_settled_at_its_end_and_leaves_no_scope_behind() {
        let (recorder, sink) = recorder();
        let job = || recorder.scope().actor(Actor::service("clean-up"));
        let kept = job().run_sync(|| {
            close(open(DELETE), Outcome::Unknown);
            open(DELETE)
        });
        assert!(Scope::current().is_none());
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            job().run_sync(|| {
                let _draft = open(DELETE);
                panic!("on purpose");
            })
        }));
        assert!(panicked.is_err() && Scope::current().is_none());
        close(kept, Outcome::Failed);
        let events = delivered(&recorder, &sink).await;
        let outcomes: Vec<_> = events.iter().map(Event::outcome).collect();
        assert_eq!(
            outcomes,
            [Outcome::Succeeded, Outcome::Panicked, Outcome::Failed]
        );
        assert!(
            events
                .iter()
                .all(|event| event.actor().unwrap().id() == "clean-up")
        );
    }

    #[tokio::test]
    async fn fault_44_a_scope_that_is_only_entered_records_its_events_when_it_is_dropped() {
        let (recorder, sink) = recorder();
        let scope = || recorder.scope().actor(Actor::user("u1"));
        scope().enter(|| close(open(DELETE), Outcome::Failed));
        scope()
            .in_scope(async { close(open(DELETE), Outcome::Unknown) })
            .await;
        let spawned = scope().in_scope(async { close(open(DELETE), Outcome::Denied) });
        tokio::spawn(spawned).await.unwrap();
        let held = scope();
        held.enter(|| close(open(DELETE), Outcome::Unknown));
        assert_eq!(delivered(&recorder, &sink).await.len(), 3);
        drop(held);
        let events = delivered(&recorder, &sink).await;
        let outcomes: Vec<_> = events.iter().map(Event::outcome).collect();
        assert_eq!(
            outcomes,
            [
                Outcome::Failed,
                Outcome::Succeeded,
                Outcome::Denied,
                Outcome::Succeeded
            ]
        );
        assert!(
            events
                .iter()
                .all(|event| event.actor().unwrap().id() == "u1")
        );
        assert_eq!(recorder.stats().accepted, 4);
    }

    #[tokio::test]
    async fn a_job_that_is_dropped_leaves_its_events() {
        let (recorder, sink) = recorder();
        let job = recorder.scope().actor(Actor::system()).run(async {
            let _draft = open(DELETE);
            std::future::pending::<()>().await;
        });
        assert!(futures_util::FutureExt::now_or_never(job).is_none());
        let events = delivered(&recorder, &sink).await;
        assert_eq!(
            events.iter().map(Event::outcome).collect::<Vec<_>>(),
            [Outcome::Abandoned]
        );
    }
}
