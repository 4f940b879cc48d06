//! The recorder: the handle that a service clones.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use super::error::{InstallError, RecordError, RecordErrorKind};
use crate::delivery::{Command, DurableWait, GUARD_DEADLINE, Pipeline, Refusal, Report};
use crate::event::{Actor, Event};
use crate::telemetry::{Health, Observer, Stats};

static INSTALLED: OnceLock<Recorder> = OnceLock::new();

/// The time after its deadline that a caller waits for the dispatcher's account of it.
///
/// The dispatcher has the same deadline, and knows more about the events than the caller.
const REPLY_TIME: Duration = Duration::from_millis(50);
/// The time that the disk has at the end of a shutdown, however short its deadline is.
const DISK_TIME: Duration = Duration::from_millis(500);

/// The handle that accepts events and delivers them in the background. Clones share one queue.
///
/// Delivery runs on a thread and a Tokio runtime of its own, so a recorder works under any runtime
/// and under none. When the last handle is dropped without a shutdown, the dispatcher delivers what
/// it has for up to two seconds and ends; the end of `main` does not wait for it, so keep a
/// [`Recorder::guard`] there.
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
    /// One pointer, since every request clones it more than once.
    pub(super) handle: Arc<Handle>,
}

pub(super) struct Handle {
    pub(super) pipeline: Arc<Pipeline>,
    /// Held by the handles alone, so that the channel closes with the last of them.
    commands: mpsc::Sender<Command>,
    /// Recorders that get a copy of each event.
    copies: Vec<Recorder>,
}

impl Recorder {
    pub(super) fn new(
        pipeline: Arc<Pipeline>,
        copies: Vec<Recorder>,
        commands: mpsc::Sender<Command>,
    ) -> Self {
        Self {
            handle: Arc::new(Handle {
                pipeline,
                commands,
                copies,
            }),
        }
    }

    /// Accepts an event without marking a scope as audited.
    pub(crate) fn push(&self, mut event: Event) -> Result<(), RecordError> {
        let entry = self.prepare(&mut event);
        self.enqueue(event, entry)
    }

    /// Completes the event and sends copies of it.
    pub(super) fn prepare(&self, event: &mut Event) -> Entry {
        let pipeline = &*self.handle.pipeline;
        if !event.has_actor() {
            event.set_actor(&Actor::unresolved());
            self.log_unresolved_actor(event, None);
        }
        pipeline.complete(event);
        for copy in &self.handle.copies {
            copy.log_refusal(copy.push(event.clone()));
        }
        Entry {
            is_truncated: event.is_truncated(),
            observed: pipeline.observer.as_ref().map(|_| event.clone()),
        }
    }

    fn enqueue(&self, event: Event, entry: Entry) -> Result<(), RecordError> {
        let pipeline = &*self.handle.pipeline;
        let pushed = match pipeline.queue.push(event) {
            Err((event, Refusal::Full)) if pipeline.spill(&event) => Ok(()),
            pushed => pushed,
        };
        match pushed {
            Ok(()) => {
                entry.accepted(pipeline);
                Ok(())
            }
            Err((event, refusal)) => {
                pipeline.counters.refused.add(1);
                if !matches!(refusal, Refusal::Closed) {
                    pipeline.health_tracker.record_refusal();
                }
                let why = RecordErrorKind::Queue(refusal);
                Err(RecordError::new(
                    event,
                    why,
                    Arc::clone(&self.handle.pipeline),
                ))
            }
        }
    }

    /// Returns whether the caller has to wait for the event to be on disk.
    ///
    /// Either the macro marked the event, or the catalog lists its action, which may be chosen at
    /// run time.
    pub(crate) fn is_durable(&self, event: &Event) -> bool {
        let named = &self.handle.pipeline.durable.actions;
        event.is_durable() || !named.is_empty() && named.binary_search(&event.action()).is_ok()
    }

    /// Appends a durable event to the spool.
    ///
    /// An event that the spool refuses goes to the queue, and is counted as past its deadline.
    pub(crate) fn commit(
        &self,
        mut event: Event,
        commits: &mut DurableWait,
    ) -> Result<(), RecordError> {
        let entry = self.prepare(&mut event);
        let pipeline = &self.handle.pipeline;
        let Some(spool) = &pipeline.spool else {
            pipeline.record_deadline_exceeded(
                1,
                "there is no spool; give the recorder one with `spool`",
            );
            return self.enqueue(event, entry);
        };
        match spool.append_until_closed(&event) {
            Ok(appended) => {
                pipeline.counters.appended_durable.add(1);
                entry.accepted(pipeline);
                pipeline.queue.nudge();
                commits.add(pipeline, appended);
                Ok(())
            }
            Err(error) => {
                pipeline.record_deadline_exceeded(1, error);
                self.enqueue(event, entry)
            }
        }
    }

