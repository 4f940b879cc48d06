//! The scope: who acts, for whom and from where, carried by the task, and the events that ended inside it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{self, Poll};

use http::StatusCode;
use pin_project_lite::pin_project;
use tokio::task::futures::TaskLocalFuture;

use crate::commits::Commits;
use crate::event::now_millis;
use crate::web::Trail;
use crate::{
    Action, Actor, Context, Event, EventId, OrganizationId, Outcome, Principal, RecordError,
    Recorder,
};

tokio::task_local! {
    static CURRENT: Scope;
}

/// One request's or job's shared slot: actor, organization, context, and the events that ended inside it.
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
/// Clones share the slot. An audited function takes its clone on entry, so a scope outlives the task that opened it
/// where it has to.
#[derive(Clone)]
pub struct Scope {
    inner: Arc<Inner>,
}

struct Inner {
    recorder: Recorder,
    /// Whether an audited function was entered, or an event recorded.
    audited: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    actor: Option<Actor>,
    organization: Option<OrganizationId>,
    context: Context,
    /// The principal types that the layer looked for, named in the log when there was none.
    expected: Option<Arc<str>>,
    /// Why nothing needs to be recorded.
    exempt: Option<&'static str>,
    /// Events that ended before the scope was settled.
    ended: Vec<Event>,
    settled: bool,
}

impl Scope {
    pub(crate) fn new(recorder: Recorder) -> Self {
        Self {
            inner: Arc::new(Inner {
                recorder,
                audited: AtomicBool::new(false),
                state: Mutex::default(),
            }),
        }
    }

    /// A scope for a single function outside any: what ends inside is recorded at once.
    pub(crate) fn detached(recorder: Recorder) -> Self {
        let state = State {
            settled: true,
            ..State::default()
        };
        Self {
            inner: Arc::new(Inner {
                recorder,
                audited: AtomicBool::new(false),
                state: Mutex::new(state),
            }),
        }
    }

