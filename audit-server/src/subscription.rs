//! Telling the owner of a server about each event as it is stored.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::records::StoredEvent;

/// How many events wait for a slow subscriber before it starts to miss some.
///
/// A screen takes a few hundred lines a second; this is several seconds of the service's own rate
/// limit (100 events a second).
pub(crate) const SUBSCRIPTION_CAPACITY: usize = 1_024;

/// A bounded, ordered feed of stored events; made by
/// [`LocalServer::subscribe`](crate::LocalServer::subscribe).
///
/// It holds a [`std::sync::mpsc`] receiver of 1,024 events. The server never waits for a
/// subscriber: what does not fit is not delivered here and is counted in [`missed`](Self::missed).
/// It is still stored; ask [`LocalServer::events_where`](crate::LocalServer::events_where) for the
/// rows after the last `seq` seen.
#[derive(Debug)]
pub struct Subscription {
    events: Receiver<StoredEvent>,
    missed: Arc<AtomicU64>,
}

impl Subscription {
    /// Waits for the next event; `None` once the server has stopped and everything was taken.
    /// Blocks the thread.
    #[must_use]
    pub fn recv(&self) -> Option<StoredEvent> {
        self.events.recv().ok()
    }

    /// Waits for the next event for at most `timeout`; `None` if none came, or if the server has
    /// stopped. Blocks the thread.
    #[must_use]
    pub fn recv_timeout(&self, timeout: Duration) -> Option<StoredEvent> {
        self.events.recv_timeout(timeout).ok()
    }

    /// The next event if there is one already. Never blocks.
    #[must_use]
    pub fn try_recv(&self) -> Option<StoredEvent> {
        self.events.try_recv().ok()
    }

    /// How many events were not delivered here because 1,024 were waiting.
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

/// Everyone who wants to hear of stored events.
#[derive(Debug)]
pub(crate) struct Subscribers {
    /// `None` once the server has stopped: later subscriptions end at once.
    list: Mutex<Option<Vec<Subscriber>>>,
    head: watch::Sender<LogHead>,
}

/// The end of the list of stored events, as those watch it who read the rows themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogHead {
    /// The newest event of this run; 0 before the first.
    pub(crate) seq: u64,
    /// Whether more may come.
    pub(crate) open: bool,
}

impl Subscribers {
    pub(crate) fn open() -> Self {
        Self {
            list: Mutex::new(Some(Vec::new())),
            head: watch::Sender::new(LogHead { seq: 0, open: true }),
        }
    }

    /// Tells that there is something new, and not what: nothing is buffered for whoever is slow.
    pub(crate) fn watch(&self) -> watch::Receiver<LogHead> {
        self.head.subscribe()
    }

    /// Lets those who watch come to an end.
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

    /// Hands `event` to everyone who has room, and forgets those who are gone.
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

    /// Ends every subscription once its waiting events are taken.
    pub(crate) fn close(&self) {
        *self.list.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::stored;

    #[test]
    fn a_slow_subscriber_misses_events_and_knows_how_many() {
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
            "a late subscription ends at once"
        );
    }

    #[test]
    fn a_dropped_subscription_is_forgotten() {
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