    pub(crate) fn log_refusal(&self, pushed: Result<(), RecordError>) {
        if let Err(error) = pushed
            && let Some(suppressed) = self.handle.pipeline.logs.refusals.admit()
        {
            tracing::error!(
                action = error.action(),
                refused = self.handle.pipeline.counters.refused.get(),
                suppressed,
                "audit event refused: {error}"
            );
        }
    }

    /// Waits until every event accepted before the call has reached a final state, or the deadline
    /// passes.
    ///
    /// Events accepted meanwhile are not waited for, so the call returns under any load. Works on
    /// any executor.
    ///
    /// The deadline is kept to within 100 ms, also while a sink or a hook blocks the dispatcher's
    /// thread. The report then counts all events that are not known to be in a final state as
    /// [`pending`](Report::pending).
    ///
    /// Inside a hook or a sink, which run on the dispatcher's thread, it returns that report at
    /// once and logs an error, since the dispatcher cannot deliver while it waits for itself. Call
    /// it from another thread or task.
    ///
    /// # Cancellation
    ///
    /// Dropping the future does not affect delivery.
    pub async fn flush(&self, deadline: Duration) -> Report {
        let pipeline = &*self.handle.pipeline;
        if pipeline.dispatcher.is_current() {
            self.log_call_in_dispatcher("flush");
            return pipeline.unanswered();
        }
        let deadline = pipeline.timer.after(deadline);
        let (reply, answer) = oneshot::channel();
        let answered = self.answer(Command::Flush { deadline, reply }, answer);
        let answered = pipeline.timer.until(deadline + REPLY_TIME, answered).await;
        answered.unwrap_or_else(|| pipeline.unanswered())
    }

    /// Stops accepting events, delivers those that are pending, and ends the dispatcher.
    ///
    /// At the deadline the remaining events go to the spool ([`Report::spooled`]), or are counted
    /// as lost if there is none. A second call returns the same report.
    ///
    /// With a spool or a hook ([`on_dead_letter`](crate::RecorderBuilder::on_dead_letter)),
    /// delivery ends a quarter of the deadline earlier, half a second at most, and the rest of the
    /// time is theirs.
    ///
    /// The deadline is kept to within 100 ms, also while a sink or a hook blocks the dispatcher's
    /// thread, or the disk stands still; only a disk that is slow may use half a second of its own
    /// if the deadline is shorter than two seconds. The report then counts all events that are not
    /// known to be in a final state as [`pending`](Report::pending), and a further call waits for
    /// the final report. Events are refused from the first poll on.
    ///
    /// Inside a hook or a sink, which run on the dispatcher's thread, the shutdown begins, and the
    /// call returns at once with such a report and logs an error.
    ///
    /// # Cancellation
    ///
    /// Once polled, the shutdown continues even if the future is dropped.
    pub async fn shutdown(&self, deadline: Duration) -> Report {
        let pipeline = &*self.handle.pipeline;
        // The dispatcher does the same when it receives the command, which may be later.
        pipeline.queue.close();
        let (reply, answer) = oneshot::channel();
        let command = Command::Shutdown {
            deadline: pipeline.timer.after(deadline),
            reply,
        };
        if pipeline.dispatcher.is_current() {
            self.log_call_in_dispatcher("shutdown");
            // A full channel holds flushes; the shutdown then begins when the last handle is gone.
            drop(self.handle.commands.try_send(command));
            return pipeline.unanswered();
        }
        let mut report = None;
        let ended = async {
            report = Some(self.answer(command, answer).await);
            pipeline.dispatcher.ended().await;
        };
        let at = self.end_of_shutdown(deadline);
        if pipeline.timer.until(at, ended).await.is_some() {
            pipeline.dispatcher.join();
        }
        report.unwrap_or_else(|| pipeline.unanswered())
    }

    /// Returns the moment at which the caller of a shutdown stops waiting.
    fn end_of_shutdown(&self, deadline: Duration) -> tokio::time::Instant {
        let Pipeline { spool, timer, .. } = &*self.handle.pipeline;
        let deadline = match spool {
            // Delivery ends a quarter earlier.
            Some(_) => deadline.max((deadline - deadline / 4).saturating_add(DISK_TIME)),
            None => deadline,
        };
        timer.after(deadline.saturating_add(REPLY_TIME))
    }

    /// Blocks the thread until the dispatcher has ended or the deadline passes, as
    /// [`Recorder::shutdown`] waits asynchronously.
    ///
    /// Inside a runtime it blocks that runtime's thread for at most the deadline, which is kept
    /// whatever the runtime, the sink, the hook and the disk do. Inside a hook or a sink of this
    /// recorder it returns at once, as `shutdown` does there.
    pub fn shutdown_blocking(&self, deadline: Duration) -> Report {
        pollster::block_on(self.shutdown(deadline))
    }

