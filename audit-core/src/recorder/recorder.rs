//! The recorder: the cheap handle a service clones.

use std::fmt;
use std::sync::{Arc, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::error::{InstallError, RecordError, Why};
use crate::delivery::{Command, Commits, GUARD_DEADLINE, Refusal, Report, Shared};
use crate::event::{Actor, Event};
use crate::telemetry::{Health, Observer, Stats};

static INSTALLED: OnceLock<Recorder> = OnceLock::new();

/// Accepts events and delivers them in the background. Clones are handles to the same queue.
///
/// Delivery runs on a thread and a Tokio runtime of its own, so a recorder works under any runtime
/// and under none. When the last handle is dropped without a shutdown, the dispatcher delivers what
/// it has for up to two seconds and ends; the end of `main` does not wait for it, which is what
/// [`Recorder::guard`] is for.
///
/// A child that was forked has none of its parent's threads, so an event recorded there is never
/// delivered: build the recorder in the process that records.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use audit_core::{Actor, Event, MemorySink, Recorder, Target};
/// use std::time::Duration;
///
/// let recorder = Recorder::builder(MemorySink::new()).fallback_organization("org_1").build()?;
/// let event = Event::builder("document.delete").actor(Actor::user("u1")).target(Target::new("document", 42));
/// recorder.record(event.build()?)?;
///
/// let report = recorder.shutdown(Duration::from_secs(5)).await;
/// assert_eq!(report.delivered, 1);
/// assert_eq!(recorder.stats().delivered, 1);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Recorder {
    /// One, since every request clones it more than once.
    pub(super) handle: Arc<Handle>,
}

pub(super) struct Handle {
    pub(super) shared: Arc<Shared>,
    /// Held by the handles alone, so that the dispatcher learns when the last is gone.
    commands: mpsc::Sender<Command>,
    /// Recorders that get a copy of each event.
    copies: Vec<Recorder>,
}

impl Recorder {
    pub(super) fn new(
        shared: Arc<Shared>,
        copies: Vec<Recorder>,
        commands: mpsc::Sender<Command>,
    ) -> Self {
        Self {
            handle: Arc::new(Handle {
                shared,
                commands,
                copies,
            }),
        }
    }

    /// [`Recorder::record`] for the scope.
    pub(crate) fn push(&self, mut event: Event) -> Result<(), RecordError> {
        let entry = self.prepare(&mut event);
        self.enqueue(event, entry)
    }

    /// What every event gets on its way in, and who gets a copy of it.
    pub(super) fn prepare(&self, event: &mut Event) -> Entry {
        let shared = &*self.handle.shared;
        if !event.has_actor() {
            event.set_actor(&Actor::unresolved());
            self.unresolved(event, None);
        }
        shared.complete(event);
        for copy in &self.handle.copies {
            copy.log_refusal(copy.push(event.clone()));
        }
        Entry {
            is_truncated: event.is_truncated(),
            observed: shared.observer.as_ref().map(|_| event.clone()),
        }
    }

    fn enqueue(&self, event: Event, entry: Entry) -> Result<(), RecordError> {
        let shared = &*self.handle.shared;
        let pushed = match shared.queue.push(event) {
            Err((event, Refusal::Full)) if shared.spill(&event) => Ok(()),
            pushed => pushed,
        };
        match pushed {
            Ok(()) => {
                entry.accepted(shared);
                Ok(())
            }
            Err((event, refusal)) => {
                shared.counters.refused.add(1);
                if !matches!(refusal, Refusal::Closed) {
                    shared.condition.refused();
                }
                let why = Why::Queue(refusal);
                Err(RecordError::new(
                    event,
                    why,
                    Arc::clone(&self.handle.shared),
                ))
            }
        }
    }

