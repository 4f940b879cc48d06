//! Settlement: completing and recording the events that a scope has buffered.

#[cfg(feature = "spool")]
use std::future::Future;
use std::sync::{MutexGuard, PoisonError};

use http::StatusCode;

use super::scope::{Inner, Origin, Scope, State};
use crate::catalog::Action;
use crate::delivery::DurableWait;
use crate::event::{Actor, Event, EventId, Outcome, now_millis};
use crate::recorder::RecordError;

/// The number of events that a scope buffers; one more, and all of them are recorded.
const MAX_BUFFERED: usize = 256;

impl Scope {
    /// Settles the scope: completes and records all buffered events.
    ///
    /// Events that finish later are recorded immediately. Await the returned future before you send
    /// the response; it resolves when the durable events are on disk.
    #[doc(hidden)]
    pub fn settle(&self, status: Option<StatusCode>) -> DurableWait {
        self.inner.settle(status)
    }

    /// Buffers the event of a request that was denied before an audited function ran.
    pub(crate) fn record_denial(&self, action: Action, route: &str) {
        self.inner.record_denial(action, route);
    }

    /// Counts a call whose body asked for no event.
    pub(crate) fn skipped(&self) {
        self.inner.recorder.count_skipped();
    }

    /// Buffers or records a finished event.
    ///
    /// If the scope is settled already, the caller has to wait for a durable event.
    pub(crate) fn finish(&self, event: Event) -> DurableWait {
        self.inner.finish(event)
    }

    /// Records an event immediately, settled or not, with what the scope knows.
    ///
    /// An event of too many targets is split; the result is then the id of the first part, or the
    /// first refusal. Waits for durable events as [`DurableWait::wait`] does.
    pub(crate) fn record_now(&self, event: Event) -> Result<EventId, RecordError> {
        self.mark_audited();
        self.inner.record_now(event)
    }

    /// Gives an event to the spool immediately, with what the scope knows, and returns the wait for
    /// its write.
    ///
    /// An event of too many targets is split; the result is then the id of the first part, or the
    /// first refusal.
    #[cfg(feature = "spool")]
    pub(crate) fn write_now(
        &self,
        event: Event,
    ) -> impl Future<Output = Result<EventId, RecordError>> + Send + use<> {
        self.mark_audited();
        self.inner.write_now(event)
    }
}

impl Inner {
    fn settle(&self, status: Option<StatusCode>) -> DurableWait {
        let mut state = self.state();
        state.settled = true;
        self.record_finished(state, status)
    }

    /// Records the buffered events, and unlocks the scope.
    fn record_finished(
        &self,
        mut state: MutexGuard<'_, State>,
        status: Option<StatusCode>,
    ) -> DurableWait {
        let mut finished = std::mem::take(&mut state.finished);
        let expected = state.expected.clone();
        let unresolved: Vec<_> = finished
            .iter_mut()
            .map(|event| complete(&state, event, status))
            .enumerate()
            .filter_map(|(at, is_resolved)| (!is_resolved).then_some(at))
            .collect();
        drop(state);
        for event in unresolved.into_iter().filter_map(|at| finished.get(at)) {
            self.recorder
                .log_unresolved_actor(event, expected.as_deref());
        }
        let mut commits = DurableWait::default();
        for event in finished {
            let recorded = self.record(event, &mut commits);
            self.recorder.log_refusal(recorded);
        }
        commits
    }

    fn record_denial(&self, action: Action, route: &str) {
        let mut event = Event::begin(action.as_str(), now_millis());
        event.push_target_id("route", route);
        event.set_outcome(Outcome::Denied);
        let mut state = self.state();
        if state.actor.is_none() {
            event.set_actor(&Actor::anonymous());
        }
        state.finished.push(event);
    }

    fn finish(&self, event: Event) -> DurableWait {
        let mut commits = DurableWait::default();
        if event.has_too_many_targets() {
            for part in event.split() {
                self.finish_part(part, &mut commits);
            }
        } else {
            self.finish_part(event, &mut commits);
        }
        commits
    }

    fn finish_part(&self, mut event: Event, commits: &mut DurableWait) {
        let mut state = self.state();
        if !state.settled {
            state.finished.push(event);
            if state.finished.len() > MAX_BUFFERED {
                commits.append(self.record_finished(state, None));
            }
            return;
        }
        self.complete_late(state, &mut event);
        let recorded = self.record(event, commits);
        self.recorder.log_refusal(recorded);
    }

    /// Completes an event that finished after settlement, and unlocks the scope.
    fn complete_late(&self, state: MutexGuard<'_, State>, event: &mut Event) {
        if !complete(&state, event, None) {
            let expected = state.expected.clone();
            drop(state);
            self.recorder
                .log_unresolved_actor(event, expected.as_deref());
        }
    }

    /// Records a completed event, unless its outcome is one that leaves none.
    fn record(&self, event: Event, commits: &mut DurableWait) -> Result<(), RecordError> {
        let recorder = &self.recorder;
        if !event.is_wanted() {
            recorder.count_skipped();
            Ok(())
        } else if recorder.is_durable(&event) {
            recorder.commit(event, commits)
        } else {
            recorder.push(event)
        }
    }

    fn record_now(&self, event: Event) -> Result<EventId, RecordError> {
        let mut result = Ok(event.id());
        let mut commits = DurableWait::default();
        for mut part in event.split() {
            self.complete_late(self.state(), &mut part);
            let recorded = self.record(part, &mut commits);
            result = result.and_then(|id| recorded.map(|()| id));
        }
        commits.wait();
        result
    }
}

