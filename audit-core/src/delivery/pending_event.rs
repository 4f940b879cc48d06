//! An event in delivery, and its attempts.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::Instant;

use super::disk::SpooledEvent;
use super::flush_barrier::Origin;
use crate::event::{Event, now_millis};
use crate::sink::{Delivery, DynSink, Fault};

/// The time for which the service remembers an idempotency key: "expire after 24 hours", less a
/// margin for the attempt itself ([WorkOS: create
/// event](https://workos.com/docs/reference/audit-logs/event)).
const KEY_LIFETIME: Duration = Duration::from_secs(24 * 3_600 - 300);

/// An attempt in progress, which returns the event's sequence number.
pub(super) type Attempt = Pin<Box<dyn Future<Output = (u64, Delivery)> + Send>>;

/// An event in memory that has not reached a final state.
#[derive(Debug)]
pub(super) struct PendingEvent {
    pub(super) event: Arc<Event>,
    /// The bytes that the event holds in the queue's bound; `None` for one from the spool.
    pub(super) size: Option<usize>,
    pub(super) origin: Origin,
    /// The event's row on the spool.
    pub(super) row: Option<i64>,
    pub(super) fetched_at: Instant,
    /// Failed attempts that are charged to the event.
    pub(super) failed: u32,
    pub(super) immediate_retry_used: bool,
    /// The first attempt whose result is unknown: the sink may have accepted the event.
    ambiguity: Option<Ambiguity>,
    last_attempt: Instant,
}

/// The age of an ambiguity.
#[derive(Clone, Copy, Debug)]
struct Ambiguity {
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
            failed: 0,
            immediate_retry_used: false,
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
            ..Self::new(spooled.event, 0, now)
        }
    }

    /// Starts an attempt.
    pub(super) fn attempt(
        &mut self,
        number: u64,
        sink: &Arc<dyn DynSink>,
        now: Instant,
    ) -> Attempt {
        self.last_attempt = now;
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
            let delivery = attempt.await;
            (
                number,
                delivery.unwrap_or_else(|_panic| Err(Fault::panicked())),
            )
        })
    }

    /// Records a failed attempt, and returns whether it is the first ambiguous one.
    pub(super) fn failed(&mut self, fault: &Fault) -> bool {
        let is_first = fault.is_ambiguous() && self.ambiguity.is_none();
        if is_first {
            self.ambiguity = Some(Ambiguity {
                since: self.last_attempt,
                age_before: Duration::ZERO,
            });
        }
        is_first
    }

    pub(super) fn into_event(self) -> Event {
        Arc::try_unwrap(self.event).unwrap_or_else(|event| Event::clone(&event))
    }
}
