//! The bounded queue between the audited code and the dispatcher.
//!
//! A origin in it is held for an event's whole life: waiting, in flight, delayed for a retry. So its
//! two bounds, in events and in bytes, are bounds on what undelivered events can occupy. Pushing
//! takes no lock and wakes nobody while the dispatcher is awake; the dispatcher looks by itself
//! every few milliseconds and asks to be woken only after a silence, because waking a thread costs
//! a hundred times what a push does.
//!
//! `tests/crates/queue-model` compiles this file against other primitives and has every
//! interleaving of a few threads tried by loom.

use super::sync::{ArrayQueue, AtomicBool, AtomicUsize, Notify, Ordering, fence};
use crate::event::Event;

/// The bit of the origin count that says that no more events are taken.
const CLOSED: usize = 1 << (usize::BITS - 1);

/// Why the queue did not take an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Full,
    Closed,
    /// The dispatcher is gone for good.
    Down,
}

#[derive(Debug)]
pub(crate) struct Queue {
    ring: ArrayQueue<Event>,
    /// Places held, and [`CLOSED`]. One atomic for both, so that after the queue was closed the
    /// places still held are exactly the events that got in.
    places: AtomicUsize,
    bytes: AtomicUsize,
    max_bytes: usize,
    /// Whether the queue was closed because nobody is left to fetch from it.
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

    /// Takes an event, or hands it back. Never blocks.
    pub(crate) fn push(&self, event: Event) -> Result<(), (Event, Refusal)> {
        let size = event.size();
        let places = self.places.fetch_add(1, Ordering::AcqRel);
        let refusal = if places & CLOSED != 0 {
            Some(self.why_closed())
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
        // A held origin is room in the ring, which has as many slots as there are places.
        if let Err(event) = self.ring.push(event) {
            self.release(size);
            return Err((event, Refusal::Full));
        }
        self.nudge();
        if places == self.ring.capacity() / 2 {
            // Half full: the dispatcher need not wait for its next look.
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

    fn why_closed(&self) -> Refusal {
        if self.down.load(Ordering::Acquire) {
            Refusal::Down
        } else {
            Refusal::Closed
        }
    }

    /// The next waiting event. Its origin stays held until [`Queue::release`].
    pub(crate) fn pop(&self) -> Option<Event> {
        self.ring.pop()
    }

    /// Gives back the origin of an event of `size` bytes that has come to its end.
    pub(crate) fn release(&self, size: usize) {
        self.bytes.fetch_sub(size, Ordering::AcqRel);
        self.places.fetch_sub(1, Ordering::AcqRel);
    }

    /// Takes no more events. Those that were taken stay.
    pub(crate) fn close(&self) {
        self.places.fetch_or(CLOSED, Ordering::AcqRel);
    }

    /// Takes no more events, because nobody will fetch them.
    pub(crate) fn close_for_good(&self) {
        self.down.store(true, Ordering::Release);
        self.close();
    }

    /// How many places there are.
    pub(crate) fn capacity(&self) -> usize {
        self.ring.capacity()
    }

    pub(crate) fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// The places held: events waiting, in flight or delayed.
    pub(crate) fn held(&self) -> usize {
        self.places.load(Ordering::Acquire) & !CLOSED
    }

    /// The bytes of the events that hold places.
    pub(crate) fn held_bytes(&self) -> usize {
        self.bytes.load(Ordering::Acquire)
    }

    pub(crate) fn waiting(&self) -> usize {
        self.ring.len()
    }

    /// Asks to be woken by the next push; `false` if there is something to do at once.
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
