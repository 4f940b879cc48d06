//! Live feeds of stored events.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::records::StoredEvent;

/// The number of events buffered for a slow subscriber; further ones are dropped and counted.
///
/// A terminal prints a few hundred lines a second; this is several seconds at the service's own
/// rate limit (100 events a second).
pub(crate) const SUBSCRIPTION_CAPACITY: usize = 1_024;

/// A bounded, ordered feed of stored events; made by
/// [`LocalServer::subscribe`](crate::LocalServer::subscribe).
///
/// It buffers 1,024 events. The server never waits for a subscriber: an event that does not fit is
/// not delivered here and is counted in [`missed`](Self::missed). It is stored nevertheless; read
/// the rows after the last received `seq` with
/// [`LocalServer::events_where`](crate::LocalServer::events_where).
#[derive(Debug)]
pub struct Subscription {
    events: Receiver<StoredEvent>,
    missed: Arc<AtomicU64>,
}

impl Subscription {
    /// Waits for the next event; returns `None` once the server has stopped and the buffer is
    /// empty. Blocks the thread.
    #[must_use]
    pub fn recv(&self) -> Option<StoredEvent> {
        self.events.recv().ok()
    }

    /// Waits for the next event for at most `timeout`; returns `None` if none arrived, or if the
    /// server has stopped. Blocks the thread.
    #[must_use]
    pub fn recv_timeout(&self, timeout: Duration) -> Option<StoredEvent> {
        self.events.recv_timeout(timeout).ok()
    }

    /// Returns the next event if one is buffered. Never blocks.
    #[must_use]
    pub fn try_recv(&self) -> Option<StoredEvent> {
        self.events.try_recv().ok()
    }

    /// Returns the number of events that were dropped because 1,024 were buffered.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }
}

#[derive(Debug)]
struct Subscriber {
    events: SyncSender<StoredEvent>,
    missed: Arc<AtomicU64>,
}

/// All subscriptions, and the position of the newest event.
#[derive(Debug)]
pub(crate) struct Subscribers {
    /// `None` once the server has stopped: later subscriptions end immediately.
    list: Mutex<Option<Vec<Subscriber>>>,
    head: watch::Sender<LogHead>,
}

/// The newest position of the audit log, for readers that fetch the rows themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogHead {
    /// The `seq` of the newest event of this run; 0 before the first.
    pub(crate) seq: u64,
    /// `false` once the server is stopping.
    pub(crate) open: bool,
}

impl Subscribers {
    pub(crate) fn open() -> Self {
        Self {
            list: Mutex::new(Some(Vec::new())),
            head: watch::Sender::new(LogHead { seq: 0, open: true }),
        }
    }

    /// Returns a receiver that is notified of new events without their content, so nothing is
    /// buffered for a slow reader.
    pub(crate) fn watch(&self) -> watch::Receiver<LogHead> {
        self.head.subscribe()
    }

    /// Ends all watchers.
    pub(crate) fn end_watches(&self) {
        self.head.send_modify(|head| head.open = false);
    }

    pub(crate) fn subscribe(&self) -> Subscription {
        let (sender, events) = sync_channel(SUBSCRIPTION_CAPACITY);
        let missed = Arc::new(AtomicU64::new(0));
        if let Some(list) = self
            .list
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_mut()
        {
            list.push(Subscriber {
                events: sender,
                missed: Arc::clone(&missed),
            });
        }
        Subscription { events, missed }
    }

    /// Sends `event` to every subscriber with room, and removes those that were dropped.
    pub(crate) fn publish(&self, event: &StoredEvent) {
        self.head.send_modify(|head| head.seq = event.seq);
        if let Some(list) = self
            .list
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_mut()
        {
            list.retain(
                |subscriber| match subscriber.events.try_send(event.clone()) {
                    Ok(()) => true,
                    Err(TrySendError::Full(_)) => {
                        subscriber.missed.fetch_add(1, Ordering::Relaxed);
                        true
                    }
                    Err(TrySendError::Disconnected(_)) => false,
                },
            );
        }
    }

    /// Ends every subscription once its buffered events are received.
    pub(crate) fn close(&self) {
        *self.list.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::stored;

    #[test]
    fn slow_subscriber_counts_missed_events() {
        let subscribers = Subscribers::open();
        let subscription = subscribers.subscribe();
        for seq in 0..=SUBSCRIPTION_CAPACITY {
            subscribers.publish(&stored(u64::try_from(seq).unwrap()));
        }
        assert_eq!(subscription.missed(), 1);
        assert_eq!(subscription.recv().unwrap().seq(), 0);
    }

    #[test]
    fn closing_ends_a_subscription_after_its_last_event() {
        let subscribers = Subscribers::open();
        let subscription = subscribers.subscribe();
        subscribers.publish(&stored(7));
        subscribers.close();
        assert_eq!(subscription.recv().unwrap().seq(), 7);
        assert!(subscription.recv().is_none());
        assert!(
            subscribers.subscribe().recv().is_none(),
            "a late subscription ends immediately"
        );
    }

    #[test]
    fn dropped_subscription_is_removed() {
        let subscribers = Subscribers::open();
        drop(subscribers.subscribe());
        subscribers.publish(&stored(1));
        assert!(
            subscribers
                .list
                .lock()
                .unwrap()
                .as_ref()
                .unwrap()
                .is_empty()
        );
    }
}
