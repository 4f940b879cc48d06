//! The loom model of the recorder's queue: its source compiled against loom's primitives, so that a
//! test runs every interleaving of its threads.

#![expect(
    dead_code,
    clippy::unwrap_used,
    reason = "the queue is a private module of another crate, of which the model uses a part"
)]

#[path = "../../../../audit-core/src/delivery/queue.rs"]
mod queue;

/// A substitute for the module of events.
mod event {
    /// A substitute for an event: the queue reads only its size.
    #[derive(Debug)]
    pub(crate) struct Event {
        pub(crate) number: usize,
        pub(crate) size: usize,
    }

    impl Event {
        pub(crate) fn size(&self) -> usize {
            self.size
        }
    }
}

/// The queue's synchronization primitives, in loom's versions.
mod sync {
    use std::collections::VecDeque;

    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
    use loom::sync::{Condvar, Mutex};

    /// A bounded queue. The real one is another library's lock-free queue; only the sequence of its
    /// operations is modelled.
    #[derive(Debug)]
    pub(crate) struct ArrayQueue<T> {
        items: Mutex<VecDeque<T>>,
        capacity: usize,
    }

    impl<T> ArrayQueue<T> {
        pub(crate) fn new(capacity: usize) -> Self {
            Self {
                items: Mutex::new(VecDeque::new()),
                capacity,
            }
        }

        pub(crate) fn push(&self, item: T) -> Result<(), T> {
            let mut items = self.items.lock().unwrap();
            if items.len() == self.capacity {
                return Err(item);
            }
            items.push_back(item);
            Ok(())
        }

        pub(crate) fn pop(&self) -> Option<T> {
            self.items.lock().unwrap().pop_front()
        }

        pub(crate) fn len(&self) -> usize {
            self.items.lock().unwrap().len()
        }

        pub(crate) fn is_empty(&self) -> bool {
            self.len() == 0
        }

        pub(crate) fn capacity(&self) -> usize {
            self.capacity
        }
    }

    /// A single permit, like Tokio's `Notify`; waiting blocks the thread.
    #[derive(Debug)]
    pub(crate) struct Notify {
        permit: Mutex<bool>,
        given: Condvar,
    }

    impl Notify {
        pub(crate) fn new() -> Self {
            Self {
                permit: Mutex::new(false),
                given: Condvar::new(),
            }
        }

        pub(crate) fn notify_one(&self) {
            *self.permit.lock().unwrap() = true;
            self.given.notify_one();
        }

        pub(crate) async fn notified(&self) {
            let mut permit = self.permit.lock().unwrap();
            while !*permit {
                permit = self.given.wait(permit).unwrap();
            }
            *permit = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use loom::future::block_on;
    use loom::sync::Arc;
    use loom::thread;

    use super::event::Event;
    use super::queue::{Queue, Refusal};

    fn event(number: usize) -> Event {
        Event { number, size: 10 }
    }

    #[test]
    fn every_event_is_queued_or_returned_within_the_bounds() {
        loom::model(|| {
            let queue = Arc::new(Queue::new(1, 10));
            let producers: Vec<_> = (0..2)
                .map(|producer| {
                    let queue = Arc::clone(&queue);
                    thread::spawn(move || usize::from(queue.push(event(producer)).is_ok()))
                })
                .collect();
            let mut popped = Vec::new();
            if let Some(event) = queue.pop() {
                popped.push(event.number);
                queue.release(event.size());
            }
            let taken: usize = producers
                .into_iter()
                .map(|producer| producer.join().unwrap())
                .sum();
            assert!(queue.held() <= 1 && queue.held_bytes() <= 10);
            while let Some(event) = queue.pop() {
                popped.push(event.number);
                queue.release(event.size());
            }
            assert_eq!(popped.len(), taken);
            popped.sort_unstable();
            popped.dedup();
            assert_eq!(popped.len(), taken, "an event was popped twice");
            assert_eq!((queue.held(), queue.held_bytes()), (0, 0));
        });
    }

    #[test]
    fn slots_held_after_close_equal_the_accepted_events() {
        loom::model(|| {
            let queue = Arc::new(Queue::new(4, 100));
            let producer = {
                let queue = Arc::clone(&queue);
                thread::spawn(move || {
                    (0..2)
                        .map(|number| queue.push(event(number)))
                        .filter(Result::is_ok)
                        .count()
                })
            };
            queue.close();
            let taken = producer.join().unwrap();
            assert_eq!(queue.held(), taken);
            let mut popped = 0;
            while queue.pop().is_some() {
                queue.release(10);
                popped += 1;
            }
            assert_eq!(popped, taken);
            let (_, refusal) = queue.push(event(9)).unwrap_err();
            assert_eq!(refusal, Refusal::Closed);
        });
    }

    #[test]
    fn sleeping_dispatcher_is_woken_for_every_event() {
        loom::model(|| {
            let queue = Arc::new(Queue::new(8, 100));
            let producer = {
                let queue = Arc::clone(&queue);
                thread::spawn(move || queue.push(event(1)).is_ok())
            };
            // Loom reports a lost wake-up as a deadlock.
            let popped = loop {
                match queue.pop() {
                    Some(event) => break event,
                    None if queue.fall_asleep() => block_on(queue.woken()),
                    None => {}
                }
            };
            assert_eq!(popped.number, 1);
            assert!(producer.join().unwrap());
        });
    }
}