    /// The scope of the running task, if there is one.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Self::clone).ok()
    }

    /// Says who acts.
    #[must_use]
    pub fn actor(self, actor: Actor) -> Self {
        self.set_actor(actor);
        self
    }

    /// Says whose log it is.
    #[must_use]
    pub fn organization(self, organization: impl Into<OrganizationId>) -> Self {
        self.set_organization(organization);
        self
    }

    /// Says from where.
    #[must_use]
    pub fn context(self, context: Context) -> Self {
        self.state().context = context;
        self
    }

    /// Says who acts, from wherever it becomes known; the last word counts.
    pub fn set_actor(&self, actor: Actor) {
        self.state().actor = Some(actor);
    }

    /// Says whose log it is, from wherever it becomes known; the last word counts.
    pub fn set_organization(&self, organization: impl Into<OrganizationId>) {
        self.state().organization = Some(organization.into());
    }

    /// Says who acts and, if the principal knows, whose log it is.
    pub fn set_principal(&self, principal: &(impl Principal + ?Sized)) {
        let (actor, organization) = (principal.actor(), principal.organization());
        let mut state = self.state();
        state.actor = Some(actor);
        if organization.is_some() {
            state.organization = organization;
        }
    }

    /// Runs a job inside the scope and records what ended in it, also when the job panics or is dropped. Then waits until its
    /// durable events are on the disk, for a second unless the recorder's
    /// [deadline](crate::RecorderBuilder::durable_deadline) is another.
    pub async fn run<F: Future>(self, job: F) -> F::Output {
        // Declared first, so that it is dropped after the job.
        let settle = SettleOnDrop(self.clone());
        let output = self.in_scope(job).await;
        settle.now().await;
        output
    }

    /// Runs a job that is not async inside the scope and records what ended in it, also when the job panics. It blocks the
    /// thread until durable events are on the disk, as [`Scope::run`] waits.
    ///
    /// A closure marks the ends of the job, and not a guard to be held: a guard could outlive its job or be held over an
    /// await, and the next job on the thread would act in the name of this one.
    ///
    /// ```
    /// use audit_core::{Actor, MemorySink, Recorder};
    ///
    /// let recorder = Recorder::builder(MemorySink::new()).build()?;
    /// let removed = recorder
    ///     .scope()
    ///     .actor(Actor::service("clean-up"))
    ///     .organization("org_1")
    ///     .run_sync(|| 7 /* audited functions in here belong to the job */);
    /// assert_eq!(removed, 7);
    /// # recorder.shutdown_blocking(std::time::Duration::from_secs(5));
    /// # Ok::<_, audit_core::BuildError>(())
    /// ```
    pub fn run_sync<R>(self, job: impl FnOnce() -> R) -> R {
        // Declared first, so that it is dropped after the job.
        let settle = SettleOnDrop(self.clone());
        let output = self.enter(job);
        settle.now().wait();
        output
    }

    /// Says that what happens here needs no event, and why: a request that changes something is then not reported as
    /// unaudited. Events that are recorded all the same are kept.
    ///
    /// `#[unaudited(reason = "..")]` on a handler says it where it is read.
    pub fn exempt(&self, reason: &'static str) {
        self.state().exempt = Some(reason);
    }

    /// Carries the scope into a future, such as one for `tokio::spawn`, and settles nothing.
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

    /// Runs a function inside the scope and settles nothing.
    pub fn enter<R>(&self, function: impl FnOnce() -> R) -> R {
        CURRENT.sync_scope(self.clone(), function)
    }

    /// The principal types that a layer looks for, for the log line about their absence.
    #[doc(hidden)]
    pub fn expect_principal(&self, type_names: impl Into<Arc<str>>) {
        let type_names = type_names.into();
        self.state().expected = Some(type_names);
    }

    /// Records everything that has ended, now that the answer's status is known or will never be. What ends later
    /// records itself. Who answers waits for the durable events first.
    #[doc(hidden)]
    pub fn settle(&self, status: Option<StatusCode>) -> Commits {
        let mut state = self.state();
        state.settled = true;
        let mut ended = std::mem::take(&mut state.ended);
        for event in &mut ended {
            self.complete(&state, event, status);
        }
        drop(state);
        let mut commits = Commits::default();
        for event in ended {
            self.record(event, &mut commits);
        }
        commits
    }

    /// An event was recorded past the scope of the running task, if there is one.
    pub(crate) fn mark_current() {
        // Outside a scope, or while the thread ends, there is nothing to mark.
        let _ = CURRENT.try_with(Self::mark_audited);
    }

    /// An audited function was entered, or an event recorded.
    pub(crate) fn mark_audited(&self) {
        self.inner.audited.store(true, Ordering::Relaxed);
    }

    /// What the scope holds so far.
    pub(crate) fn trail(&self) -> Trail {
        if self.inner.audited.load(Ordering::Relaxed) {
            return Trail::Audited;
        }
        match self.state().exempt {
            Some(reason) => Trail::Exempt(reason),
            None => Trail::None,
        }
    }

    /// A request was refused before an audited function ran.
    pub(crate) fn refused(&self, action: Action, route: &str) {
        let mut event = Event::begin(action.as_str(), now_millis());
        event.push_target_id("route", route);
        event.set_outcome(Outcome::Denied);
        let mut state = self.state();
        if state.actor.is_none() {
            event.set_actor(&Actor::anonymous());
        }
        state.ended.push(event);
    }

    /// A call left no event, because its body said so.
    pub(crate) fn skipped(&self) {
        self.inner.recorder.skipped();
    }

    /// An event came to its end. Unless the scope is still to be settled, the caller is who waits for a durable one.
    pub(crate) fn ended(&self, event: Event) -> Commits {
        let mut commits = Commits::default();
        for part in event.split() {
            self.part_ended(part, &mut commits);
        }
        commits
    }

    fn part_ended(&self, mut event: Event, commits: &mut Commits) {
        let mut state = self.state();
        if state.settled {
            self.complete(&state, &mut event, None);
            drop(state);
            self.record(event, commits);
        } else {
            state.ended.push(event);
        }
    }

    /// Records a completed event, unless its outcome is one that leaves none.
    fn record(&self, event: Event, commits: &mut Commits) {
        let recorder = &self.inner.recorder;
        if !event.is_wanted() {
            recorder.skipped();
        } else if event.is_durable() {
            recorder.commit(event, commits);
        } else {
            recorder.record_or_log(event);
        }
    }

    /// Records an event at once, settled or not, with what the scope knows by now. An event of too many targets is
    /// several; then the id is that of the first, and the error that of the first refusal. Blocks until a durable one is on
    /// the disk.
    pub(crate) fn record_now(&self, event: Event) -> Result<EventId, RecordError> {
        self.mark_audited();
        let mut result = Ok(event.id());
        let mut commits = Commits::default();
        for mut part in event.split() {
            let state = self.state();
            self.complete(&state, &mut part, None);
            drop(state);
            if part.is_durable() {
                self.inner.recorder.commit(part, &mut commits);
            } else if let Err(error) = self.inner.recorder.push(part) {
                result = result.and(Err(error));
            }
        }
        commits.wait();
        result
    }

    /// Gives an event what it does not have of its own.
    fn complete(&self, state: &State, event: &mut Event, status: Option<StatusCode>) {
        if !event.has_actor() {
            match &state.actor {
                Some(actor) => event.set_actor(actor),
                None => self
                    .inner
                    .recorder
                    .unresolved(event, state.expected.as_deref()),
            }
        }
        if !event.has_organization()
            && let Some(organization) = &state.organization
        {
            event.set_organization(|out| out.push_str(organization.as_str()));
        }
        if !event.has_location() {
            event.set_context(&state.context);
        }
        let outcome = match status {
            Some(status) => {
                event.push_status(status);
                event.outcome().settled(status)
            }
            // Nobody says otherwise, and the function returned.
            None if event.outcome() == Outcome::Unknown => Outcome::Succeeded,
            None => event.outcome(),
        };
        event.set_outcome(outcome);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").finish_non_exhaustive()
    }
}