    /// Whether an event is to be on the disk before its caller goes on: the macro said so, or the
    /// catalog does, for an action that was chosen while the program runs.
    pub(crate) fn is_durable(&self, event: &Event) -> bool {
        let named = &self.handle.shared.durable;
        event.is_durable() || !named.is_empty() && named.binary_search(&event.action()).is_ok()
    }

    /// Gives a durable event to the disk. What the spool does not take goes the way of the others,
    /// and is counted as late.
    pub(crate) fn commit(
        &self,
        mut event: Event,
        commits: &mut Commits,
    ) -> Result<(), RecordError> {
        let entry = self.prepare(&mut event);
        let shared = &self.handle.shared;
        let Some(spool) = &shared.spool else {
            shared.late(1, "there is no spool; give the recorder one with `spool`");
            return self.enqueue(event, entry);
        };
        match spool.append_patiently(&event) {
            Ok(appended) => {
                shared.counters.spool_in[0].add(1);
                entry.accepted(shared);
                shared.queue.nudge();
                commits.add(shared, appended);
                Ok(())
            }
            Err(error) => {
                shared.late(1, error);
                self.enqueue(event, entry)
            }
        }
    }

    pub(crate) fn log_refusal(&self, pushed: Result<(), RecordError>) {
        if let Err(error) = pushed
            && let Some(suppressed) = self.handle.shared.logs.refusals.admit()
        {
            tracing::error!(
                action = error.action(),
                refused = self.handle.shared.counters.refused.get(),
                suppressed,
                "audit event refused: {error}"
            );
        }
    }

    /// Waits until every event accepted before the call has come to an end, or the deadline has.
    ///
    /// Events accepted meanwhile are not waited for, so it returns under any load. Works on any
    /// executor.
    ///
    /// # Cancellation
    ///
    /// Dropping the future changes nothing about delivery.
    pub async fn flush(&self, deadline: Duration) -> Report {
        self.command(|reply| Command::Flush { deadline, reply })
            .await
    }

    /// Accepts no more events, delivers those it has, and ends the dispatcher. At the deadline what
    /// is left goes to the spool ([`Report::spooled`]), or is counted as lost if there is none. A
    /// second call gets the same report.
    ///
    /// # Cancellation
    ///
    /// Once polled, the shutdown goes on even if the future is dropped.
    pub async fn shutdown(&self, deadline: Duration) -> Report {
        let report = self
            .command(|reply| Command::Shutdown { deadline, reply })
            .await;
        self.join();
        report
    }

    /// [`Recorder::shutdown`] for code outside any runtime: blocks the thread until the dispatcher
    /// has ended.
    ///
    /// Inside a runtime it holds up that runtime's thread for at most the deadline; it cannot
    /// deadlock, since delivery has a thread of its own.
    pub fn shutdown_blocking(&self, deadline: Duration) -> Report {
        pollster::block_on(self.shutdown(deadline))
    }

    /// [`Recorder::flush`] for code outside any runtime: blocks the thread. It cannot deadlock,
    /// like [`Recorder::shutdown_blocking`].
    pub fn flush_blocking(&self, deadline: Duration) -> Report {
        pollster::block_on(self.flush(deadline))
    }

    /// A guard that shuts the recorder down when it is dropped, waiting up to two seconds. Keep it
    /// in `main`.
    ///
    /// ```
    /// # use audit_core::{MemorySink, Recorder};
    /// let recorder = Recorder::builder(MemorySink::new()).build()?;
    /// let _guard = recorder.guard();
    /// # Ok::<_, audit_core::BuildError>(())
    /// ```
    pub fn guard(&self) -> Guard {
        Guard {
            recorder: self.clone(),
            deadline: GUARD_DEADLINE,
        }
    }

    /// Makes this the recorder of the process, for audited functions that run outside any scope.
    ///
    /// # Errors
    ///
    /// Another recorder was installed before; it stays.
    pub fn install(&self) -> Result<(), InstallError> {
        INSTALLED
            .set(self.clone())
            .map_err(|_| InstallError { private: () })
    }

