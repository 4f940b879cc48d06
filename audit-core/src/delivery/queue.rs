//! The bounded queue between the audited code and the dispatcher.
//!
//! A place is held for an event's whole life: waiting, in flight, delayed for a retry. So the two
//! bounds, in events and in bytes, bound what undelivered events can occupy. Pushing takes no lock
//! and wakes no thread while the dispatcher is awake. The dispatcher polls every few milliseconds
//! and requests a wake-up only after a period without events, because waking a thread costs a
//! hundred times as much as a push.
//!
//! `tests/crates/queue-model` compiles this file against loom's primitives, which try every
//! interleaving of a few threads.

use super::sync::{ArrayQueue, AtomicBool, AtomicUsize, Notify, Ordering, fence};
use crate::event::Event;

/// The bit of the place count that is set once the queue is closed.
const CLOSED: usize = 1 << (usize::BITS - 1);

/// The reason why the queue refused an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Full,
    Closed,
    /// The dispatcher was stopped for good.
    Down,
}

#[derive(Debug)]
pub(crate) struct Queue {
    ring: ArrayQueue<Event>,
    /// The held places, and [`CLOSED`]. One atomic for both, so that after the queue was closed the
    /// places still held are exactly the accepted events.
    places: AtomicUsize,
    bytes: AtomicUsize,
    max_bytes: usize,
    /// Set when the queue was closed because the dispatcher was stopped.
    down: AtomicBool,
    asleep: AtomicBool,
    wake: Notify,
}

impl Queue {
    pub(crate) fn new(capacity: usize, max_bytes: usize) -> Self {
        Self {
            ring: ArrayQueue::new(capacity.max(1)),
            places: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            max_bytes,
            down: AtomicBool::new(false),
            asleep: AtomicBool::new(false),
            wake: Notify::new(),
        }
    }

    /// Accepts an event, or returns it with the reason. Never blocks.
    pub(crate) fn push(&self, event: Event) -> Result<(), (Event, Refusal)> {
        let size = event.size();
        let places = self.places.fetch_add(1, Ordering::AcqRel);
        let refusal = if places & CLOSED != 0 {
            Some(self.closed_reason())
        } else if places >= self.ring.capacity() {
            Some(Refusal::Full)
        } else if self
            .bytes
            .fetch_add(size, Ordering::AcqRel)
            .saturating_add(size)
            > self.max_bytes
        {
            self.bytes.fetch_sub(size, Ordering::AcqRel);
            Some(Refusal::Full)
        } else {
            None
        };
        if let Some(refusal) = refusal {
            self.places.fetch_sub(1, Ordering::AcqRel);
            return Err((event, refusal));
        }
        // A held place guarantees a slot: the ring has as many slots as there are places.
        if let Err(event) = self.ring.push(event) {
            self.release(size);
            return Err((event, Refusal::Full));
        }
        self.nudge();
        if places == self.ring.capacity() / 2 {
            // Half full, so the dispatcher should not wait for its next poll.
            self.wake.notify_one();
        }
        Ok(())
    }

    /// Wakes the dispatcher if it sleeps: there is something to fetch, here or on the spool.
    pub(crate) fn nudge(&self) {
        // Pairs with the fence in `fall_asleep`: either this thread sees the flag or the dispatcher
        // sees the event.
        fence(Ordering::SeqCst);
        if self.asleep.load(Ordering::Relaxed) && self.asleep.swap(false, Ordering::AcqRel) {
            self.wake.notify_one();
        }
    }

    fn closed_reason(&self) -> Refusal {
        if self.down.load(Ordering::Acquire) {
            Refusal::Down
        } else {
            Refusal::Closed
        }
    }

    /// Returns the next waiting event. Its place stays held until [`Queue::release`].
    pub(crate) fn pop(&self) -> Option<Event> {
        self.ring.pop()
    }

    /// Releases the place of a finished event of `size` bytes.
    pub(crate) fn release(&self, size: usize) {
        self.bytes.fetch_sub(size, Ordering::AcqRel);
        self.places.fetch_sub(1, Ordering::AcqRel);
    }

    /// Closes the queue. Accepted events stay.
    pub(crate) fn close(&self) {
        self.places.fetch_or(CLOSED, Ordering::AcqRel);
    }

    /// Closes the queue because no dispatcher will fetch from it.
    pub(crate) fn close_for_good(&self) {
        self.down.store(true, Ordering::Release);
        self.close();
    }

    /// Returns the number of places.
    pub(crate) fn capacity(&self) -> usize {
        self.ring.capacity()
    }

    pub(crate) fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// Returns the held places: events waiting, in flight or delayed.
    pub(crate) fn held(&self) -> usize {
        self.places.load(Ordering::Acquire) & !CLOSED
    }

    /// Returns the bytes of the events that hold places.
    pub(crate) fn held_bytes(&self) -> usize {
        self.bytes.load(Ordering::Acquire)
    }

    pub(crate) fn waiting(&self) -> usize {
        self.ring.len()
    }

    /// Requests a wake-up by the next push; returns `false` if there is something to fetch now.
    pub(crate) fn fall_asleep(&self) -> bool {
        self.asleep.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        let empty = self.ring.is_empty();
        if !empty {
            self.asleep.store(false, Ordering::Relaxed);
        }
        empty
    }

    /// Waits for the push that follows [`Queue::fall_asleep`], or the one that makes the queue half
    /// full.
    pub(crate) async fn woken(&self) {
        self.wake.notified().await;
    }
}