#[cfg(feature = "spool")]
impl Inner {
    fn write_now(
        &self,
        event: Event,
    ) -> impl Future<Output = Result<EventId, RecordError>> + Send + use<> {
        let id = event.id();
        let begun: Vec<_> = event
            .split()
            .into_iter()
            .map(|mut part| {
                self.complete_late(self.state(), &mut part);
                self.recorder.begin_durable(part)
            })
            .collect();
        async move {
            let mut result = Ok(id);
            for begun in begun {
                let written = match begun {
                    Ok(begun) => begun.written().await,
                    Err(error) => Err(error),
                };
                result = result.and_then(|id| written.map(|()| id));
            }
            result
        }
    }
}

/// Records the events of a scope that was never settled, such as one that was only entered.
impl Drop for Inner {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if !state.settled && !state.finished.is_empty() {
            // No caller is left to wait.
            drop(self.settle(None));
        }
    }
}

/// Fills in what an event lacks, and returns whether it has an actor.
///
/// It calls no user code, since the scope is locked.
fn complete(state: &State, event: &mut Event, status: Option<StatusCode>) -> bool {
    let is_resolved = event.has_actor() || state.actor.is_some();
    if !event.has_actor() {
        match &state.actor {
            Some(actor) => event.set_actor(actor),
            None => event.set_actor(&Actor::unresolved()),
        }
    }
    if !event.has_organization()
        && let Some(organization) = &state.organization
    {
        event.set_organization(|out| out.push_str(organization.as_str()));
    }
    if !event.has_location() {
        match &state.origin {
            Origin::Explicit(context) => event.set_context(context),
            Origin::Request(context) => context.describe(event),
        }
    }
    let outcome = match status {
        Some(status) => {
            event.push_status(status);
            event.outcome().settled(status)
        }
        // The function returned, and no status decides otherwise.
        None if event.outcome() == Outcome::Unknown => Outcome::Succeeded,
        None => event.outcome(),
    };
    event.set_outcome(outcome);
    is_resolved
}

/// A guard that settles the scope of a job, also when the job panics or is dropped.
pub(super) struct SettleOnDrop(pub(super) Scope);

impl SettleOnDrop {
    /// Settles at the end of the job. The drop that follows finds nothing left.
    pub(super) fn now(&self) -> DurableWait {
        self.0.settle(None)
    }
}

impl Drop for SettleOnDrop {
    fn drop(&mut self) {
        // No caller is left to wait.
        drop(self.0.settle(None));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::private::{add_unresolved_targets, close, open, record_denials_as};
    use crate::scope::scope::tests::{DELETE, delivered, recorder};

    #[cfg(feature = "spool")]
    #[tokio::test]
    async fn what_the_catalog_calls_durable_is_so_without_a_macro_that_knows_it() {
        use crate::catalog::{EmbeddedAction, EmbeddedCatalog};
        use crate::recorder::Recorder;
        use crate::sink::MemorySink;
        use crate::spool::Spool;

        let action = |name, durable| EmbeddedAction::new(name, None, &[], None, durable, None, &[]);
        let actions = vec![action("document.create", true), action(DELETE, false)];
        let catalog = EmbeddedCatalog::new(actions.leak(), &[], &[]);
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path().join("audit.spool")).unwrap();
        let builder = Recorder::builder(MemorySink::new());
        let recorder = builder.catalog(catalog).spool(spool).build().unwrap();
        let settled = |action| {
            let scope = recorder.scope().actor(Actor::system());
            scope.enter(|| close(open(action), Outcome::Succeeded));
            scope.settle(None)
        };
        assert!(settled(DELETE).is_empty());
        let commits = settled("document.create");
        assert!(!commits.is_empty());
        commits.await;
        assert_eq!(recorder.stats().deadline_exceeded, 0);

        recorder.shutdown(std::time::Duration::from_secs(5)).await;
        let mut event = Event::begin("document.create", now_millis());
        event.set_outcome(Outcome::Succeeded);
        let refused = recorder.scope().record_now(event);
        assert!(refused.is_err(), "neither the disk nor the queue took it");
        assert_eq!(recorder.stats().refused, 1);
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
    async fn a_scope_holds_so_many_events_and_no_more() {
        let (recorder, sink) = recorder();
        let scope = recorder.scope().actor(Actor::system());
        let end = || scope.enter(|| close(open(DELETE), Outcome::Unknown));
        for _ in 0..MAX_BUFFERED {
            end();
        }
        assert_eq!(recorder.stats().accepted, 0);
        end();
        let recorded = MAX_BUFFERED as u64 + 1;
        assert_eq!(recorder.stats().accepted, recorded, "with one more");
        end();
        scope.settle(Some(StatusCode::FORBIDDEN)).wait();
        assert_eq!(recorder.stats().accepted, recorded + 1);
        let events = delivered(&recorder, &sink).await;
        let denied = events
            .iter()
            .filter(|event| event.outcome() == Outcome::Denied);
        assert_eq!(denied.count(), 1, "the others did not wait for the answer");
    }

    #[tokio::test]
    async fn a_denial_appears_under_the_action_that_the_catalog_names() {
        let share = || {
            let mut draft = open("document.share");
            record_denials_as(&mut draft, "document.share_denied");
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
    async fn a_target_that_only_a_result_knows_is_unresolved_without_one() {
        let create = || {
            let mut draft = open("document.create");
            add_unresolved_targets(&mut draft, &["document"]);
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
                crate::private::clear_unresolved_targets(&mut created);
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