struct SettleOnDrop(Scope);

impl SettleOnDrop {
    /// Settles, now that the job has come to its end. The drop that follows finds nothing left.
    fn now(&self) -> Commits {
        self.0.settle(None)
    }
}

impl Drop for SettleOnDrop {
    fn drop(&mut self) {
        // Nobody is left who could wait.
        drop(self.0.settle(None));
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
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::MemorySink;
    use crate::private::{close, denied, late, open};

    const DELETE: &str = "document.delete";

    async fn delivered(recorder: &Recorder, sink: &MemorySink) -> Vec<Event> {
        recorder.flush(Duration::from_secs(5)).await;
        sink.events()
    }

    fn recorder() -> (Recorder, MemorySink) {
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
    async fn a_status_settles_what_has_ended_and_what_ends_later_records_itself() {
        let (recorder, sink) = recorder();
        let scope = recorder.scope().actor(Actor::system());
        let (first, second) = scope.enter(|| (open(DELETE), open(DELETE)));
        close(first, Outcome::Failed);
        assert!(
            delivered(&recorder, &sink).await.is_empty(),
            "nothing is recorded before the answer is known"
        );
        scope.settle(Some(StatusCode::FORBIDDEN)).wait();
        close(second, Outcome::Failed);
        let outcomes: Vec<_> = delivered(&recorder, &sink)
            .await
            .iter()
            .map(Event::outcome)
            .collect();
        assert_eq!(outcomes, [Outcome::Denied, Outcome::Failed]);
    }

    #[tokio::test]
    async fn a_denial_appears_under_the_action_that_the_catalog_names() {
        let share = || {
            let mut draft = open("document.share");
            denied(&mut draft, "document.share_denied");
            draft
        };
        let (recorder, sink) = recorder();
        let scope = recorder.scope().actor(Actor::system());
        scope.enter(|| {
            close(share(), Outcome::Unknown);
            close(share(), Outcome::Failed);
            close(share(), Outcome::Denied);
            close(share(), Outcome::Succeeded);
            drop(share());
        });
        scope.settle(Some(StatusCode::FORBIDDEN)).wait();
        scope.enter(|| {
            close(share(), Outcome::Failed);
            close(share(), Outcome::Denied);
        });
        let events = delivered(&recorder, &sink).await;
        let actions: Vec<_> = events.iter().map(Event::action).collect();
        let (shared, denied) = ("document.share", "document.share_denied");
        assert_eq!(
            actions,
            [denied, denied, denied, shared, shared, shared, denied]
        );
    }

    #[tokio::test]
    async fn a_draft_that_is_dropped_is_abandoned_and_one_that_unwinds_has_panicked() {
        let (recorder, sink) = recorder();
        let scope = recorder.scope().actor(Actor::system());
        drop(scope.enter(|| open(DELETE)));
        let task = tokio::spawn(scope.clone().in_scope(async {
            let _draft = open(DELETE);
            panic!("on purpose");
        }));
        assert!(task.await.unwrap_err().is_panic());
        scope.settle(None).wait();
        let outcomes: Vec<_> = delivered(&recorder, &sink)
            .await
            .iter()
            .map(Event::outcome)
            .collect();
        assert_eq!(outcomes, [Outcome::Abandoned, Outcome::Panicked]);
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

    #[tokio::test]
    async fn a_target_that_only_a_result_knows_is_unresolved_without_one() {
        let create = || {
            let mut draft = open("document.create");
            late(&mut draft, &["document"]);
            draft
        };
        let (recorder, sink) = recorder();
        recorder
            .scope()
            .actor(Actor::system())
            .run(async {
                close(create(), Outcome::Failed);
                drop(create());
                let mut created = create();
                crate::private::resolve(&mut created);
                crate::private::target(&mut created, "document", &7);
                close(created, Outcome::Succeeded);
            })
            .await;
        let events = delivered(&recorder, &sink).await;
        let ids: Vec<_> = events
            .iter()
            .map(|event| event.targets().next().unwrap().id())
            .collect();
        assert_eq!(ids, ["unresolved", "unresolved", "7"]);
    }

    #[tokio::test]
    async fn nobody_named_as_actor_is_unresolved_and_counted() {
        let (recorder, sink) = recorder();
        recorder
            .scope()
            .run(async { close(open(DELETE), Outcome::Succeeded) })
            .await;
        let events = delivered(&recorder, &sink).await;
        assert_eq!(
            events[0].actor().unwrap().kind(),
            crate::ActorKind::Unresolved
        );
        assert_eq!(recorder.stats().unresolved, 1);
    }
}
