//! One event that was fetched and has not come to its end, and the attempts to deliver it.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::Instant;

use super::disk::Spooled;
use super::flush_barrier::Origin;
use crate::event::{Event, now_millis};
use crate::sink::{Delivery, DynSink, Fault};

/// For how long the service knows an idempotency key: "expire after 24 hours", less a margin for
/// the attempt itself ([WorkOS: create event](https://workos.com/docs/reference/audit-logs/event)).
const KEY_LIFETIME: Duration = Duration::from_secs(24 * 3_600 - 300);

/// An attempt under way; answers with the event's number.
pub(super) type Attempt = Pin<Box<dyn Future<Output = (u64, Delivery)> + Send>>;

#[derive(Debug)]
pub(super) struct PendingEvent {
    pub(super) event: Arc<Event>,
    /// What it holds in the queue's bound, whatever is added to it. What comes from the spool holds
    /// nothing there.
    pub(super) size: Option<usize>,
    pub(super) origin: Origin,
    /// Where it stands on the spool.
    pub(super) row: Option<i64>,
    pub(super) fetched_at: Instant,
    /// Failed attempts that were charged to it.
    pub(super) failed: u32,
    pub(super) immediate_retry_used: bool,
    /// The first attempt of which it is not known whether the sink took the event.
    ambiguity: Option<Ambiguity>,
    last_attempt: Instant,
}

/// How old a ambiguity is.
#[derive(Clone, Copy, Debug)]
struct Ambiguity {
    since: Instant,
    /// How old it was then, when another process had it first.
    before: Duration,
}

impl PendingEvent {
    /// An event from the queue.
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

    /// An event from the spool.
    pub(super) fn spooled(spooled: Spooled, origin: Origin, now: Instant) -> Self {
        let ambiguity = spooled.first_attempt.map(|first| Ambiguity {
            since: now,
            before: Duration::from_millis(now_millis().saturating_sub(first)),
        });
        Self {
            size: None,
            origin,
            row: Some(spooled.row),
            ambiguity,
            ..Self::new(spooled.event, 0, now)
        }
    }

    pub(super) fn attempt(
        &mut self,
        number: u64,
        sink: &Arc<dyn DynSink>,
        now: Instant,
    ) -> Attempt {
        self.last_attempt = now;
        let age = |ambiguity: Ambiguity| {
            ambiguity.before + now.saturating_duration_since(ambiguity.since)
        };
        if self
            .ambiguity
            .is_some_and(|ambiguity| age(ambiguity) >= KEY_LIFETIME)
        {
            // The service has forgotten the key: if it took the event then, it will take it twice.
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

    /// The last attempt failed; whether it is the first that may have been a delivery all the same.
    pub(super) fn failed(&mut self, fault: &Fault) -> bool {
        let is_first = fault.is_ambiguous() && self.ambiguity.is_none();
        if is_first {
            self.ambiguity = Some(Ambiguity {
                since: self.last_attempt,
                before: Duration::ZERO,
            });
        }
        is_first
    }

    pub(super) fn into_event(self) -> Event {
        Arc::try_unwrap(self.event).unwrap_or_else(|event| Event::clone(&event))
    }
}
