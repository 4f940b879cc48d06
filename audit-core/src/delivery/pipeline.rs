//! The state that the recorder's handles share with the dispatcher.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task;

use super::dead_letter::{DeadLetter, DeadLetters};
use super::disk::Spool;
use super::flush_barrier::Report;
use super::gap::Gaps;
use super::queue::Queue;
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
    pub(crate) health_tracker: HealthTracker,
    pub(crate) rate_limit: RateLimit,
    pub(crate) dead_letters: DeadLetters,
    pub(crate) on_dead_letter: Option<Hook>,
    pub(crate) gaps: Gaps,
    pub(crate) defaults: EventDefaults,
    pub(crate) durable: DurableRules,
    pub(crate) dispatcher: DispatcherThread,
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
#[derive(Debug, Default)]
pub(crate) struct DispatcherThread {
    /// The dispatcher's runtime, whose timer serves all waiters.
    pub(crate) runtime: Mutex<Option<Handle>>,
    pub(crate) handle: Mutex<Option<JoinHandle<()>>>,
    pub(crate) final_report: OnceLock<Report>,
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

    /// Makes this runtime's timer serve all waiters.
    pub(crate) fn set_runtime(&self, runtime: &Handle) {
        *self
            .dispatcher
            .runtime
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(runtime.clone());
    }

    /// Starts a task that ends at the deadline of durable events; `None` without a dispatcher.
    pub(crate) fn timer(&self) -> Option<task::JoinHandle<()>> {
        let runtime = self
            .dispatcher
            .runtime
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let deadline = self.durable.deadline;
        let timer = async move { tokio::time::sleep(deadline).await };
        runtime.as_ref().map(|runtime| runtime.spawn(timer))
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

    pub(crate) fn log_fault(&self, event: &Event, fault: &Fault) {
        if let Some(suppressed) = self.logs.faults.admit() {
            if fault.is_fatal() {
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
        let taken = self
            .spool
            .as_ref()
            .is_some_and(|spool| spool.enqueue(event).is_ok());
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
        if !is_on_disk {
            self.dead_letters.keep(letter.clone());
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
