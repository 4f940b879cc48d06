//! What the handles and the dispatcher share.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task;

use super::dead_letter::{DeadLetter, DeadLetters};
use super::disk::Spool;
use super::fence::Report;
use super::gap::Gaps;
use super::queue::Queue;
use crate::catalog::{Action, Versions};
use crate::event::{Event, OrganizationId};
use crate::sink::{Fault, RateLimit};
use crate::telemetry::{Condition, Counters, Health, Load, LogLimit, Observer, Stats};

/// How long a guard waits on drop unless told otherwise.
pub(crate) const GUARD_DEADLINE: Duration = Duration::from_secs(2);

/// Hears of each dead letter.
pub(crate) type Hook = Arc<dyn Fn(&DeadLetter) + Send + Sync>;

pub(crate) struct Shared {
    #[cfg_attr(
        not(feature = "metrics"),
        expect(dead_code, reason = "metrics alone are told apart by it")
    )]
    pub(crate) name: String,
    pub(crate) queue: Queue,
    pub(crate) counters: Counters,
    pub(crate) dead_letters: DeadLetters,
    pub(crate) condition: Condition,
    pub(crate) rate_limit: RateLimit,
    pub(crate) gaps: Gaps,
    pub(crate) gap_action: Option<Action>,
    pub(crate) final_report: OnceLock<Report>,
    pub(crate) spool: Option<Spool>,
    pub(crate) on_dead_letter: Option<Hook>,
    pub(crate) fallback_organization: Option<OrganizationId>,
    pub(crate) versions: Versions,
    /// The actions of which the catalog says so, sorted.
    pub(crate) durable: Vec<&'static str>,
    /// How long whoever records a durable event waits for the disk.
    pub(crate) durable_deadline: Duration,
    /// The runtime of the dispatcher, which keeps the time.
    pub(crate) clock: Mutex<Option<Handle>>,
    pub(crate) thread: Mutex<Option<JoinHandle<()>>>,
    pub(crate) logs: Logs,
    pub(crate) observer: Option<Arc<dyn Observer>>,
}

/// One limit per complaint.
#[derive(Debug)]
pub(crate) struct Logs {
    pub(crate) faults: LogLimit,
    pub(crate) dead: LogLimit,
    pub(crate) hook: LogLimit,
    pub(crate) refusals: LogLimit,
    pub(crate) deadline_exceeded: LogLimit,
    pub(crate) unresolved: LogLimit,
}

impl Logs {
    pub(crate) fn new() -> Self {
        Self {
            faults: LogLimit::new(),
            dead: LogLimit::new(),
            hook: LogLimit::new(),
            refusals: LogLimit::new(),
            deadline_exceeded: LogLimit::new(),
            unresolved: LogLimit::new(),
        }
    }
}

