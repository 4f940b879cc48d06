//! The state that the recorder's handles share with the dispatcher.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{JoinHandle, ThreadId};
use std::time::Duration;

use tokio::sync::watch;

use super::dead_letter::{DeadLetter, DeadLetters};
use super::disk::Spool;
use super::durable_appends::DurableAppends;
use super::flush_barrier::Report;
use super::gap::Gaps;
use super::queue::Queue;
use super::timer::Timer;
use crate::catalog::Versions;
use crate::event::{Event, OrganizationId};
use crate::sink::{Fault, RateLimit};
use crate::telemetry::{Counters, Health, HealthTracker, Load, LogLimit, Observer, Stats};

/// The default time that a guard waits on drop.
pub(crate) const GUARD_DEADLINE: Duration = Duration::from_secs(2);

/// A hook that is called with each dead letter.
pub(crate) type Hook = Arc<dyn Fn(&DeadLetter) + Send + Sync>;

/// The state that the recorder's handles share with the dispatcher.
pub(crate) struct Pipeline {
    #[cfg_attr(
        not(feature = "metrics"),
        expect(dead_code, reason = "metrics alone are labelled with it")
    )]
    pub(crate) name: String,
    pub(crate) queue: Queue,
    pub(crate) spool: Option<Spool>,
    pub(crate) counters: Counters,
    pub(crate) durable_appends: DurableAppends,
    pub(crate) health_tracker: HealthTracker,
    pub(crate) rate_limit: RateLimit,
    pub(crate) dead_letters: DeadLetters,
    pub(crate) on_dead_letter: Option<Hook>,
    pub(crate) gaps: Gaps,
    pub(crate) defaults: EventDefaults,
    pub(crate) durable: DurableRules,
    pub(crate) dispatcher: DispatcherThread,
    /// Keeps the deadlines of callers.
    pub(crate) timer: Timer,
    pub(crate) logs: LogLimits,
    pub(crate) observer: Option<Arc<dyn Observer>>,
}

/// The values that complete an event on its way in.
#[derive(Debug)]
pub(crate) struct EventDefaults {
    pub(crate) fallback_organization: Option<OrganizationId>,
    pub(crate) versions: Versions,
}

/// The rules for durable events.
#[derive(Debug)]
pub(crate) struct DurableRules {
    /// The actions that the catalog declares as durable, sorted.
    pub(crate) actions: Vec<&'static str>,
    /// The longest wait of a caller for the disk.
    pub(crate) deadline: Duration,
}

/// The dispatcher's thread, and what it leaves behind.
#[derive(Debug)]
pub(crate) struct DispatcherThread {
    /// Set when the thread starts; never if the dispatcher is a task of the caller's runtime.
    id: OnceLock<ThreadId>,
    pub(crate) handle: Mutex<Option<JoinHandle<()>>>,
    pub(crate) final_report: OnceLock<Report>,
    /// Closed when the dispatcher, its sink and its runtime are gone.
    ended: watch::Receiver<()>,
}

impl DispatcherThread {
    /// `ended` is closed when the dispatcher is gone.
    pub(crate) fn new(ended: watch::Receiver<()>) -> Self {
        Self {
            id: OnceLock::new(),
            handle: Mutex::default(),
            final_report: OnceLock::new(),
            ended,
        }
    }

    /// Notes that this thread is the dispatcher's.
    pub(super) fn set_current(&self) {
        // Set once: there is one thread.
        let _ = self.id.set(std::thread::current().id());
    }

    /// Returns `true` on the dispatcher's thread, as in a hook or a sink.
    pub(crate) fn is_current(&self) -> bool {
        self.id.get() == Some(&std::thread::current().id())
    }

    /// Waits until the dispatcher, its sink and its runtime are gone.
    pub(crate) async fn ended(&self) {
        let mut ended = self.ended.clone();
        // Nothing is ever sent; the wait ends when the sender is dropped.
        while ended.changed().await.is_ok() {}
    }