    /// Blocks the thread for at most the deadline, as [`Recorder::flush`] waits asynchronously.
    ///
    /// Inside a hook or a sink of this recorder it returns at once, as `flush` does there.
    pub fn flush_blocking(&self, deadline: Duration) -> Report {
        pollster::block_on(self.flush(deadline))
    }

    /// Returns a guard that shuts the recorder down when dropped, waiting up to two seconds.
    ///
    /// Keep it in `main`. Only a return from `main`, or a panic that unwinds it, drops the guard:
    /// `std::process::exit` and `abort` skip it, and the events in the queue are lost. Call
    /// [`Recorder::shutdown_blocking`] before `exit`.
    /// The time is kept as by [`Recorder::shutdown`], so the process can end while the sink, the
    /// hook or the disk blocks.
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
    /// Another recorder was installed before; it is kept.
    pub fn install(&self) -> Result<(), InstallError> {
        INSTALLED
            .set(self.clone())
            .map_err(|_| InstallError { private: () })
    }

    pub(crate) fn installed() -> Option<&'static Recorder> {
        INSTALLED.get()
    }

    /// Returns the counts so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.handle.pipeline.stats()
    }

    /// Returns the health of delivery: the state with its reasons, the age of the oldest pending
    /// event, and the estimated time to drain.
    ///
    /// The call reads a few numbers, and a short text under a lock that is never held for long, so
    /// a readiness probe may call it at any rate.
    ///
    /// ```
    /// # use audit_core::{HealthState, MemorySink, Recorder};
    /// let recorder = Recorder::builder(MemorySink::new()).build()?;
    /// let health = recorder.health();
    /// assert_eq!((health.state, health.reason), (HealthState::Healthy, None));
    /// # Ok::<_, audit_core::BuildError>(())
    /// ```
    #[must_use]
    pub fn health(&self) -> Health {
        self.handle.pipeline.health()
    }

    /// Returns the test kit's observer, if there is one.
    pub(crate) fn observer(&self) -> Option<&dyn Observer> {
        self.handle.pipeline.observer.as_deref()
    }

    pub(crate) fn count_unaudited(&self) {
        self.handle.pipeline.counters.unaudited.add(1);
    }

    pub(crate) fn count_skipped(&self) {
        self.handle.pipeline.counters.skipped.add(1);
    }

    /// Counts an event without an actor, and logs how to fix it.
    ///
    /// `expected` is the type that the layer looked for.
    pub(crate) fn log_unresolved_actor(&self, event: &Event, expected: Option<&str>) {
        self.handle.pipeline.counters.unresolved.add(1);
        let Some(suppressed) = self.handle.pipeline.logs.unresolved.admit() else {
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

    /// Sends a command, and waits for its report.
    async fn answer(&self, command: Command, answer: oneshot::Receiver<Report>) -> Report {
        // Usually there is room, and the command is sent by the first poll.
        let sent = match self.handle.commands.try_send(command) {
            Ok(()) => true,
            Err(TrySendError::Full(command)) => self.handle.commands.send(command).await.is_ok(),
            Err(TrySendError::Closed(_)) => false,
        };
        if sent && let Ok(report) = answer.await {
            return report;
        }
        // The dispatcher has ended, and left its final report.
        self.handle.pipeline.unanswered()
    }

    /// Logs a call that would wait for itself, with its remedy.
    fn log_call_in_dispatcher(&self, call: &str) {
        tracing::error!(
            "`{call}` was called on the thread of the recorder's dispatcher, in a hook or a sink, and returned without waiting, \
             since it would have waited for itself; call it from another thread or task"
        );
    }
}

/// Properties of an event that are needed once it is accepted, when the event may be gone.
pub(super) struct Entry {
    is_truncated: bool,
    observed: Option<Event>,
}

impl Entry {
    pub(super) fn accepted(self, pipeline: &Pipeline) {
        if let (Some(observer), Some(event)) = (&pipeline.observer, self.observed) {
            observer.on_event(event);
        }
        pipeline.counters.accepted.add(1);
        if self.is_truncated {
            pipeline.counters.truncated.add(1);
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

/// A guard that shuts a recorder down when dropped; see [`Recorder::guard`].
#[derive(Debug)]
#[must_use = "a guard that is not kept shuts the recorder down at once"]
pub struct Guard {
    recorder: Recorder,
    deadline: Duration,
}

impl Guard {
    /// Sets the time to wait, instead of two seconds.
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