impl Shared {
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
        let disk = self.spool.as_ref().map(Spool::disk);
        self.condition.health(Load {
            disk,
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

    /// From now on this runtime keeps the time of those who wait.
    pub(crate) fn set_clock(&self, runtime: &Handle) {
        *self.clock.lock().unwrap_or_else(PoisonError::into_inner) = Some(runtime.clone());
    }

    /// A task that ends when the deadline of durable events has come; `None` while there is no
    /// dispatcher.
    pub(crate) fn timer(&self) -> Option<task::JoinHandle<()>> {
        let clock = self.clock.lock().unwrap_or_else(PoisonError::into_inner);
        let deadline = self.durable_deadline;
        let timer = async move { tokio::time::sleep(deadline).await };
        clock.as_ref().map(|runtime| runtime.spawn(timer))
    }

    /// Durable events are not on the disk, and whoever recorded them goes on.
    pub(crate) fn record_deadline_exceeded(&self, events: u64, why: impl fmt::Display) {
        self.counters.deadline_exceeded.add(events);
        self.condition.late();
        if let Some(suppressed) = self.logs.deadline_exceeded.admit() {
            tracing::error!(
                events,
                deadline_exceeded = self.counters.deadline_exceeded.get(),
                suppressed,
                "durable audit events are not on the disk in time: {why}"
            );
        }
    }

    /// An event was handed back, and nobody keeps it.
    pub(crate) fn dropped(&self, event: &Event) {
        self.counters.dropped.add(1);
        if self.gap_action.is_some() {
            self.gaps.add(event);
        }
    }

    /// Tells of the gaps in the trail, once there is room for that and for what comes in meanwhile.
    pub(crate) fn tell_gaps(&self) {
        let Some(action) = self.gap_action else {
            return;
        };
        if self.gaps.is_empty() || self.queue.held() > self.queue.capacity() / 2 {
            return;
        }
        self.gaps.tell(action, |mut event| {
            self.complete(&mut event);
            let taken = self.queue.push(event).is_ok();
            self.counters.generated.add(u64::from(taken));
            taken
        });
    }

    /// What every event has by the time it is in the queue.
    pub(crate) fn complete(&self, event: &mut Event) {
        if !event.has_organization()
            && let Some(organization) = &self.fallback_organization
        {
            event.set_organization(|out| out.push_str(organization.as_str()));
        }
        if !self.versions.is_empty()
            && event.version().is_none()
            && let Some(version) = crate::catalog::version(self.versions, event.action())
        {
            event.set_version(version);
        }
    }

    pub(crate) fn log_fault(&self, event: &Event, fault: &Fault) {
        if let Some(suppressed) = self.logs.faults.admit() {
            if fault.is_fatal() {
                tracing::error!(id = %event.id(), suppressed, "audit delivery waits until this is mended: {fault}");
            } else {
                tracing::warn!(id = %event.id(), suppressed, "audit delivery will be repeated: {fault}");
            }
        }
    }

    /// Dead letters of the spool are pending again.
    #[cfg(feature = "spool")]
    pub(crate) fn redriven(&self, again: u64) {
        self.counters.redriven.add(again);
        self.counters.spool_in[1].add(again);
        self.queue.nudge();
    }

    /// Gives an event to the spool, if there is one that takes it.
    pub(crate) fn spill(&self, event: &Event) -> bool {
        let taken = self
            .spool
            .as_ref()
            .is_some_and(|spool| spool.enqueue(event).is_ok());
        if taken {
            self.counters.spool_in[1].add(1);
            self.queue.nudge();
        }
        taken
    }

    /// Keeps an event that was refused for good, on the spool if there is one, and tells who wants
    /// to hear of it.
    pub(crate) fn bury(&self, letter: DeadLetter, row: Option<i64>) {
        let fault = || letter.fault().to_string();
        let is_on_disk = match (&self.spool, row) {
            (Some(spool), Some(row)) => spool.bury(row, letter.id(), fault()).is_ok(),
            (Some(spool), None) => spool.bury_event(letter.event(), fault()).is_ok(),
            (None, _) => false,
        };
        if !is_on_disk {
            self.dead_letters.keep(letter.clone());
        }
        if let Some(suppressed) = self.logs.dead.admit() {
            tracing::error!(
                id = %letter.id(),
                action = letter.event().action(),
                dead = self.counters.dead.get(),
                suppressed,
                "audit event refused for good, and kept as a dead letter: {}",
                letter.fault()
            );
        }
        self.tell(&letter);
    }

    /// Tells who wants to hear of dead letters and lost events. It is foreign code.
    pub(crate) fn tell(&self, letter: &DeadLetter) {
        let Some(hook) = &self.on_dead_letter else {
            return;
        };
        let told = std::panic::catch_unwind(AssertUnwindSafe(|| hook(letter)));
        if told.is_err()
            && let Some(suppressed) = self.logs.hook.admit()
        {
            tracing::error!(id = %letter.id(), suppressed, "the hook for dead letters panicked");
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("queue", &self.queue)
            .finish_non_exhaustive()
    }
}