    /// Joins the thread, which has [ended](Self::ended), so that this takes no time.
    pub(crate) fn join(&self) {
        let thread = self
            .handle
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

/// The rate limits of log lines, one for each kind of line.
#[derive(Debug)]
pub(crate) struct LogLimits {
    pub(crate) faults: LogLimit,
    pub(crate) dead_letters: LogLimit,
    pub(crate) hook: LogLimit,
    pub(crate) refusals: LogLimit,
    pub(crate) deadline_exceeded: LogLimit,
    pub(crate) unresolved: LogLimit,
}

impl LogLimits {
    pub(crate) fn new() -> Self {
        Self {
            faults: LogLimit::new(),
            dead_letters: LogLimit::new(),
            hook: LogLimit::new(),
            refusals: LogLimit::new(),
            deadline_exceeded: LogLimit::new(),
            unresolved: LogLimit::new(),
        }
    }
}

impl Pipeline {
    pub(crate) fn stats(&self) -> Stats {
        let Self {
            counters, queue, ..
        } = self;
        Stats {
            accepted: counters.accepted.get(),
            refused: counters.refused.get(),
            dropped: counters.dropped.get(),
            generated: counters.generated.get(),
            recovered: counters.recovered.get() + counters.redriven.get(),
            spooled: counters.spooled(),
            delivered: counters.delivered.get(),
            coalesced: counters.coalesced.get(),
            pending: queue.held() as u64,
            pending_bytes: queue.held_bytes() as u64,
            dead: counters.dead.get(),
            dead_dropped: counters.dead_dropped.get(),
            lost: counters.lost.get(),
            deadline_exceeded: counters.deadline_exceeded.get(),
            retried: counters.retried.get(),
            truncated: counters.truncated.get(),
            unresolved: counters.unresolved.get(),
            skipped: counters.skipped.get(),
            unaudited: counters.unaudited.get(),
        }
    }

    pub(crate) fn health(&self) -> Health {
        let queue = &self.queue;
        self.health_tracker.health(Load {
            spool: self.spool.as_ref().map(Spool::write_health),
            spooled: self.counters.spooled(),
            pending: queue.held() as u64,
            capacity: queue.capacity() as u64,
            bytes: queue.held_bytes() as u64,
            max_bytes: queue.max_bytes() as u64,
            rate_limit: self.rate_limit.rate(),
        })
    }

    #[cfg(feature = "metrics")]
    pub(crate) fn publish_metrics(&self) {
        crate::telemetry::metrics::publish(&self.name, &self.stats(), &self.health());
    }

    /// Returns the report of a flush or a shutdown that the dispatcher has not answered.
    ///
    /// It counts what this process has accepted and not finished, as far as that is known.
    pub(crate) fn unanswered(&self) -> Report {
        if let Some(report) = self.dispatcher.final_report.get() {
            return *report;
        }
        let counters = &self.counters;
        // Events of earlier processes are among those on the spool, and not in a report.
        let on_spool = counters.spooled().min(counters.appended());
        Report {
            pending: self.queue.held() as u64 + on_spool,
            ..Report::default()
        }
    }

    /// Counts durable events whose callers continue although they are not on disk.
    pub(crate) fn record_deadline_exceeded(&self, events: u64, why: impl fmt::Display) {
        self.counters.deadline_exceeded.add(events);
        self.health_tracker.record_deadline_exceeded();
        if let Some(suppressed) = self.logs.deadline_exceeded.admit() {
            tracing::error!(
                events,
                deadline_exceeded = self.counters.deadline_exceeded.get(),
                suppressed,
                "durable audit events missed their deadline: {why}"
            );
        }
    }

    /// Counts an event that was returned to its caller and dropped.
    pub(crate) fn count_dropped(&self, event: &Event) {
        self.counters.dropped.add(1);
        self.gaps.add(event);
    }

    /// Reports gaps in the trail, once half of the queue is free.
    pub(crate) fn report_gaps(&self) {
        if self.gaps.is_empty() || self.queue.held() > self.queue.capacity() / 2 {
            return;
        }
        self.gaps.report(|mut event| {
            self.complete(&mut event);
            let taken = self.queue.push(event).is_ok();
            self.counters.generated.add(u64::from(taken));
            taken
        });
    }

    /// Sets the fallback organization and the schema version of an event.
    pub(crate) fn complete(&self, event: &mut Event) {
        if !event.has_organization()
            && let Some(organization) = &self.defaults.fallback_organization
        {
            event.set_organization(|out| out.push_str(organization.as_str()));
        }
        if !self.defaults.versions.is_empty()
            && event.version().is_none()
            && let Some(version) = crate::catalog::version(self.defaults.versions, event.action())
        {
            event.set_version(version);
        }
    }

    /// Logs a failed attempt; `is_alone` if others pass.
    pub(crate) fn log_fault(&self, event: &Event, fault: &Fault, is_alone: bool) {
        if let Some(suppressed) = self.logs.faults.admit() {
            if is_alone {
                tracing::warn!(id = %event.id(), suppressed, "the sink accepts other audit events, and this one is retried: {fault}");
            } else if fault.is_fatal() {
                tracing::error!(id = %event.id(), suppressed, "audit delivery paused until the configuration is fixed: {fault}");
            } else {
                tracing::warn!(id = %event.id(), suppressed, "audit delivery will be retried: {fault}");
            }
        }
    }

    /// Counts dead letters of the spool that are pending again.
    #[cfg(feature = "spool")]
    pub(crate) fn count_redriven(&self, again: u64) {
        self.counters.redriven.add(again);
        self.counters.appended_best_effort.add(again);
        self.queue.nudge();
    }

    /// Appends an event to the spool, and returns whether there is one that accepts it.
    pub(crate) fn spill(&self, event: &Event) -> bool {
        self.spill_attempted(event, None)
    }

    /// Appends an event to the spool, with the time of its first attempt whose result is not known,
    /// in milliseconds since 1970.
    pub(crate) fn spill_attempted(&self, event: &Event, first_attempt: Option<u64>) -> bool {
        let taken = self
            .spool
            .as_ref()
            .is_some_and(|spool| spool.enqueue_attempted(event, first_attempt).is_ok());
        if taken {
            self.counters.appended_best_effort.add(1);
            self.queue.nudge();
        }
        taken
    }

    /// Keeps an event that was rejected for good, on the spool if there is one, and calls the hook.
    pub(crate) fn keep_dead_letter(&self, letter: DeadLetter, row: Option<i64>) {
        let fault = || letter.fault().to_string();
        let is_on_disk = match (&self.spool, row) {
            (Some(spool), Some(row)) => spool
                .move_to_dead_letters(row, letter.id(), fault())
                .is_ok(),
            (Some(spool), None) => spool.add_dead_letter(letter.event(), fault()).is_ok(),
            (None, _) => false,
        };
        self.health_tracker.record_dead_letter();
        if !is_on_disk {
            let dropped = self.dead_letters.keep(letter.clone());
            self.counters.dead_dropped.add(dropped);
            if dropped > 0 {
                self.health_tracker.record_dropped_dead_letter();
            }
        }
        if let Some(suppressed) = self.logs.dead_letters.admit() {
            tracing::error!(
                id = %letter.id(),
                action = letter.event().action(),
                dead = self.counters.dead.get(),
                suppressed,
                "audit event rejected for good, and kept as a dead letter: {}",
                letter.fault()
            );
        }
        self.call_hook(&letter);
    }

    /// Calls the hook for dead letters and lost events. It is user code.
    pub(crate) fn call_hook(&self, letter: &DeadLetter) {
        let Some(hook) = &self.on_dead_letter else {
            return;
        };
        let called = std::panic::catch_unwind(AssertUnwindSafe(|| hook(letter)));
        if called.is_err()
            && let Some(suppressed) = self.logs.hook.admit()
        {
            tracing::error!(id = %letter.id(), suppressed, "the hook for dead letters panicked");
        }
    }
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline")
            .field("queue", &self.queue)
            .finish_non_exhaustive()
    }
}
