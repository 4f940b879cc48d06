//! An event in delivery, and its attempts.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::Instant;

use super::attribution::FailureHistory;
use super::disk::{Guarantee, SpooledEvent};
use super::flush_barrier::Origin;
use crate::event::{Event, now_millis};
use crate::sink::{Delivery, DynSink, Fault};

/// The time for which the service remembers an idempotency key: "expire after 24 hours", less a
/// margin for the attempt itself ([WorkOS: create
/// event](https://workos.com/docs/reference/audit-logs/event)).
const KEY_LIFETIME: Duration = Duration::from_secs(24 * 3_600 - 300);

/// An attempt in progress, which returns the event's sequence number.
pub(super) type Attempt = Pin<Box<dyn Future<Output = (u64, Delivery)> + Send>>;

/// The arguments of [`PendingEvent::attempt`].
#[derive(Clone, Copy, Debug)]
pub(super) struct AttemptStart {
    /// The event's sequence number.
    pub(super) number: u64,
    /// The number of the attempt.
    pub(super) attempt: u64,
    pub(super) now: Instant,
    /// The longest time that the attempt may take.
    pub(super) limit: Duration,
}

/// An event in memory that has not reached a final state.
#[derive(Debug)]
pub(super) struct PendingEvent {
    pub(super) event: Arc<Event>,
    /// The bytes that the event holds in the queue's bound; `None` for one from the spool.
    pub(super) size: Option<usize>,
    pub(super) origin: Origin,
    /// The event's row on the spool.
    pub(super) row: Option<i64>,
    /// The time at which it was fetched from the queue, or recorded if it comes from the spool.
    pub(super) fetched_at: Instant,
    pub(super) failures: FailureHistory,
    pub(super) immediate_retry_used: bool,
    /// Set while an attempt is in flight.
    pub(super) is_in_flight: bool,
    /// The time at which the attempt in flight began, in milliseconds since 1970, if it is kept on
    /// the spool.
    pub(super) attempt_millis: Option<u64>,
    /// The number of the last attempt.
    pub(super) attempt: u64,
    /// The reason of the last failure, if it is the event's own.
    pub(super) last_fault: Option<Fault>,
    /// The row of an event that only probes the sink; it is finished once it is read in its turn.
    pub(super) scout_row: Option<i64>,
    /// Set if the event left memory after a failure and was read again.
    pub(super) was_parked: bool,
    /// The first attempt whose result is unknown: the sink may have accepted the event.
    pub(super) ambiguity: Option<Ambiguity>,
    last_attempt: Instant,
}

/// Returns the time at which an event was recorded.
fn recorded_at(event: &Event, now: Instant) -> Instant {
    let age = Duration::from_millis(now_millis().saturating_sub(event.id().millis()));
    now.checked_sub(age).unwrap_or(now)
}

/// The age of an ambiguity.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ambiguity {
    since: Instant,
    /// The age that it had at `since`, if it comes from an earlier process.
    age_before: Duration,
}

impl PendingEvent {
    /// Returns an event from the queue.
    pub(super) fn new(event: Event, number: u64, now: Instant) -> Self {
        Self {
            size: Some(event.size()),
            origin: Origin::Queue(number),
            row: None,
            event: Arc::new(event),
            fetched_at: now,
            failures: FailureHistory::default(),
            immediate_retry_used: false,
            is_in_flight: false,
            attempt_millis: None,
            attempt: 0,
            last_fault: None,
            scout_row: None,
            was_parked: false,
            ambiguity: None,
            last_attempt: now,
        }
    }

    /// Returns an event from the spool.
    pub(super) fn spooled(spooled: SpooledEvent, origin: Origin, now: Instant) -> Self {
        let ambiguity = spooled.first_attempt.map(|first| Ambiguity {
            since: now,
            age_before: Duration::from_millis(now_millis().saturating_sub(first)),
        });
        Self {
            size: None,
            origin,
            row: Some(spooled.row),
            ambiguity,
            fetched_at: recorded_at(&spooled.event, now),
            ..Self::new(spooled.event, 0, now)
        }
    }

    /// Returns an event of the spool that only probes the sink.
    pub(super) fn scout(spooled: SpooledEvent, now: Instant) -> Self {
        let origin = Origin::Recovered(Guarantee::BestEffort);
        let row = spooled.row;
        Self {
            row: None,
            scout_row: Some(row),
            ..Self::spooled(spooled, origin, now)
        }
    }

    /// Starts an attempt, which fails at its time limit.
    pub(super) fn attempt(&mut self, sink: &Arc<dyn DynSink>, start: AttemptStart) -> Attempt {
        let AttemptStart {
            number,
            attempt,
            now,
            limit,
        } = start;
        self.last_attempt = now;
        self.attempt = attempt;
        self.is_in_flight = true;
        let age = |ambiguity: Ambiguity| {
            ambiguity.age_before + now.saturating_duration_since(ambiguity.since)
        };
        if self
            .ambiguity
            .is_some_and(|ambiguity| age(ambiguity) >= KEY_LIFETIME)
        {
            // The service has forgotten the key: if it stored the event then, it will do so again.
            self.ambiguity = None;
            let event = Arc::make_mut(&mut self.event);
            if event.metadata_value("maybe_duplicate").is_none() {
                event.push_metadata("maybe_duplicate", &true);
            }
        }
        let (sink, event) = (Arc::clone(sink), Arc::clone(&self.event));
        Box::pin(async move {
            let attempt = AssertUnwindSafe(async { sink.deliver(&event).await }).catch_unwind();
            let delivery = match tokio::time::timeout(limit, attempt).await {
                Ok(Ok(delivery)) => delivery,
                Ok(Err(_panic)) => Err(Fault::panicked()),
                Err(_elapsed) => Err(Fault::timed_out(limit)),
            };
            (number, delivery)
        })
    }

    /// Records a failed attempt, of which the sink may have accepted the event or not.
    pub(super) fn failed(&mut self, fault: &Fault) {
        if fault.is_ambiguous() {
            self.ambiguity.get_or_insert(Ambiguity {
                since: self.last_attempt,
                age_before: Duration::ZERO,
            });
        }
    }

    /// Returns the time of the first attempt whose result is not known, in milliseconds since 1970:
    /// one that failed, or is in flight.
    pub(super) fn first_attempt(&self, now: Instant) -> Option<u64> {
        let age = match &self.ambiguity {
            Some(ambiguity) => {
                ambiguity.age_before + now.saturating_duration_since(ambiguity.since)
            }
            None if self.is_in_flight => now.saturating_duration_since(self.last_attempt),
            None => return None,
        };
        let age = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        Some(now_millis().saturating_sub(age))
    }

    /// Returns the row that holds the event, also that of one that only probes the sink.
    pub(super) fn row_on_disk(&self) -> Option<i64> {
        self.row.or(self.scout_row)
    }

    /// Returns whether the result of every earlier attempt is known.
    pub(super) fn is_unambiguous(&self) -> bool {
        self.ambiguity.is_none()
    }

    pub(super) fn into_event(self) -> Event {
        Arc::try_unwrap(self.event).unwrap_or_else(|event| Event::clone(&event))
    }
}