    pub(crate) fn installed() -> Option<&'static Recorder> {
        INSTALLED.get()
    }

    /// The counts so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.handle.shared.stats()
    }

    /// How delivery fares: the level with its reason, the age of the oldest pending event, and how
    /// long the rest will take.
    ///
    /// It reads a few numbers and a short text under a lock that is never held for long, so a
    /// readiness probe may ask as often as it likes.
    ///
    /// ```
    /// # use audit_core::{HealthLevel, MemorySink, Recorder};
    /// let recorder = Recorder::builder(MemorySink::new()).build()?;
    /// let health = recorder.health();
    /// assert_eq!((health.level, health.reason), (HealthLevel::Green, None));
    /// # Ok::<_, audit_core::BuildError>(())
    /// ```
    #[must_use]
    pub fn health(&self) -> Health {
        self.handle.shared.health()
    }

    /// The test that observes this recorder, if one does.
    pub(crate) fn observer(&self) -> Option<&dyn Observer> {
        self.handle.shared.observer.as_deref()
    }

    pub(crate) fn unaudited(&self) {
        self.handle.shared.counters.unaudited.add(1);
    }

    pub(crate) fn skipped(&self) {
        self.handle.shared.counters.skipped.add(1);
    }

    /// Counts an event that nobody named an actor for. `expected` is the type that the layer looked
    /// for.
    pub(crate) fn unresolved(&self, event: &Event, expected: Option<&str>) {
        self.handle.shared.counters.unresolved.add(1);
        let Some(suppressed) = self.handle.shared.logs.unresolved.admit() else {
            return;
        };
        match expected {
            Some(expected) => tracing::error!(
                action = event.action(),
                suppressed,
                "audit event without an actor: `{expected}` was not in the request's extensions when the audit layer ran. \
                 It ran outside the layer that inserts `{expected}`: that one has to run first; in axum and actix-web, \
                 add it after `AuditLayer` or `AuditMiddleware`, since what is added last runs first"
            ),
            None => tracing::error!(
                action = event.action(),
                suppressed,
                "audit event without an actor: name one with `principal` of `AuditLayer` or `AuditMiddleware`, `Scope::actor`, \
                 or `actor = ..` in the attribute; `Actor::anonymous()` and `Actor::system()` are actors too"
            ),
        }
    }

    async fn command(&self, command: impl FnOnce(oneshot::Sender<Report>) -> Command) -> Report {
        let (reply, answer) = oneshot::channel();
        if self.handle.commands.send(command(reply)).await.is_ok()
            && let Ok(report) = answer.await
        {
            return report;
        }
        // The dispatcher has ended, and said with what.
        let unknown = || Report {
            pending: self.handle.shared.queue.held() as u64,
            ..Report::default()
        };
        self.handle
            .shared
            .final_report
            .get()
            .copied()
            .unwrap_or_else(unknown)
    }

    /// Waits for the dispatcher's thread, which has given its last answer.
    fn join(&self) {
        let thread = self
            .handle
            .shared
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the audit dispatcher's thread panicked");
        }
    }
}

/// What is noted of an event when it is accepted, by when it may be gone.
pub(super) struct Entry {
    is_truncated: bool,
    observed: Option<Event>,
}

impl Entry {
    pub(super) fn accepted(self, shared: &Shared) {
        if let (Some(observer), Some(event)) = (&shared.observer, self.observed) {
            observer.recorded(event);
        }
        shared.counters.accepted.add(1);
        if self.is_truncated {
            shared.counters.truncated.add(1);
        }
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

/// Shuts a recorder down when dropped, see [`Recorder::guard`].
#[derive(Debug)]
#[must_use = "a guard that is not kept shuts the recorder down at once"]
pub struct Guard {
    recorder: Recorder,
    deadline: Duration,
}

impl Guard {
    /// Waits up to `deadline` instead of two seconds.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.recorder.shutdown_blocking(self.deadline);
    }
}
