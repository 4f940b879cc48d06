//! One event that was fetched and has not come to its end, and the attempts to deliver it.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::Instant;

use crate::Event;
use crate::sink::{Delivery, DynSink, Fault};

/// For how long the service knows an idempotency key: "expire after 24 hours", less a margin for the attempt itself
/// ([WorkOS: create event](https://workos.com/docs/reference/audit-logs/event)).
const KEY_LIFETIME: Duration = Duration::from_secs(24 * 3_600 - 300);

/// An attempt under way; answers with the event's number.
pub(super) type Attempt = Pin<Box<dyn Future<Output = (u64, Delivery)> + Send>>;

#[derive(Debug)]
pub(super) struct Open {
    pub(super) event: Arc<Event>,
    /// What it holds in the queue's bound, whatever is added to it.
    pub(super) size: usize,
    pub(super) fetched_at: Instant,
    /// Failed attempts that were charged to it.
    pub(super) failed: u32,
    pub(super) hurried: bool,
    /// When the first attempt was made of which it is not known whether the sink took the event.
    doubtful_since: Option<Instant>,
    last_attempt: Instant,
}

impl Open {
    pub(super) fn new(event: Event, now: Instant) -> Self {
        Self {
            size: event.size(),
            event: Arc::new(event),
            fetched_at: now,
            failed: 0,
            hurried: false,
            doubtful_since: None,
            last_attempt: now,
        }
    }

    pub(super) fn attempt(
        &mut self,
        number: u64,
        sink: &Arc<dyn DynSink>,
        now: Instant,
    ) -> Attempt {
        self.last_attempt = now;
        if self
            .doubtful_since
            .is_some_and(|since| now.saturating_duration_since(since) >= KEY_LIFETIME)
        {
            // The service has forgotten the key: if it took the event then, it will take it twice.
            self.doubtful_since = None;
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

    /// The last attempt failed.
    pub(super) fn failed(&mut self, fault: &Fault) {
        if fault.is_ambiguous() && self.doubtful_since.is_none() {
            self.doubtful_since = Some(self.last_attempt);
        }
    }

    pub(super) fn into_event(self) -> Event {
        Arc::try_unwrap(self.event).unwrap_or_else(|event| Event::clone(&event))
    }
}
